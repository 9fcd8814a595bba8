"""Public names that are imported only when somebody asks for them (PEP 562)."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["lazy_exports"]


def lazy_exports(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a module-level `__getattr__` for `package` that finds each name in its home module.

    Args:
        package: The package's own `__name__`.
        homes: Public name to the dotted name of the module that defines it.
    """

    def load(name: str) -> Any:  # noqa: ANN401  # whatever the name stands for
        if name not in homes:
            msg = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(msg)
        return getattr(import_module(homes[name]), name)

    return load
