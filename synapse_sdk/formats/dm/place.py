"""Where a reader is: in which document of which item."""

from synapse_sdk.formats.losses import LossLog, Outcome, Reason
from synapse_sdk.formats.model import Item

__all__ = ["Place"]


class Place:
    """A document that is being read.

    Args:
        item: What it is about.
        where: The document below the dataset.
        losses: Takes down what cannot be read in it.
    """

    __slots__ = ("_losses", "item", "where")

    def __init__(self, item: Item, where: str, losses: LossLog) -> None:
        self.item, self.where, self._losses = item, where, losses

    def lose(self, outcome: Outcome, reason: Reason, annotation: str, words: str = "") -> None:
        """Take down what became of an annotation."""
        item = self.item
        self._losses.of_annotation(
            outcome, reason, item=item.name, split=item.split, annotation=annotation, where=self.where, words=words
        )
