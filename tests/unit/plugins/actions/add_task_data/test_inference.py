"""A model annotates tasks."""

from typing import Any

import pytest

from synapse_sdk.errors import InvalidParamsError, StepFailedError
from synapse_sdk.plugins import RuntimeContext, run_action
from synapse_sdk.plugins.actions import AddTaskDataAction, AddTaskDataContext, AddTaskDataParams
from synapse_sdk.plugins.actions.add_task_data import InferenceModel
from synapse_sdk.plugins.steps import BaseStep, StepRegistry, StepResult
from tests.unit.plugins.actions.add_task_data.models import BATCHES, detect
from tests.unit.plugins.actions.add_task_data.world import OLD, TaskWorld, boxes_of

MODELS = "tests.unit.plugins.actions.add_task_data.models"


class My(AddTaskDataAction[AddTaskDataParams]):
    """A subclass that only says `pass`."""


def asked(model: str, **params: Any) -> dict[str, Any]:  # noqa: ANN401  # those of the action
    """Return parameters for a model of these tests."""
    return {"method": "inference", "model": f"{MODELS}:{model}", **params}


def test_a_bare_subclass_annotates_with_a_model(world: TaskWorld) -> None:
    """A7: in batches; predictions become DM documents, arrays or not."""
    world.add_tasks(*(f"{name}.png" for name in "abcde"), data=OLD)
    BATCHES.clear()

    result = world.annotate(My, **asked("detect", inference_batch_size=2, pre_processor_params={"label": "dog"}))

    assert (result.success, result.success_count, BATCHES) == (True, 5, [2, 2, 1])
    assert {str(boxes_of(document)) for document in world.data().values()} == {str([("dog", [20.0, 0.0, 20.0, 20.0])])}


@pytest.mark.parametrize(("model", "key"), [("classify", "classification"), ("document", "bounding_box")])
def test_what_a_model_returns_may_be_several_things(world: TaskWorld, model: str, key: str) -> None:
    """A prediction about the whole image, or a DM document."""
    world.add_tasks("wren.png")

    world.annotate(**asked(model))

    document: Any = world.data()["wren.png"]
    assert key in document["images"][0]


def test_the_steps_are_those_of_the_method(world: TaskWorld) -> None:
    """A7: in this order; their weights sum to 1.0."""
    steps = My(My.validate_params(world.task_params(**asked("detect"))), RuntimeContext()).build_registry().get_steps()

    assert [step.name for step in steps] == ["load_model", "run_inference", "format_results", "upload_annotations"]
    assert sum(step.progress_weight for step in steps) == pytest.approx(1.0)


def test_what_a_model_does_badly_fails_the_task_that_it_is_about(world: TaskWorld) -> None:
    """A1: an exception, NaN, None, wrong shapes and types; each with its reason, and the others are annotated."""
    names = ("good", "bad", "nan", "none", "shape", "text", "object", "nolabel", "fine")
    world.add_tasks(*(f"{name}.png" for name in names), data=OLD)
    unit = world.units()["fine.png"]
    (world.store / unit.files["images"].key).write_bytes(b"changed")

    result = world.annotate(**asked("bad", inference_batch_size=4))

    assert (result.success_count, result.failed_count, result.status) == (1, 8, "partial")
    errors = {names[each.task_id - 1]: (each.code, each.error) for each in result.failures}
    assert errors["bad"] == ("MODEL_FAILED", "RuntimeError: out of memory")
    assert errors["nan"][0] == errors["none"][0] == errors["object"][0] == "BAD_RESULT"
    assert "not finite" in errors["nan"][1]
    assert errors["shape"] == ("UNREADABLE", errors["shape"][1])
    assert "[1, 2, 3], and not x, y, width and height" in errors["shape"][1]
    assert errors["fine"][0] == "NO_FILE"
    assert {key for key, document in world.data().items() if document != OLD} == {"good.png"}


