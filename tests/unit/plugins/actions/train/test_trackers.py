"""Figures of trainings in TensorBoard and MLflow, as these read them."""

import struct
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from tensorboardX.proto.event_pb2 import Event  # type: ignore[import-untyped]

from synapse_sdk import extensions
from synapse_sdk.errors import InvalidParamsError, StepFailedError
from synapse_sdk.plugins.actions.train import TrainContext
from synapse_sdk.plugins.actions.train.trackers import TrackedTraining, Tracker, Trackers
from synapse_sdk.plugins.actions.train.trackers.tensorboard import TensorBoardTracker
from tests.unit.plugins.actions.train.world import Counting, TrainWorld

TRAINING = TrackedTraining(run="r1", name="counter", version="1")
HEAD, CHECKSUM = struct.Struct("<QI"), 4


class Failing(Counting):
    """Trains, and fails then."""

    def train(self, context: TrainContext) -> Path:
        """Report figures of three epochs, and raise."""
        super().train(context)
        msg = "out of memory"
        raise RuntimeError(msg)


def events(folder: Path) -> Iterator[Event]:
    """Yield what the files of a training hold, as TensorBoard reads them: records of length, checksum and content."""
    for path in sorted(folder.iterdir()):
        data, at = path.read_bytes(), 0
        while at < len(data):
            length, _ = HEAD.unpack_from(data, at)
            at += HEAD.size
            yield Event.FromString(data[at : at + length])
            at += length + CHECKSUM


def figures_of(folder: Path) -> list[tuple[str, int, float]]:
    """Return name, step and value of all figures of a training, without those that are void."""
    found: list[tuple[str, int, float]] = []
    for event in events(folder):
        if event.session_log.status == event.session_log.START:
            found = [each for each in found if each[1] < event.step]
        found += [(value.tag, event.step, value.simple_value) for value in event.summary.value]
    return found


