"""From the frames of a run to its history, as the engine wants to know it."""

from typing import TYPE_CHECKING

from synapse_sdk.journal.state import StepStatus
from synapse_sdk.plugins.steps.base import StepResult
from synapse_sdk.plugins.steps.history import History

if TYPE_CHECKING:
    from synapse_sdk.journal.state import RunState, StepState
    from synapse_sdk.plugins.encoding import ValueCodec

__all__ = ["history_of"]


def history_of(past: "RunState", codec: "ValueCodec", *, accepts_changes: bool) -> History:
    """Return what the frames tell.

    Args:
        past: Where the run stood.
        codec: Gives the values back that steps have recorded.
        accepts_changes: Whether to go on although the action has other steps than at first.
    """
    finished = {name: past.steps[name] for name in past.order if past.steps[name].is_finished}
    begun = [past.steps[name] for name in past.order if not past.steps[name].is_finished]
    in_flight = begun[-1] if begun else None
    failure = in_flight is not None and in_flight.result
    decode = codec.from_json
    return History(
        plan={name: past.versions.get(name) for name in past.steps},
        finished={name: _result(step, codec) for name, step in finished.items()},
        in_flight=None if in_flight is None else in_flight.name,
        undo_log=[] if in_flight is None else decode(in_flight.undo_log),
        saved_progress={} if in_flight is None else decode(in_flight.saved_progress),
        failure=_result(in_flight, codec) if in_flight is not None and failure else None,
        restarted=frozenset(name for name, step in past.steps.items() if step.starts > 1),
        undone=frozenset(name for name, step in past.steps.items() if step.status is StepStatus.ROLLED_BACK),
        reason=past.reason,
        accepts_changes=accepts_changes,
    )


def _result(step: "StepState", codec: "ValueCodec") -> StepResult:
    written = step.result or {}
    result = StepResult(
        success=written["success"],
        data=codec.from_json(written["data"]),
        error=written["error"],
        rollback_data=codec.from_json(written["rollback_data"]),
        skipped=written["skipped"],
    )
    return result.with_undo_log(codec.from_json(step.undo_log)) if step.undo_log else result
