"""Converting items as they are asked for, so that the first is saved long before the last is read."""

from itertools import islice
from typing import TYPE_CHECKING

from synapse_sdk.errors import WorkflowError
from synapse_sdk.failpoints import hit
from synapse_sdk.plugins.actions.export.converting import Converter
from synapse_sdk.plugins.actions.export.items import identity_of
from synapse_sdk.plugins.actions.export.losses import VANISHED, LossError, describe_losses, note_failures
from synapse_sdk.plugins.actions.export.records import ItemState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from synapse_sdk.plugins.actions.export.context import ExportContext
    from synapse_sdk.plugins.actions.export.targets import ExportItem

__all__ = ["Supply"]

BATCH = 200
"""Items that are written down at a time, at most; so many are converted again when the process dies."""
SURPLUS = 1_000
"""Items that there may be beyond twice as many as were counted; then it is the pages that do not end."""


class Supply:
    """Takes items from the pages of the backend through the hooks that convert, and writes them into the ledger.

    Begins behind the last item that is there.

    Args:
        context: The export.
    """

    def __init__(self, context: "ExportContext") -> None:
        self._context = context
        self._converter = Converter(context.exporter, context.ledger)
        self.done, identity = context.ledger.last()
        """How many items were converted, or could not be."""
        self._items = self._checked(self.done, identity)

    def advance(self) -> bool:
        """Convert some more items; return False if there were none left.

        Raises:
            BackendError: A page cannot be read, repeats, or is not there any more.
            WorkflowError: The pages do not end.
            LossError: An item cannot be exported, and the run shall not go on without it.
        """
        context = self._context
        entries = self._converter.convert(islice(self._items, BATCH))
        hit("export.converted")
        self.done += len(entries)
        if not entries:
            self._note_missing()
        failed = [(entry.id, entry.failure) for entry in entries if entry.state is ItemState.FAILED]
        context.failed_count += len(failed)
        context.skipped_count += sum(entry.state is ItemState.SKIPPED for entry in entries)
        note_failures(context, failed)
        return bool(entries)

    def _note_missing(self) -> None:
        """Account for items that were counted, and that no page had."""
        context = self._context
        missing = max(0, context.total_count - self.done)
        context.total_count = max(context.total_count, self.done)
        if missing == context.missing_count:
            return
        context.failed_count += missing - context.missing_count
        context.missing_count = missing
        context.log("items_vanished", {"count": missing})
        if not context.goes_on:
            raise LossError(describe_losses(missing, [(None, VANISHED)]))

    def _checked(self, number: int, identity: int) -> "Iterator[ExportItem]":
        """Yield the items behind one, as long as they make sense."""
        context, target = self._context, self._context.params.target
        most = 2 * context.total_count + SURPLUS
        for item in context.items_after(number, identity):
            number, current = number + 1, identity_of(item)
            if number > most:
                msg = f"The pages of target {target!r} do not end: {number:,} items of {context.total_count:,}"
                raise WorkflowError(msg, fix="Mend the handler of this target, or narrow the filter")
            if not context.has_chosen_items:
                if current <= identity:
                    msg = f"The pages of target {target!r} repeat: item {current} follows item {identity}"
                    raise WorkflowError(msg, fix="Mend the handler of this target: ids have to grow")
                identity = current
            yield item
