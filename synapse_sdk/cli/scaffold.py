"""Writing a new plugin from the templates."""

import keyword
import re
import shutil
import sys
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from synapse_sdk.cli.errors import CommandLineError

__all__ = ["write_plugin"]

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
SUFFIX = ".tmpl"
TAKEN = frozenset({"synapse_sdk", "synapse", "tests", "test", "pytest", "pydantic"})
"""Names of packages that a plugin's own would hide, or be hidden by."""


def write_plugin(name: str, parent: Path) -> Path:
    """Write a plugin that runs at once, and return its folder.

    Args:
        name: Name of the plugin and its folder; dashes become underscores in the name of its package.
        parent: Where the folder is made.

    Raises:
        CommandLineError: The name cannot be used, or there is something of that name already; nothing is written.
        OSError: The folder cannot be written; what was written of it is removed again.
    """
    code = _package_name(name)
    folder = parent / name
    values = {"code": code, "title": name.replace("-", " ").replace("_", " ").capitalize()}
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        msg = f"{str(folder)!r} exists already"
        fix = "Choose another name, another --dir, or remove it"
        raise CommandLineError(msg, why="a new plugin never overwrites anything", fix=fix) from None
    try:
        _write_folder(files("synapse_sdk.cli") / "templates" / "plugin", folder, values)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def _package_name(name: str) -> str:
    """Return the name of the plugin's package.

    Raises:
        CommandLineError: Python could not import it, or would import something else.
    """
    code = name.replace("-", "_")
    if not NAME.fullmatch(name):
        msg, fix = f"A plugin cannot be called {name!r}", "Begin with a letter; go on with letters, digits, - and _"
        raise CommandLineError(msg, fix=fix if "/" not in name else "Give the folder it goes into as --dir")
    if keyword.iskeyword(code) or code in TAKEN or code in sys.stdlib_module_names:
        msg = f"A plugin cannot be called {name!r}"
        raise CommandLineError(msg, why="Python has a word or a module of that name", fix=f"Try my-{name}")
    return code


def _write_folder(source: Traversable, target: Path, values: Mapping[str, str]) -> None:
    for entry in source.iterdir():
        name = entry.name.removesuffix(SUFFIX)
        if entry.is_dir():
            folder = target / (values["code"] if name == "package" else name)
            folder.mkdir()
            _write_folder(entry, folder, values)
        elif entry.name.endswith(SUFFIX):
            text = Template(entry.read_text(encoding="utf-8")).substitute(values)
            (target / name).write_text(text, encoding="utf-8")
