import pytest

from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, Orchestrator, Plan, PlannedStep, StepResult
from synapse_sdk.plugins.steps.compiled import CompiledPlan
from synapse_sdk.plugins.steps.utils import ConditionalStep, LoggingStep
from tests.unit.steps.scripted import (
    PlainStep,
    ScriptedStep,
    UnspeakableError,
    execute,
    new_context,
    raising,
    registry_of,
)


def _plan(*steps: BaseStep[BaseStepContext]) -> Plan:
    return Orchestrator(registry_of(*steps), new_context()).plan()


def test_a_plan_tells_what_would_happen_now() -> None:
    """Weights as given, shares of the run, what is skipped, what can be undone; nothing is executed."""
    skipped = ScriptedStep("b", weight=0.25, skips=lambda _: True)

    plan = _plan(PlainStep("a"), skipped, LoggingStep(ScriptedStep("c", weight=0.25)))

    assert plan.steps == (
        PlannedStep("a", 0.5, 50.0, skipped=False, undoes=False),
        PlannedStep("b", 0.25, 25.0, skipped=True, undoes=True),
        PlannedStep("logged_c", 0.25, 25.0, skipped=False, undoes=True),
    )
    assert skipped.diary == []


def test_a_plan_asks_with_the_context_of_the_run() -> None:
    """What is decided by it is decided in the plan, too."""
    context = BaseStepContext(RuntimeContext(), errors=["seen"])
    registry = registry_of(ConditionalStep(PlainStep("a"), when=lambda context: not context.errors))

    assert [step.skipped for step in Orchestrator(registry, context).plan().steps] == [True]


@pytest.mark.parametrize(
    ("error", "text"), [(ValueError("no network"), "no network"), (UnspeakableError(), "UnspeakableError")]
)
def test_a_step_that_cannot_be_asked_is_a_line_not_an_error(error: Exception, text: str) -> None:
    """A plan describes; the run is what fails."""
    (step,) = _plan(ScriptedStep("a", skips=raising(error))).steps

    assert (step.skipped, step.problem, step.note) == (False, text, f"unknown: {text}")


def test_an_async_can_skip_is_asked() -> None:
    """As in a run."""

    class Async(PlainStep):
        async def can_skip(self, context: BaseStepContext) -> bool:  # type: ignore[override]  # allowed when it runs
            return True

    assert [step.skipped for step in _plan(Async()).steps] == [True]


def test_a_plan_prints_as_a_table() -> None:
    """One line a step."""
    plan = _plan(
        ScriptedStep("long_name", weight=1.0), ScriptedStep("b", weight=0.25, skips=lambda _: True), PlainStep("c")
    )

    assert str(plan).splitlines() == [
        "    step       weight  share  note",
        "  1 long_name       1    57%  can undo",
        "  2 b            0.25    14%  skipped now, can undo",
        "  3 c             0.5    29%",
    ]


def test_an_empty_plan_prints_its_head() -> None:
    """Nothing to do is no error."""
    assert str(_plan()).split() == ["step", "weight", "share", "note"]
    assert "<tbody></tbody>" in _plan()._repr_html_()


def test_a_plan_is_a_table_in_a_notebook() -> None:
    """With names that cannot break out of it."""
    html = _plan(ScriptedStep("<b>&", weight=0.5))._repr_html_()

    assert html == (
        "<table><thead><tr><th></th><th>step</th><th>weight</th><th>share</th><th>note</th></tr></thead>"
        "<tbody><tr><td>1</td><td>&lt;b&gt;&amp;</td><td>0.5</td><td>100 %</td><td>can undo</td></tr></tbody></table>"
    )


def test_a_workflow_is_drawn_with_mermaid() -> None:
    """A box a step, with its weight; quotes and angles cannot break out of it."""
    assert registry_of(ScriptedStep("a", weight=0.2), ScriptedStep('"<&>', weight=1.0)).to_mermaid() == (
        'flowchart LR\n    S1["a<br/>weight: 0.2"]\n    S2["&quot;&lt;&amp;&gt;<br/>weight: 1"]\n    S1 --> S2'
    )


# Weights, worked out


@pytest.mark.parametrize("weight", [0.0, 5e-324, 1e-310, 1e-300, 1e-12, 1.0])
def test_equal_weights_count_the_same_however_small_they_are(weight: float) -> None:
    """All zero means equal; the smallest number there is does not fail a run either."""
    percents: list[int] = []

    execute(
        *(ScriptedStep(name, weight=weight) for name in "abcd"), progress_callback=lambda done, _: percents.append(done)
    )

    assert percents == [25, 50, 75, 100]


def test_tiny_weights_keep_their_relation() -> None:
    """One to three."""
    plan = CompiledPlan(registry_of(ScriptedStep("a", weight=5e-324), ScriptedStep("b", weight=1.5e-323)))

    assert [plan.share(0), plan.share(1)] == pytest.approx([0.25, 0.75])


def test_weights_that_round_to_less_than_the_whole_still_end_at_100() -> None:
    """Ten times 0.1 is not 1.0 in floating point, and nobody sees it."""
    percents: list[int] = []

    execute(
        *(ScriptedStep(str(n), weight=0.1, does=lambda _: StepResult()) for n in range(10)),
        progress_callback=lambda done, _: percents.append(done),
    )

    assert percents == [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]
