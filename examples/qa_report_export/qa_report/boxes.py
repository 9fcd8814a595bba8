"""The boxes of a DM document: finding them, and leaving some out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synapse_sdk.errors import SynapseError

__all__ = ["Box", "MalformedBoxError", "boxes_of", "with_boxes"]

TOOL = "bounding_box"


class MalformedBoxError(SynapseError):
    """A document has something in the place of a box, or of an image with boxes, that is none."""

    code = "QA-REPORT-E1"


@dataclass(frozen=True, slots=True)
class Box:
    """One box, as far as its quality goes."""

    label: str
    """Its class; empty if nobody has said what it is."""
    width: float
    """Pixels, as is the height."""
    height: float

    @property
    def shorter_side(self) -> float:
        """Pixels."""
        return min(self.width, self.height)


def boxes_of(document: Mapping[str, Any] | None) -> Iterator[Box]:
    """Yield the boxes of all images of a document; none of one that is None.

    Raises:
        MalformedBoxError: One of them cannot be understood.

    Example:
        >>> [*boxes_of({"images": [{"bounding_box": [{"classification": "cat", "data": [8, 4, 30, 20]}]}]})]
        [Box(label='cat', width=30.0, height=20.0)]
    """
    for image in (document or {}).get("images", ()):
        yield from map(_box, _annotations(image))


def with_boxes(document: Mapping[str, Any], wanted: Callable[[Box], bool]) -> dict[str, Any]:
    """Return a document that has only those boxes that are wanted; raises as `boxes_of`."""
    return {**document, "images": [_with_boxes(image, wanted) for image in document.get("images", ())]}


def _with_boxes(image: Mapping[str, Any], wanted: Callable[[Box], bool]) -> Mapping[str, Any]:
    kept = [each for each in _annotations(image) if wanted(_box(each))]
    return {**image, TOOL: kept} if TOOL in image else image


def _annotations(image: Mapping[str, Any]) -> Sequence[Any]:
    found = image.get(TOOL, []) if isinstance(image, Mapping) else None
    if isinstance(found, list):
        return found
    msg = f"An image with boxes cannot be understood: {image!r:.80}"
    raise MalformedBoxError(msg, fix=f"Give it a list {TOOL!r}")


def _box(annotation: Mapping[str, Any]) -> Box:
    try:
        _, _, width, height = annotation["data"]
        return Box(str(annotation.get("classification") or ""), float(width), float(height))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        msg = f"A box cannot be understood: {annotation!r:.80}"
        raise MalformedBoxError(msg, fix="Give it a label and data: [x, y, width, height]") from error
