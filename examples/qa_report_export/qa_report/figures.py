"""What the boxes of an export are like, found out in one pass."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import nsmallest

from qa_report.boxes import Box, boxes_of
from synapse_sdk.plugins.actions.export import ExportItem

__all__ = ["Figures", "measure", "name_of"]


@dataclass(slots=True)
class Figures:
    """Figures of the items that were found; small boxes and items without boxes are among them."""

    items: int = 0
    boxes: Counter[str] = field(default_factory=Counter)
    """How many there are, by class."""
    unlabelled_count: int = 0
    """Items without a box."""
    unlabelled: list[str] = field(default_factory=list)
    """The first of them, by name."""
    smallest: list[tuple[str, Box]] = field(default_factory=list)
    """The smallest boxes, each with the name of its item, the smallest first."""


def measure(items: Iterable[ExportItem], most_listed: int) -> Figures:
    """Go through items once, and keep no more of them than is listed.

    Args:
        items: As many as there may be.
        most_listed: Items without boxes, and smallest boxes, that are kept by name.

    Raises:
        MalformedBoxError: A box cannot be understood.
    """
    figures = Figures()
    figures.smallest = nsmallest(
        most_listed, _noted(items, figures, most_listed), key=lambda named: named[1].shorter_side
    )
    return figures


def name_of(item: ExportItem) -> str:
    """Return what people know an item by: the name of its primary file, or its id."""
    names = (file["file_name_original"] for file in item["files"].values() if file["is_primary"])
    return next(names, f"item {item['id']}")


def _noted(items: Iterable[ExportItem], figures: Figures, most_listed: int) -> Iterator[tuple[str, Box]]:
    """Yield all boxes with the names of their items, and count on the way."""
    for item in items:
        name, boxes = name_of(item), [*boxes_of(item["data"])]
        figures.items += 1
        figures.boxes.update(box.label for box in boxes)
        if not boxes:
            figures.unlabelled_count += 1
            if len(figures.unlabelled) < most_listed:
                figures.unlabelled.append(name)
        yield from ((name, box) for box in boxes)
