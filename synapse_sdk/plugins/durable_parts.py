"""Writing about a run that is a part of another one: all that is written of it belongs to the outer run."""

import json
import time
from typing import TYPE_CHECKING

from synapse_sdk.journal.state import RunState

if TYPE_CHECKING:
    from collections.abc import Callable

    from synapse_sdk.errors import JournalFullError
    from synapse_sdk.journal.writer import RunWriter
    from synapse_sdk.reporting.events import RunStatus

__all__ = ["PartWriter"]


class PartWriter:
    """Writes events of a run inside a step as events of the run around it, whose lease, order and room they share.

    There is one chain of frames for both, so that nothing can be known of the one that is not known of the other.

    Args:
        outer: Writes about the run around it.
        step: The step of that run in which this one is.
    """

    def __init__(self, outer: "RunWriter | PartWriter", step: str) -> None:
        self._outer = outer
        self._step = step

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody has asked for the outer run to be stopped."""
        return self._outer.is_cancelled

    @property
    def shortage(self) -> "JournalFullError | None":
        """What was said when there was no room for what waits."""
        return self._outer.shortage

    def write(self, events: str, status: "RunStatus | None" = None) -> None:  # its status is its own
        """Write events, JSON objects parted by commas, after all that waits. Durable on return; raises as `RunWriter`.

        The outer run keeps its status.
        """
        self._outer.write(self._within(events) if events else "")

    def keep(self, event: str, *, is_log: bool = False) -> None:
        """Let one event wait for the next write."""
        self._outer.keep(self._within(event), is_log=is_log)

    def replace(self, key: str, event: "str | Callable[[], str]") -> None:
        """Let an event wait in place of an earlier one of the same key."""
        self._outer.replace(f"{self._step} / {key}", lambda: self._within(event if isinstance(event, str) else event()))

    def state(self) -> RunState:
        """Return where the part stands, with all that was written so far; one that has not begun is empty."""
        return self._outer.state().parts.get(self._step) or RunState()

    def _within(self, events: str) -> str:
        at, step = time.time_ns() // 1000, json.dumps(self._step)
        return f'{{"type":"HappenedWithin","at":{at},"step":{step},"events":[{events}]}}'
