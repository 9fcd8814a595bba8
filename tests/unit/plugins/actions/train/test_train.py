"""Training a model: from a dataset to a registered file, or nothing."""

import copy
import json
import math
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.errors import (
    ConfigurationError,
    ConflictError,
    InvalidParamsError,
    RecordNotFoundError,
    StepFailedError,
    TrainingError,
)
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.action import BaseAction
from synapse_sdk.plugins.actions.train import BaseTrainAction, TrainContext, TrainParams, UploadModelStep
from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.steps import BaseStep, StepRegistry, StepResult
from synapse_sdk.reporting import MemoryReporter
from tests.unit.plugins.actions.train.world import Counting, TrainWorld


def context_of(action: BaseTrainAction[Any]) -> TrainContext:
    """Return the context that the steps of an action would share."""
    return action.create_context()


# From a dataset to a model


def test_a_folder_is_learned_from_and_the_model_registered(world: TrainWorld) -> None:
    """The id is that of the model; its file is what the training wrote."""
    result = world.learn(name="counter", version="1.0", epochs=2, description="counts")

    (model,) = world.backend.models.list()
    assert result["model"] == {"id": model.id, "name": "counter", "version": "1.0"}  # T4
    assert world.model_content(model) == b"4"
    assert world.model_objects() == [model.file.key]
    assert model.configuration == {
        "description": "counts",
        "hyperparameters": {"epochs": 2, "rate": 0.5},
        "metrics": {"train": {"epoch": 1, "count": 4.0}},
        "dataset": str(world.pictures),
    }
    assert (result["success"], result["losses"], result["steps_executed"]) == (True, 0, 3)
    assert result["metrics"] == {"train": {"epoch": 1, "count": 4.0}}


def test_name_and_version_have_defaults_that_no_other_run_has(world: TrainWorld) -> None:
    """So that training again needs no thought."""
    first, second = world.learn(), world.learn()

    assert first["model"]["name"] == second["model"]["name"] == "counting"
    assert first["model"]["version"] == first["run"] != second["model"]["version"]
    assert world.backend.models.find("counting").id == second["model"]["id"]


def test_without_conversion_the_training_gets_the_dataset_as_it_was_downloaded(world: TrainWorld) -> None:
    """T6: and never a path that somebody made up."""
    world.freeze()
    seen: list[dict[str, Any]] = []

    class Looking(Counting):
        def train(self, context: TrainContext) -> Path:
            seen.append(context.get_dataset())
            return super().train(context)

    result = world.learn(Looking, dataset="birds")

    assert seen[0]["data_path"] == seen[0]["path"] == result["dataset"]["path"]
    assert (seen[0]["format"], seen[0]["count"]) == ("dm_v2", 3)
    assert Path(seen[0]["path"], "train", "json").is_dir()
    (model,) = world.backend.models.list()
    assert model.configuration["dataset"] == "birds@1"


@pytest.mark.parametrize("source", ["dataset", "path"])
def test_a_dataset_is_converted_into_what_the_training_wants(world: TrainWorld, source: str) -> None:
    """And the converted one is gone with the run, and the original untouched."""
    world.freeze()
    given = {"dataset": "birds"} if source == "dataset" else {"path": world.run().path}
    before = world.run().path
    seen: list[str] = []

    class Yolo(Counting):
        target_format = "yolo"

        def train(self, context: TrainContext) -> Path:
            seen.append(Path(context.data_path).read_text())
            assert Path(context.dataset["path"]).is_relative_to(context.work_folder)
            return super().train(context)

    result = world.learn(Yolo, **given)

    assert "cat" in seen[0]
    assert result["dataset"]["format"] == "yolo"
    assert not Path(result["dataset"]["path"]).exists()
    assert Path(before).exists()


def test_a_training_may_do_without_a_dataset(world: TrainWorld) -> None:
    """What asks for one all the same is told what to do."""

    class Alone(BaseTrainAction[TrainParams]):
        def train(self, context: TrainContext) -> None:
            with pytest.raises(ConfigurationError, match="There is no dataset to learn from"):
                _ = context.data_path
            path = context.model_folder / "weights"
            path.write_bytes(b"w")
            context.model_path = str(path)

    result = run_action(Alone, {"storage": str(world.folder / "models")})

    assert (result["dataset"], result["model"]["name"]) == (None, "alone")