@pytest.fixture
def mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """Return a client of a store in a folder, in place of a server."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlruns").as_uri())
    return MlflowClient()


def runs_in(client: MlflowClient) -> list[Any]:
    """Return the runs in the experiment of the model."""
    experiment = client.get_experiment_by_name("counter")
    assert experiment is not None
    return [*client.search_runs([experiment.experiment_id])]


def test_figures_are_in_files_for_tensorboard(world: TrainWorld) -> None:
    """A folder for each training, with the figures of each epoch."""
    result = world.learn(name="counter", track=["tensorboard:figures"])

    folder = world.folder / "figures" / f"counter-{result['run']}"
    assert figures_of(folder) == [("train/count", epoch, 2.0 * (epoch + 1)) for epoch in range(3)]


def test_figures_are_in_the_usual_folder_if_none_is_named(world: TrainWorld) -> None:
    """Where TensorBoard is usually pointed at."""
    result = world.learn(name="counter", track=["tensorboard"])

    assert len(figures_of(world.folder / "runs" / f"counter-{result['run']}")) == 3


def test_what_a_resumed_training_reports_again_replaces_what_was_there(tmp_path: Path) -> None:
    """It begins at its last checkpoint, which may be behind the last figures."""
    first = TensorBoardTracker(str(tmp_path), TRAINING)
    for step in range(4):
        first.report({"loss": 4.0 - step}, step=step, category="train")
    first.close()

    again = TensorBoardTracker(str(tmp_path), TRAINING)
    again.report({"loss": 1.5}, step=2, category="train")
    again.end(has_succeeded=True)

    assert figures_of(tmp_path / "counter-r1") == [
        ("train/loss", 0, 4.0),
        ("train/loss", 1, 3.0),
        ("train/loss", 2, 1.5),
    ]


def test_figures_and_hyperparameters_are_in_mlflow(world: TrainWorld, mlflow: MlflowClient) -> None:
    """In the experiment that is called as the model."""
    result = world.learn(name="counter", version="2.1", track=["mlflow"], rate=0.25)

    (run,) = runs_in(mlflow)
    assert (run.info.status, run.info.run_name, run.data.tags["synapse.run"]) == ("FINISHED", "2.1", result["run"])
    assert run.data.params == {"epochs": "3", "rate": "0.25"}
    history = mlflow.get_metric_history(run.info.run_id, "train/count")
    assert [(each.step, each.value) for each in history] == [(0, 2.0), (1, 4.0), (2, 6.0)]


def test_a_training_that_fails_is_marked_so_and_keeps_its_figures(world: TrainWorld, mlflow: MlflowClient) -> None:
    """They are what one looks at then; models and checkpoints are gone."""
    with pytest.raises(StepFailedError, match="out of memory"):
        world.learn(Failing, name="counter", track=["mlflow", "tensorboard"])

    (run,) = runs_in(mlflow)
    assert run.info.status == "FAILED"
    assert run.data.metrics == {"train/count": 6.0}
    (folder,) = (world.folder / "runs").iterdir()
    assert len(figures_of(folder)) == 3
    world.assert_nothing_is_left()


def test_a_resumed_training_goes_on_with_its_run_of_mlflow(mlflow: MlflowClient) -> None:
    """And another training of the model gets one of its own."""
    for run, step in (("r1", 0), ("r1", 1), ("r2", 0)):
        trackers = Trackers(["mlflow"], TrackedTraining(run=run, name="counter", version="1"), _refuse)
        trackers.report({"loss": 0.5}, step=step, category="train")
        trackers.close()
    Trackers(["mlflow"], TRAINING, _refuse).end(has_succeeded=True)  # by whoever registers the model

    runs = runs_in(mlflow)
    assert {(run.data.tags["synapse.run"], run.info.status) for run in runs} == {("r1", "FINISHED"), ("r2", "RUNNING")}
    (first,) = (run for run in runs if run.data.tags["synapse.run"] == "r1")
    assert [each.step for each in mlflow.get_metric_history(first.info.run_id, "train/loss")] == [0, 1]


def test_a_tracker_that_fails_does_not_end_the_training(world: TrainWorld, caplog: pytest.LogCaptureFixture) -> None:
    """The model matters more; the failure is said, and all figures are in the journal anyway."""
    (world.folder / "taken").write_text("a file")

    result = world.learn(name="counter", track=["tensorboard:taken"])

    assert result["metrics"]["train"]["count"] == 6.0
    assert "The tracker tensorboard failed, and the run goes on" in caplog.text
    assert "The tracker tensorboard failed 3 times during the run" in caplog.text


def test_figures_of_no_epoch_are_counted(world: TrainWorld) -> None:
    """By category, from 0."""

    class Counted(Counting):
        def train(self, context: TrainContext) -> Path:
            context.report_metrics({"loss": 2.0})
            context.report_metrics({"loss": 3.0}, category="test")
            context.report_metrics({"loss": 1.0})
            return super().train(context)

    result = world.learn(Counted, name="counter", track=["tensorboard"], epochs=0)

    (folder,) = (world.folder / "runs").iterdir()
    assert figures_of(folder) == [("train/loss", 0, 2.0), ("test/loss", 0, 3.0), ("train/loss", 1, 1.0)]
    assert result["metrics"]["test"] == {"loss": 3.0}


@pytest.mark.parametrize(
    ("track", "words"),
    [
        ("tensorbord", "there is no tracker 'tensorbord'. Did you mean 'tensorboard'?"),
        (":runs", "there is no tracker ''"),
    ],
)
def test_a_tracker_that_is_not_there_is_refused_before_anything_runs(world: TrainWorld, track: str, words: str) -> None:
    """With the names of those that are."""
    with pytest.raises(InvalidParamsError) as caught:
        world.learn(track=[track])

    assert words in str(caught.value.problems)


@pytest.mark.parametrize(("track", "package"), [("tensorboard", "tensorboard"), ("mlflow:http://h", "mlflow")])
def test_a_tracker_whose_package_is_missing_is_refused(
    world: TrainWorld, monkeypatch: pytest.MonkeyPatch, track: str, package: str
) -> None:
    """With the way to install it."""
    monkeypatch.setattr(f"synapse_sdk.plugins.actions.train.trackers.{package}.find_spec", lambda _: None)

    with pytest.raises(InvalidParamsError) as caught:
        world.learn(track=[track])

    assert f"pip install 'synapse-sdk[{package}]'" in str(caught.value.problems)


def test_other_packages_may_add_trackers(world: TrainWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """As entry points."""
    added = EntryPoint("notebook", f"{__name__}:Notebook", "synapse.trackers")
    monkeypatch.setattr(extensions, "installed_entry_points", lambda group: (added,) * (group == added.group))
    NOTES.clear()

    world.learn(name="counter", track=["notebook:red"], epochs=1)

    assert NOTES == ["red counter", "train 0 {'count': 2.0}", "ended well"]


NOTES: list[str] = []


class Notebook(Tracker):
    """A tracker of another package."""

    def __init__(self, place: str, training: TrackedTraining) -> None:
        NOTES.append(f"{place} {training.name}")

    @staticmethod
    def check() -> None:
        """Need nothing."""

    def report(self, figures: Any, *, step: int, category: str) -> None:  # noqa: ANN401  # as `Tracker` has it
        """Note them."""
        NOTES.append(f"{category} {step} {figures}")

    def end(self, *, has_succeeded: bool) -> None:
        """Note it."""
        NOTES.append("ended well" if has_succeeded else "ended badly")

    def close(self) -> None:
        """Do nothing."""


def _refuse(name: str, error: Exception) -> None:
    raise AssertionError(name) from error
