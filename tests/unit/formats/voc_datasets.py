"""Pascal VOC datasets on disk, what is read from them, and what is written for items."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET  # what the tests have written themselves

from PIL import Image

from synapse_sdk.formats.base import FormatOptions, ImageTransfer
from synapse_sdk.formats.losses import Loss, LossLog
from synapse_sdk.formats.model import Annotation, Box, ClassSpec, DatasetInfo, Item
from synapse_sdk.formats.voc import PascalFormat
from tests.unit.formats.voc_schema import faults_of_documents

type Content = str | bytes | tuple[int, int]
"""Text, bytes, or an image of this size."""

SIZE = (100, 50)
CORNERS = "<bndbox><xmin>11</xmin><ymin>6</ymin><xmax>30</xmax><ymax>25</ymax></bndbox>"
BOX = Box(10, 5, 20, 20)
"""The same, in pixels."""
OBJECT = f"<object><name>ant</name>{CORNERS}</object>"


def document(name: str, *objects: str, size: tuple[int, int] | None = SIZE, more: str = "") -> str:
    """Return an XML file about an image."""
    edges = "" if size is None else f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>"
    filename = f"<filename>{name}</filename>" if name else ""
    return f"<annotation>{filename}{edges}{more}{''.join(objects)}</annotation>"


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


def image(path: Path, size: tuple[int, int] = SIZE, *, orientation: int = 0, mode: str = "RGB") -> Path:
    """Write an image, perhaps one that is shown turned, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    kind = "JPEG" if path.suffix.lower() in {".jpg", ".jpeg"} else None
    Image.new(mode, size).save(path, kind, exif=exif.tobytes() if orientation else b"")
    return path


@dataclass
class Result:
    """What came of reading or writing a dataset."""

    losses: LossLog
    info: DatasetInfo
    items: list[Item] = field(default_factory=list)
    written: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def codes(self) -> dict[tuple[str, str], int]:
        """How many losses there are, by outcome and code."""
        return {(str(outcome), reason.code): count for (outcome, reason), count in self.losses.reasons.items()}

    @property
    def examples(self) -> list[Loss]:
        """The losses."""
        return [loss for losses in self.losses.examples.values() for loss in losses]

    @property
    def loss(self) -> Loss:
        """The only loss."""
        (loss,) = self.examples
        return loss

    @property
    def names(self) -> list[tuple[str, str]]:
        """Splits and names of the items."""
        return [(item.split, item.name) for item in self.items]

    @property
    def annotations(self) -> list[Annotation]:
        """The annotations of the only item."""
        (item,) = self.items
        return item.annotations


def read(root: Path, options: FormatOptions | None = None) -> Result:
    """Read a dataset to its end."""
    losses = LossLog()
    reader = PascalFormat().reader(root, options or FormatOptions(), losses)
    return Result(losses, reader.info, list(reader.items()))


def read_objects(root: Path, *objects: str, options: FormatOptions | None = None) -> Result:
    """Read a dataset of one image with these objects."""
    return read(make(root, {"Annotations/a.xml": document("a.png", *objects), "Images/a.png": SIZE}), options)


def write(
    target: Path, items: Iterable[Item], classes: Sequence[str] = ("ant", "bee"), options: FormatOptions | None = None
) -> Result:
    """Write a dataset, and see that its XML files are as the devkit has them."""
    items = list(items)
    target.mkdir(parents=True, exist_ok=True)
    info = DatasetInfo(
        classes=tuple(ClassSpec(name=name) for name in classes),
        splits=tuple(dict.fromkeys(item.split for item in items if item.split)),
    )
    losses = LossLog()
    writer = PascalFormat().writer(target, info, options or FormatOptions(images=ImageTransfer.NONE), losses)
    result = Result(losses, info)
    result.items = [item for item in items if writer.write(item)]
    writer.finish()
    writer.close()
    result.written = writer.tally()
    assert faults_of_documents(target) == []
    return result


def item_of(*annotations: Annotation, name: str = "a.png", size: tuple[int, int] = SIZE, split: str = "") -> Item:
    """Return an item without an image."""
    return Item(name=name, split=split, width=size[0], height=size[1], annotations=list(annotations))


def boxed(number: int = 1, label: str = "ant", box: Box = BOX, **more: object) -> Annotation:
    """Return an annotation with a box."""
    return Annotation(id=str(number), label=label, box=box, **more)  # type: ignore[arg-type]  # what tests need


def root_of(path: Path) -> ET.Element:
    """Return the root of an XML file."""
    return ET.parse(path).getroot()  # noqa: S314  # as above


def corners_in(path: Path) -> list[str]:
    """Return the corners of the first object in an XML file, as they are written."""
    box = root_of(path).find("object/bndbox")
    assert box is not None
    return [each.text or "" for each in box]
