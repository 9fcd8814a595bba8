"""What an earlier worker has done of a run, and how a later one goes on from there; loaded only for journalled runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from synapse_sdk.errors import PlanChangedError, WorkflowError
from synapse_sdk.plugins.steps.base import BaseStep, StepResult
from synapse_sdk.plugins.steps.registry import StepRegistry

if TYPE_CHECKING:
    from synapse_sdk.plugins.steps.context import BaseStepContext
    from synapse_sdk.reporting.events import Event

__all__ = ["History", "RunJournal", "identities"]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """How far a run had come when its last worker left it."""

    plan: Mapping[str, str | None]
    """The steps with which the run began, in order: name and version."""
    finished: Mapping[str, StepResult] = field(default_factory=dict)
    """Results of the steps that succeeded or were skipped, in the order in which they ran; they do not run again."""
    in_flight: str | None = None
    """The step that was started and did not end, or failed."""
    undo_log: Sequence[Mapping[str, Any]] = ()
    """What that step had recorded."""
    saved_progress: Mapping[str, Any] = field(default_factory=dict)
    """From where that step can go on."""
    failure: StepResult | None = None
    """How that step failed, if it did."""
    restarted: frozenset[str] = frozenset()
    """Steps that were started more than once: one of them that was skipped in the end may have had effects before."""
    undone: frozenset[str] = frozenset()
    """Steps whose rollback is done."""
    reason: str | None = None
    """Why the run is being undone; None while it goes forward."""
    accepts_changes: bool = False
    """Whether to go on although the steps are not those with which the run began."""

    def order(self, registry: StepRegistry[Any]) -> StepRegistry[Any]:
        """Return the steps in the order that is the run's: first those that were started, as they were.

        Raises:
            PlanChangedError: They are not those with which the run began, and that is not accepted; or the step that
                was in flight is gone, so that nobody can go on with it or undo it.
        """
        now = identities(registry)
        if list(now.items()) == list(self.plan.items()):
            return registry
        if not self.accepts_changes:
            fix = "Resume it with the code that started it, roll it back, or accept the change (--force)"
            msg = "The steps of the action are not those with which the run began"
            raise PlanChangedError(msg, why=difference(self.plan, now), fix=fix)
        if self.in_flight is not None and self.in_flight not in now:
            msg = f"Step {self.in_flight!r}, in which the run was interrupted, is gone from the action"
            raise PlanChangedError(msg, fix="Roll the run back with the code that started it")
        started = [*self.finished, *([self.in_flight] if self.in_flight is not None else [])]
        steps = {step.name: step for step in registry}
        ordered: StepRegistry[Any] = StepRegistry()
        for name in (*started, *(name for name in now if name not in started)):
            ordered.register(steps[name] if name in steps else _GoneStep(name))
        return ordered

    def started(self, registry: StepRegistry[Any]) -> list[tuple[BaseStep[Any], StepResult]]:
        """Return the steps that may have had effects and are not undone yet, with their results, in order."""
        results = {
            name: result
            for name, result in self.finished.items()
            if not result.skipped or result.rollback_data or name in self.restarted
        }
        if self.in_flight is not None:
            cut_short = StepResult(success=False, error="the process that ran it has ended")
            result = self.failure or cut_short
            if self.undo_log and "undo_log" not in result.rollback_data:
                result = result.with_undo_log([dict(entry) for entry in self.undo_log])
            results[self.in_flight] = result
        steps = {step.name: step for step in registry}
        left = [(name, result) for name, result in results.items() if name not in self.undone]
        return [(steps[name] if name in steps else _GoneStep(name), result) for name, result in left]


class RunJournal(Protocol):
    """The journal of one run, as the engine sees it: an observer that must not miss anything, and that remembers."""

    result: object
    """What the action gave back; set before the run counts as done."""
    is_taken: bool
    """Whether an orchestrator has run, or runs, with it: a run is one workflow."""

    def observe(self, event: "Event") -> None:
        """Record one event; raising fails the step in flight."""
        ...

    def attach(self, context: "BaseStepContext", registry: StepRegistry[Any]) -> History | None:
        """Take note of what is about to run, and return what an earlier worker has done of it; None at first.

        Puts the journalled values back into the context.

        Raises:
            UnencodableValueError: A field of the context cannot be written.
        """
        ...

    def detach(self) -> None:
        """Take note that the orchestrator is done."""
        ...


def identities(registry: StepRegistry[Any]) -> dict[str, str | None]:
    """Return name and version of every step, in order; a step may have an attribute `version`."""
    versions = ((step.name, getattr(step, "version", None)) for step in registry)
    return {name: None if version is None else str(version) for name, version in versions}


def difference(before: Mapping[str, str | None], now: Mapping[str, str | None]) -> str:
    """Return in words what is different between two plans."""
    parts = [f"{name!r} is gone" for name in before if name not in now]
    parts += [f"{name!r} is new" for name in now if name not in before]
    versions = [name for name in now if name in before and before[name] != now[name]]
    parts += [f"{name!r} has version {now[name]} instead of {before[name]}" for name in versions]
    if [name for name in before if name in now] != [name for name in now if name in before]:
        parts.append(f"the order was {', '.join(before)} and is {', '.join(now)}")
    return "; ".join(parts)


class _GoneStep(BaseStep[Any]):
    """Stands for a step that was done and that the action no longer has."""

    progress_weight = 0.0

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    def execute(self, context: "BaseStepContext") -> StepResult:
        msg = f"Step {self._name!r} is gone from the action"
        raise WorkflowError(msg)

    def rollback(self, context: "BaseStepContext", result: StepResult) -> None:
        msg = f"Step {self._name!r} is gone from the action, and with it the way to undo it"
        raise WorkflowError(msg, fix="Roll the run back with the code that started it")
