"""Rows of label files, and the annotations they stand for."""

from collections.abc import Callable, Sequence
from math import isfinite

from synapse_sdk.formats.geometry import rotated_box_of
from synapse_sdk.formats.losses import LossLog, Outcome, Reason
from synapse_sdk.formats.model import Annotation, Box, Item, Keypoints, Polygon, RotatedBox
from synapse_sdk.formats.reasons import INVALID_RECORD, NOT_A_NUMBER, UNKNOWN_CLASS
from synapse_sdk.formats.yolo.grammar import BOX_WORDS, OBB_WORDS, Grammar
from synapse_sdk.formats.yolo.reasons import DUPLICATE_ROW, MIXED
from synapse_sdk.formats.yolo.tasks import Task

__all__ = ["RowReader"]

RING_WORDS = 7
"""The class and three points, the fewest of an outline."""
SMALLEST_RING = RING_WORDS - 1
TRIPLE = 3
VISIBLE = 2
VISIBILITIES = (0.0, 1.0, 2.0)
ROUNDING = 1e-6
"""Fractions by which six decimals may push a box over the edge of its image."""
MOST_SPELLINGS = 1000
"""Ways to write the number of a class that are remembered."""
LONGEST_SHOWN = 80
MOST_IDS = 100
IDS = tuple(map(str, range(1, MOST_IDS + 1)))
"""Those of the first annotations of a file, made once."""

type Drawn = tuple[Box | None, Polygon | RotatedBox | None, Keypoints | None]


class RowReader:
    """Turns rows into annotations; the log says which cannot be read, and what is odd about a file.

    Args:
        names: The classes.
        grammar: What rows mean.
        losses: Takes down what cannot be read.
    """

    def __init__(self, names: Sequence[str], grammar: Grammar, losses: LossLog) -> None:
        self._names, self._grammar, self._losses = names, grammar, losses
        self._labels = {str(index).encode(): name for index, name in enumerate(names)}
        self._draw: Callable[[list[bytes], float, float], Drawn] = _ring
        if grammar.task is Task.OBB:
            self._draw = _corners
        elif grammar.task is Task.POSE:
            self._draw = self._pose

    def annotations(self, rows: list[list[bytes]], item: Item, where: str) -> list[Annotation]:
        """Return the annotations of an item, which must have been measured.

        Args:
            rows: The words of each line.
            item: The item.
            where: The label file, relative to the dataset.
        """
        labels, draw, width, height = self._labels, self._draw, item.width, item.height
        found: list[Annotation] = []
        boxes = 0
        for number, row in enumerate(rows, 1):
            if not row:
                continue
            try:
                label = labels.get(row[0])
                if label is None:
                    label = self._label(row[0])
                at = len(found)
                name = IDS[at] if at < MOST_IDS else str(at + 1)
                if len(row) == BOX_WORDS:
                    found.append(Annotation(id=name, label=label, box=_box(row, width, height)))
                    boxes += 1
                else:
                    drawn, shape, joints = draw(row, width, height)
                    found.append(Annotation(id=name, label=label, box=drawn, shape=shape, keypoints=joints))
            except _RowError as error:
                self._fail(item, f"{where}:{number}", error.reason, error.words)
            except ValueError:
                self._fail(item, f"{where}:{number}", INVALID_RECORD, f"no numbers: {_shown(row)}")
        if len({*map(tuple, rows)}) < len(rows):
            self._tell_duplicates(rows, item, where)
        if boxes != (len(found) if self._grammar.task is Task.DETECT else 0):
            self._tell_mixed(boxes, len(found) - boxes, item, where)
        return found

    def _label(self, word: bytes) -> str:
        """Return the class of a number that is written in an unusual way."""
        number = float(word)
        if not isfinite(number):
            raise _RowError(NOT_A_NUMBER, f"class {_shown([word])}")
        if not number.is_integer():
            raise _RowError(INVALID_RECORD, f"class {_shown([word])} is no whole number")
        index = int(number)
        if not 0 <= index < len(self._names):
            raise _RowError(UNKNOWN_CLASS, f"class {_shown([word])} of {len(self._names)}")
        if len(self._labels) < len(self._names) + MOST_SPELLINGS:
            self._labels[word] = self._names[index]
        return self._names[index]

    def _pose(self, row: list[bytes], width: float, height: float) -> Drawn:
        joints, dimensions = self._grammar.joints, self._grammar.dimensions
        wanted = BOX_WORDS + joints * dimensions
        if len(row) != wanted:
            raise _RowError(INVALID_RECORD, f"{len(row)} numbers, and a pose of {joints} joints has {wanted}")
        values = [*map(float, row[BOX_WORDS:])]
        if not isfinite(sum(values)):
            raise _RowError(NOT_A_NUMBER, _shown(row))
        points: list[float] = []
        for at in range(0, len(values), dimensions):
            x, y = values[at], values[at + 1]
            # Without visibility, what is not labelled is at the origin or outside.
            seen = values[at + 2] if dimensions == TRIPLE else VISIBLE * (x >= 0 and y >= 0 and (x > 0 or y > 0))
            if seen not in VISIBILITIES:
                raise _RowError(INVALID_RECORD, f"visibility {seen:g} is not 0, 1 or 2")
            points += (x * width, y * height, int(seen)) if seen else (0.0, 0.0, 0)
        return _box(row, width, height), None, Keypoints(points)

    def _fail(self, item: Item, where: str, reason: Reason, words: str) -> None:
        self._losses.of_annotation(Outcome.FAILED, reason, item=item.name, split=item.split, where=where, words=words)

    def _tell_duplicates(self, rows: list[list[bytes]], item: Item, where: str) -> None:
        seen: set[tuple[bytes, ...]] = set()
        for number, row in enumerate(map(tuple, rows), 1):
            if row and row in seen:
                self._losses.of_item(
                    Outcome.NOTED, DUPLICATE_ROW, item=item.name, split=item.split, where=f"{where}:{number}"
                )
            seen.add(row)

    def _tell_mixed(self, boxes: int, others: int, item: Item, where: str) -> None:
        if self._grammar.is_declared:
            odd = others if self._grammar.task is Task.DETECT else boxes
        else:
            odd = min(boxes, others)
        if odd > 0:
            words = f"{boxes} boxes and {others} other rows"
            self._losses.of_item(Outcome.NOTED, MIXED, item=item.name, split=item.split, where=where, words=words)