def test_a_folder_becomes_one_archive(world: TrainWorld) -> None:
    """Equal folders make equal archives."""

    class Folder(Counting):
        def train(self, context: TrainContext) -> Path:
            super().train(context)
            return context.model_folder

    first, second = (world.backend.models.get(world.learn(Folder)["model"]["id"]) for _ in range(2))

    assert first.file.key.endswith(".zip")
    assert first.file.sha256 == second.file.sha256
    assert first.file.key != second.file.key


# Parameters


def test_the_params_of_the_caller_are_not_changed(world: TrainWorld) -> None:
    """T1: also where hyperparameters are lifted to where they belong."""
    given = world.train_params(version="1", hyperparameters=[{"epochs": 1, "rate": 0.1}], rate=0.25)
    before = copy.deepcopy(given)

    run_action(Counting, given)

    assert given == before
    (model,) = world.backend.models.list()
    assert model.configuration["hyperparameters"] == {"epochs": 1, "rate": 0.25}


def test_environment_and_functions_of_others_are_left_alone(world: TrainWorld) -> None:
    """T2: nothing is patched, set or put on the path."""
    before = dict(os.environ), [*sys.path], json.dumps, os.open, Path.open

    world.learn()

    assert (dict(os.environ), [*sys.path], json.dumps, os.open, Path.open) == before


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"hyperparameters": [{"epoch": 3}]}, "epoch: "),
        ({"hyperparameters": [{}, {}]}, "hyperparameters: "),
        ({"name": "a@b"}, "without '@'"),
        ({"name": "7"}, "no number"),
        ({"version": "1/2"}, "without '@' and '/'"),
        ({"dataset": "birds", "path": "birds"}, "cannot both be learned from"),
        ({"source_format": "xml"}, "there is no format 'xml'"),
    ],
)
def test_params_that_make_no_sense_are_refused(params: dict[str, Any], message: str) -> None:
    """Before anything happens, by name."""
    with pytest.raises(InvalidParamsError) as caught:
        Counting.validate_params(params)

    assert message in str(caught.value)


@pytest.mark.parametrize("target_format", [None, "yolo"])
@pytest.mark.parametrize("params", [{}, {"path": "x"}, {"dataset": 1}])
def test_the_weights_sum_to_one(params: dict[str, Any], target_format: str | None) -> None:
    """T7: whichever steps there are."""

    class Some(Counting):
        pass

    Some.target_format = target_format
    registry = Some(Some.validate_params(params), RuntimeContext()).build_registry()

    assert math.isclose(registry.total_weight, 1.0, abs_tol=1e-9)


def test_an_action_that_does_not_say_how_to_train_is_refused(world: TrainWorld) -> None:
    """At once: not after a download."""

    class Silent(BaseTrainAction[TrainParams]):
        pass

    with pytest.raises(ConfigurationError, match="Action 'silent' does not say how to train"):
        world.learn(Silent)


# What goes wrong


def failing(how: Any, **body: Any) -> type[Counting]:  # noqa: ANN401  # a function of a context
    """Return a training that ends in this way after a whole one."""

    def train(self: Counting, context: TrainContext) -> Any:  # noqa: ANN401  # whatever it returns
        Counting.train(self, context)
        return how(context)

    return type("Failing", (Counting,), {"train": train, "params_model": Counting.params_model, **body})


def raises(_context: TrainContext) -> None:
    """Fail."""
    msg = "out of memory"
    raise RuntimeError(msg)


def empty(context: TrainContext) -> Path:
    """Leave a model without a byte."""
    path = context.model_folder / "empty"
    path.touch()
    return path


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (raises, "out of memory"),
        (lambda _: None, "has returned no path of a model"),
        (lambda context: context.model_folder / "nothing", "has left no model"),
        (empty, "has no bytes"),
        (lambda context: context.report_metrics({"loss": math.nan}, epoch=7), "'loss' of 'train' is nan in epoch 7"),
    ],
    ids=["raises", "nothing-returned", "no-file", "empty-file", "nan"],
)
def test_a_training_that_goes_wrong_leaves_nothing(world: TrainWorld, how: Any, message: str) -> None:  # noqa: ANN401  # as above
    """T3, T8: neither a model nor checkpoints."""
    with pytest.raises(StepFailedError, match=message):
        world.learn(failing(how))

    world.assert_nothing_is_left()
    (report,) = (world.folder / ".synapse").glob("runs/*/report.json")
    assert json.loads(report.read_text())["status"] == "rolled_back"


