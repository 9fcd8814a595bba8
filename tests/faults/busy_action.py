"""An action with a step of every kind: async, parallel, tried again, skipped, wrapped; all of them leave files."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synapse_sdk.plugins import BaseAction
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, StepRegistry, StepResult
from synapse_sdk.plugins.steps.utils import LoggingStep, ParallelSteps, RetryStep, TimingStep
from synapse_sdk.retry import RetryPolicy

__all__ = ["BusyAction"]


@dataclass
class BusyContext(BaseStepContext):
    """What the steps share."""

    made: list[str] = field(default_factory=list)
    tries: int = 0


class WriteStep(BaseStep[BusyContext]):
    """Writes two files, each recorded by itself."""

    progress_weight = 0.2

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def name(self) -> str:
        """What its files are called after."""
        return self._name

    def execute(self, context: BusyContext) -> StepResult:
        """Write them."""
        for number in range(2):
            path = Path(f"{self._name}-{number}")
            context.record_undo(path=str(path))
            path.write_text("hello", encoding="utf-8")
            context.save_progress(number=number)
        return StepResult(data={"step": self._name})

    def rollback(self, context: BusyContext, result: StepResult) -> None:
        """Remove them."""
        for entry in reversed(result.rollback_data.get("undo_log", [])):
            Path(entry["path"]).unlink(missing_ok=True)


class FlakyStep(WriteStep):
    """Fails the first time."""

    def execute(self, context: BusyContext) -> StepResult:
        """Write the files, and fail all the same."""
        result = super().execute(context)
        context.tries += 1
        if context.tries == 1:
            msg = "the line went down"
            raise ConnectionError(msg)
        return result


class WaitingStep(WriteStep):
    """Is `async`, and records both files in one go."""

    async def execute(self, context: BusyContext) -> StepResult:  # type: ignore[override]  # the engine takes both
        """Write the files."""
        paths = [f"{self._name}-a", f"{self._name}-b"]
        context.record_undos([{"path": path} for path in paths])
        await asyncio.sleep(0)
        for path in paths:
            Path(path).write_text("hello", encoding="utf-8")  # noqa: ASYNC240  # a few bytes
        return StepResult()


class SkippedStep(WriteStep):
    """Has nothing to do."""

    def can_skip(self, context: BusyContext) -> bool:
        """Skip it always."""
        return True


class ListStep(WriteStep):
    """Notes in the context which files there are, and writes that down."""

    def execute(self, context: BusyContext) -> StepResult:
        """Write the list."""
        context.record_undo(path="list")
        context.made = sorted(path.name for path in Path().iterdir() if path.name != "list")
        Path("list").write_text("\n".join(context.made), encoding="utf-8")
        return StepResult(rollback_data={"files": len(context.made)})


class BusyAction(BaseAction[dict[str, Any]]):
    """Does a bit of everything."""

    def create_context(self) -> BusyContext:
        """Begin with nothing."""
        return BusyContext(self.ctx)

    def setup_steps(self, registry: StepRegistry[Any]) -> None:
        """Register a step of every kind."""
        registry.register(WaitingStep("waiting"))
        registry.register(ParallelSteps([WriteStep("left"), WriteStep("right"), WaitingStep("late")], "together"))
        registry.register(RetryStep(FlakyStep("flaky"), RetryPolicy(delay=0.001)))
        registry.register(SkippedStep("skipped"))
        registry.register(LoggingStep(TimingStep(ListStep("list"))))
