"""Settings a plugin reads from its environment, with types."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self, overload

from synapse_sdk.errors import ConfigurationError

__all__ = ["PluginEnvironment"]

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off", ""})


class PluginEnvironment(Mapping[str, Any]):
    """A read-only mapping of settings whose getters convert and complain by name.

    Values are never part of `repr`, because environments hold secrets.

    Example:
        >>> env = PluginEnvironment({"WORKERS": "4", "TAGS": "cat, dog"})
        >>> env.get_int("WORKERS"), env.get_list("TAGS"), env.get_bool("DRY_RUN", default=False)
        (4, ['cat', 'dog'], False)
    """

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self._values = dict(values or {})

    @classmethod
    def from_environ(cls, prefix: str = "") -> Self:
        """Take the process's environment variables that start with `prefix`, without it."""
        return cls({name.removeprefix(prefix): value for name, value in os.environ.items() if name.startswith(prefix)})

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        """Take the top-level keys of a TOML file.

        Raises:
            ConfigurationError: The file cannot be read or is not TOML.
        """
        import tomllib  # noqa: PLC0415  # costs 20 ms that most runs do not need

        try:
            return cls(tomllib.loads(Path(path).read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            msg = f"Cannot read environment file {os.fspath(path)!r}"
            raise ConfigurationError(msg, why=str(error), fix="Give a readable TOML file") from error

    def merge(self, other: Mapping[str, Any]) -> Self:
        """Return a new environment in which the values of `other` win."""
        return type(self)({**self._values, **other})

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401  # TOML values have many types
        try:
            return self._values[name]
        except KeyError:
            msg = f"Environment setting {name!r} is not set"
            raise MissingSettingError(msg, fix=f"Set it, or read it with a default: env.get({name!r}, ...)") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} settings: {', '.join(sorted(self._values))})"

    @overload
    def get_str(self, name: str) -> str | None: ...
    @overload
    def get_str(self, name: str, default: str) -> str: ...
    def get_str(self, name: str, default: str | None = None) -> str | None:
        """Return a setting as text."""
        return default if self._values.get(name) is None else str(self._values[name])

    @overload
    def get_int(self, name: str) -> int | None: ...
    @overload
    def get_int(self, name: str, default: int) -> int: ...
    def get_int(self, name: str, default: int | None = None) -> int | None:
        """Return a setting as a whole number; other text and fractions are a ConfigurationError."""
        value = self._values.get(name)
        try:
            number = default if value is None else int(value)
        except (TypeError, ValueError, OverflowError):  # the last for a TOML `inf`
            raise self._unfit(name, "a whole number") from None
        if isinstance(value, float) and number != value:
            raise self._unfit(name, "a whole number")
        return number

    @overload
    def get_float(self, name: str) -> float | None: ...
    @overload
    def get_float(self, name: str, default: float) -> float: ...
    def get_float(self, name: str, default: float | None = None) -> float | None:
        """Return a setting as a number; other text is a ConfigurationError."""
        value = self._values.get(name)
        try:
            return default if value is None else float(value)
        except (TypeError, ValueError):
            raise self._unfit(name, "a number") from None

    @overload
    def get_bool(self, name: str) -> bool | None: ...
    @overload
    def get_bool(self, name: str, default: bool) -> bool: ...  # noqa: FBT001  # the other getters' shape
    def get_bool(self, name: str, default: bool | None = None) -> bool | None:  # noqa: FBT001  # as above
        """Return a setting as true (`1 true yes on`) or false (`0 false no off` or empty), in any case."""
        value = self._values.get(name)
        if value is None:
            return default
        word = str(value).strip().lower()
        if word in TRUE_WORDS:
            return True
        if word in FALSE_WORDS:
            return False
        raise self._unfit(name, "true or false")

    def get_list(self, name: str, default: list[str] | None = None) -> list[str]:
        """Return a setting as a list: commas part text, TOML lists are taken as they are."""
        value = self._values.get(name)
        if value is None:
            return list(default or [])
        parts = value if isinstance(value, list) else str(value).split(",")
        return [text for part in parts if (text := str(part).strip())]

    def to_dict(self) -> dict[str, Any]:
        """Return a copy as a plain dictionary."""
        return dict(self._values)

    def _unfit(self, name: str, wanted: str) -> ConfigurationError:
        # The value stays out of the message: it may be a secret in the wrong variable.
        return ConfigurationError(f"Environment setting {name!r} is not {wanted}", fix=f"Set {name} to {wanted}")


class MissingSettingError(ConfigurationError, KeyError):
    """A setting was asked for by index and is not set."""

    code = "SYN-E1107"
