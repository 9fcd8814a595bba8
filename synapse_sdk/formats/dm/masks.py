"""Masks of documents, as the model has them."""

from synapse_sdk.formats.base import ExifPolicy
from synapse_sdk.formats.dm.place import Place
from synapse_sdk.formats.dm.reasons import INVALID_MASK, NO_SIZE
from synapse_sdk.formats.dm.records import MaskRecord
from synapse_sdk.formats.dm.tools.segmentation import are_runs
from synapse_sdk.formats.images import ImageSizes
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.model import Item, Mask

__all__ = ["MaskReader"]


class MaskReader:
    """Reads masks.

    Args:
        exif: How images are shown, to which masks belong.
        losses: Takes down which images are shown turned.
    """

    def __init__(self, exif: ExifPolicy, losses: LossLog) -> None:
        self._exif, self._losses = exif, losses
        self._sizes = ImageSizes()

    def read(self, record: MaskRecord, place: Place) -> Mask | None:
        """Return a mask; None if it cannot be one, which the log says.

        Args:
            record: The annotation.
            place: Its document. The item gets its size from the image if it has none.
        """
        from synapse_sdk.formats.masks import mask_of_indices, mask_of_runs  # noqa: PLC0415  # loads numpy

        item = place.item
        if not self._is_measured(item):
            place.lose(Outcome.FAILED, NO_SIZE, record.id)
            return None
        about = {"isCompressed": record.isCompressed, "encoding": record.encoding}
        try:
            make = mask_of_runs if are_runs(record.data, about) else mask_of_indices
            return make(record.data, item.width, item.height)
        except ValueError as error:
            place.lose(Outcome.FAILED, INVALID_MASK, record.id, str(error))
            return None

    def _is_measured(self, item: Item) -> bool:
        if item.width and item.height:
            return True
        if not item.path:
            return False
        try:
            self._sizes.facts(item.path)
        except (OSError, ValueError):
            return False
        return self._sizes.measure(item, self._exif, self._losses)
