"""DM datasets on disk, what is read from them, and what is written for items."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from synapse_sdk.formats.base import DatasetFormat, FormatOptions, ImageTransfer
from synapse_sdk.formats.dm import DmV1Format, DmV2Format
from synapse_sdk.formats.losses import LossLog
from synapse_sdk.formats.model import Annotation, Box, ClassSpec, DatasetInfo, Item

__all__ = ["FORMATS", "SIZE", "Result", "Written", "box_of", "image", "info_of", "item_of", "make", "read", "write"]

type Content = str | bytes | tuple[int, int] | Mapping[str, Any]
"""Text, bytes, an image of this size, or JSON."""

SIZE = (64, 48)
FORMATS: dict[str, DatasetFormat] = {"dm_v1": DmV1Format(), "dm_v2": DmV2Format()}


def make(root: Path, files: Mapping[str, Content]) -> Path:
    """Write files of a dataset, and return its folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, tuple):
            image(path, content)
        elif isinstance(content, Mapping):
            path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def image(path: Path, size: tuple[int, int] = SIZE, orientation: int = 0) -> Path:
    """Write an image, perhaps one that is shown turned, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    Image.new("RGB", size).save(path, exif=exif.tobytes() if orientation else b"")
    return path


@dataclass
class Result:
    """What came of reading a dataset."""

    info: DatasetInfo
    items: list[Item]
    losses: LossLog

    @property
    def codes(self) -> dict[tuple[str, str], int]:
        """How many losses there are, by outcome and code."""
        return {(str(outcome), reason.code): count for (outcome, reason), count in self.losses.reasons.items()}

    @property
    def names(self) -> list[tuple[str, str]]:
        """Split and name of every item, in order."""
        return [(item.split, item.name) for item in self.items]

    @property
    def labels(self) -> list[str]:
        """The classes, in order."""
        return [spec.name for spec in self.info.classes]

    @property
    def annotations(self) -> list[Annotation]:
        """Those of all items."""
        return [annotation for item in self.items for annotation in item.annotations]

    def words(self, code: str) -> list[str]:
        """Return what the log says about a reason: where, which annotation, and what."""
        found = [loss for (_, reason), losses in self.losses.examples.items() if reason.code == code for loss in losses]
        return [" ".join(filter(None, (loss.where, loss.annotation, loss.words))) for loss in found]

    def only(self) -> Annotation:
        """Return the one annotation there is."""
        (found,) = self.annotations
        return found


def read(folder: Path, **options: Any) -> Result:  # noqa: ANN401  # those of FormatOptions
    """Read a dataset to its end."""
    losses = LossLog()
    reader = DmV2Format().reader(folder, FormatOptions(**options), losses)
    info = reader.info
    items = list(reader.items())
    reader.close()
    return Result(info, items, losses)


@dataclass
class Written:
    """What came of writing a dataset."""

    folder: Path
    losses: LossLog
    results: list[bool]
    counts: Counter[tuple[str, str]]

    @property
    def codes(self) -> dict[tuple[str, str], int]:
        """How many losses there are, by outcome and code."""
        return {(str(outcome), reason.code): count for (outcome, reason), count in self.losses.reasons.items()}

    @property
    def files(self) -> list[str]:
        """Every file, relative to the dataset."""
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())

    def document(self, name: str = "json/a.json") -> Any:  # noqa: ANN401  # JSON
        """Return a document."""
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    def words(self, code: str) -> list[str]:
        """Return what the log says about a reason."""
        found = [loss for (_, reason), losses in self.losses.examples.items() if reason.code == code for loss in losses]
        return [" ".join(filter(None, (loss.item, loss.annotation, loss.words))) for loss in found]


def info_of(classes: Sequence[str | ClassSpec] = ("ant", "bee"), splits: Iterable[str] = ()) -> DatasetInfo:
    """Return what is known of a dataset with these classes and splits."""
    specs = tuple(ClassSpec(name=each) if isinstance(each, str) else each for each in classes)
    return DatasetInfo(classes=specs, splits=tuple(splits))


def write(
    folder: Path,
    items: Iterable[Item],
    info: DatasetInfo | None = None,
    to: str = "dm_v2",
    **options: Any,  # noqa: ANN401  # as above
) -> Written:
    """Write items to their end; by default without their images."""
    losses = LossLog()
    folder.mkdir(parents=True, exist_ok=True)
    options.setdefault("images", ImageTransfer.NONE)
    writer = FORMATS[to].writer(folder, info or info_of(), FormatOptions(**options), losses)
    results = [writer.write(item) for item in items]
    writer.finish()
    writer.close()
    return Written(folder, losses, results, writer.tally())


def item_of(*annotations: Annotation, name: str = "a.png", split: str = "", size: tuple[int, int] = SIZE) -> Item:
    """Return an item of known size with annotations."""
    return Item(name=name, split=split, width=size[0], height=size[1], annotations=list(annotations))


def box_of(x: float, y: float, width: float, height: float, label: str = "bee", **more: Any) -> Annotation:  # noqa: ANN401  # as above
    """Return an annotation with a box."""
    return Annotation(**{"id": "b1", "label": label, "box": Box(x, y, width, height), **more})
