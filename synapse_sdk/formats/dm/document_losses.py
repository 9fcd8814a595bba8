"""What a conversion of one document could not keep."""

import warnings
from collections.abc import Sequence

from msgspec import Struct

from synapse_sdk.formats.losses import Outcome, Reason

__all__ = ["DocumentLoss", "DocumentLossWarning", "warn_of"]


class DocumentLossWarning(UserWarning):
    """A document has lost something on its way, and nobody asked for the list."""


class DocumentLoss(Struct, frozen=True, kw_only=True):
    """One thing that a document has lost on its way into the other version."""

    outcome: Outcome
    reason: Reason
    media: str
    """The id of the medium, such as `image_1`."""
    annotation: str = ""
    """The id of the annotation; empty if it has none."""
    words: str = ""
    """What was found."""

    def __str__(self) -> str:
        """Return all of it in a line."""
        about = f"annotation {self.annotation!r} of {self.media!r}" if self.annotation else repr(self.media)
        return f"{about}: {self.words or self.reason.words} ({self.reason.code})"


def warn_of(losses: Sequence[DocumentLoss], stacklevel: int) -> None:
    """Warn of losses that nobody has asked for; what was only noted is none."""
    real = [loss for loss in losses if loss.outcome is not Outcome.NOTED]
    if real:
        msg = f"{len(real)} losses in the conversion of a document, such as {real[0]}. Pass losses=[] to get them all"
        warnings.warn(msg, DocumentLossWarning, stacklevel=stacklevel + 1)
