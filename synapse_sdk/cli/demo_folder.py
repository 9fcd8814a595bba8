"""The folder in which `synapse demo` plays: made afresh, and never over somebody's work."""

import hashlib
import json
import shutil
from pathlib import Path

import synapse_sdk
from synapse_sdk.cli.errors import CommandLineError

__all__ = ["FOLDER", "find_examples", "is_sealed", "make_folder", "seal_folder", "snapshot"]

FOLDER = "synapse-demo"
SEAL = ".made-by-synapse-demo.json"
"""Says what the demo left in its folder, so that a later one knows whether somebody has worked in it since."""
PARTS = ("photos", "annotations", "image_report")
"""The examples that it plays with."""
LEFT_OUT = shutil.ignore_patterns("__pycache__", "README.md", "LICENSE*")


def find_examples() -> Path:
    """Return the folder of the bundled examples: part of the installed package, or beside it in a checkout.

    Raises:
        CommandLineError: This copy of the package has none.
    """
    package = Path(synapse_sdk.__file__).parent
    for folder in (package / "_examples", package.parent / "examples"):
        if all((folder / name).is_dir() for name in PARTS):
            return folder
    msg = "This copy of synapse_sdk comes without its examples"
    raise CommandLineError(
        msg, fix="Install the package from its wheel, or run the demo in a checkout of the repository"
    )


def make_folder(folder: Path) -> None:
    """Make the demo's folder, with photos, annotations and plugin in it; one that an earlier demo left is replaced.

    Raises:
        CommandLineError: There is a folder that the demo did not make, or in which somebody has worked since.
    """
    examples = find_examples()
    if folder.exists() or folder.is_symlink():
        if not is_sealed(folder):
            msg = f"{folder.name!r} exists already, and holds something that is not the demo's"
            raise CommandLineError(msg, why="the demo never deletes your work", fix="Move it away, or try elsewhere")
        shutil.rmtree(folder)
    folder.mkdir()
    for name in PARTS:
        shutil.copytree(examples / name, folder / name, ignore=LEFT_OUT)


def seal_folder(folder: Path) -> None:
    """Note what is in the folder now."""
    (folder / SEAL).write_text(json.dumps(snapshot(folder)), encoding="utf-8")


def snapshot(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder, by its path from there; nothing for a folder.

    The journal is left out: it changes with every run.
    """
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in sorted(folder.rglob("*"))
        if ".synapse" not in path.relative_to(folder).parts
    }


def is_sealed(folder: Path) -> bool:
    """Whether the folder is exactly as a demo left it."""
    try:
        sealed = json.loads((folder / SEAL).read_text(encoding="utf-8"))
        found = snapshot(folder)
    except (OSError, ValueError):
        return False
    del found[SEAL]
    return bool(found == sealed)
