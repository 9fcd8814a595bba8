"""Finding everything that is wrong with a dataset."""

from collections.abc import Callable, Container
from contextlib import closing
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from synapse_sdk.formats.base import BoundsPolicy, FormatOptions, Progress
from synapse_sdk.formats.bounds import Fitter
from synapse_sdk.formats.images import ImageSizes
from synapse_sdk.formats.losses import LossLog, Outcome, Reason
from synapse_sdk.formats.model import Annotation, Item, Relation
from synapse_sdk.formats.reasons import DANGLING
from synapse_sdk.formats.sources import open_dataset, told

__all__ = ["DatasetCheck", "check_dataset"]

OTHER_SIZE = Reason(
    "OTHER_SIZE", "the image is not of the size that the dataset says", "Mend the size, or put the right image there"
)
TWICE = Reason("TWICE", "the same is said twice", "Remove one of the two")
NEVER_USED = Reason("NEVER_USED", "no annotation is of this class", "Nothing need be done")


class DatasetCheck(Struct, frozen=True, kw_only=True):
    """What a check has found."""

    format: str
    items: int
    annotations: int
    problems: int
    """How many; what was only noted is none."""


def check_dataset(
    folder: Path,
    losses: LossLog,
    *,
    source_format: str | None = None,
    options: FormatOptions | None = None,
    on_progress: Progress | None = None,
) -> DatasetCheck:
    """Read a dataset with its images, and report everything that is wrong with it.

    Args:
        folder: The folder, or file, of the dataset.
        losses: Is told of every problem.
        source_format: Its format; None to find out.
        options: How it is read.
        on_progress: Is told how many items were checked, and of how many.

    Raises:
        InvalidDatasetError: It is not there, or makes no sense as a whole.
        ConfigurationError: There is no such format, or it may be in several.
    """
    options = options or FormatOptions()
    reader, name = open_dataset(folder, source_format, options, losses)
    fitter, sizes = Fitter(BoundsPolicy.DROP, losses), ImageSizes()
    items = annotations = 0
    used: set[str] = set()
    with closing(reader):
        for item in told(reader.items(), reader.info.count, on_progress):
            items += 1
            annotations += len(item.annotations)
            used.update(each.label for each in item.annotations)
            _check_item(item, options, losses, sizes, fitter.fit)
        reader.check()
        for spec in reader.info.classes:
            if spec.name not in used:
                losses.of_item(Outcome.NOTED, NEVER_USED, item="", words=f"no annotation is of class {spec.name!r}")
    return DatasetCheck(format=name, items=items, annotations=annotations, problems=losses.count)


def _check_item(
    item: Item,
    options: FormatOptions,
    losses: LossLog,
    sizes: ImageSizes,
    fit: Callable[[Item, Annotation], object],
) -> None:
    said = (item.width, item.height)
    item.width = item.height = 0
    has_size = sizes.measure(item, options.exif, losses, of_others=Outcome.NOTED)
    if has_size and all(said) and said != (item.width, item.height):
        words = f"{item.width} x {item.height}, not {said[0]} x {said[1]}"
        losses.of_item(Outcome.CHANGED, OTHER_SIZE, item=item.name, split=item.split, words=words)
    if all(said):
        item.width, item.height = said
    seen: dict[bytes, str] = {}
    ids = {each.id for each in item.annotations}
    for annotation in item.annotations:
        if isinstance(annotation.shape, Relation):
            _check_relation(item, annotation, annotation.shape, ids, losses)
        if item.width and item.height:
            fit(item, annotation)
        same = msgspec.json.encode(replace(annotation, id=""))
        if (first := seen.setdefault(same, annotation.id)) != annotation.id:
            _tell(losses, TWICE, item, annotation, f"the same as annotation {first}")


def _check_relation(item: Item, annotation: Annotation, link: Relation, ids: Container[str], losses: LossLog) -> None:
    for end in (link.source, link.target):
        if end not in ids:
            _tell(losses, DANGLING, item, annotation, f"there is no annotation {end!r:.100}")


def _tell(losses: LossLog, reason: Reason, item: Item, annotation: Annotation, words: str) -> None:
    losses.of_annotation(
        Outcome.CHANGED, reason, item=item.name, split=item.split, annotation=annotation.id, words=words
    )