def test_a_run_that_fails_after_the_upload_takes_the_model_back(world: TrainWorld) -> None:
    """T8: the staged record and its object, and the storage that was made known for it."""
    seen: list[int] = []

    class Watching(BaseStep[TrainContext]):
        name = "watching"
        progress_weight = 0.1

        def execute(self, context: TrainContext) -> StepResult:
            seen.append(len(context.backend.models.of_run(context.run)) + len(world.model_objects()))
            return StepResult(success=False, error="on purpose")

    class Late(Counting):
        def setup_steps(self, registry: StepRegistry[TrainContext]) -> None:
            super().setup_steps(registry)
            registry.register(Watching())

    before = [each.name for each in world.backend.storages.list()]
    with pytest.raises(StepFailedError, match="on purpose"):
        world.learn(Late)

    assert seen == [2]
    world.assert_nothing_is_left()
    assert [each.name for each in world.backend.storages.list()] == before


def test_a_backend_that_cannot_be_reached_fails_the_upload(world: TrainWorld) -> None:
    """T3: a model that nobody knows of is none."""

    def lose(context: TrainContext) -> Path:
        (world.folder / "no-folder").touch()
        context.close()
        context.backend_url = f"sqlite:///{world.folder}/no-folder/backend.db"
        return context.model_folder / "model.txt"

    with pytest.raises(StepFailedError, match="upload_model"):
        world.learn(failing(lose))

    assert (world.backend.models.list(), world.model_objects(), world.work()) == ([], [], [])


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"version": "1"}, ConflictError, "There is a model 'counting' of version '1' already"),
        ({"storage": "nowhere"}, RecordNotFoundError, "nowhere"),
        ({"checkpoint": "countin"}, RecordNotFoundError, "Did you mean 'counting'"),
    ],
)
def test_what_could_only_fail_in_the_end_fails_at_once(
    world: TrainWorld, params: dict[str, Any], error: type[Exception], message: str
) -> None:
    """Not after hours of work."""
    world.learn(version="1")

    def never(_context: TrainContext) -> None:
        pytest.fail("it was trained")

    action = type("Counting", (Counting,), {"train": lambda _, context: never(context), "action_name": "counting"})
    with pytest.raises(StepFailedError, match=message) as caught:
        world.learn(action, **params)

    assert isinstance(caught.value.__cause__, error)
    assert len(world.backend.models.list()) == 1


def test_a_dataset_that_is_not_there_is_named(world: TrainWorld) -> None:
    """T6."""
    with pytest.raises(StepFailedError, match="no-such' is not there"):
        world.learn(path=str(world.folder / "no-such"))


# Beginning with a model, and figures


def test_a_training_may_begin_with_a_model(world: TrainWorld) -> None:
    """Its file is brought to this machine, verified."""
    first = world.learn(version="1")["model"]
    seen: list[Any] = []

    class Further(Counting):
        def train(self, context: TrainContext) -> Path:
            begin = context.get_checkpoint()
            assert begin == context.get_checkpoint()
            seen.append((begin, None if begin is None else Path(begin["path"]).read_text()))
            return super().train(context)

    for named in (first["id"], "counting@1", "counting", None):
        world.learn(Further, name="counting", checkpoint=named)

    expected = {"category": "model", "id": first["id"], "name": "counting"}
    assert {**seen[0][0], "path": ""} == {**seen[1][0], "path": ""} == {**expected, "path": ""}
    assert [content for _, content in seen] == ["6", "6", "6", None]
    newest = world.backend.models.find("counting")
    assert newest.configuration.get("begun_with") is None


