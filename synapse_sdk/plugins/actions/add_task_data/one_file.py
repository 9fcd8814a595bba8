"""A file with the annotations of one image, as a DM document."""

import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats import Loss, LossLog
from synapse_sdk.formats.dm import DmDocument
from synapse_sdk.plugins.actions.add_task_data.documents import Documents
from synapse_sdk.plugins.actions.add_task_data.subject import loaded
from synapse_sdk.types import JsonObject

__all__ = ["MOST_BYTES", "OneFile"]

MOST_BYTES = 64 * 1024 * 1024
"""Bytes of the annotations of one image: masks take megabytes."""
READ = {".json": "a DM document or COCO", ".xml": "Pascal VOC", ".txt": "YOLO"}
"""Files that can be read, by suffix."""
FORMATS = {".json": "coco", ".xml": "pascal", ".txt": "yolo"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OneFile:
    """A file about one image: a DM document, which stays as it is, or one in COCO, Pascal VOC or YOLO."""

    content: bytes
    name: str
    """What it is called; its suffix tells the format."""
    about: str
    """What the image is called."""
    image: Callable[[], bytes]
    """Returns the image, for a format that counts in parts of it."""
    folder: Path
    """A folder for nothing else, which is there only while the file is read."""
    classes: Sequence[str]
    """The classes that a format without names of its own numbers."""

    def document(self) -> JsonObject:
        """Return the annotations as a DM document.

        Raises:
            InvalidDatasetError: They make no sense.
            InvalidDocumentError: They are JSON, and neither DM nor COCO.
        """
        suffix = self._suffix
        if suffix not in READ:
            known = ", ".join(f"{each} ({what})" for each, what in READ.items())
            msg = f"The file {self.name!r} is in no format that can be read for one image"
            raise InvalidDatasetError(msg, fix=f"Use one of {known}, or override convert_data_from_file")
        if suffix == ".json":
            document = loaded(self.content)
            if not _is_coco(document):
                DmDocument.of(document)
                return document
        try:
            self._lay_out()
            return loaded(self._only(self._read()))
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _suffix(self) -> str:
        return PurePosixPath(self.name).suffix.lower()

    @property
    def _image_name(self) -> str:
        """What the image is called in the dataset that is made of the file."""
        return f"image{PurePosixPath(self.about).suffix.lower() or '.jpg'}"

    def _read(self) -> dict[str, bytes]:
        """Return the documents of a dataset with one image, by the names of images."""
        wrong = list[Loss]()
        source = self.folder / "annotations.json" if self._suffix == ".json" else self.folder
        with (
            LossLog(listener=wrong.append) as losses,
            closing(Documents(source, FORMATS[self._suffix], losses)) as documents,
        ):
            found = {item.name: document for item, document in documents}
        if found:
            return found
        why = wrong[0].words or wrong[0].reason.words if wrong else "it says nothing about any image"
        msg = f"Nothing can be read of the annotations of {self.about!r}"
        raise InvalidDatasetError(msg, why=why, fix="Mend the file")

    def _only(self, found: dict[str, bytes]) -> bytes:
        """Return the document of the image; of one that is called otherwise, if it is the only one."""
        names = {PurePosixPath(self.about).name, self._image_name}
        fitting = [each for each in found if PurePosixPath(each).name in names] or list(found)
        if len(fitting) > 1:
            msg = f"The annotations of {self.about!r} are about several images"
            why = ", ".join(sorted(found)[:5])
            raise InvalidDatasetError(msg, why=why, fix="Give each data unit a file of its own")
        return found[fitting[0]]

    def _lay_out(self) -> None:
        """Make a dataset with one image of the file."""
        shutil.rmtree(self.folder, ignore_errors=True)  # what a process that died has left
        self.folder.mkdir(parents=True)
        stem = PurePosixPath(self._image_name).stem
        if self._suffix == ".json":
            (self.folder / "annotations.json").write_bytes(self.content)
        elif self._suffix == ".xml":
            (self.folder / "Annotations").mkdir()
            (self.folder / "Annotations" / f"{stem}.xml").write_bytes(self.content)
        else:
            self._lay_out_yolo(stem)

    def _lay_out_yolo(self, stem: str) -> None:
        if not self.classes:
            msg = "A YOLO file does not say what its classes are called"
            fix = "Give the project a configuration with `classes: [...]` (synapse projects configure)"
            raise InvalidDatasetError(msg, fix=fix)
        for each in ("images", "labels"):
            (self.folder / each).mkdir()
        (self.folder / "images" / self._image_name).write_bytes(self.image())
        (self.folder / "labels" / f"{stem}.txt").write_bytes(self.content)
        config = {"train": "images", "val": "images", "names": [*self.classes]}
        (self.folder / "dataset.yaml").write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML


def _is_coco(document: JsonObject) -> bool:
    images = document.get("images")
    return isinstance(images, list) and any(isinstance(each, dict) and "file_name" in each for each in images)
