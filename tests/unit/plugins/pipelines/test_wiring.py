"""What each action of a pipeline is given, and what is wrong with it before anything runs."""

from typing import Any

import pytest

from synapse_sdk.errors import InvalidParamsError, PipelineError
from synapse_sdk.plugins.pipelines import ActionPipeline, Part
from tests.unit.plugins.pipelines.actions import HAPPENED, GatherAction, TrainingAction, UseAction, gather_more


def problems(*parts: Any, params: dict[str, Any] | None = None) -> tuple[str, ...]:  # noqa: ANN401  # actions
    """Return what is wrong with a pipeline; nothing of it may have run."""
    HAPPENED.clear()
    with pytest.raises(InvalidParamsError) as caught:
        ActionPipeline(parts).execute(params)
    assert HAPPENED == []
    return caught.value.problems


def sources(*parts: Any) -> list[tuple[str, str]]:  # noqa: ANN401  # actions
    """Return which results become which parameters."""
    return ActionPipeline(parts).action.sources({})


def test_a_parameter_gets_the_result_that_names_the_same() -> None:
    """By the annotations of both, whatever the fields are called."""
    assert sources(GatherAction, UseAction) == [("use.nest", "gather.place")]


def test_a_parameter_that_is_given_is_not_fed() -> None:
    """What the author says comes first."""
    assert sources(GatherAction, Part(action=UseAction, params={"nest": "hole"})) == []


def test_a_result_that_two_actions_have_is_ambiguous() -> None:
    """Nobody guesses which one was meant."""
    (found,) = problems(GatherAction, gather_more, UseAction)

    both = "${gather.place} and ${gather_more.place} name a nest each"
    assert found == f"use.nest: {both}; write which one is meant, or null for none"


def test_a_reference_says_which_of_two_results_is_meant() -> None:
    """And nothing else is ambiguous then."""
    use = Part(action=UseAction, params={"nest": "${gather_more.place}"})

    assert ActionPipeline([GatherAction, gather_more, use]).execute().results["use"] == "used roof"


def test_a_missing_parameter_is_named_with_what_there_is() -> None:
    """Action, parameter, what it names, and which results come before it."""
    assert problems(Part(action=TrainingAction, name="train"), UseAction) == (
        "use.nest: is needed (a nest), and nobody provides it; results before it: none",
    )
    assert problems(UseAction, GatherAction) == (
        "use.nest: is needed (a nest), and nobody provides it; results before it: none",
    )


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"nest": "${gather.plce}"}, "use.nest: ${gather.plce}: the result of 'gather' has no 'plce'; did you mean"),
        ({"nest": "${later.place}"}, "use.nest: ${later.place} is no result of an action before it; there are: gather"),
        ({"nest": "${gather.owner}"}, "use.nest: ${gather.owner} names a bird, not a nest"),
        ({"count": "${gather.place}"}, "use.count: ${gather.place} is string, which does not fit: it must be integer"),
        ({"cuont": 1}, "use.cuont: there is no such parameter; did you mean 'count'?"),
        ({"count": -1}, "use.count: Input should be greater than or equal to 0 (got -1)"),
        ({"note": 5}, "use.note: Input should be a valid string (got 5)"),
    ],
)
def test_what_cannot_be_right_is_found_before_anything_runs(params: dict[str, Any], problem: str) -> None:
    """A reference to nothing, of another kind or type, an unknown name, a value that does not fit."""
    (found,) = problems(GatherAction, Part(action=UseAction, params=params))

    assert found.startswith(problem)


def test_parameters_of_the_run_replace_those_of_the_author() -> None:
    """By the name of the action."""
    HAPPENED.clear()
    pipeline = ActionPipeline([Part(action=GatherAction, params={"count": 1}), UseAction])

    pipeline.execute({"gather": {"count": 9}})

    assert "gather 9" in HAPPENED


def test_parameters_for_no_action_are_refused() -> None:
    """Somebody mistyped its name, or forgot it."""
    assert problems(GatherAction, params={"gatehr": {}}) == ("gatehr: there is no such action; did you mean 'gather'?",)
    assert problems(GatherAction, params={"gather": 3}) == (
        "gather: must be the parameters of this action, as names with values",
    )


def test_references_stand_within_text_and_keep_their_type_alone() -> None:
    """Also in lists and mappings; `$$` before a brace is a dollar."""
    HAPPENED.clear()
    params = {"a": ["${gather.count}"], "b": "${gather.count} of $${all}", "c": {"d": "${gather.owner}"}}

    ActionPipeline([GatherAction, Part(action=TrainingAction, name="train", params=params)]).execute()

    assert HAPPENED[3] == "train with {'a': [3], 'b': '3 of ${all}', 'c': {'d': 'owl'}}"


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([], "has no actions"),
        ([GatherAction, GatherAction], "two actions that are called 'gather'"),
        ([print], "is not an action"),
        ([Part(action=GatherAction, name="a.b")], "cannot be called 'a.b'"),
    ],
)
def test_a_pipeline_that_makes_no_sense_cannot_be_made(parts: list[Any], words: str) -> None:
    """No actions, two of one name, something else, a name that no reference could hold."""
    with pytest.raises(PipelineError, match=words):
        ActionPipeline(parts)
