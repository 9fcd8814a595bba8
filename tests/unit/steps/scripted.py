"""Steps that do what they are told, and what it takes to run them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Never

from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, Orchestrator, StepRegistry, StepResult
from synapse_sdk.reporting import MemoryReporter

type Act = Callable[[BaseStepContext], Any]


class ScriptedStep(BaseStep[BaseStepContext]):
    """Does what its script says and writes into a diary what is done to it: `run a`, `undo a`.

    Args:
        name: Name of the step.
        diary: Where it writes; several steps may share one.
        weight: Its progress weight.
        does: What `execute` does and returns; by default nothing, and success.
        skips: What `can_skip` does and returns.
        undoes: What `rollback` does and returns.
    """

    def __init__(
        self,
        name: str,
        diary: list[str] | None = None,
        *,
        weight: float = 0.5,
        does: Act = lambda _: StepResult(),
        skips: Act = lambda _: False,
        undoes: Act = lambda _: None,
    ) -> None:
        self._name = name
        self._weight = weight
        self._does, self._skips, self._undoes = does, skips, undoes
        self.diary = [] if diary is None else diary
        self.undone: list[StepResult] = []
        """The result each `rollback` was given."""

    @property
    def name(self) -> str:
        """Name of the step."""
        return self._name

    @property
    def progress_weight(self) -> float:
        """Its weight."""
        return self._weight

    def can_skip(self, context: BaseStepContext) -> Any:  # noqa: ANN401  # what the script says, wrong types included
        """Do what the script says."""
        return self._skips(context)

    def execute(self, context: BaseStepContext) -> Any:  # noqa: ANN401  # as above
        """Do what the script says."""
        self.diary.append(f"run {self._name}")
        return self._does(context)

    def rollback(self, context: BaseStepContext, result: StepResult) -> Any:  # noqa: ANN401  # as above
        """Do what the script says."""
        self.diary.append(f"undo {self._name}")
        self.undone.append(result)
        return self._undoes(context)


class PlainStep(BaseStep[BaseStepContext]):
    """Succeeds, and overrides neither `can_skip` nor `rollback`."""

    progress_weight = 0.5

    def __init__(self, name: str = "plain") -> None:
        self._name = name

    @property
    def name(self) -> str:
        """Name of the step."""
        return self._name

    def execute(self, context: BaseStepContext) -> StepResult:
        """Succeed."""
        return StepResult()


class HeldClock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    def now(self) -> datetime:
        """Return the start of 2026 plus all pauses."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Return the sum of all pauses."""
        return sum(self.pauses)

    def sleep(self, seconds: float) -> None:
        """Return at once and note the pause."""
        self.pauses.append(seconds)


class UnspeakableError(Exception):
    """An exception whose own text cannot be had."""

    def __str__(self) -> str:
        """Fail."""
        msg = "no text for you"
        raise ValueError(msg)


def raising(error: BaseException) -> Callable[..., Never]:
    """Return a function that raises this, whatever it is called with."""

    def act(*_: object) -> Never:
        raise error

    return act


def failing(error: str | None = "boom", **fields: Any) -> Act:  # noqa: ANN401  # fields of StepResult
    """Return a function that returns a failure."""
    return lambda _: StepResult(success=False, error=error, **fields)


def registry_of(*steps: BaseStep[Any]) -> StepRegistry[BaseStepContext]:
    """Register steps."""
    registry = StepRegistry[BaseStepContext]()
    for step in steps:
        registry.register(step)
    return registry


def new_context() -> BaseStepContext:
    """Make a context that nobody observes."""
    return BaseStepContext(RuntimeContext())


def observed_context() -> tuple[BaseStepContext, MemoryReporter]:
    """Make a context and the reporter that observes it."""
    reporter = MemoryReporter()
    return BaseStepContext(RuntimeContext(reporter=reporter)), reporter


def execute(
    *steps: BaseStep[Any],
    context: BaseStepContext | None = None,
    **options: Any,  # noqa: ANN401  # of Orchestrator
) -> dict[str, Any]:
    """Run steps and return what `Orchestrator.execute` does."""
    return Orchestrator(registry_of(*steps), context or new_context(), **options).execute()
