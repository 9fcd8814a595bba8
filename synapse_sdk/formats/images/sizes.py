"""How large images are shown."""

import os
from collections import OrderedDict
from errno import EINVAL
from os.path import splitext
from stat import S_ISREG

from synapse_sdk.formats.base import ExifPolicy
from synapse_sdk.formats.images.headers import ImageFacts, read_facts
from synapse_sdk.formats.images.names import IMAGE_SUFFIXES
from synapse_sdk.formats.images.reasons import MISSING_IMAGE, NO_IMAGE, TURNED, UNREADABLE_IMAGE
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.model import Item, Verbatim

__all__ = ["ImageSizes", "is_called_image"]

MOST_SIZES = 20_000
"""Sizes that are remembered."""


class ImageSizes:
    """Reads headers of images, once for each file; hard links and copies by link are one file."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[int, int, int, int], ImageFacts] = OrderedDict()

    def facts(self, path: str) -> ImageFacts:
        """Return what the header of an image says, without decoding the image.

        Raises:
            OSError: It cannot be read, or is no image.
        """
        status = os.stat(path)  # noqa: PTH116  # once for each image of a dataset
        key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        facts = self._known.get(key)
        if facts is None:
            if not S_ISREG(status.st_mode):  # a pipe would be waited for, for ever
                raise OSError(EINVAL, "It is no file", path)
            facts = read_facts(path)
            if status.st_ino:  # which some file systems do not have
                self._known[key] = facts
            if len(self._known) > MOST_SIZES:
                self._known.popitem(last=False)
        return facts

    def measure(
        self,
        item: Item,
        exif: ExifPolicy,
        losses: LossLog,
        outcome: Outcome = Outcome.DROPPED,
        *,
        of_others: Outcome | None = None,
    ) -> bool:
        """Give an item its width and height, if it has none; return whether it has them now.

        The log says why it has none, and which images are shown turned.

        Args:
            item: The item.
            exif: Whether images are turned.
            losses: The log.
            outcome: What becomes of an item that has none: `FAILED` if a reader does not hand it on.
            of_others: What becomes of videos, texts, and whatever else is no image; None for the same.
        """
        if item.width and item.height:
            return True
        count = len(item.annotations)
        if not item.path:
            is_other = count and all(isinstance(each.shape, Verbatim) for each in item.annotations)
            outcome, reason = (of_others or outcome, NO_IMAGE) if is_other else (outcome, MISSING_IMAGE)
            losses.of_item(outcome, reason, item=item.name, split=item.split, annotations=count)
            return False
        try:
            facts = self.facts(item.path)
        except OSError as error:
            reason = MISSING_IMAGE if isinstance(error, FileNotFoundError) else UNREADABLE_IMAGE
            words = error.strerror or str(error)
            if error.errno is None and not is_called_image(item.path):
                outcome, reason, words = of_others or outcome, NO_IMAGE, ""
            losses.of_item(outcome, reason, item=item.name, split=item.split, words=words, annotations=count)
            return False
        item.width, item.height = facts.shown(exif)
        if facts.orientation != 1 and exif is ExifPolicy.APPLY:
            words = f"EXIF orientation {facts.orientation}"
            losses.of_item(Outcome.NOTED, TURNED, item=item.name, split=item.split, words=words)
        return True


def is_called_image(path: str) -> bool:
    """Whether a file has the suffix of an image."""
    return splitext(path)[1].lower() in IMAGE_SUFFIXES  # noqa: PTH122  # text is what is worked with
