"""A run that is journalled: the engine's events become frames, and frames become the history of a run."""

import json
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from time import monotonic, thread_time
from typing import TYPE_CHECKING, Any

from synapse_sdk.errors import JournalError, LeaseLostError, RunCancelledError, RunEndedError, UnencodableValueError
from synapse_sdk.failpoints import hit
from synapse_sdk.plugins.checkpoint import ContextCheckpoint
from synapse_sdk.plugins.durable_history import history_of
from synapse_sdk.plugins.durable_parts import PartWriter
from synapse_sdk.plugins.durable_reporter import DurableReporter, for_people
from synapse_sdk.plugins.encoding import ValueCodec
from synapse_sdk.plugins.steps.history import History, identities
from synapse_sdk.reporting.events import (
    Event,
    ProgressSaved,
    RollbackStarted,
    RunFinished,
    RunStarted,
    RunStatus,
    StepFinished,
    StepRollbackStarted,
    StepRolledBack,
    StepStarted,
    UndoRecorded,
)
from synapse_sdk.reporting.jsonable import json_line

if TYPE_CHECKING:
    from synapse_sdk.journal.state import RunState
    from synapse_sdk.journal.writer import RunWriter
    from synapse_sdk.plugins.steps.context import BaseStepContext
    from synapse_sdk.plugins.steps.registry import StepRegistry
    from synapse_sdk.reporting.base import Reporter

__all__ = ["DurableRun"]

CHEAP_SECONDS = 0.001
"""Saving progress that takes no longer is always done."""
SHARE_OF_TIME = 20
"""Else it, with the context as it is then, may take one part in so many of a step's time."""

PLAIN_SUCCESS = '{"success":true,"skipped":false,"error":null,"data":{},"rollback_data":{}}'
"""How nearly every step ends that has nothing to hand on."""

_text = json.JSONEncoder(separators=(",", ":")).encode


