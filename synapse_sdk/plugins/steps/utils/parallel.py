"""Runs several steps side by side as one."""

import os
import signal
from collections.abc import Awaitable, Sequence
from contextvars import copy_context
from threading import Event, RLock
from typing import TYPE_CHECKING, Any

from synapse_sdk.errors import DuplicateStepError, WorkflowError
from synapse_sdk.interrupts import InsistentInterrupt, InterruptShield, wait_for_end
from synapse_sdk.plugins.steps.base import BaseStep, StepResult
from synapse_sdk.plugins.steps.context import BRANCH, BaseStepContext, BranchScope, StepScope
from synapse_sdk.plugins.steps.outcome import asks_to_skip, error_text, roll_back_all, run_step
from synapse_sdk.plugins.steps.registry import check_weight, checked_name

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["ParallelSteps"]


class ParallelSteps[C: BaseStepContext](BaseStep[C]):
    """Run steps at the same time, each in a thread, as one step of the workflow.

    The steps share the context, so each should write fields of its own. Progress and undo records of each are kept
    apart; a step that starts threads which record something starts them with its context variables
    (`contextvars.copy_context().run`). When one step fails, those that have not begun are left out, those that run are
    waited for, and then this step fails; its rollback undoes every step that had begun, the last one first, once for
    each time it was begun. `result.data` maps each name to that step's data.

    Args:
        steps: The steps; their names must differ.
        name: Name of the whole.
        max_workers: Threads at most; by default one a step.
        progress_weight: Weight of the whole, 0.0 to 1.0; by default the sum of the steps' weights, at most 1.0.

    Raises:
        DuplicateStepError: Two steps have one name.
        InvalidStepError, InvalidWeightError: As for `StepRegistry.register`.
    """

    def __init__(
        self,
        steps: Sequence[BaseStep[C]],
        name: str = "parallel",
        *,
        max_workers: int | None = None,
        progress_weight: float | None = None,
    ) -> None:
        self._steps = tuple(steps)
        self._name = name
        self._max_workers = max_workers or max(1, len(self._steps))
        self._progress_weight = progress_weight
        names = [checked_name(step) for step in self._steps]
        for step in self._steps:
            check_weight(step.name, step.progress_weight)
        for twice in {name for name in names if names.count(name) > 1}:
            msg = f"{self._name!r} has two steps called {twice!r}"
            raise DuplicateStepError(msg, fix="Give one of the two another name")

    @property
    def name(self) -> str:
        """Name of the whole."""
        return self._name

    @property
    def progress_weight(self) -> float:
        """Weight of the whole."""
        if self._progress_weight is not None:
            return self._progress_weight
        return min(1.0, sum(step.progress_weight for step in self._steps))

    def execute(self, context: C) -> StepResult:
        """Run all steps and wait for them."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  # 12 ms that other wrappers do not pay

        together = _Together(context.scope, [step.progress_weight for step in self._steps])
        branches = [_Branch(context, step, together, index) for index, step in enumerate(self._steps)]
        pool = ThreadPoolExecutor(self._max_workers, thread_name_prefix=self._name)
        futures: list[Future[StepResult | None]] = []
        together.parent.is_forked = True
        try:
            for branch in branches:
                futures.append(pool.submit(copy_context().run, branch.run))  # noqa: PERF401  # known if interrupted
            for future in futures:
                wait_for_end(future)
        except BaseException:
            together.stop.set()
            while not self._have_ended(futures, context):
                pass  # a second Ctrl-C came right after the first, before signals were held back
            raise
        finally:
            together.parent.is_forked = False
            pool.shutdown(wait=all(future.done() for future in futures))  # else a third Ctrl-C would wait all the same
        return self._outcome(dict(zip([step.name for step in self._steps], futures, strict=True)))

    def rollback(self, context: C, result: StepResult) -> None:
        """Undo every step that had begun, the last one first, and each as often as it had."""
        begun: list[tuple[str, dict[str, Any]]] = []
        latest: dict[str, dict[str, Any]] = {}
        for entry in result.rollback_data.get("undo_log", []):
            name = entry.get("step")
            if name is None:  # recorded by a wrapper around the whole, whose business it is
                continue
            if "undo" in entry:
                latest[name].setdefault("undo_log", []).append(entry["undo"])
            elif "rollback_data" in entry:
                latest[name] |= entry["rollback_data"] | latest[name]
            else:
                latest[name] = {}
                begun.append((name, latest[name]))
        steps = {step.name: step for step in self._steps}
        roll_back_all([(steps[name], StepResult(rollback_data=data)) for name, data in reversed(begun)], context)

    def _have_ended(self, futures: "list[Future[StepResult | None]]", context: C) -> bool:
        """Let running steps come to their end before they are rolled back; a third Ctrl-C does not wait."""

        def say_held(_: int) -> None:
            running = sum(not future.done() for future in futures)
            context.log("waiting_for_steps", {"running": running})
            reporter = getattr(context.runtime_ctx, "reporter", None)
            if getattr(reporter, "inner", reporter) is None:  # nobody, or only the journal
                note = f"Waiting for {running} of {len(futures)} parallel steps, to undo them"
                os.write(2, f"\n{note}. Press Ctrl-C 1 more time to leave without.\n".encode())

        held = context.scope.held_signals
        try:
            with InterruptShield(say_held, presses=1 + len(held)) as shield:
                for future in futures:
                    wait_for_end(future)
        except InsistentInterrupt:
            raise
        except KeyboardInterrupt:
            held.append(signal.SIGINT)
            return False
        held += shield.held
        return True

    def _outcome(self, futures: "dict[str, Future[StepResult | None]]") -> StepResult:
        raised = {name: error for name, future in futures.items() if (error := future.exception()) is not None}
        for error in raised.values():
            if not isinstance(error, Exception):
                raise error
        finished = {name: future.result() for name, future in futures.items() if name not in raised}
        results = {name: result for name, result in finished.items() if result is not None}
        failed = {name: result.error or "it gave no reason" for name, result in results.items() if not result.success}
        problems = {name: error_text(error) for name, error in raised.items()} | failed
        data = {name: result.data for name, result in results.items()}
        if not problems:
            return StepResult(data=data)
        texts = "; ".join(f"{name!r}: {problem}" for name, problem in problems.items())
        summary = f"{len(problems)} of {len(futures)} steps failed: {texts}"
        if not raised:
            return StepResult(success=False, error=summary, data=data)
        errors = [error for error in raised.values() if isinstance(error, Exception)]
        failed_together = WorkflowError(summary)
        failed_together.transient = all(getattr(error, "transient", True) for error in errors)  # asked by RetryStep
        raise failed_together from (errors[0] if len(errors) == 1 else ExceptionGroup(summary, errors))


class _Together:
    """What the branches share: where their records go, how far they have come, and whether to begin any more."""

    def __init__(self, parent: StepScope, weights: Sequence[float]) -> None:
        total = sum(weights)
        self.parent = parent
        self.lock = RLock()  # a progress callback may report progress
        self.stop = Event()
        self._shares = [weight / total if total else 1 / len(weights) for weight in weights]
        self._fractions = [0.0] * len(weights)

    def advance(self, index: int, fraction: float) -> None:
        with self.lock:
            self._fractions[index] = max(fraction, self._fractions[index])
            done = sum(share * part for share, part in zip(self._shares, self._fractions, strict=True))
            self.parent.advance(min(done, 1.0))


class _Branch(BranchScope):
    """One of the steps: runs in a thread, and passes on what it records under its name."""

    def __init__(self, context: BaseStepContext, step: BaseStep[Any], together: _Together, index: int) -> None:
        super().__init__(context, step.name)
        self._step = step
        self._together = together
        self._index = index
        self.saved_progress = together.parent.saved_progress.get(step.name, {})

    def run(self) -> StepResult | None:
        """Run the step in this thread; None when it was left out because another had failed."""
        BRANCH.set(self)
        if self._together.stop.is_set():
            return None
        try:
            if asks_to_skip(self._step, self.context):
                return StepResult(skipped=True)
            self._together.parent.record_undo({"step": self.name})
            result = run_step(self._step, self.context)
            if result.rollback_data:
                self._together.parent.record_undo({"step": self.name, "rollback_data": result.rollback_data})
        except BaseException:
            self._together.stop.set()
            raise
        if not result.success:
            self._together.stop.set()
        self.advance(1.0)
        return result

    def record_undo(self, entry: dict[str, Any]) -> None:
        super().record_undo(entry)
        self._together.parent.record_undo({"step": self.name, "undo": entry})

    def record_undos(self, entries: Sequence[dict[str, Any]]) -> None:
        super().record_undos(entries)
        self._together.parent.record_undos([{"step": self.name, "undo": entry} for entry in entries])

    def save_progress(self, state: dict[str, Any]) -> None:
        super().save_progress(state)
        with self._together.lock:
            self._together.parent.save_progress({self.name: self.saved_progress})

    def advance(self, fraction: float) -> None:
        self._together.advance(self._index, fraction)

    def wait_for(self, awaitable: Awaitable[Any]) -> Any:  # noqa: ANN401  # whatever the coroutine returns
        return self._together.parent.wait_for(awaitable)
