"""What an XML file says about the objects of its image."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET  # only elements that `document` has read

from synapse_sdk.formats.losses import LossLog, Outcome, Reason
from synapse_sdk.formats.model import Annotation, Box, Item, Mask, Polygon, Shape
from synapse_sdk.formats.reasons import INVALID_RECORD, LABEL_MISSING, NOT_A_NUMBER, UNKNOWN_CLASS
from synapse_sdk.formats.voc.extras import DEFAULTS, DERIVED, SAID, read_attributes, read_flag, read_polygon
from synapse_sdk.formats.voc.reasons import NOT_READ, ORIGIN

if TYPE_CHECKING:
    from synapse_sdk.types import JsonValue

__all__ = ["ClassNames", "ObjectReader"]

BEFORE = -1.0
"""The edge that a corner at 0 is, where pixels count from 1."""
CORNERS = ("xmin", "ymin", "xmax", "ymax")


class ClassNames:
    """The classes of a dataset, by the names that XML files have for them.

    Args:
        classes: As the dataset lists them.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self._known = {name: name for name in classes}
        for name in classes:
            self._known.setdefault(name.strip(), name)

    def find(self, text: str) -> str | None:
        """Return the class that is meant; None if there is none. White space around it is what layout has added."""
        return self._known.get(text) or self._known.get(text.strip())


@dataclass(slots=True)
class _Place:
    """Where an object is: what a loss says of it, and what it belongs to."""

    item: Item
    file: str
    number: int = 0
    part: int = 0
    """The number among the parts of the object; 0 for the object itself."""
    part_of: str = ""
    """The id of the object."""

    def __str__(self) -> str:
        return f"{self.file}:object[{self.number}]" + (f"/part[{self.part}]" if self.part else "")