class DurableRun:
    """Records one run in a journal as it happens, and knows what an earlier worker has recorded.

    Give it to `Orchestrator(..., journal=run)`. A step's end and the next one's start are one transaction. Undo
    entries are durable when `context.record_undo` returns; saved progress within a tenth of a second, always together
    with the context as it was when it was saved.

    Args:
        writer: Writes about the run; the caller closes it.
        past: Where the run stood when this worker took it over; None for a new one.
        accepts_changes: Whether to go on although the action has other steps than at first.
        outer: Records the run that this one is a part of; None for a run of its own.
    """

    def __init__(
        self,
        writer: "RunWriter | PartWriter",
        past: "RunState | None" = None,
        *,
        accepts_changes: bool = False,
        outer: "DurableRun | None" = None,
    ) -> None:
        self.writer = writer
        self._outer = outer
        self.result: object = None
        """What the action gave back, to be shown to people."""
        self.is_taken = False
        """Whether an orchestrator has run, or runs, with it: a run is one workflow."""
        self.has_started = self.has_ended = False
        """Whether this worker has recorded that the run began, or went on; and that it ended."""
        self.has_past = past is not None and bool(past.steps)
        """Whether an earlier worker has begun with the steps."""
        self.past = past
        """Where the run stood when this worker took it over."""
        self._accepts_changes = accepts_changes
        self._checkpoint: ContextCheckpoint | None = None
        self._codec = ValueCodec()
        self._context: BaseStepContext | None = None
        self._unwritten: dict[str, str] = {}  # fields of the context that no frame holds yet
        self._saved: dict[str, str] = {}  # progress of the step in flight that no frame holds yet
        self._may_save_at = 0.0
        self._names: dict[str, str] = {}
        self._versions: dict[str, str | None] = {}
        self._has_undo_log = past is not None and any(step.undo_log for step in past.steps.values())
        self._is_interruptible = threading.current_thread() is threading.main_thread()
        self._is_going_back = False
        self._overdue: RunStatus | None = None  # a status that could not be written yet
        self._lock = threading.Lock()
        self._handlers: Mapping[type, Callable[[Any], None]] = {
            RunStarted: self._run_started,
            StepStarted: self._step_started,
            StepFinished: self._step_finished,
            UndoRecorded: self._undo_recorded,
            ProgressSaved: self._progress_saved,
            RollbackStarted: self._rollback_started,
            StepRollbackStarted: self._step_rollback_started,
            StepRolledBack: self._step_rolled_back,
            RunFinished: self._run_finished,
        }

    # As the engine sees it

    def attach(self, context: "BaseStepContext", registry: "StepRegistry[Any]") -> History | None:
        """Take note of what is about to run, and return what an earlier worker has done of it; None at first.

        Raises:
            UnencodableValueError: A field of the context cannot be written; nothing was run.
            PlanChangedError: The journal holds fields that the context no longer has.
        """
        self._checkpoint = ContextCheckpoint(context)
        self._codec, self._context = self._checkpoint.codec, context
        self._versions = identities(registry)
        ctx = context.runtime_ctx
        if ctx is not None and not isinstance(ctx.reporter, DurableReporter):
            ctx.reporter = self.reporter(ctx.reporter)
        self.is_taken = True
        if self.past is None or not self.has_past:
            return None
        fields = {name: _text(value) for name, value in self.past.context.items()}
        self._checkpoint.restore(fields, lenient=self._accepts_changes)
        history = self.history_of(self.past)
        self._is_going_back = self._is_going_back or history.reason is not None
        hit("run.restored")
        return history

    def detach(self) -> None:
        """Take note that the orchestrator is done, and put the reporter back."""
        ctx = None if self._context is None else self._context.runtime_ctx
        if ctx is not None and isinstance(ctx.reporter, DurableReporter):
            ctx.reporter = ctx.reporter.inner

    def observe(self, event: Event) -> None:
        """Record one event.

        Raises:
            LeaseLostError: Another worker has taken over.
            RunCancelledError: Somebody has asked for the run to be stopped.
            JournalFullError: There is just enough room left to undo the run.
            JournalError, UnencodableValueError: It cannot be recorded.
        """
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    def reporter(self, inner: "Reporter | None") -> DurableReporter:
        """Return a reporter that keeps logs, progress and metrics in the journal, and passes everything on."""
        return DurableReporter(self.writer, inner)

    def kick(self) -> None:
        """Stop the step in flight, because somebody has asked for it; called in the writer's thread.

        A step in the main thread is interrupted where it stands, if SIGTERM would do that, too. Elsewhere it ends when
        it next says something about itself.
        """
        may_stop = self._is_interruptible and not self._is_going_back and not self.has_ended
        if may_stop and callable(signal.getsignal(signal.SIGTERM)):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)

    def turn_back(self) -> None:
        """Take note that the run is about to be undone, so that nobody stops that by cancelling the run."""
        self._is_going_back = True
        if self._outer is not None:  # whatever it is a part of will be undone as well
            self._outer.turn_back()

    def history_of(self, past: "RunState") -> History:
        """Return what a past is to the engine."""
        return history_of(past, self._codec, accepts_changes=self._accepts_changes)

    def undo_log_of(self, step: str) -> list[Any]:
        """Return what a step has recorded of how to undo it, in whichever process."""
        entries: list[Any] = self._codec.from_json(self.writer.state().step(step).undo_log)
        return entries

    def part(self, step: str) -> "DurableRun":
        """Return what records the run inside a step, among what is recorded of this one, and knows its past.

        Raises:
            JournalError: The journal cannot be read.
        """
        writer = PartWriter(self.writer, step)
        past = writer.state()
        known = None if past.last_us is None else past
        return DurableRun(writer, known, accepts_changes=self._accepts_changes, outer=self)

    def end_unbegun(self, reason: str, *, is_cancelled: bool = False) -> None:
        """Record the end of a run that has not begun with any step."""
        status = RunStatus.CANCELLED if is_cancelled else RunStatus.FAILED
        self.observe(RunFinished(status, 0.0, reason, interrupted=is_cancelled))

    # Events

    def _run_started(self, event: RunStarted) -> None:
        plan = {"steps": _text(event.steps)}
        if versions := {name: version for name, version in self._versions.items() if version is not None}:
            plan["versions"] = _text(versions)
        if not self.has_past:
            self._write(event, {**plan, "context": self._context_changes()}, status=RunStatus.RUNNING)
        else:
            parts = {"pid": str(os.getpid()), **plan, "context": self._context_changes()}
            self._write(event, parts, kind="RunResumed")
        self.has_started = True

    def _step_started(self, event: StepStarted) -> None:
        self._saved.clear()
        self._may_save_at = 0.0
        self._has_undo_log = self.past is not None and bool(self.past.step(event.step).undo_log)
        self.writer.write(f'{{"type":"StepStarted","at":{_at(event)},"step":{self._name(event.step)}}}')
        self._stop_if_due()

    def _step_finished(self, event: StepFinished) -> None:
        """Let the end of a step wait for the start of the next: they are one transaction."""
        hit("step.executed")
        succeeded, result = event.result.success, self._result(event)
        context = self._context_changes() if succeeded else self._context_left()
        if succeeded:  # every step comes here: written out, because `_event` takes twice as long
            step, context = self._name(event.step), "" if context == "{}" else f',"context":{context}'
            head = f'{{"type":"StepFinished","at":{_at(event)},"step":{step},"elapsed":{event.elapsed:.6f}'
            self.writer.keep(f'{head},"result":{result}{context}}}')
            self._unwritten.clear()
        else:
            parts = {"step": self._name(event.step), "elapsed": f"{event.elapsed:.6f}", "result": result}
            self._write_on_the_way_back(event, parts | ({} if context == "{}" else {"context": context}))

    def _undo_recorded(self, event: UndoRecorded) -> None:
        self.observe_all([event])

    def observe_all(self, events: Sequence[UndoRecorded]) -> None:
        """Record several undo entries of one step in one transaction; raises as `observe` does."""
        first = events[0]
        self._has_undo_log = True
        entries = [event.entry for event in events]
        where = (
            f"the undo entry of step {first.step!r}" if len(entries) == 1 else f"undo entries of step {first.step!r}"
        )
        texts = self._codec.encode(entries, where)
        self._write(first, {"step": self._name(first.step), "entries": texts})
        hit("undo.recorded")
        self._stop_if_due()

    def _progress_saved(self, event: ProgressSaved) -> None:
        """Let saved progress wait, together with the context as it is now: neither must be ahead of the other."""
        with self._lock:
            encode, where = self._codec.encode, f"saved progress of step {event.step!r}"
            self._saved |= {name: encode(value, f"{where}: {name}") for name, value in event.state.items()}
            began = monotonic()
            if began < self._may_save_at:
                return
            # Of the processor, not of the clock: time in which others had it, or the disk was waited for, is not spent.
            worked = thread_time()
            parts = {"step": self._name(event.step), "state": _object(self._saved), "context": self._context_changes()}
            text = _event(event, "ProgressSaved", parts)
            cost = thread_time() - worked
            self.writer.keep(text)
            self._unwritten.clear()
            if cost > CHEAP_SECONDS:
                self._may_save_at = began + SHARE_OF_TIME * cost
        hit("progress.saved")
        self._stop_if_due()

    def _rollback_started(self, event: RollbackStarted) -> None:
        self.turn_back()
        parts = {"steps": _text(event.steps), "reason": _text(event.reason), "context": self._context_left()}
        self._write_on_the_way_back(event, parts, RunStatus.ROLLING_BACK)

    def _step_rollback_started(self, event: StepRollbackStarted) -> None:
        self._write_on_the_way_back(event, {"step": self._name(event.step)})
        hit("rollback.step")

    def _step_rolled_back(self, event: StepRolledBack) -> None:
        hit("rollback.stepped")
        parts = {"step": self._name(event.step), "elapsed": f"{event.elapsed:.6f}", "error": _text(event.error)}
        parts |= {"traceback": _text(event.traceback), "context": self._context_left()}
        self._write_on_the_way_back(event, parts)

    def _run_finished(self, event: RunFinished) -> None:
        """Write the end of the run, and try twice: nothing comes after it that could make up for it."""
        hit("run.concluded")
        parts = {"status": _text(event.status), "error": _text(event.error), "elapsed": f"{event.elapsed:.6f}"}
        parts["interrupted"] = _text(event.interrupted)
        parts["result"] = json_line({"": for_people(self.result)})[len('{"": ') : -len("}\n")]
        try:
            self._write(event, parts, status=event.status)
        except LeaseLostError:
            raise
        except JournalError:
            with suppress(RunEndedError):  # it was there after all
                self._write(event, parts, status=event.status)
        self.has_ended = True

    # Writing

    def _write(
        self, event: Event, parts: Mapping[str, str], *, kind: str = "", status: "RunStatus | None" = None
    ) -> None:
        """Write an event with everything that waits; durable on return."""
        self.writer.write(_event(event, kind or type(event).__name__, parts), status)
        if "context" in parts:
            self._unwritten.clear()

    def _write_on_the_way_back(self, event: Event, parts: Mapping[str, str], status: "RunStatus | None" = None) -> None:
        """Write an event as `_write` does; when that fails it waits for the next one, because undoing goes on."""
        self._overdue = status or self._overdue
        self.writer.keep(_event(event, type(event).__name__, parts))
        if "context" in parts:
            self._unwritten.clear()
        self.writer.write("", self._overdue)
        self._overdue = None

    def _context_changes(self) -> str:
        """Return as a JSON object the fields that changed and that no frame holds yet, also after a failed write."""
        if self._checkpoint is not None:
            self._unwritten |= self._checkpoint.changes()
        return _object(self._unwritten) if self._unwritten else "{}"

    def _context_left(self) -> str:
        """Return the same on the way back, where a field that cannot be written must not hide what happens."""
        try:
            return self._context_changes()
        except UnencodableValueError:
            return "{}"

    def _result(self, event: StepFinished) -> str:
        result, step = event.result, event.step
        undo = result.rollback_data
        if not undo and not result.data and result.success is True and result.skipped is False and result.error is None:
            return PLAIN_SUCCESS
        if self._has_undo_log and "undo_log" in undo:  # it has been written entry by entry
            undo = {name: value for name, value in undo.items() if name != "undo_log"}
        encode = self._codec.encode if result.success else self._encode_if_possible
        data = encode(result.data, f"result.data of step {step!r}") if result.data else "{}"
        rollback_data = encode(undo, f"result.rollback_data of step {step!r}") if undo else "{}"
        success, skipped = "true" if result.success else "false", "true" if result.skipped else "false"
        error = "null" if result.error is None else _text(result.error)
        head = f'"success":{success},"skipped":{skipped},"error":{error}'
        return f'{{{head},"data":{data},"rollback_data":{rollback_data}}}'

    def _encode_if_possible(self, value: Mapping[str, Any], where: str) -> str:
        """Return what of a failed step's result can be written: that it failed matters more."""
        parts: dict[str, str] = {}
        for name, each in value.items():
            with suppress(UnencodableValueError):
                parts[str(name)] = self._codec.encode(each, where)
        return _object(parts)

    def _name(self, step: str) -> str:
        text = self._names.get(step)
        if text is None:
            text = self._names[step] = _text(step)
        return text

    def _stop_if_due(self) -> None:
        if self._is_going_back:
            return
        if self.writer.shortage is not None:
            raise self.writer.shortage
        if self.writer.is_cancelled:
            msg = "The run was cancelled"
            raise RunCancelledError(msg, fix="What it had done was undone; start it again if you want to")


def _event(event: Event, kind: str, parts: Mapping[str, str]) -> str:
    """Return an event as JSON text, made of parts that are JSON text."""
    rest = "".join([f',"{name}":{text}' for name, text in parts.items()])
    return f'{{"type":"{kind}","at":{_at(event)}{rest}}}'


def _at(event: Event) -> int:
    """Return when an event happened, in microseconds since 1970."""
    return round(event.occurred_at.timestamp() * 1e6)


def _object(parts: Mapping[str, str]) -> str:
    """Return a JSON object of names and JSON text."""
    return f"{{{','.join([f'{_text(name)}:{text}' for name, text in parts.items()])}}}"
