from types import SimpleNamespace
from typing import Any

import pytest

from synapse_sdk.errors import InvalidWeightError, WorkflowError
from synapse_sdk.plugins.steps import BaseStepContext, Orchestrator, StepRegistry, StepResult
from tests.unit.steps.scripted import PlainStep, ScriptedStep, execute, new_context, registry_of


def _skipping(name: str, diary: list[str], **options: Any) -> ScriptedStep:  # noqa: ANN401  # of ScriptedStep
    return ScriptedStep(name, diary, skips=lambda _: True, **options)


def test_steps_run_in_the_order_of_registration() -> None:
    """Key behaviour 1 of the guide: sequential execution."""
    diary: list[str] = []

    execute(ScriptedStep("c", diary), ScriptedStep("a", diary), ScriptedStep("b", diary))

    assert diary == ["run c", "run a", "run b"]


def test_the_summary_counts_steps() -> None:
    """It is the dictionary of the guide."""
    assert execute(PlainStep("a"), PlainStep("b"), PlainStep("c")) == {
        "success": True,
        "steps_executed": 3,
        "steps_total": 3,
    }


def test_skipped_steps_count_in_the_total_only() -> None:
    """And they are not executed."""
    diary: list[str] = []

    summary = execute(ScriptedStep("a", diary), _skipping("b", diary), ScriptedStep("c", diary))

    assert summary == {"success": True, "steps_executed": 2, "steps_total": 3}
    assert diary == ["run a", "run c"]


def test_a_workflow_without_steps_succeeds() -> None:
    """There is nothing to do, and it is done."""
    percents: list[tuple[int, int]] = []

    summary = execute(progress_callback=lambda *percent: percents.append(percent))

    assert summary == {"success": True, "steps_executed": 0, "steps_total": 0}
    assert percents == [(100, 100)]


def test_every_step_leaves_its_result() -> None:
    """Results stand in `context.step_results` in order: the step's own, or one that says it was skipped."""
    context, own = new_context(), StepResult(data={"files": 3})

    execute(ScriptedStep("a", does=lambda _: own), _skipping("b", []), PlainStep("c"), context=context)

    assert context.step_results[0] is own
    assert [result.skipped for result in context.step_results] == [False, True, False]
    assert all(result.success for result in context.step_results)


def test_a_step_sees_the_results_before_it() -> None:
    """A later step may build on an earlier result."""
    context, seen = new_context(), []

    def look(context: BaseStepContext) -> StepResult:
        seen.append([result.data for result in context.step_results])
        return StepResult()

    execute(ScriptedStep("a", does=lambda _: StepResult(data={"n": 1})), ScriptedStep("b", does=look), context=context)

    assert seen == [[{"n": 1}]]


def test_the_current_step_is_set_while_a_step_is_asked_and_run() -> None:
    """And cleared at the end."""
    context, seen = new_context(), []

    def note(context: BaseStepContext) -> StepResult:
        seen.append(context.current_step)
        return StepResult()

    def ask(context: BaseStepContext) -> bool:
        seen.append(context.current_step)
        return False

    execute(ScriptedStep("a", skips=ask, does=note), ScriptedStep("b", skips=ask, does=note), context=context)

    assert seen == ["a", "a", "b", "b"]
    assert context.current_step is None


def test_a_current_step_given_beforehand_is_cleared_as_well() -> None:
    """`current_step` is None between runs, always."""
    context = new_context()
    context.current_step = "stale"

    execute(PlainStep(), context=context)

    assert context.current_step is None


@pytest.mark.parametrize(("answer", "skipped"), [(1, True), ("yes", True), (0, False), (None, False), ([], False)])
def test_any_truth_value_answers_whether_to_skip(answer: object, skipped: bool) -> None:  # noqa: FBT001  # a parameter
    """`return context.files` is a natural way to say it."""
    context = new_context()

    execute(ScriptedStep("a", skips=lambda _: answer), context=context)

    assert context.step_results[0].skipped is skipped


def test_a_step_is_asked_when_its_turn_comes() -> None:
    """Whether to skip may depend on what earlier steps did."""
    diary: list[str] = []

    def ask(context: BaseStepContext) -> bool:
        return len(context.step_results) == 1

    execute(ScriptedStep("a", diary, skips=ask), ScriptedStep("b", diary, skips=ask))

    assert diary == ["run a"]


def test_the_same_result_object_may_be_returned_again_and_again() -> None:
    """A module-level constant is a legitimate result, undo entries or not."""
    constant, context = StepResult(), new_context()

    def record(context: BaseStepContext) -> StepResult:
        context.record_undo(path=context.current_step)
        return constant

    execute(ScriptedStep("a", does=record), ScriptedStep("b", does=record), context=context)

    assert [result.rollback_data for result in context.step_results] == [
        {"undo_log": [{"path": "a"}]},
        {"undo_log": [{"path": "b"}]},
    ]
    assert constant.rollback_data == {}


def test_executing_twice_is_two_runs() -> None:
    """Nothing of the first leaks into the second but the results the context keeps."""
    context, diary = new_context(), list[str]()
    percents: list[int] = []
    registry = registry_of(ScriptedStep("a", diary), _skipping("b", diary))
    orchestrator = Orchestrator(registry, context, progress_callback=lambda percent, _: percents.append(percent))

    first, second = orchestrator.execute(), orchestrator.execute()

    assert first == second == {"success": True, "steps_executed": 1, "steps_total": 2}
    assert diary == ["run a", "run a"]
    assert percents == [50, 100, 50, 100]
    assert len(context.step_results) == 4


