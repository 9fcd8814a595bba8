"""The state that the steps of one run share, and what a step may say about itself."""

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, cast

from synapse_sdk.errors import WorkflowError
from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.steps.base import StepResult

__all__ = ["BRANCH", "BaseStepContext", "BranchScope", "SinkFailures", "StepScope"]


class StepScope:
    """The step in flight as its context sees it: what it recorded, saved and reported so far.

    The orchestrator puts its own in place, which also tells observers; a context without one keeps the records to
    itself, so that a step can be tested alone.
    """

    is_forked = False
    """Whether its step runs branches just now, to which everything that is recorded must belong."""

    def __init__(self) -> None:
        self.undo_log: list[dict[str, Any]] = []
        self.saved_progress: dict[str, Any] = {}
        self.held_signals: list[int] = []
        """Signals that the step held back, after one that stopped it; obeyed once all is undone."""

    def record_undo(self, entry: dict[str, Any]) -> None:
        """Keep one undo entry."""
        self.undo_log.append(entry)

    def record_undos(self, entries: Sequence[dict[str, Any]]) -> None:
        """Keep several undo entries."""
        self.undo_log += entries

    def save_progress(self, state: dict[str, Any]) -> None:
        """Keep from where the step could go on."""
        self.saved_progress.update(state)

    def advance(self, fraction: float) -> None:
        """Note that this fraction (0.0 to 1.0) of the step is done."""

    def wait_for(self, awaitable: Awaitable[Any]) -> Any:  # noqa: ANN401  # whatever the coroutine returns
        """Run an awaitable to its end and return its value."""
        from synapse_sdk.plugins.steps.coroutines import LoopThread  # noqa: PLC0415  # 50 ms, with asyncio

        loop = LoopThread()
        try:
            return loop.wait_for(awaitable)
        finally:
            loop.close()


class BranchScope(StepScope):
    """The scope of one of several steps that run side by side in one context."""

    def __init__(self, context: "BaseStepContext", name: str) -> None:
        super().__init__()
        self.context = context
        self.name = name
        self.outer = BRANCH.get()
        """The branch that this one is part of, maybe in another context."""


BRANCH: ContextVar[BranchScope | None] = ContextVar("synapse_sdk_branch", default=None)
"""The branch that this thread or task runs within parallel steps."""


class SinkFailures:
    """Counts what reporting could not deliver; reporting must never fail the work it reports on.

    The first failure of each kind is written to the standard library logger `synapse_sdk.steps` with its traceback,
    the rest are counted.
    """

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def note(self, what: str, error: Exception) -> None:
        """Count one failure of a kind, such as `progress callback`."""
        self.counts[what] = self.counts.get(what, 0) + 1
        if self.counts[what] == 1:
            self._warn("The %s failed, and the run goes on; further failures of it are only counted", what, error=error)

    def sum_up(self) -> None:
        """Say how often each kind failed beyond the first time, and start counting anew."""
        for what, count in self.counts.items():
            if count > 1:
                self._warn("The %s failed %d times during the run", what, count)
        self.counts.clear()

    @staticmethod
    def _warn(message: str, *values: object, error: Exception | None = None) -> None:
        with suppress(Exception):  # when even this fails there is nobody left to tell, and the run matters more
            import logging  # noqa: PLC0415  # the engine loads it only when something is wrong

            logging.getLogger("synapse_sdk.steps").warning(message, *values, exc_info=error)


