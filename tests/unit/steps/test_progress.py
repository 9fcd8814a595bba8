import threading

import pytest

from synapse_sdk.plugins.steps import BaseStepContext, StepResult
from tests.unit.steps.scripted import PlainStep, ScriptedStep, execute, failing, new_context, raising

PATIENCE = 30.0


def _percents(*steps: ScriptedStep | PlainStep) -> list[int]:
    percents: list[int] = []
    execute(*steps, progress_callback=lambda percent, total: percents.append(percent * 100 // total))
    return percents


@pytest.mark.parametrize(
    ("weights", "percents"),
    [
        ([0.2, 0.5, 0.3], [20, 70, 100]),
        ([0.1] * 10, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]),
        ([1.0, 1.0], [50, 100]),
        ([0.01, 0.01, 0.02], [25, 50, 100]),
        ([0, 0, 0, 0], [25, 50, 75, 100]),
        ([0.5, 0, 0.5], [50, 100]),
        ([0, 1], [100]),
        ([1, 0, 0], [99, 100]),
        ([1, 1e-9], [99, 100]),
    ],
)
def test_progress_is_the_cumulative_weight_in_percent_of_the_total(weights: list[float], percents: list[int]) -> None:
    """Weights need not sum to 1; all zero means equal; only the end is 100 (E5)."""
    assert _percents(*(ScriptedStep(str(number), weight=weight) for number, weight in enumerate(weights))) == percents


def test_skipped_steps_count() -> None:
    """What need not be done is done."""
    assert _percents(PlainStep("a"), ScriptedStep("b", skips=lambda _: True)) == [50, 100]


def test_a_thousand_steps_move_the_bar_a_hundred_times() -> None:
    """The callback fires when the whole percent changes."""
    assert _percents(*(PlainStep(str(number)) for number in range(1000))) == list(range(1, 101))


def test_a_step_moves_the_bar_by_its_share() -> None:
    """A long step does not look as if it hung; it never shows more than it is worth, nor 100."""

    def report(context: BaseStepContext) -> StepResult:
        for done in range(5):
            context.set_progress(done, 4)
            context.set_progress(done, 4)
        return StepResult()

    assert _percents(PlainStep("a"), ScriptedStep("b", does=report)) == [50, 62, 75, 87, 99, 100]


@pytest.mark.parametrize("category", ["a", None, ""])
def test_a_steps_own_category_moves_the_bar(category: str | None) -> None:
    """Saying the name is as good as not saying it."""

    def report(context: BaseStepContext) -> StepResult:
        context.set_progress(1, 2, category)
        return StepResult()

    assert _percents(ScriptedStep("a", does=report)) == [50, 100]


def test_another_category_does_not_move_the_bar() -> None:
    """The guide's callback reports the whole run as `overall`; it must not drive itself."""

    def report(context: BaseStepContext) -> StepResult:
        context.set_progress(1, 2, "overall")
        return StepResult()

    assert _percents(ScriptedStep("a", does=report)) == [100]


def test_progress_never_falls() -> None:
    """A step that starts anew from zero does not take the bar back."""

    def report(context: BaseStepContext) -> StepResult:
        for done in (3, 1, 2, 0, 4):
            context.set_progress(done, 4)
        return StepResult()

    assert _percents(ScriptedStep("a", does=report), PlainStep("b")) == [37, 50, 100]


def test_progress_of_many_threads_never_falls() -> None:
    """While one thread is being told 10 percent, another cannot be told 20 and be overtaken."""
    told, entered, other_done = list[int](), threading.Event(), threading.Event()

    def on_progress(percent: int, _: int) -> None:
        if percent == 10:
            entered.set()
            other_done.wait(0.2)  # it cannot come before this returns; without the lock it would
        told.append(percent)

    def report_second(context: BaseStepContext) -> None:
        context.set_progress(2, 10)
        other_done.set()

    def report(context: BaseStepContext) -> StepResult:
        first = threading.Thread(target=context.set_progress, args=(1, 10))
        first.start()
        assert entered.wait(PATIENCE)
        second = threading.Thread(target=report_second, args=(context,))
        second.start()
        first.join()
        second.join()
        return StepResult()

    execute(ScriptedStep("a", does=report), progress_callback=on_progress)

    assert told == [10, 20, 100]


def test_a_failed_run_does_not_reach_100() -> None:
    """And a rollback moves nothing."""
    percents: list[int] = []
    undoes = ScriptedStep("a", undoes=lambda context: context.set_progress(1, 1))

    with pytest.raises(RuntimeError):
        execute(
            undoes, ScriptedStep("b", does=failing()), progress_callback=lambda percent, _: percents.append(percent)
        )

    assert percents == [50]


def test_a_callback_that_raises_never_fails_a_run(caplog: pytest.LogCaptureFixture) -> None:
    """Its first exception is logged with its traceback, the others are counted (E2)."""
    summary = execute(PlainStep("a"), PlainStep("b"), progress_callback=raising(ValueError("no bar")))

    assert summary["success"] is True
    assert [record.getMessage() for record in caplog.records] == [
        "The progress callback failed, and the run goes on; further failures of it are only counted",
        "The progress callback failed 2 times during the run",
    ]
    assert "ValueError: no bar" in caplog.text


def test_progress_reported_after_the_run_moves_nothing() -> None:
    """A thread that was left behind cannot disturb a later run."""
    context, percents = new_context(), list[int]()
    execute(PlainStep("a"), context=context, progress_callback=lambda percent, _: percents.append(percent))

    context.set_progress(1, 2)

    assert percents == [100]
