"""The statements of the journals that are SQL databases, read from the files beside this one."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

__all__ = ["migrations", "queries", "statements"]

NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@cache
def queries(dialect: str) -> Mapping[str, str]:
    """Return the statements of a dialect by their names."""
    _, *parts = NAME.split(_read(dialect, "queries.sql"))
    return {name: _bare(text) for name, text in zip(parts[::2], parts[1::2], strict=True)}


@cache
def migrations(dialect: str) -> tuple[str, ...]:
    """Return the scripts that make the schema, in order; the n-th leads to version n."""
    names = sorted(each.name for each in (files(__name__) / dialect).iterdir() if each.name[:4].isdigit())
    return tuple(_read(dialect, name) for name in names)


def statements(script: str) -> tuple[str, ...]:
    """Return the statements of a script, each of which ends with a semicolon at the end of a line."""
    return tuple(each for each in script.split(";\n") if each.strip())


def _read(dialect: str, name: str) -> str:
    return (files(__name__) / dialect / name).read_text(encoding="utf-8")


def _bare(text: str) -> str:
    """Return a statement without its comment and semicolon."""
    lines = [line for line in text.splitlines() if line and not line.startswith("--")]
    return "\n".join(lines).removesuffix(";")
