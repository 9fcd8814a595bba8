"""Which annotations of a COCO file belong to which of its images, in at most 16 bytes an annotation."""

from array import array
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from operator import le

import msgspec
from msgspec import Raw

from synapse_sdk.formats.coco.document import BAD_JSON
from synapse_sdk.formats.coco.records import OwnerKey

__all__ = ["Owners"]

UNKNOWN, UNREADABLE = -1, -2
"""Positions of images that are none."""

_decode = msgspec.json.Decoder(OwnerKey).decode


class Owners:
    """Tells the annotations of each image. Annotations are numbered from 0, in the order of the file.

    Args:
        annotations: The annotations of a file.
        positions: The position of the image with each id.
        count: How many images there are.
    """

    def __init__(self, annotations: Sequence[Raw], positions: Mapping[int | float | str, int], count: int) -> None:
        find, decode = positions.get, _decode
        try:
            owners = array("q", [find(decode(raw).image_id, UNKNOWN) for raw in annotations])
        except BAD_JSON:
            owners = array("q", [_find(raw, find) for raw in annotations])
        counts = [0] * (count - UNREADABLE)
        for owner in owners:
            counts[owner] += 1
        # Negative positions count from the end of the list; here they come first.
        self._ends = array("q", accumulate([*counts[UNREADABLE:], *counts[:UNREADABLE]]))
        self._order: Sequence[int] = range(len(owners))
        if not all(map(le, owners, owners[1:])):
            self._order = array("q", sorted(self._order, key=owners.__getitem__))

    def of(self, position: int) -> Sequence[int]:
        """Return the numbers of the annotations of the image at a position, in their order."""
        place = position - UNREADABLE
        return self._order[self._ends[place - 1] : self._ends[place]]

    @property
    def of_no_image(self) -> Sequence[int]:
        """The numbers of annotations whose image is not there, or that do not say which it is."""
        return self._order[: self._ends[1]]


def _find(raw: Raw, find: Callable[[int | float | str, int], int]) -> int:
    try:
        return find(_decode(raw).image_id, UNKNOWN)
    except BAD_JSON:
        return UNREADABLE
