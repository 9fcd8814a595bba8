"""Going on with a run whose action has changed since."""

from typing import Any

import pytest

from synapse_sdk.errors import PlanChangedError
from synapse_sdk.plugins.steps import BaseStepContext
from synapse_sdk.plugins.steps.history import difference
from tests.unit.plugins.durable_runs import DeathError, Workshop
from tests.unit.steps.scripted import ScriptedStep


def steps(names: str, **versions: str) -> list[ScriptedStep]:
    """Make steps of these letters."""
    made = [ScriptedStep(name) for name in names]
    for step in made:
        if step.name in versions:
            step.version = versions[step.name]  # type: ignore[attr-defined]  # any step may have one
    return made


@pytest.fixture
def shop() -> Workshop:
    """A run of the steps a, b, c that died in b."""
    shop = Workshop()
    first, _, last = steps("abc")
    with pytest.raises(DeathError):
        shop.execute(first, ScriptedStep("b", does=_recording(shop)), last)
    return shop


def _recording(shop: Workshop) -> Any:  # noqa: ANN401  # what a script may be
    def act(context: BaseStepContext) -> None:
        context.record_undo(key="x")
        shop.journal.die()

    return act


@pytest.mark.parametrize(
    ("now", "why"),
    [
        ("nabc", "'n' is new"),
        ("abnc", "'n' is new"),
        ("bc", "'a' is gone"),
        ("ab", "'c' is gone"),
        ("acb", "the order was a, b, c and is a, c, b"),
    ],
)
def test_a_changed_plan_is_refused_with_the_difference(shop: Workshop, now: str, why: str) -> None:
    """Nothing runs, and the run can still be resumed by the code that started it."""
    changed = steps(now)
    with pytest.raises(PlanChangedError, match=why):
        shop.execute(*changed)
    same = steps("abc")

    shop.execute(*same)

    assert [step.diary for step in changed] == [[]] * len(now)
    assert [step.diary for step in same] == [[], ["run b"], ["run c"]]


def test_another_version_of_a_step_is_another_plan() -> None:
    """A step says by its attribute `version` that its records have changed."""
    shop = Workshop()
    with pytest.raises(DeathError):
        shop.execute(*steps("a", a="1"), ScriptedStep("b", does=shop.journal.die))

    with pytest.raises(PlanChangedError, match="'a' has version 2 instead of 1"):
        shop.execute(*steps("ab", a="2"))
    shop.execute(*steps("ab", a="2"), accepts_changes=True)

    assert shop.status == "succeeded"


@pytest.mark.parametrize(
    ("now", "run"),
    [("nabc", "bnc"), ("anbc", "bnc"), ("abnc", "bnc"), ("bc", "bc"), ("abcn", "bcn"), ("b", "b")],
)
def test_a_change_that_is_accepted_keeps_what_is_done(shop: Workshop, now: str, run: str) -> None:
    """What was started keeps its order, what is new comes after it."""
    changed = steps(now)
    diary: list[str] = []
    for step in changed:
        step.diary = diary

    shop.execute(*changed, accepts_changes=True)

    assert diary == [f"run {name}" for name in run]
    assert shop.status == "succeeded"


def test_a_step_in_flight_that_is_gone_cannot_be_taken_up(shop: Workshop) -> None:
    """Nobody could go on with it or undo it."""
    with pytest.raises(PlanChangedError, match="Step 'b', in which the run was interrupted, is gone"):
        shop.execute(*steps("ac"), accepts_changes=True)

    assert shop.state.current == "b"


def test_a_step_that_is_gone_is_left_and_named_by_a_rollback(shop: Workshop) -> None:
    """The others are undone; the run can be undone wholly by the code that started it."""
    left = steps("bc")
    problems = shop.roll_back(*left, accepts_changes=True)

    assert [problem.step for problem in problems] == ["a"]
    assert "is gone from the action" in problems[0].text
    assert left[0].diary == ["undo b"]
    assert (shop.status, list(shop.state.leftovers)) == ("rollback_incomplete", ["a"])
    whole = steps("abc")
    assert list(shop.roll_back(*whole)) == []
    assert [step.diary for step in whole] == [["undo a"], [], []]
    assert shop.status == "rolled_back"


def test_a_difference_is_said_in_words() -> None:
    """All of it in one line."""
    words = difference({"a": None, "b": "1", "c": None}, {"c": None, "b": "2", "d": None})

    assert words == ("'a' is gone; 'd' is new; 'b' has version 2 instead of 1; the order was a, b, c and is c, b, d")
