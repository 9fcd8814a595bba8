"""What to do about items that cannot be exported: stop, or go on without them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from synapse_sdk.plugins.actions.export.records import Failure

if TYPE_CHECKING:
    from synapse_sdk.plugins.actions.export.context import ExportContext

__all__ = ["VANISHED", "LossError", "describe_losses", "note_failures"]

VANISHED = Failure(reason="VANISHED", words="it was there when the items were counted, and is gone")
MOST_NAMED = 5
"""Items that an error lists one by one."""


class LossError(Exception):
    """Ends an export that shall not go on without an item."""


def note_failures(context: "ExportContext", failed: Sequence[tuple[int, Failure]]) -> None:
    """Say which items cannot be exported.

    Raises:
        LossError: There are some, and the run shall not go on without them.
    """
    for identity, failure in failed:
        context.log("item_failed", {"target_id": identity, "reason": failure.reason, "why": failure.words})
    if failed and not context.goes_on:
        raise LossError(describe_losses(len(failed), failed))


def describe_losses(count: int, failed: Sequence[tuple[int | None, Failure]], *, are_all: bool = False) -> str:
    """Return one text that names the first few items, why they fail, and the way out.

    Args:
        count: How many there are.
        failed: The first of them: id, if that is known, and why.
        are_all: Whether there is no other item, so that nothing would be left to go on with.

    Example:
        >>> print(describe_losses(1, [(7, Failure(reason="NULL_DATA", words="it has no data"))]).partition(". ")[0])
        1 item cannot be exported: 7: it has no data
    """
    named = [f"{'?' if identity is None else identity}: {each.words}" for identity, each in failed[:MOST_NAMED]]
    more = [f"and {count - len(named):,} more (see the report)"] if count > len(named) else []
    items, it = ("1 item", "it") if count == 1 else (f"{count:,} items", "them")
    instead = "" if are_all else f", or go on without {it}: on_error='continue' (--on-error continue)"
    return f"{items} cannot be exported: {'; '.join([*named, *more])}. Mend {it}{instead}"
