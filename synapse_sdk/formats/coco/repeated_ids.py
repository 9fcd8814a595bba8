"""Finds annotations of one file that have the same id."""

from synapse_sdk.formats.coco.document import Document
from synapse_sdk.formats.coco.ids import LONGEST, Ids
from synapse_sdk.formats.coco.records import IdKey
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.reasons import DUPLICATE_ID

__all__ = ["tell_repeated_ids"]

MOST = 10**LONGEST


def tell_repeated_ids(document: Document, split: str, losses: LossLog) -> None:
    """Take down each annotation of a file with an id that an earlier one has.

    Args:
        document: The file.
        split: Its split.
        losses: Takes them down.
    """
    numbers, others = Ids(), set[int | str]()
    for position, key in enumerate(document.annotations.decoded(IdKey)):
        if key is None or key.id is None:
            continue
        if isinstance(key.id, int) and 0 < key.id < MOST:
            is_new = bool(numbers.take(str(key.id)))  # in less memory than a set has for it
        else:
            is_new = key.id not in others
            others.add(key.id)
        if not is_new:
            where, words = (
                f"{document.name}:annotations[{position}]",
                f"{key.id!r:.100} is that of another annotation, too",
            )
            losses.of_item(Outcome.CHANGED, DUPLICATE_ID, item="", split=split, where=where, words=words)