def test_a_model_whose_file_was_changed_is_not_begun_with(world: TrainWorld) -> None:
    """T5: half a file is not used, and the next try does not find it."""
    model = world.backend.models.get(world.learn(version="1")["model"]["id"])
    (world.folder / "models" / model.file.key).write_bytes(b"5")

    class Further(Counting):
        def train(self, context: TrainContext) -> Path:
            context.get_checkpoint()
            return super().train(context)

    with pytest.raises(StepFailedError, match="is not what was registered"):
        world.learn(Further, checkpoint="counting@1")

    assert world.work() == []


def test_figures_are_shown_and_kept(world: TrainWorld) -> None:
    """Of every epoch a line in the log, and the newest in the result."""
    reporter = MemoryReporter()
    action = Counting(Counting.validate_params(world.train_params()), RuntimeContext(reporter=reporter))

    result = action.execute()

    lines = [data for event, data in reporter.logs if event == "metrics_reported"]
    assert lines == [{"category": "train", "epoch": epoch, "count": 2.0 * (epoch + 1)} for epoch in range(3)]
    assert result["metrics"] == {"train": {"epoch": 2, "count": 6.0}}


def test_categories_keep_their_own_figures(world: TrainWorld) -> None:
    """What is not given again keeps its value."""
    context = context_of(Counting(Counting.validate_params(world.train_params()), RuntimeContext()))

    context.report_metrics({"loss": 1, "accuracy": 0.5}, epoch=1)
    context.report_metrics({"loss": 0.5}, epoch=2)
    context.report_metrics({"accuracy": 0.75}, category="test")

    assert context.metrics == {"train": {"epoch": 2, "loss": 0.5, "accuracy": 0.5}, "test": {"accuracy": 0.75}}
    with pytest.raises(TrainingError, match="is inf"):
        context.report_metrics({"loss": math.inf})


# Steps of one's own


class Prepare(BaseStep[TrainContext]):
    """A step as somebody would write it who follows the guide."""

    name = "prepare"
    progress_weight = 0.5

    def execute(self, context: TrainContext) -> StepResult:
        """Write a model."""
        path = context.model_folder / "own.bin"
        path.write_bytes(b"own")
        context.model_path = str(path)
        return StepResult()


class Upload(BaseStep[TrainContext]):
    """As above; it does not say how it is undone."""

    name = "upload"
    progress_weight = 0.5

    def execute(self, context: TrainContext) -> StepResult:
        """Create two models."""
        context.create_model(context.model_path, name="other", version="7", kind="twin")
        Path(context.model_path).write_bytes(b"own too")
        return StepResult(data=context.create_model(context.model_path))


class Own(BaseTrainAction[TrainParams]):
    """Registers steps, and has no `train`."""

    def setup_steps(self, registry: StepRegistry[TrainContext]) -> None:
        """Register training steps."""
        registry.register(Prepare())
        registry.register(Upload())

    def execute(self) -> dict[str, Any]:
        """Run them."""
        result: dict[str, Any] = super().execute()
        return result


def test_steps_of_ones_own_are_all_that_runs(world: TrainWorld) -> None:
    """As the guide shows: `execute` returns a dictionary."""
    result = world.learn(Own)

    assert isinstance(result, dict)
    assert (result["steps_executed"], result["steps_total"]) == (2, 2)
    first, second = world.backend.models.list()
    assert (first.name, first.version, first.configuration["kind"]) == ("other", "7", "twin")
    assert result["model"] == {"id": second.id, "name": "own", "version": result["run"]}


def test_what_steps_of_ones_own_have_staged_is_taken_back_as_well(world: TrainWorld) -> None:
    """T8: also if they do not say how."""
    with pytest.raises(StepFailedError, match="a failure was injected"):
        run_action(Own, world.train_params(), inject_failure="upload")

    world.assert_nothing_is_left()


def test_an_upload_without_a_model_says_so(world: TrainWorld) -> None:
    """T3."""

    class Forgetful(Own):
        def setup_steps(self, registry: StepRegistry[TrainContext]) -> None:
            registry.register(UploadModelStep(weight=1.0))

    with pytest.raises(StepFailedError, match="there is no model to upload"):
        world.learn(Forgetful)


def test_it_is_an_action_like_any_other() -> None:
    """Its base has the methods that all have."""
    assert issubclass(BaseTrainAction, BaseAction)
    assert BaseTrainAction.params_model is TrainParams
