"""Guessing from a folder which file specifications a collection for it needs."""

import os
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from synapse_sdk.backend import FileSpecification, FileType
from synapse_sdk.backend.file_types import file_type_of
from synapse_sdk.cli.catalogue.specifications import written
from synapse_sdk.errors import ConfigurationError

__all__ = ["Guess", "command_for", "guess"]

SHOWN_FIRST = (FileType.IMAGE, FileType.VIDEO, FileType.PCD, FileType.AUDIO, FileType.TEXT)
"""Types of files by which a unit is best shown."""


@dataclass(slots=True)
class Guess:
    """What the files of one sub-folder have in common."""

    specification: FileSpecification
    extensions: Counter[str] = field(default_factory=Counter)
    stems: set[str] = field(default_factory=set, repr=False)

    @property
    def count(self) -> int:
        """How many files there are."""
        return self.extensions.total()


def guess(folder: Path) -> Sequence[Guess]:
    """Return what each sub-folder of a folder seems to be for, in the order of their names.

    The type of a specification is that of most of its files, its extensions are those of this type; it is required if
    every unit has such a file. Files whose names begin with a dot are passed over.

    Raises:
        ConfigurationError: There are no sub-folders with files, or they cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            names = sorted(each.name for each in entries if each.is_dir() and not each.name.startswith("."))
    except OSError as error:
        msg = f"The folder {str(folder)!r} cannot be read"
        raise ConfigurationError(msg, why=error.strerror, fix="Name a folder that is there", folder=folder) from error
    guesses = [each for each in (_counted(folder / name) for name in names) if each.count]
    if not guesses:
        msg = f"The folder {str(folder)!r} has no sub-folders with files"
        fix = "Give each kind of file a sub-folder, such as images/ and labels/, with equal names for one unit"
        raise ConfigurationError(msg, fix=fix, folder=folder)
    stems = set[str]().union(*(each.stems for each in guesses))
    for each in guesses:
        each.specification = _settled(each, is_required=len(each.stems) == len(stems))
    _choose_primary(guesses)
    return guesses


def command_for(name: str, guesses: Sequence[Guess]) -> str:
    """Return the command that makes a collection as it was guessed."""
    words = [word for text in written(each.specification for each in guesses) for word in ("--spec", text)]
    return shlex.join(["synapse", "collections", "create", name, *words])


def _counted(folder: Path) -> Guess:
    found = Guess(FileSpecification(name=folder.name))
    for path in _files(folder):
        stem, extension = os.path.splitext(path)  # noqa: PTH122  # a hundred thousand times
        found.extensions[extension.lower()] += 1
        found.stems.add(stem)
    return found


def _files(folder: Path) -> Iterator[str]:
    """Yield the files below a folder, as paths in it."""
    for place, below, names in os.walk(folder):
        below[:] = sorted(each for each in below if not each.startswith("."))
        inside = os.path.relpath(place, folder)
        yield from (os.path.join(inside, name) for name in names if not name.startswith("."))  # noqa: PTH118  # as above


def _settled(found: Guess, *, is_required: bool) -> FileSpecification:
    types = Counter[FileType]()
    for extension, count in found.extensions.items():
        types[file_type_of(extension)] += count
    file_type = types.most_common(1)[0][0]
    extensions = sorted(each for each in found.extensions if each and file_type_of(each) is file_type)
    return replace(found.specification, file_type=file_type, is_required=is_required, extensions=tuple(extensions))


def _choose_primary(guesses: Sequence[Guess]) -> None:
    for file_type in SHOWN_FIRST:
        for each in guesses:
            if each.specification.file_type is file_type:
                each.specification = replace(each.specification, is_primary=True)
                return
