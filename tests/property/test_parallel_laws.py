"""Whatever steps do side by side, and however often the whole is tried, nothing that was begun is left undone."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synapse_sdk.errors import StepFailedError
from synapse_sdk.plugins.steps import BaseStepContext, StepResult
from synapse_sdk.plugins.steps.utils import ParallelSteps, RetryStep
from synapse_sdk.retry import RetryPolicy
from tests.unit.steps.scripted import HeldClock, ScriptedStep, execute, failing, new_context

FATES = st.sampled_from(["succeeds", "succeeds", "succeeds", "skips", "fails", "raises"])
ATTEMPTS = st.lists(FATES, min_size=3, max_size=3)
"""What a branch does in each of three attempts of the whole."""


@dataclass
class Branches:
    """Steps that run side by side, and what each attempt of each left behind."""

    plans: list[list[str]]
    left: dict[str, list[int]] = field(default_factory=dict)
    """Marks of the attempts that began, by step; each attempt has its own mark in undo entries and rollback data."""
    steps: list[ScriptedStep] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the steps."""
        for index, fates in enumerate(self.plans):
            self.left[f"s{index}"] = []
            self.steps.append(self._step(f"s{index}", iter(fates), 100 * index))

    def _step(self, name: str, fates: Any, mark: int) -> ScriptedStep:  # noqa: ANN401  # an iterator that also tells
        current: list[str] = []

        def skips(_: BaseStepContext) -> bool:
            current[:] = [next(fates)]
            return current == ["skips"]

        def does(context: BaseStepContext) -> StepResult:
            marks = self.left[name]
            marks.append(mark + len(marks))
            context.record_undo(mark=marks[-1])
            if current == ["raises"]:
                raise OSError(name)
            return StepResult(current == ["succeeds"], {"mark": marks[-1]}, rollback_data={"mark": marks[-1]})

        return ScriptedStep(name, skips=skips, does=does)

    def undone(self, name: str) -> list[int]:
        """Return the marks that reached the rollback of a step, in order."""
        (step,) = (step for step in self.steps if step.name == name)
        marks = [[entry["mark"] for entry in result.rollback_data["undo_log"]] for result in step.undone]
        for result, (mark,) in zip(step.undone, marks, strict=True):
            assert result.rollback_data.get("mark", mark) == mark, "undo entries and rollback data of two attempts"
        return [mark for (mark,) in marks]


@settings(max_examples=60, deadline=None)
@given(plans=st.lists(ATTEMPTS, max_size=4), workers=st.integers(1, 4), attempts=st.integers(1, 3))
def test_every_attempt_that_began_is_undone_once_newest_first(
    plans: list[list[str]], workers: int, attempts: int
) -> None:
    """With its own records, whether the whole succeeded in the end or not."""
    branches = Branches(plans)
    whole = ParallelSteps(branches.steps, max_workers=workers)
    retried = RetryStep(whole, RetryPolicy(max_attempts=attempts, delay=0.0), clock=HeldClock())

    with pytest.raises(StepFailedError) as caught:
        execute(retried, ScriptedStep("last", does=failing()))

    assert caught.value.rollback_errors == ()
    for name, marks in branches.left.items():
        assert branches.undone(name) == marks[::-1]


@settings(max_examples=40, deadline=None)
@given(fates=st.lists(FATES, max_size=5), workers=st.integers(1, 5))
def test_the_whole_succeeds_exactly_if_all_do(fates: list[str], workers: int) -> None:
    """And then it has the data of each, those that were skipped included; else it says who failed."""
    branches, context = Branches([[fate] for fate in fates]), new_context()
    whole = ParallelSteps(branches.steps, max_workers=workers)
    bad = [index for index, fate in enumerate(fates) if fate in {"fails", "raises"}]

    if bad:
        with pytest.raises(StepFailedError, match=f"of {len(fates)} steps failed: ") as caught:
            execute(whole, context=context)
        told = [f"s{index}" for index in bad if f"'s{index}': " in str(caught.value)]
        assert told
        assert context.step_results[-1].success is False
    else:
        execute(whole, context=context)
        marks = {name: {"mark": marks[0]} if marks else {} for name, marks in branches.left.items()}
        assert context.step_results[-1].data == marks
