"""Annotating by a model whose process is killed, whose service goes away, or whose results come twice."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.backend import Backend, Submission, SubmissionOutcome, TaskFilter, TaskId, open_backend
from synapse_sdk.downloads import HttpPoster
from synapse_sdk.errors import StepFailedError
from synapse_sdk.inference import ServiceModel
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.actions import AddTaskDataAction, AddTaskDataContext, AddTaskDataParams
from synapse_sdk.testing import FakeClock
from synapse_sdk.testing.crash_process import CrashProcess
from tests.conformance.s3_server import LOGIN, S3Server
from tests.faults.annotating import BY_MODEL, BY_ONNX, NAMES, CrashTasks, look, make_world
from tests.unit.inference.onnx_models import bright_box
from tests.unit.inference.service import serving


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of seven tasks, of which some have data."""
    folder = tmp_path / "project"
    folder.mkdir()
    make_world(tmp_path / "template")(folder)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("SYNAPSE_BACKEND", raising=False)
    return folder


def test_after_the_process_was_killed_only_the_batch_in_flight_is_asked_again(tmp_path: Path) -> None:
    """SIGKILL, as the system does it when there is no memory left: results of whole batches are kept."""
    world = tmp_path / "world"
    world.mkdir()
    make_world(tmp_path / "template")(world)
    params = {**BY_MODEL, "model": "tests.faults.inferring:dying"}

    with CrashProcess(CrashTasks, params, {}, tmp_path, timeout=60.0) as process:
        run_id = process.new_run()
        assert process.do("run", run_id).error == "The process ended by itself, with code -9"
        outcome = process.do("resume", run_id)

    assert outcome.status == "succeeded", outcome.error
    asked = [line.split() for line in (world / "asked.txt").read_text(encoding="utf-8").splitlines()]
    whole = [list(NAMES[at : at + 2]) for at in range(0, len(NAMES), 2)]
    assert asked == [whole[0], whole[1], *whole[1:]]
    labels = [task[2]["images"][0]["classification"][0]["classification"] for task in look(world)["tasks"]]
    assert labels == [*NAMES]


class Doubling:
    """A backend to which everything comes twice, and in another order."""

    def __init__(self, backend: Backend, seed: int) -> None:
        self._backend, self._random = backend, random.Random(seed)  # noqa: S311  # nothing secret
        self.submissions = self
        self._before: Sequence[Submission] = ()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the real one has
        """Return what the real one has."""
        return getattr(self._backend, name)

    def submit(self, run: str, submissions: Sequence[Submission]) -> Mapping[TaskId, SubmissionOutcome]:
        """Submit these and those before them, shuffled, then these again."""
        mixed = [*self._before, *submissions]
        self._random.shuffle(mixed)
        first = self._backend.submissions.submit(run, mixed)
        again = self._backend.submissions.submit(run, submissions)
        self._before = submissions
        return {**first, **again}

    def forget(self, run: str) -> None:
        """Forget."""
        self._backend.submissions.forget(run)


def doubling(seed: int) -> type[AddTaskDataAction[Any]]:
    """Return an action with such a backend."""

    class Action(AddTaskDataAction[AddTaskDataParams]):
        def create_context(self) -> AddTaskDataContext:
            context = super().create_context()
            vars(context)["backend"] = Doubling(open_backend(), seed)
            return context

    return Action


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_comes_twice_and_in_another_order_changes_nothing(project: Path, tmp_path: Path, seed: int) -> None:
    """F17: tasks have what they have otherwise, each changed once."""
    result = run_action(doubling(seed), BY_ONNX)

    assert (result.success_count, result.failed_count) == (len(NAMES), 0)
    with open_backend() as backend:
        changed = [task.version for task in backend.tasks.list(TaskFilter())]
    assert changed == [1, 2, 1, 2, 1, 2, 1]
    other = tmp_path / "other"
    other.mkdir()
    make_world(tmp_path / "template")(other)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(other)
        run_action(AddTaskDataAction, BY_ONNX)
    assert look(other)["tasks"] == look(project)["tasks"]


def test_a_model_in_a_bucket_is_fetched_with_what_is_beside_it(
    project: Path, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its URL, with credentials from the environment; it is kept here under its digest."""
    for name in ("access_key_id", "secret_access_key"):
        monkeypatch.setenv(f"AWS_{name.upper()}", LOGIN[name])
    bucket = s3_server.make_bucket()
    for key, content in (
        ("models/boxes.onnx", bright_box()),
        ("models/boxes.onnx.json", b'{"task": "detect", "classes": ["cat", "dog"]}'),
    ):
        s3_server.client().put_object(Bucket=bucket, Key=key, Body=content)
    url = f"s3://{bucket}/models/boxes.onnx?endpoint={s3_server.endpoint}&region=us-east-1"

    result = run_action(AddTaskDataAction, {**BY_ONNX, "model": url})

    assert result.success_count == len(NAMES)
    (kept,) = (project / ".synapse" / "models" / "cache").iterdir()
    assert kept.read_bytes() == bright_box()
    with pytest.raises(StepFailedError, match=r"'load_model' failed.*no object 'gone\.onnx'"):
        run_action(AddTaskDataAction, {**BY_ONNX, "model": url.replace("boxes", "gone")})


def asking(url: str) -> type[AddTaskDataAction[Any]]:
    """Return an action that asks a service, with pauses that take no time."""

    class Asking(AddTaskDataAction[AddTaskDataParams]):
        def load_model(self) -> ServiceModel:
            clock = FakeClock()
            return ServiceModel(url, poster=lambda url: HttpPoster(url, allows_private=True, clock=clock))

    return Asking


def test_a_service_annotates(project: Path) -> None:
    """By its URL alone; an error that it says fails the task that it is about."""
    before = look(project)["tasks"]

    with serving() as service:
        result = run_action(AddTaskDataAction, {**BY_MODEL, "model": service.url})

    assert result.success_count == len(NAMES)
    assert service.asked[0] == []
    assert [len(each) for each in service.asked[1:]] == [2, 2, 2, 1]
    assert all(one != other for one, other in zip(before, look(project)["tasks"], strict=True))


def test_a_service_that_refuses_an_image_fails_its_task(project: Path) -> None:
    """The batch is asked one by one, so that it is clear which; the others are annotated."""
    with serving() as service:
        service.script = ["ok", "ok", "400", "400"]
        result = run_action(asking(service.url), BY_MODEL)

    assert (result.success_count, [each.code for each in result.failures]) == (len(NAMES) - 1, ["MODEL_FAILED"])
    assert "The server answered 400" in result.failures[0].error
    assert look(project)["work"] == []


def test_a_service_that_goes_away_fails_the_run_which_is_undone(project: Path) -> None:
    """Instead of failing a hundred thousand tasks, one after the other."""
    before = look(project)
    with serving() as service:
        service.script = ["ok", "ok", "503!"]

        with pytest.raises(StepFailedError, match=r"'run_inference' failed.*does not answer.*answered 503"):
            run_action(asking(service.url), BY_MODEL)

    assert look(project) == before
