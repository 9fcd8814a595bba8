"""One COCO file that is being written: images and annotations meanwhile wait in files of their own."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import msgspec

from synapse_sdk.formats.coco.layout import ANNOTATIONS
from synapse_sdk.types import JsonValue

__all__ = ["SplitFile"]

BUFFER = 256 * 1024
"""Bytes that are written at a time."""

_encode = msgspec.json.Encoder().encode


class SplitFile:
    """The file of one split. Memory does not grow with what is added.

    Args:
        folder: Where to write it; is made if need be.

    Raises:
        OSError: The folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / ANNOTATIONS
        self._images = _Waiting(folder)
        self._annotations = _Waiting(folder)

    def add(self, image: bytes, annotations: bytes) -> None:
        """Add the JSON of an image, and of the list of its annotations."""
        self._images.add(image)
        if len(annotations) > len(b"[]"):
            self._annotations.add(annotations[1:-1])

    def finish(self, notes: dict[str, JsonValue], categories: Sequence[msgspec.Struct]) -> None:
        """Write the file.

        Args:
            notes: What comes first in it: `info`, `licenses`.
            categories: Its categories.

        Raises:
            OSError: It cannot be written.
        """
        with self._path.open("xb") as file:
            for key, value in notes.items():
                file.write(b"{" if not file.tell() else b",\n")
                file.write(_encode(key) + b":" + _encode(value))
            file.write(b',\n"categories":[\n' + b",\n".join(map(_encode, categories)) + b'\n],\n"images":[\n')
            self._images.copy_to(file)
            file.write(b'\n],\n"annotations":[\n')
            self._annotations.copy_to(file)
            file.write(b"\n]}\n")

    def close(self) -> None:
        """Remove what has waited."""
        self._images.close()
        self._annotations.close()


class _Waiting:
    """Pieces of JSON, one a line, in a file without a name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None

    def add(self, piece: bytes) -> None:
        """Add a piece."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder, buffering=BUFFER)  # noqa: SIM115  # see `close`
            self._file.write(piece)
        else:
            self._file.write(b",\n" + piece)

    def copy_to(self, file: IO[bytes]) -> None:
        """Copy all pieces to a file."""
        if self._file is not None:
            self._file.seek(0)
            shutil.copyfileobj(self._file, file, BUFFER)

    def close(self) -> None:
        """Remove the pieces."""
        if self._file is not None:
            self._file.close()