def test_a_default_that_cannot_help_says_so(world: TaskWorld) -> None:
    """A4: with the way out, and never by an empty annotation."""
    world.add_tasks("text.png")

    with pytest.raises(StepFailedError, match=r"neither a DM document nor predictions.*convert_data_from_inference"):
        world.annotate(**asked("bad"))


def test_a_wrong_number_of_results_is_looked_into_one_by_one(world: TaskWorld) -> None:
    """What is right for one input is taken; what is no list fails all."""
    world.add_tasks("a.png", "b.png")

    assert world.annotate(**asked("few")).success_count == 2
    with pytest.raises(StepFailedError, match="has returned int, and not a list"):
        world.annotate(**asked("odd"))


def test_hooks_are_asked_about_every_task(world: TaskWorld) -> None:
    """Before the model is asked, and after it has answered; the model may be made by the action itself."""

    class Hooked(AddTaskDataAction[AddTaskDataParams]):
        def load_model(self) -> InferenceModel:
            return detect

        def setup_inference_params(self, *args: Any, **named: Any) -> dict[str, Any]:  # noqa: ANN401  # as the hook has them
            params = super().setup_inference_params(*args, **named)
            if named["task_data"]["data_unit"]["key"] == "b.png":
                raise KeyError("b")  # noqa: EM101  # a hook may
            return {**params, "label": args[1]}

        def convert_data_from_inference(
            self,
            inference_data: Any,  # noqa: ANN401  # as the hook has it
            task_data: dict[str, Any] | None = None,
        ) -> dict[str, Any]:
            return {**super().convert_data_from_inference(inference_data, task_data), "task": (task_data or {})["id"]}

    world.add_tasks("a.png", "b.png")

    result = world.annotate(Hooked, method="inference", model="own")

    assert (result.success_count, result.failures[0].error) == (1, "KeyError: 'b'")
    data = world.data()["a.png"]
    assert data is not None
    assert (boxes_of(data)[0][0], data["task"]) == ("a.png", 1)


def test_a_run_that_fails_gives_every_task_back_what_it_had(world: TaskWorld) -> None:
    """A2: as with files. A3: nothing was deployed that would have to be stopped."""

    class Late(BaseStep[AddTaskDataContext]):
        name, progress_weight = "late", 0.0

        def execute(self, context: AddTaskDataContext) -> StepResult:
            return StepResult(success=False, error="too late")

    class Failing(AddTaskDataAction[AddTaskDataParams]):
        def setup_steps(self, registry: StepRegistry[AddTaskDataContext]) -> None:
            super().setup_steps(registry)
            registry.register(Late())

    world.add_tasks("a.png", data=OLD)

    with pytest.raises(StepFailedError, match="too late"):
        world.annotate(Failing, **asked("detect"))

    assert (world.data(), world.undone()["method"]) == ({"a.png": OLD}, "inference")


def test_without_tasks_no_model_is_asked(world: TaskWorld) -> None:
    """A5: the ids say so."""
    BATCHES.clear()

    result = world.annotate(**asked("detect"))

    assert (result.total_tasks, result.success, BATCHES) == (0, True, [])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"method": "inference"}, "must name the model"),
        ({"file": "x", "model": "m"}, "is for the method 'inference'"),
        ({"method": "inference", "model": "m", "file": "x"}, "are for the method 'file'"),
    ],
)
def test_params_that_make_no_sense_are_refused(world: TaskWorld, params: dict[str, Any], message: str) -> None:
    """Before anything starts."""
    with pytest.raises(InvalidParamsError, match=message):
        run_action(My, world.task_params(**params))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("unknown", "There is no model 'unknown'"),
        ("no_such_module:x", "cannot be imported"),
        (f"{MODELS}:missing", "cannot be imported"),
        (f"{MODELS}:nothing", "is int, which cannot be called"),
    ],
)
def test_a_model_that_is_not_there_fails_the_first_step(world: TaskWorld, model: str, message: str) -> None:
    """With its name and the way out."""
    world.add_tasks("a.png")

    with pytest.raises(StepFailedError, match=rf"'load_model' failed.*{message}"):
        world.annotate(method="inference", model=model)
    assert world.work() == []
