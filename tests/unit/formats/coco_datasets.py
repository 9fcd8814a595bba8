"""COCO datasets on disk, what is read from them, and what is written for items."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from synapse_sdk.formats.base import FormatOptions, ImageTransfer
from synapse_sdk.formats.coco import CocoFormat
from synapse_sdk.formats.losses import Loss, LossLog
from synapse_sdk.formats.model import Annotation, Box, ClassSpec, DatasetInfo, Item

type Json = Any
"""What these tests put into files, right or wrong."""

SIZE = (100, 50)
BBOX = [10, 10, 20, 20]
BOX = Box(10, 10, 20, 20)
CATEGORIES = [{"id": 1, "name": "ant"}, {"id": 2, "name": "bee"}]


def picture(number: int = 1, name: str = "a.jpg", **more: Json) -> Json:
    """Return the record of an image."""
    return {"id": number, "file_name": name, "width": SIZE[0], "height": SIZE[1], **more}


def thing(number: Json = 1, image: Json = 1, category: Json = 2, **more: Json) -> Json:
    """Return the record of an annotation, which has a box unless `bbox` says something else."""
    record = {"id": number, "image_id": image, "category_id": category, "bbox": BBOX, **more}
    return {key: value for key, value in record.items() if value is not ...}


def coco(*annotations: Json, images: Sequence[Json] | None = None, categories: Json = CATEGORIES, **more: Json) -> Json:
    """Return a COCO document; without further words it is about the image `a.jpg`."""
    listed = [picture()] if images is None else images
    return {"images": listed, "annotations": annotations, "categories": categories, **more}


def make(root: Path, files: Mapping[str, Json]) -> Path:
    """Write files of a dataset, and return its folder. A pair of numbers is an image of this size."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, tuple):
            Image.new("RGB", content).save(path, "JPEG")
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return root


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
    def loss(self) -> Loss:
        """The only loss."""
        (losses,) = self.losses.examples.values()
        (loss,) = losses
        return loss

    @property
    def names(self) -> list[str]:
        """The names of the items."""
        return [item.name for item in self.items]

    @property
    def annotations(self) -> list[Annotation]:
        """The annotations of all items."""
        return [annotation for item in self.items for annotation in item.annotations]

    @property
    def annotation(self) -> Annotation:
        """The only annotation."""
        (annotation,) = self.annotations
        return annotation


def read(folder: Path, **options: Any) -> Result:  # noqa: ANN401  # options are of many types
    """Read a dataset."""
    losses = LossLog()
    with closing(CocoFormat().reader(folder, FormatOptions(**options), losses)) as reader:
        return Result(losses, reader.info, list(reader.items()))


def read_things(folder: Path, *annotations: Json, **more: Json) -> Result:
    """Write a dataset with these annotations, and read it."""
    return read(make(folder, {"annotations.json": coco(*annotations, **more)}))


def write(
    folder: Path,
    items: Iterable[Item],
    classes: Sequence[str | ClassSpec] = ("ant", "bee"),
    *,
    splits: Sequence[str] = (),
    notes: Mapping[str, Json] | None = None,
    **options: Any,  # noqa: ANN401  # as above
) -> Result:
    """Write a dataset; without further words no images."""
    specs = tuple(each if isinstance(each, ClassSpec) else ClassSpec(name=each) for each in classes)
    info = DatasetInfo(classes=specs, splits=tuple(splits), notes=notes or {})
    losses = LossLog()
    folder.mkdir(exist_ok=True)
    chosen = FormatOptions(**{"images": ImageTransfer.NONE, **options})
    with closing(CocoFormat().writer(folder, info, chosen, losses)) as writer:
        kept = [item for item in items if writer.write(item)]
        writer.finish()
    return Result(losses, info, kept, writer.tally())


def item(*annotations: Annotation, name: str = "a.jpg", split: str = "", **more: Any) -> Item:  # noqa: ANN401  # as above
    """Return an item of the usual size."""
    sizes = {"width": SIZE[0], "height": SIZE[1]}
    return Item(name=name, split=split, annotations=list(annotations), **{**sizes, **more})


def document(folder: Path) -> Json:
    """Return what was written."""
    return json.loads((folder / "annotations.json").read_bytes())


def write_things(folder: Path, *annotations: Annotation, **more: Any) -> tuple[Json, Result]:  # noqa: ANN401  # as above
    """Write annotations of one image; return their records, and what else came of it."""
    result = write(folder, [item(*annotations)], **more)
    return document(folder)["annotations"], result