class ObjectReader:
    """Makes annotations of the objects in XML files.

    Args:
        classes: The classes there are.
        origin: The number of the first pixel: 1, or 0.
        losses: Takes down what cannot be read.
    """

    def __init__(self, classes: ClassNames, origin: int, losses: LossLog) -> None:
        self._classes, self._origin, self._losses = classes, origin, losses
        self._not_read: set[str] = set()
        self._watches = bool(origin)
        """Whether a corner at 0 would be the first one."""

    def read(
        self, elements: Sequence[ET.Element], item: Item, file: str, masks: Mapping[int, Mask]
    ) -> tuple[list[Annotation], int]:
        """Return the annotations of an item, and how many objects and parts there were.

        Args:
            elements: The objects.
            item: Their item.
            file: The file they are from.
            masks: The masks of objects, by their number, from 1.
        """
        found: list[Annotation] = []
        place = _Place(item, file)
        count = 0
        for place.number, element in enumerate(elements, 1):
            count += 1
            parts: list[ET.Element] = []
            annotation = self._object(element, str(count), place, masks.get(place.number), parts)
            if annotation is not None:
                found.append(annotation)
            if parts:
                place.part_of = "" if annotation is None else annotation.id
                found += self._parts(parts, count, place)
                count += len(parts)
                place.part, place.part_of = 0, ""
        return found, count

    def _parts(self, elements: Sequence[ET.Element], count: int, place: _Place) -> Iterator[Annotation]:
        for place.part, element in enumerate(elements, 1):
            read = self._object(element, str(count + place.part), place, None, [])
            if read is not None:
                yield read

    def note(self, tag: str, item: Item, where: str) -> None:
        """Take down, once for each, that there are elements of a kind that is not read."""
        if tag not in self._not_read:
            self._not_read.add(tag)
            words = f"elements {tag!r}"
            self._losses.of_item(Outcome.NOTED, NOT_READ, item=item.name, split=item.split, where=where, words=words)

    def _object(
        self, element: ET.Element, number: str, place: _Place, mask: Mask | None, parts: list[ET.Element]
    ) -> Annotation | None:
        """Return what an object is, if it can be read, and add its parts to a list."""
        name, bndbox, more = "", None, []
        for child in element:
            tag = child.tag
            if tag == "name":
                name = child.text or ""
            elif tag == "bndbox":
                bndbox = child
            elif child.text != DEFAULTS.get(tag, ""):
                more.append(child)
        box = None if bndbox is None else self._box(bndbox)
        label = self._classes.find(name)
        if label is None or isinstance(box, tuple):
            self._refuse(place, name, box)
            return None
        if self._watches and box is not None and (box.x == BEFORE or box.y == BEFORE):  # noqa: PLR1714  # done for all
            self._tell_origin(place)
        if box is not None and mask is None and not more and not place.part:
            return Annotation(id=number, label=label, box=box)
        is_derived = bndbox is not None and bndbox.get(DERIVED) is not None
        plain = Annotation(id=number, label=label, box=box, shape=mask)
        return self._whole(plain, more, place, parts, is_derived=is_derived)

    def _tell_origin(self, place: _Place) -> None:
        """Take down, once, that a corner is where there is no pixel: all may be off by one."""
        self._watches = False
        item = place.item
        self._losses.of_item(Outcome.NOTED, ORIGIN, item=item.name, split=item.split, where=str(place))

    def _box(self, bndbox: ET.Element) -> Box | tuple[Reason, str]:
        """Return the box that a `bndbox` means; else why there is none."""
        values = {each.tag: each.text or "" for each in bndbox}
        try:
            x, y = float(values["xmin"]) - self._origin, float(values["ymin"]) - self._origin
            width, height = float(values["xmax"]) - x, float(values["ymax"]) - y
        except (KeyError, ValueError):
            return INVALID_RECORD, f"its bndbox has no number for {_missing(values)}"
        if not isfinite(x + y + width + height):
            return NOT_A_NUMBER, f"its bndbox is {', '.join(values.values()):.100}"
        if width < 0 or height < 0:
            return INVALID_RECORD, f"its bndbox ends before it begins: {', '.join(values.values()):.100}"
        return Box(x, y, width, height)

    def _refuse(self, place: _Place, name: str, box: Box | tuple[Reason, str] | None) -> None:
        if isinstance(box, tuple):
            self._fail(place, *box)
        elif not name.strip():
            self._fail(place, LABEL_MISSING, "it has no name")
        else:
            self._fail(place, UNKNOWN_CLASS, f"class {name!r:.200}")

    def _whole(  # what was read of an object, step by step
        self,
        plain: Annotation,
        more: list[ET.Element],
        place: _Place,
        parts: list[ET.Element],
        *,
        is_derived: bool,
    ) -> Annotation | None:
        """Return an object with all that is said of it; None if nothing says where it is."""
        attributes: dict[str, JsonValue] = {"part_of": place.part_of} if place.part_of else {}
        rings: list[list[float]] = []
        for child in more:
            tag = child.tag
            if tag == "part":
                parts.append(child)
            elif tag == "attributes":
                attributes |= read_attributes(child)
            elif tag == "polygon":
                rings += self._ring(child, place, plain.id)
            elif tag in SAID:
                attributes |= read_flag(child)
            else:
                self.note(tag, place.item, str(place))
        shape: Shape | None = plain.shape
        if shape is None and rings:
            shape = Polygon(rings)
        if plain.box is None and shape is None:
            self._fail(place, INVALID_RECORD, "it has no bndbox")
            return None
        box = None if is_derived and plain.shape is not None else plain.box
        return Annotation(id=plain.id, label=plain.label, box=box, shape=shape, attributes=attributes)

    def _ring(self, element: ET.Element, place: _Place, number: str) -> list[list[float]]:
        """Return an outline, counted from 0; if it cannot be read, the object stays as it is without."""
        points = read_polygon(element)
        if points is None:
            self._losses.of_annotation(
                Outcome.CHANGED,
                INVALID_RECORD,
                item=place.item.name,
                split=place.item.split,
                annotation=number,
                where=str(place),
                words="its polygon cannot be read",
            )
            return []
        return [[value - self._origin for value in points]]

    def _fail(self, place: _Place, reason: Reason, words: str) -> None:
        self._losses.of_annotation(
            Outcome.FAILED, reason, item=place.item.name, split=place.item.split, where=str(place), words=words
        )


def _missing(values: Mapping[str, str]) -> str:
    """Return the corners that are no numbers, with what is there in their place."""
    return ", ".join(
        f"{name}: {values[name]!r:.40}" if name in values else name
        for name in CORNERS
        if not _is_number(values.get(name))
    )


def _is_number(text: str | None) -> bool:
    try:
        float(text or "")
    except ValueError:
        return False
    return True
