"""YOLO datasets on disk, what is read from them, and what is written for items."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

from synapse_sdk.formats.base import FormatOptions, ImageTransfer
from synapse_sdk.formats.losses import LossLog
from synapse_sdk.formats.model import Annotation, Box, ClassSpec, DatasetInfo, Item
from synapse_sdk.formats.yolo import YoloFormat

type Content = str | bytes | tuple[int, int]
"""Text, bytes, or an image of this size."""

YAML = "train: images\nval: images\nnames: [ant, bee, zebra]\n"
ROW = "1 0.5 0.5 0.2 0.4\n"
SIZE = (100, 50)


def make(root: Path, files: Mapping[str, Content]) -> Path:
    """Write files of a dataset, and return its folder."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, tuple):
            image(path, content)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def image(path: Path, size: tuple[int, int] = SIZE, orientation: int = 0) -> Path:
    """Write an image, perhaps one that is shown turned, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    kind = "JPEG" if path.suffix.lower() in {".jpg", ".jpeg"} else None
    Image.new("RGB", size).save(path, kind, exif=exif.tobytes() if orientation else b"")
    return path


@dataclass
class Result:
    """What came of reading or writing a dataset."""

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

    def words(self, code: str) -> list[str]:
        """Return what the log says about a reason: where and what."""
        found = [loss for (_, reason), losses in self.losses.examples.items() if reason.code == code for loss in losses]
        return [f"{loss.where} {loss.words}".strip() for loss in found]

    def only(self) -> Annotation:
        """Return the one annotation there is."""
        (found,) = (annotation for item in self.items for annotation in item.annotations)
        return found


def read(folder: Path, **options: Any) -> Result:  # noqa: ANN401  # those of FormatOptions
    """Read a dataset to its end."""
    losses = LossLog()
    reader = YoloFormat().reader(folder, FormatOptions(**options), losses)
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

    @property
    def yaml(self) -> dict[str, Any]:
        """What `dataset.yaml` says to other programs."""
        document: dict[str, Any] = yaml.safe_load((self.folder / "dataset.yaml").read_text(encoding="utf-8"))
        return document

    def words(self, code: str) -> list[str]:
        """Return what the log says about a reason."""
        return [
            loss.words for (_, reason), losses in self.losses.examples.items() if reason.code == code for loss in losses
        ]

    def rows(self, name: str = "labels/a.txt") -> list[list[float]]:
        """Return the numbers of a label file."""
        return [[*map(float, line.split())] for line in (self.folder / name).read_text().splitlines()]


def info_of(classes: Sequence[str | ClassSpec] = ("ant", "bee", "zebra"), splits: Iterable[str] = ()) -> DatasetInfo:
    """Return what is known of a dataset with these classes and splits."""
    specs = tuple(ClassSpec(name=each) if isinstance(each, str) else each for each in classes)
    return DatasetInfo(classes=specs, splits=tuple(splits))


def write(
    folder: Path,
    items: Iterable[Item],
    info: DatasetInfo | None = None,
    **options: Any,  # noqa: ANN401  # as above
) -> Written:
    """Write items to their end; by default without their images."""
    losses = LossLog()
    folder.mkdir(parents=True, exist_ok=True)
    options.setdefault("images", ImageTransfer.NONE)
    writer = YoloFormat().writer(folder, info or info_of(), FormatOptions(**options), losses)
    results = [writer.write(item) for item in items]
    writer.finish()
    writer.close()
    return Written(folder, losses, results, writer.tally())


def item_of(*annotations: Annotation, name: str = "a.jpg", split: str = "", size: tuple[int, int] = SIZE) -> Item:
    """Return an item of known size with annotations."""
    return Item(name=name, split=split, width=size[0], height=size[1], annotations=list(annotations))


def box_of(x: float, y: float, width: float, height: float, label: str = "bee", **more: Any) -> Annotation:  # noqa: ANN401  # as above
    """Return an annotation with a box."""
    return Annotation(**{"id": "b1", "label": label, "box": Box(x, y, width, height), **more})
