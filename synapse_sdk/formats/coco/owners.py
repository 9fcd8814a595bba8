"""Which annotations of a COCO file belong to which of its images, in at most 4 bytes an annotation."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, groupby

from msgspec import Struct

from synapse_sdk.formats.coco.id_table import HIGHEST, NOWHERE, Id, IdTable
from synapse_sdk.formats.coco.record_list import RecordList
from synapse_sdk.formats.coco.records import OwnerKey

__all__ = ["OwnerIndex", "OwnerRuns", "Owners"]

UNREADABLE = NOWHERE - 1
"""Where the image of an annotation is that does not say which it is of."""

type Run = tuple[Id | None, int]


class OwnerIndex(Struct, frozen=True):
    """Which annotations belong to which image, for another process. Both are numbers, as they are in memory."""

    ends: bytes
    order: bytes
    """Empty where annotations are in the order of their images."""


class OwnerRuns(Struct, frozen=True):
    """The images of annotations, in the order of the file; those that follow each other and are of one image are one.

    Example:
        >>> runs = OwnerRuns.of(RecordList(b'[{"image_id": 7}, {"image_id": 7}, {"image_id": "x"}, {}]'))
        >>> [*runs]
        [(7, 2), ('x', 1), (None, 1)]
    """

    ids: bytes | list[Id | None]
    """As they are in memory, if all are numbers of 64 bits, as nearly always."""
    lengths: bytes

    @classmethod
    def of(cls, annotations: RecordList) -> "OwnerRuns":
        """Return the images of annotations that are not cut yet, and cut them.

        Raises:
            ValueError: They are a stretch of the file that begins or ends within one.
        """
        numbers, lengths = array("q"), array("I")
        others: list[Id | None] | None = None
        for id_, length in _runs(annotations.cut(OwnerKey)):
            lengths.append(length)
            if others is None and not (type(id_) is int and 0 <= id_ <= HIGHEST):
                others = [*numbers]
            if others is None:
                numbers.append(id_)  # type: ignore[arg-type]  # see above
            else:
                others.append(id_)
        return cls(numbers.tobytes() if others is None else others, lengths.tobytes())

    def __iter__(self) -> Iterator[Run]:
        """Yield the id of an image, None if it cannot be read, and the number of annotations."""
        ids = array("q", self.ids) if isinstance(self.ids, bytes) else self.ids
        return zip(ids, array("I", self.lengths), strict=True)


class Owners:
    """Tells the annotations of each image. Annotations are numbered from 0, in the order of the file.

    Args:
        annotations: The annotations of a file, which are not cut yet, but by who has found out more about them.
        positions: The position of the image with each id.
        count: How many images there are.
        found: The images of the annotations, if others have found them, each of those in a stretch of the file.
        index: All of this, if another process has found it out.
    """

    def __init__(
        self,
        annotations: RecordList,
        positions: IdTable,
        count: int,
        *,
        found: Sequence[OwnerRuns] = (),
        index: OwnerIndex | None = None,
    ) -> None:
        self._order: Sequence[int] = range(0)
        if index is not None:
            self._ends = array("I", index.ends)
            self._order = array("I", index.order) if index.order else range(len(annotations))
            return
        # Places are positions, behind one for each kind of annotation that has no image.
        counts = array("I", (0,)) * (count - UNREADABLE)
        is_in_order, before = True, 0
        runs = chain.from_iterable(found) if found else _runs(annotations.cut(OwnerKey))
        for place, length in _places(runs, positions):
            counts[place] += length
            is_in_order, before = is_in_order and before <= place, place
        self._ends = array("I", accumulate(counts))
        self._order = range(len(annotations))
        if not is_in_order:
            runs = chain.from_iterable(found) if found else _runs(annotations.decoded(OwnerKey))
            self._order = _in_order(_places(runs, positions), self._ends)

    @property
    def index(self) -> OwnerIndex:
        """What belongs to which."""
        order = self._order
        return OwnerIndex(self._ends.tobytes(), order.tobytes() if isinstance(order, array) else b"")

    def of(self, position: int) -> Sequence[int]:
        """Return the numbers of the annotations of the image at a position, in their order."""
        place = position - UNREADABLE
        return self._order[self._ends[place - 1] : self._ends[place]]

    @property
    def of_no_image(self) -> Sequence[int]:
        """The numbers of annotations whose image is not there, or that do not say which it is."""
        return self._order[: self._ends[1]]


def _runs(keys: Iterable[OwnerKey | None]) -> Iterator[Run]:
    ids = (None if key is None else key.image_id for key in keys)
    return ((id_, len([*same])) for id_, same in groupby(ids))


def _places(runs: Iterable[Run], positions: IdTable) -> Iterator[tuple[int, int]]:
    return (((UNREADABLE if id_ is None else positions.get(id_)) - UNREADABLE, length) for id_, length in runs)


def _in_order(places: Iterable[tuple[int, int]], ends: Sequence[int]) -> Sequence[int]:
    """Return the numbers of annotations by place: a counting sort, which keeps their order."""
    order = array("I", (0,)) * ends[-1]
    next_ones = array("I", (0, *ends[:-1]))
    number = 0
    for place, length in places:
        start = next_ones[place]
        order[start : start + length] = array("I", range(number, number + length))
        next_ones[place] += length
        number += length
    return order
