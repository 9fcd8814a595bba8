"""Going on with a run whose worker died, whatever its steps are made of."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from synapse_sdk.errors import JournalError, LeaseHeldError, StepFailedError
from synapse_sdk.journal import Owner
from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, StepResult
from synapse_sdk.plugins.steps.utils import ConditionalStep, LoggingStep, ParallelSteps, RetryStep, TimingStep
from synapse_sdk.retry import RetryPolicy
from tests.unit.plugins.durable_runs import RUN, DeathError, Workshop
from tests.unit.steps.scripted import HeldClock, ScriptedStep, execute, failing, new_context

type Wrap = Callable[[BaseStep[Any]], BaseStep[Any]]


@dataclass
class Counted(BaseStepContext):
    """A context that counts."""

    numbers: list[int] = field(default_factory=list)
    pair: tuple[int, str] = (0, "")


def counted() -> Counted:
    """Make one."""
    return Counted(RuntimeContext())


class CountingStep(BaseStep[Counted]):
    """Counts to four, and may die before one of the numbers.

    Args:
        dies: Called before the third number.
        is_async: Whether its `execute` is a coroutine.
    """

    progress_weight = 1.0

    def __init__(self, name: str, dies: Callable[[], object] = lambda: None, *, is_async: bool = False) -> None:
        self._name = name
        self._dies = dies
        self._is_async = is_async
        self.counted: list[int] = []
        self.undone: list[Any] = []

    @property
    def name(self) -> str:
        """Name of the step."""
        return self._name

    def execute(self, context: Counted) -> Any:  # noqa: ANN401  # a result, or what can be awaited for it
        """Count."""
        return self._execute_async(context) if self._is_async else self._count(context)

    async def _execute_async(self, context: Counted) -> StepResult:
        return self._count(context)

    def _count(self, context: Counted) -> StepResult:
        for number in range(context.saved_progress.get("next", 0), 4):
            if number == 2:
                self._dies()
            context.record_undo(number=number)
            self.counted.append(number)
            context.numbers.append(number)
            context.pair = (number, self._name)
            context.save_progress(next=number + 1)
        return StepResult(data={"counted": tuple(self.counted)})

    def rollback(self, context: Counted, result: StepResult) -> None:
        """Note what is undone."""
        self.undone.append([entry["number"] for entry in reversed(result.rollback_data.get("undo_log", []))])


@pytest.fixture
def shop() -> Workshop:
    """A run that was created."""
    return Workshop()


WRAPPERS: dict[str, Wrap] = {
    "plain": lambda step: step,
    "retried": lambda step: RetryStep(step, RetryPolicy(max_attempts=2), clock=HeldClock()),
    "conditional": lambda step: ConditionalStep(step, when=lambda _: True),
    "logged": LoggingStep,
    "timed": TimingStep,
    "all": lambda step: LoggingStep(RetryStep(ConditionalStep(step, when=lambda _: True), clock=HeldClock())),
}


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
def test_a_run_goes_on_where_its_worker_died(shop: Workshop, wrap: Wrap, is_async: bool) -> None:  # noqa: FBT001  # a parameter
    """Finished steps do not run again; the one in flight goes on from its saved progress, in its context."""
    first = ScriptedStep("first", does=lambda _: StepResult(data={"set": {1, 2}}))
    with pytest.raises(DeathError):
        shop.execute(first, wrap(CountingStep("count", shop.flush_and_die, is_async=is_async)), context=counted())
    step, context = CountingStep("count", is_async=is_async), counted()

    summary = shop.execute(first, wrap(step), ScriptedStep("last"), context=context, accepts_changes=True)

    assert summary == {"success": True, "steps_executed": 3, "steps_total": 3}
    assert first.diary == ["run first"]
    assert step.counted == [2, 3]
    assert (context.numbers, context.pair) == ([0, 1, 2, 3], (3, "count"))
    assert context.step_results[0].data == {"set": {1, 2}}
    assert (shop.status, shop.state.resumes) == ("succeeded", 1)


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
def test_a_run_is_undone_after_its_worker_died(shop: Workshop, wrap: Wrap, is_async: bool) -> None:  # noqa: FBT001  # a parameter
    """With everything that the step in flight had recorded, the last first."""
    first = ScriptedStep("first", does=lambda _: StepResult(rollback_data={"path": "x"}))
    with pytest.raises(DeathError):
        shop.execute(first, wrap(CountingStep("count", shop.flush_and_die, is_async=is_async)), context=counted())
    step = CountingStep("count")

    problems = shop.roll_back(first, wrap(step), context=counted())

    assert list(problems) == []
    assert step.undone == [[1, 0]]
    assert [result.rollback_data for result in first.undone] == [{"path": "x"}]
    assert shop.status == "rolled_back"


def test_parallel_steps_go_on_each_from_its_own_progress(shop: Workshop) -> None:
    """And are undone as often as they were begun."""
    dying = [CountingStep("one", shop.flush_and_die), CountingStep("two")]
    with pytest.raises(DeathError):
        shop.execute(ParallelSteps(dying, max_workers=1), context=counted())
    one, two = CountingStep("one"), CountingStep("two")

    with pytest.raises(StepFailedError):
        shop.execute(
            ParallelSteps([one, two], max_workers=1),
            ScriptedStep("last", does=failing()),
            context=counted(),
            accepts_changes=True,
        )

    assert (one.counted, two.counted) == ([2, 3], [0, 1, 2, 3])
    assert one.undone == [[3, 2], [1, 0]]
    assert two.undone == [[3, 2, 1, 0]]


def test_a_workflow_within_a_step_is_that_steps_own_business(shop: Workshop) -> None:
    """It is not journalled, and runs again with its step."""
    inner = ScriptedStep("inner")

    def runs_inner(dies: Callable[[], object]) -> Callable[[BaseStepContext], StepResult]:
        def run(context: BaseStepContext) -> StepResult:
            context.record_undo(before="inner")
            execute(inner, context=context)
            context.record_undo(after="inner")
            dies()
            return StepResult()

        return run

    with pytest.raises(DeathError):
        shop.execute(ScriptedStep("outer", does=runs_inner(shop.journal.die)))
    step = ScriptedStep("outer", does=runs_inner(lambda: None), undoes=lambda _: None)
    with pytest.raises(StepFailedError):
        shop.execute(step, ScriptedStep("last", does=failing()), accepts_changes=True)

    assert inner.diary == ["run inner", "run inner"]
    assert step.undone[0].rollback_data == {"undo_log": [{"before": "inner"}, {"after": "inner"}] * 2}
    assert {event["step"] for event in shop.events("StepStarted")} == {"outer", "last"}


def test_skipped_steps_stay_skipped_and_are_not_undone(shop: Workshop) -> None:
    """Whatever they would say today."""
    skipped = ScriptedStep("skipped", skips=lambda _: True)
    dying = ScriptedStep("dying", does=shop.journal.die)
    with pytest.raises(DeathError):
        shop.execute(skipped, dying)
    now = ScriptedStep("skipped")
    last = ScriptedStep("dying", does=failing())

    with pytest.raises(StepFailedError):
        shop.execute(now, last)

    assert (now.diary, last.diary) == ([], ["run dying", "undo dying"])
    assert shop.state.steps["skipped"].status == "skipped"


@pytest.mark.parametrize("dies_again", [False, True])
def test_a_step_that_was_begun_and_is_skipped_later_is_undone_all_the_same(shop: Workshop, dies_again: bool) -> None:  # noqa: FBT001  # a parameter
    """Its first try may have had effects of which it recorded nothing."""
    with pytest.raises(DeathError):
        shop.execute(ScriptedStep("a", does=shop.journal.die), ScriptedStep("b"))
    skipped = ScriptedStep("a", skips=lambda _: True)

    if dies_again:
        with pytest.raises(DeathError):
            shop.execute(skipped, ScriptedStep("b", does=shop.journal.die))
        shop.roll_back(skipped, ScriptedStep("b"))
    else:
        with pytest.raises(StepFailedError):
            shop.execute(skipped, ScriptedStep("b", does=failing()))

    assert skipped.diary == ["undo a"]


@pytest.mark.parametrize("lost", [0, 1], ids=["the resumption", "the start of the step"])
def test_what_an_earlier_worker_had_begun_is_undone_if_it_cannot_be_taken_up(shop: Workshop, lost: int) -> None:
    """The journal fails before the step in flight has its turn again: it may have had effects, recorded or not."""
    with pytest.raises(DeathError):
        shop.execute(ScriptedStep("a", does=shop.journal.die))
    step = ScriptedStep("a")
    shop.journal.broken = [*[None] * lost, JournalError("lost")]

    with pytest.raises((StepFailedError, JournalError), match="lost"):
        shop.execute(step)

    assert step.diary == ["undo a"]
    assert shop.status == "rolled_back"


def test_a_run_that_died_before_its_first_step_begins_anew(shop: Workshop) -> None:
    """With what the first worker had noted still there."""
    with pytest.raises(DeathError):
        shop.execute(ScriptedStep("a", skips=shop.journal.die))
    step = ScriptedStep("a")

    shop.execute(step)

    assert step.diary == ["run a"]
    assert len(shop.events("StepStarted")) == 2


def test_a_run_that_died_after_its_last_step_only_has_to_be_concluded(shop: Workshop) -> None:
    """No step runs again."""
    step, concluded = ScriptedStep("a"), list[object]()
    with pytest.raises(DeathError):
        shop.execute(step, conclude=lambda _: shop.flush_and_die())

    summary = shop.execute(step, conclude=concluded.append)

    assert step.diary == ["run a"]
    assert concluded == [summary]
    assert summary["steps_executed"] == 1


def test_a_living_worker_keeps_its_run(shop: Workshop) -> None:
    """Until its lease has ended."""
    shop.journal.acquire_lease(RUN, Owner(host="elsewhere", pid=2))

    with pytest.raises(LeaseHeldError, match="process 2 on elsewhere"):
        shop.execute(ScriptedStep("a"))


def test_the_reporter_is_put_back(shop: Workshop) -> None:
    """Whether it went well or the run could not be taken up."""
    context = new_context()

    shop.execute(ScriptedStep("a"), context=context)

    assert context.runtime_ctx.reporter is None
