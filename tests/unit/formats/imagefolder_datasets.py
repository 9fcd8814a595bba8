"""Image folders on disk, what is read from them, and what is written for items."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from synapse_sdk.formats.base import FormatOptions
from synapse_sdk.formats.imagefolder import ImageFolderFormat
from synapse_sdk.formats.losses import Loss, LossLog
from synapse_sdk.formats.model import Annotation, ClassSpec, DatasetInfo, Item


def make(root: Path, *names: str) -> Path:
    """Write files that hold their own names, and return the dataset; nobody looks into the images."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.fsencode(name))
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
    def examples(self) -> list[Loss]:
        """The losses."""
        return [loss for losses in self.losses.examples.values() for loss in losses]

    @property
    def classes(self) -> list[str]:
        """The names of the classes."""
        return [spec.name for spec in self.info.classes]

    @property
    def labels(self) -> dict[str, str]:
        """The class of each item, by split and name; empty for none."""
        return {
            f"{item.split}:{item.name}" if item.split else item.name: "".join(each.label for each in item.annotations)
            for item in self.items
        }


def read(root: Path) -> Result:
    """Read a dataset to its end."""
    losses = LossLog()
    reader = ImageFolderFormat().reader(root, FormatOptions(), losses)
    return Result(losses, reader.info, list(reader.items()))


def write(
    target: Path, items: Iterable[Item], classes: Sequence[str] = ("cat", "dog"), options: FormatOptions | None = None
) -> Result:
    """Write a dataset."""
    items = list(items)
    target.mkdir(parents=True, exist_ok=True)
    info = DatasetInfo(
        classes=tuple(ClassSpec(name=name) for name in classes),
        splits=tuple(dict.fromkeys(item.split for item in items if item.split)),
    )
    result = Result(LossLog(), info)
    writer = ImageFolderFormat().writer(target, info, options or FormatOptions(), result.losses)
    result.items = [item for item in items if writer.write(item)]
    writer.finish()
    writer.close()
    result.written = writer.tally()
    return result


def labelled(path: Path, name: str, *labels: str, split: str = "") -> Item:
    """Return an item of some classes, and write its image."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)
    annotations = [Annotation(id=str(number), label=label) for number, label in enumerate(labels, 1)]
    return Item(name=name, split=split, path=str(path), annotations=annotations)


def files_below(folder: Path) -> list[str]:
    """Return the names of all files, sorted."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