def test_a_failed_run_can_be_tried_again() -> None:
    """The second run undoes only its own steps."""
    context, diary = new_context(), list[str]()
    registry = registry_of(
        ScriptedStep("a", diary), ScriptedStep("b", diary, does=lambda c: StepResult(success=len(c.step_results) > 2))
    )
    orchestrator = Orchestrator(registry, context)
    with pytest.raises(RuntimeError):
        orchestrator.execute()

    assert orchestrator.execute()["steps_executed"] == 2
    assert diary == ["run a", "run b", "undo b", "undo a", "run a", "run b"]


def test_one_registry_serves_several_runs() -> None:
    """Steps are not changed by running them."""
    registry = registry_of(PlainStep("a"), PlainStep("b"))
    contexts = [new_context(), new_context()]

    for context in contexts:
        Orchestrator(registry, context).execute()

    assert [len(context.step_results) for context in contexts] == [2, 2]


def test_a_run_keeps_to_the_steps_it_began_with() -> None:
    """Who changes the registry during a run changes the next one."""
    registry = registry_of()

    def register_another(_: BaseStepContext) -> StepResult:
        registry.register(PlainStep("late"))
        return StepResult()

    registry.register(ScriptedStep("a", does=register_another))

    assert Orchestrator(registry, new_context()).execute()["steps_total"] == 1
    assert len(registry) == 2


def test_an_orchestrator_takes_the_guides_arguments() -> None:
    """By position as well as by name, and the callback may be left out."""
    registry, context = registry_of(PlainStep()), new_context()
    calls: list[tuple[int, int]] = []

    Orchestrator(registry, context, lambda *percent: calls.append(percent)).execute()
    Orchestrator(registry=registry, context=context, progress_callback=lambda *percent: calls.append(percent)).execute()
    Orchestrator(registry, context).execute()

    assert calls == [(100, 100), (100, 100)]


def test_a_subclass_of_the_result_is_a_result() -> None:
    """It is kept as it is."""

    class Special(StepResult):
        pass

    context, special = new_context(), Special()

    execute(ScriptedStep("a", does=lambda _: special), context=context)

    assert context.step_results[0] is special


def test_a_result_of_any_subclass_can_carry_undo_entries() -> None:
    """Also of one that is not a dataclass and is made in its own way."""

    class Counted(StepResult):
        def __init__(self, files: int) -> None:
            super().__init__(data={"files": files})
            self.files = files

    context = new_context()

    def count(context: BaseStepContext) -> StepResult:
        context.record_undo(path="x")
        return Counted(3)

    execute(ScriptedStep("a", does=count), context=context)

    (result,) = context.step_results
    assert isinstance(result, Counted)
    assert (result.files, result.data) == (3, {"files": 3})
    assert result.rollback_data == {"undo_log": [{"path": "x"}]}


@pytest.mark.parametrize("weight", [2.0, -1.0, float("nan"), "heavy", None, [0.5]])
def test_a_weight_that_went_wrong_after_registration_stops_the_run_before_it_begins(weight: Any) -> None:  # noqa: ANN401
    """A property may change its mind."""
    box, diary = SimpleNamespace(weight=0.5), list[str]()

    class Moody(ScriptedStep):
        @property
        def progress_weight(self) -> Any:  # noqa: ANN401  # wrong types included
            return box.weight

    registry = registry_of(ScriptedStep("a", diary), Moody("moody", diary))
    box.weight = weight

    with pytest.raises(InvalidWeightError, match="Step 'moody' has progress weight"):
        Orchestrator(registry, new_context()).execute()

    assert diary == []


def test_a_context_serves_one_run_at_a_time() -> None:
    """A second run from another thread is refused with advice, and the first is not disturbed."""
    from threading import Thread  # noqa: PLC0415  # this test alone needs it

    context, caught = new_context(), list[BaseException]()

    def intrude(context: BaseStepContext) -> StepResult:
        def run() -> None:
            try:
                execute(PlainStep("inner"), context=context)
            except WorkflowError as error:
                caught.append(error)

        thread = Thread(target=run)
        thread.start()
        thread.join()
        return StepResult(data={"current": context.current_step})

    execute(ScriptedStep("a", does=intrude), context=context)

    assert str(caught[0]) == "This context is in use by a run in another thread. Give each run a context of its own"
    assert [result.data for result in context.step_results] == [{"current": "a"}]


def test_a_run_may_take_place_in_any_thread() -> None:
    """Signals are held in the main thread only, everything else works."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  # as above

    diary: list[str] = []

    def run() -> None:
        execute(ScriptedStep("a", diary), ScriptedStep("b", diary, does=lambda _: StepResult(success=False)))

    with ThreadPoolExecutor(1) as pool:
        error = pool.submit(run).exception()

    assert isinstance(error, RuntimeError)
    assert diary == ["run a", "run b", "undo b", "undo a"]


def test_a_generic_registry_and_orchestrator_can_be_subscripted() -> None:
    """The guide writes `StepRegistry[MyContext]()`."""
    registry = StepRegistry[BaseStepContext]()

    assert Orchestrator[BaseStepContext](registry, new_context()).execute()["success"] is True
