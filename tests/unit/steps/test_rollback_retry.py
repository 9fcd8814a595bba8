"""Rollbacks that fail, are cut short, and are taken up again."""

import pytest

from synapse_sdk.errors import JournalError, StepFailedError
from synapse_sdk.plugins.steps import BaseStepContext
from synapse_sdk.plugins.steps.base import StepResult
from synapse_sdk.plugins.steps.rollback import Rollback, may_pass
from tests.unit.plugins.durable_runs import DeathError, Workshop
from tests.unit.steps.scripted import Act, ScriptedStep, failing, observed_context, raising


class PassingError(Exception):
    """Says that it may pass."""

    transient = True


def times(count: int, error: Exception) -> Act:
    """Return a script that raises so many times."""
    left = [error] * count

    def act(_: BaseStepContext) -> None:
        if left:
            raise left.pop()

    return act


@pytest.mark.parametrize("error", [ConnectionError(), TimeoutError(), PassingError()], ids=repr)
def test_what_may_pass_is_tried_again(error: Exception) -> None:
    """With pauses, here of no length; each is logged."""
    context, reporter = observed_context()
    step = ScriptedStep("a", undoes=times(2, error))
    rollback = Rollback([(step, StepResult())], context, None, pauses=(0.0, 0.0))

    rollback.run("why")

    assert step.diary == ["undo a"] * 3
    assert rollback.is_complete
    assert [name for name, _ in reporter.logs] == ["rollback_retry"] * 2


def test_what_does_not_pass_is_given_up_and_the_next_is_undone() -> None:
    """After as many pauses as there are."""
    context, _ = observed_context()
    first, last = ScriptedStep("first"), ScriptedStep("last", undoes=times(9, ConnectionError("no")))
    rollback = Rollback([(first, StepResult()), (last, StepResult())], context, None, pauses=(0.0, 0.0))

    rollback.run("why")

    assert (last.diary, first.diary) == (["undo last"] * 3, ["undo first"])
    assert [(each.step, each.text) for each in rollback.errors] == [("last", "no")]


def test_what_cannot_pass_is_not_tried_again() -> None:
    """An error of the code stays one."""
    step = ScriptedStep("a", undoes=raising(ValueError("no")))
    rollback = Rollback([(step, StepResult())], observed_context()[0], None, pauses=(0.0, 0.0))

    rollback.run("why")

    assert step.diary == ["undo a"]


def test_a_group_may_pass_if_all_of_it_may() -> None:
    """A wrapper undoes several steps at once."""
    assert may_pass(ExceptionGroup("two", [ConnectionError(), PassingError()]))
    assert not may_pass(ExceptionGroup("two", [ConnectionError(), ValueError()]))


def test_a_rollback_that_was_cut_short_goes_on_with_the_first_that_is_not_done() -> None:
    """What is undone is not undone again, and the reason stays."""
    shop = Workshop()
    with pytest.raises(DeathError):
        shop.execute(
            ScriptedStep("a"), ScriptedStep("b", undoes=shop.journal.die), ScriptedStep("c", does=failing("boom"))
        )
    a, b, c = (ScriptedStep(name) for name in "abc")

    problems = shop.roll_back(a, b, c)

    assert list(problems) == []
    assert (c.diary, b.diary, a.diary) == ([], ["undo b"], ["undo a"])
    assert shop.status == "rolled_back"
    assert shop.state.reason == "Step 'c' failed: boom"


def test_what_was_left_behind_can_be_undone_later() -> None:
    """Only that; and the run is then as undone as any other."""
    shop = Workshop()
    hopeless = ScriptedStep("b", undoes=raising(OSError("disk")))
    with pytest.raises(StepFailedError):
        shop.execute(ScriptedStep("a"), hopeless, ScriptedStep("c", does=failing()))
    assert (shop.status, shop.state.leftovers) == ("rollback_incomplete", {"b": "disk"})
    a, b, c = (ScriptedStep(name) for name in "abc")

    shop.roll_back(a, b, c)

    assert (c.diary, b.diary, a.diary) == ([], ["undo b"], [])
    assert (shop.status, shop.state.leftovers) == ("rolled_back", {})


def test_a_run_that_is_undone_and_only_lacks_its_end_ends_rolled_back() -> None:
    """Not as one that had nothing to undo."""
    shop = Workshop()
    lost = JournalError("lost")
    shop.journal.broken = [None] * 6 + [lost, lost, lost]
    with pytest.raises(StepFailedError):
        shop.execute(ScriptedStep("a", does=failing()))
    assert shop.status == "rolling_back"
    step = ScriptedStep("a")

    shop.roll_back(step)

    assert step.diary == []
    assert shop.status == "rolled_back"


def test_an_undo_log_comes_back_as_it_was_written() -> None:
    """With the types of its values."""
    shop = Workshop()

    def records(context: BaseStepContext) -> None:
        context.record_undo(pair=(1, "x"), data=b"raw")
        shop.journal.die()

    with pytest.raises(DeathError):
        shop.execute(ScriptedStep("a", does=records))
    step = ScriptedStep("a")

    shop.roll_back(step)

    assert step.undone[0].rollback_data == {"undo_log": [{"pair": (1, "x"), "data": b"raw"}]}
    assert not step.undone[0].success