class _RowError(Exception):
    """A row is not what its task says."""

    def __init__(self, reason: Reason, words: str) -> None:
        super().__init__(words)
        self.reason, self.words = reason, words


def _box(row: list[bytes], width: float, height: float) -> Box:
    center_x, center_y, across, down = float(row[1]), float(row[2]), float(row[3]), float(row[4])
    left, top = center_x - across / 2, center_y - down / 2
    if left < 0.0 or top < 0.0 or left + across > 1.0 or top + down > 1.0:
        left, across = _snapped(left, across)
        top, down = _snapped(top, down)
    left, top, across, down = left * width, top * height, across * width, down * height
    if not isfinite(left + top + across + down):
        raise _RowError(NOT_A_NUMBER, _shown(row))
    return Box(left, top, across, down)


def _snapped(start: float, length: float) -> tuple[float, float]:
    """Return start and length of a box without what rounding pushed over the edge."""
    end = start + length
    if -ROUNDING <= start < 0.0:
        start = 0.0
    if 1.0 < end <= 1.0 + ROUNDING:
        end = 1.0
    return start, end - start


def _ring(row: list[bytes], width: float, height: float) -> Drawn:
    if len(row) < RING_WORDS or len(row) % 2 == 0:
        words = f"{len(row)} numbers, and a box has {BOX_WORDS}, an outline an odd number from {RING_WORDS} on"
        raise _RowError(INVALID_RECORD, words)
    return None, Polygon((_points(row, width, height),)), None


def _corners(row: list[bytes], width: float, height: float) -> Drawn:
    if len(row) != OBB_WORDS:
        raise _RowError(INVALID_RECORD, f"{len(row)} numbers, and a rotated box has {OBB_WORDS}")
    return None, rotated_box_of(_points(row, width, height)), None


def _points(row: list[bytes], width: float, height: float) -> list[float]:
    points = [*map(float, row[1:])]
    points[0::2] = [x * width for x in points[0::2]]
    points[1::2] = [y * height for y in points[1::2]]
    if not isfinite(sum(points)):
        raise _RowError(NOT_A_NUMBER, _shown(row))
    if len(points) > SMALLEST_RING and points[:2] == points[-2:]:
        del points[-2:]
    return points


def _shown(row: Sequence[bytes]) -> str:
    return b" ".join(row)[:LONGEST_SHOWN].decode(errors="backslashreplace")