@dataclass
class BaseStepContext:
    """What the steps of one run share; subclass it as a dataclass and add fields.

    Added fields may do without a default: those of this class that have one are keyword-only.

    Example:
        >>> @dataclass
        ... class CopyContext(BaseStepContext):
        ...     source: str
        ...     copied: list[str] = field(default_factory=list)
        >>> CopyContext(RuntimeContext(), "photos").copied
        []
    """

    runtime_ctx: RuntimeContext
    """Reporter, logger, environment, clients."""
    step_results: list[StepResult] = field(default_factory=list, kw_only=True)
    """One result for each step that was run or skipped, in order."""
    errors: list[str] = field(default_factory=list, kw_only=True)
    """What went wrong without failing the run, rollback problems included."""
    current_step: str | None = field(default=None, kw_only=True)
    """Name of the step in flight; set by the orchestrator, None between runs."""

    # Not fields (they have no annotation): a run's private state does not belong to a context's data.
    _scope = cast("StepScope | None", None)
    _sink_failures = cast("SinkFailures | None", None)

    def log(self, event: str, data: dict[str, Any], file: str | None = None) -> None:
        """Say that something happened: a stable word and its particulars."""
        try:
            self.runtime_ctx.log(event, data, file)
        except Exception as error:  # noqa: BLE001  # a reporter's failure is not the step's
            self.sink_failures.note("log sink", error)

    def set_progress(self, current: float, total: float, category: str | None = None) -> None:
        """Say that `current` of `total` is done, in any unit.

        Without a category it counts for the step in flight and moves the whole run's progress by the step's share.
        Values out of range are clamped and reported once; `(0, 0)` says that there is nothing to do.
        """
        branch = None if BRANCH.get() is None else self._branch()  # a call less for a hundred thousand reports
        scope, name = (self._scope, self.current_step) if branch is None else (branch, branch.name)
        try:
            if not 0 <= current <= total:
                current, total = self._clamped(current, total, name)
            if total and scope is not None and (not category or category == name):
                scope.advance(current / total)
            self.runtime_ctx.set_progress(current, total, category or name)
        except Exception as error:  # noqa: BLE001  # a reporter's failure is not the step's
            self.sink_failures.note("progress sink", error)

    def set_metrics(self, value: dict[str, Any], category: str | None = None) -> None:
        """Give figures of a category, by default the step in flight, their current value."""
        try:
            branch = self._branch()
            self.runtime_ctx.set_metrics(value, category or (self.current_step if branch is None else branch.name))
        except Exception as error:  # noqa: BLE001  # a reporter's failure is not the step's
            self.sink_failures.note("metrics sink", error)

    def record_undo(self, **what: Any) -> None:  # noqa: ANN401  # whatever the step's rollback understands
        """Say how to undo an effect, BEFORE having it.

        The entry reaches this step's `rollback` in `result.rollback_data["undo_log"]`, a list in the order of
        recording, also when the step raises right after.

        Example:
            >>> context = BaseStepContext(RuntimeContext())
            >>> context.record_undo(path="out/cat.jpg")
            >>> context.undo_log
            [{'path': 'out/cat.jpg'}]

        Raises:
            WorkflowError: A thread calls it of which it cannot be known to which of several parallel steps it belongs.
        """
        self._scope_to_record_in().record_undo(what)

    def record_undos(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Say how to undo many effects, BEFORE having any of them; a journal writes them in one go.

        Each entry is what `record_undo` takes by name. Raises as it does.
        """
        if taken := [dict(entry) for entry in entries]:
            self._scope_to_record_in().record_undos(taken)

    @property
    def undo_log(self) -> list[dict[str, Any]]:
        """What the step in flight has recorded so far."""
        return self.scope.undo_log

    def save_progress(self, **state: Any) -> None:  # noqa: ANN401  # whatever the step needs to go on
        """Note from where the step could go on; values of the same name are replaced. Raises as `record_undo` does."""
        self._scope_to_record_in().save_progress(state)

    @property
    def saved_progress(self) -> Mapping[str, Any]:
        """What an earlier try of the step in flight saved; empty on the first."""
        return self.scope.saved_progress

    @property
    def scope(self) -> StepScope:
        """The step in flight; made on the spot for a context that no orchestrator runs."""
        if self._scope is None:
            self._scope = StepScope()
        return self._branch() or self._scope

    @property
    def sink_failures(self) -> SinkFailures:
        """What reporting could not deliver so far."""
        if self._sink_failures is None:
            self._sink_failures = SinkFailures()
        return self._sink_failures

    def _branch(self) -> BranchScope | None:
        branch = BRANCH.get()
        while branch is not None and branch.context is not self:  # a workflow within a branch has branches of its own
            branch = branch.outer
        return branch

    def _scope_to_record_in(self) -> StepScope:
        scope = self.scope
        if scope.is_forked:
            msg = "A thread that belongs to none of the parallel steps cannot say what to undo or how far it is"
            fix = "Start it with the step's context variables: pool.submit(contextvars.copy_context().run, function)"
            raise WorkflowError(msg, fix=fix)
        return scope

    def _clamped(self, current: float, total: float, name: str | None) -> tuple[float, float]:
        why = f"step {name!r} reported progress {current!r} of {total!r}, which is out of range"
        self.sink_failures.note("progress of a step", ValueError(why))
        total = max(0, total) if total == total else 0  # noqa: PLR0124  # NaN is the value that is not equal to itself
        return (min(max(0, current), total) if current == current else 0), total  # noqa: PLR0124  # as above
