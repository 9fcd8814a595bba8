"""Writing down what becomes of tasks, batch by batch, as all steps do that decide about them."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from synapse_sdk.plugins.actions.add_task_data.losses import LossError, note_failures, take_stock
from synapse_sdk.plugins.actions.add_task_data.records import Settlement

if TYPE_CHECKING:
    from synapse_sdk.plugins.actions.add_task_data.context import AddTaskDataContext

__all__ = ["settle"]


def settle(
    context: "AddTaskDataContext",
    batches: Iterable[Sequence[Settlement]],
    *,
    left: int,
    total: int,
    written: Callable[[], None],
) -> str:
    """Write down what becomes of tasks, show how far it has come, and take stock, whatever happens.

    Args:
        context: Of the run.
        batches: What becomes of tasks.
        left: How many there are; an earlier process may have done others.
        total: How many there are together.
        written: Called when a batch is written down.

    Returns:
        Why the run shall not go on; empty if it goes on.
    """
    done = total - left
    try:
        for batch in batches:
            context.ledger.settle(batch)
            written()
            note_failures(context, batch)
            done += len(batch)
            context.set_progress(done, total)
    except LossError as loss:
        return str(loss)
    finally:
        take_stock(context)
    return ""
