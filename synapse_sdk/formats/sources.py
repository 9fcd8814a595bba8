"""What is converted: one dataset, or several that become one."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.base import FormatOptions, Progress, Reader
from synapse_sdk.formats.losses import LossLog, Outcome, Reason
from synapse_sdk.formats.model import ClassSpec, DatasetInfo, Item
from synapse_sdk.formats.portions import Portion
from synapse_sdk.formats.registry import find_format, format_named
from synapse_sdk.formats.splits import in_order

__all__ = ["RENAMED", "STRIDE", "MergedReader", "open_dataset", "open_datasets", "told"]

STRIDE = 256
"""Items between two reports of progress."""
RENAMED = Reason("RENAMED", "another dataset has an image of the same name", "Rename it yourself to choose the name")


def open_dataset(folder: Path, name: str | None, options: FormatOptions, losses: LossLog) -> tuple[Reader, str]:
    """Open a dataset for reading, and return the reader and the name of the format.

    Args:
        folder: Where it is.
        name: Its format; None to find out.
        options: What was chosen.
        losses: Takes down what cannot be read.

    Raises:
        InvalidDatasetError: It is not there, or no dataset of the format.
        ConfigurationError: There is no such format, or it may be in several.
    """
    if name is None:
        found, _ = find_format(folder)
    else:
        found = format_named(name)
        if not folder.exists():
            msg = f"There is no dataset {str(folder)!r}"
            raise InvalidDatasetError(msg, fix="Name a folder that is there", path=str(folder))
    return found.reader(folder, options, losses), found.name


def open_datasets(
    folders: Sequence[Path], name: str | None, options: FormatOptions, losses: LossLog, *, keeps_splits: bool = True
) -> tuple[Reader, str]:
    """Open datasets that are read as one, and return the reader and the names of the formats.

    Args:
        folders: Where they are.
        name: Their format; None to find out.
        options: What was chosen.
        losses: Takes down what cannot be read.
        keeps_splits: Whether items stay in their splits, so that all datasets must have some, or none.

    Raises:
        InvalidDatasetError: One is not there, is no dataset of the format, or does not go together with the others.
        ConfigurationError: There is no such format, or one may be in several.
    """
    opened = [open_dataset(folder, name, options, losses) for folder in folders]
    if len(opened) == 1:
        return opened[0]
    names = "+".join(dict.fromkeys(format_name for _, format_name in opened))
    readers = [reader for reader, _ in opened]
    return MergedReader(folders, readers, options, losses, keeps_splits=keeps_splits), names


def told(items: Iterable[Item], count: int | None, on_progress: Progress | None) -> Iterator[Item]:
    """Yield items, and say now and then how many there were.

    Args:
        items: The items.
        count: How many there are, if that is known.
        on_progress: Is told; None for nobody.
    """
    if on_progress is None:
        yield from items
        return
    done = 0
    for item in items:
        yield item
        done += 1
        if done % STRIDE == 0:
            on_progress(done, count)
    on_progress(done, done)


class MergedReader(Reader):
    """Reads several datasets as one: classes of one name are one, and so are splits.

    An item that has the name of an earlier one is renamed after its dataset: `wren.jpg` of `birds/` becomes
    `birds/wren.jpg`.

    Args:
        folders: Where the datasets are.
        readers: What reads each.
        options: What was chosen.
        losses: Takes down which items were renamed.
        keeps_splits: Whether items stay in their splits.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        readers: Sequence[Reader],
        options: FormatOptions,
        losses: LossLog,
        *,
        keeps_splits: bool,
    ) -> None:
        super().__init__(folders[0], options, losses)
        self.asks = all(reader.asks for reader in readers)
        self._folders, self._readers, self._keeps_splits = folders, readers, keeps_splits
        self._prefixes = _distinct([folder.absolute().name or "dataset" for folder in folders])
        self._info: DatasetInfo | None = None

    @property
    def info(self) -> DatasetInfo:
        """Classes in the order of the datasets.

        Raises:
            InvalidDatasetError: Some have splits, and others none; or they do not agree about joints.
        """
        if self._info is None:
            infos = [reader.info for reader in self._readers]
            classes: dict[str, ClassSpec] = {}
            for each in (spec for info in infos for spec in info.classes):
                known = classes.setdefault(each.name, each)
                classes[each.name] = _agreed(known, each)
            counts = [info.count for info in infos]
            known_counts = [count for count in counts if count is not None]
            splits = {split for info in infos for split in (info.splits or ("",))}
            if "" in splits and len(splits) > 1 and self._keeps_splits:
                raise self._mixed(infos)
            self._info = DatasetInfo(
                classes=tuple(classes.values()),
                splits=() if splits == {""} else tuple(in_order(splits)),
                count=sum(known_counts) if len(known_counts) == len(counts) else None,
            )
        return self._info

    def items(self) -> Iterator[Item]:
        """Yield the items of one dataset after the other."""
        taken: set[tuple[str, str]] = set()
        for prefix, reader in zip(self._prefixes, self._readers, strict=True):
            for item in reader.items():
                if (item.split, item.name) in taken:
                    self._rename(item, f"{prefix}/{item.name}", taken)
                taken.add((item.split, item.name))
                yield item

    def divide(self, portion: Portion) -> None:
        """Let all of them yield only what belongs to a portion."""
        super().divide(portion)
        for reader in self._readers:
            reader.divide(portion)

    def is_large(self) -> bool:
        """Whether one of them is."""
        return any(reader.is_large() for reader in self._readers)

    def survey(self, begin: float, end: float) -> bytes:
        """Find out what has to be known of the same stretch of each."""
        return msgspec.msgpack.encode([reader.survey(begin, end) for reader in self._readers])

    def know(self, surveys: Sequence[bytes]) -> None:
        """Let each know what was found of it."""
        found = [msgspec.msgpack.decode(each, type=list[bytes]) for each in surveys]
        for reader, stretches in zip(self._readers, zip(*found, strict=True), strict=True):
            reader.know(stretches)

    def close(self) -> None:
        """Close all."""
        for reader in self._readers:
            reader.close()

    def _mixed(self, infos: Sequence[DatasetInfo]) -> InvalidDatasetError:
        with_splits, without = (
            next(folder for folder, info in zip(self._folders, infos, strict=True) if bool(info.splits) is has_some)
            for has_some in (True, False)
        )
        msg = f"{str(without)!r} has no splits, and {str(with_splits)!r} has"
        fix = f"Put all of it into one: synapse dataset split {without} NEW --ratios train=1"
        return InvalidDatasetError(msg, fix=fix, path=str(without))

    def _rename(self, item: Item, name: str, taken: set[tuple[str, str]]) -> None:
        folder, _, base = name.rpartition("/")
        number = 2
        while (item.split, name) in taken:
            name = f"{folder}-{number}/{base}"
            number += 1
        self.losses.of_item(Outcome.NOTED, RENAMED, item=item.name, split=item.split, words=f"it is {name!r} now")
        self.losses.rename(item, name=name)
        item.name = name


def _distinct(names: Sequence[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        candidate, number = name, 2
        while candidate in found:
            candidate = f"{name}-{number}"
            number += 1
        found.append(candidate)
    return found


def _agreed(one: ClassSpec, other: ClassSpec) -> ClassSpec:
    if one.joints and other.joints and one.joints != other.joints:
        msg = f"The datasets do not agree about the joints of class {one.name!r}"
        why = f"{', '.join(one.joints)} in one, {', '.join(other.joints)} in another"
        raise InvalidDatasetError(msg, why=why, fix="Rename the class in one of them")
    if one.joints or not other.joints:
        return one
    return replace(one, joints=other.joints, skeleton=other.skeleton, flip=other.flip)
