"""Training while somebody presses Ctrl-C, the disk fills up, the network fails, or answers of the backend are lost."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.backend import Backend, Model, ModelFile, ModelId, open_backend
from synapse_sdk.errors import BackendUnavailableError, StepFailedError
from synapse_sdk.journal import SqliteJournal
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.actions.train import TrainContext
from synapse_sdk.testing import OK, CutUpload, LostReply, Reset, Status
from synapse_sdk.testing.faults import Fault
from tests.e2e.conftest import Shell
from tests.faults.buckets import BucketWorld
from tests.faults.disks import fill_up, run_while_it_fills, small_disk
from tests.faults.training import PARAMS, CrashTrain, look, make_world
from tests.unit.cli.training import write_trainer

COMMAND = ("train", "trainer", "--path", "numbers.json", "--as", "mean@1", "--storage", "store", "--progress", "none")
MOMENTS = ["train.saved", *(pytest.param(at, marks=pytest.mark.full) for at in ("train.staged", "train.sent"))]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Numbers to learn from, a plugin that does, and a storage."""
    folder = tmp_path / "project"
    folder.mkdir()
    make_world(folder)
    write_trainer(folder)
    (folder / "numbers.json").write_text("[1.5, 2.5, 4.0]")
    monkeypatch.chdir(folder)
    for name in [name for name in os.environ if name.startswith("SYNAPSE")]:
        monkeypatch.delenv(name)
    return folder


@pytest.fixture
def shell(project: Path) -> Iterator[Shell]:
    """A shell in the project."""
    shell = Shell(project)
    yield shell
    shell.clean_up()


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, 130),
        pytest.param(signal.SIGTERM, 143, marks=pytest.mark.full),
        pytest.param(signal.SIGHUP, 129, marks=pytest.mark.full),
    ],
)
@pytest.mark.parametrize("at", MOMENTS)
def test_a_signal_leaves_neither_model_nor_checkpoints(
    project: Path, shell: Shell, number: signal.Signals, code: int, at: str
) -> None:
    """F5: wherever it comes, and the exit code tells of it; the same command trains then."""
    before = look(project)

    ended = shell.signalled(*COMMAND, at=f"{at}=stop@1", number=number)

    assert (ended.code, look(project)) == (code, before), ended.err
    assert shell.run(*COMMAND).code == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MiB."""
    with small_disk(tmp_path / "disk") as folder:
        yield folder


@pytest.mark.full
@pytest.mark.parametrize("at", ["train.saved", "train.trained"])
def test_a_full_disk_of_the_journal_fails_the_run_which_is_undone(
    project: Path, shell: Shell, disk: Path, at: str
) -> None:
    """F7: all of it, and that is recorded in what was set aside; once there is room the same command trains."""
    before, journal = look(project), disk / "journal.db"
    command = (*COMMAND, "--journal", str(journal))

    ended = run_while_it_fills(shell, disk, command, at=at)

    assert ended.code == 74, ended.err
    assert f"The disk of the journal '{journal}' is full" in ended.err
    with SqliteJournal(journal, read_only=True) as opened:
        (run,) = opened.runs()
    assert (run.status, look(project)) == ("rolled_back", before)
    (disk / "filling").unlink()
    assert shell.run(*command).code == 0


@pytest.mark.usefixtures("project")
def test_a_full_disk_of_the_storage_leaves_no_part_of_a_model(project: Path, disk: Path) -> None:
    """The run fails, and says so; nothing of it is in the storage."""
    fill_up(disk)
    before = look(project)

    with pytest.raises(StepFailedError, match="upload_model"):
        run_action(CrashTrain, {**PARAMS, "storage": str(disk)})

    assert look(project) == before
    assert [path.name for path in disk.rglob("*") if path.is_file()] == ["filling"]


@pytest.mark.parametrize(
    "fault",
    [Status(503), LostReply(), *(pytest.param(each, marks=pytest.mark.full) for each in (Reset(), CutUpload(3)))],
    ids=repr,
)
def test_a_network_that_fails_now_and_then_costs_nothing_but_time(bucket: BucketWorld, fault: Fault) -> None:
    """F14, F15: the model is there once, and is registered."""
    (bucket.folder / "numbers.json").write_text("[1.5, 2.5, 4.0]")
    bucket.proxy.faults([fault, OK] * 12)

    result = run_action(CrashTrain, {**PARAMS, "storage": "bucket"})

    (model,) = bucket.backend.models.list()
    assert result["model"]["id"] == model.id
    assert bucket.objects() == {model.file.key}
    with bucket.storage() as storage:
        assert storage.checksum(model.file.key) == model.file.sha256


class Lossy:
    """A backend whose answers about models are lost, after it has done what was asked."""

    def __init__(self, backend: Backend, of_stage: int, of_register: int) -> None:
        self._backend, self.left = backend, {"stage": of_stage, "register": of_register}
        self.models = self

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the real one has
        """Return what the real one has."""
        of_models = getattr(self._backend.models, name, None)
        return getattr(self._backend, name) if of_models is None else of_models

    def stage(self, run: str, name: str, version: str, file: ModelFile, **others: Any) -> Model:  # noqa: ANN401  # as the real one
        """Stage, and lose the answer."""
        return self._lose("stage", self._backend.models.stage(run, name, version, file, **others))

    def register(self, model_id: ModelId) -> Model:
        """Register, and lose the answer."""
        return self._lose("register", self._backend.models.register(model_id))

    def _lose(self, what: str, answer: Model) -> Model:
        if self.left[what]:
            self.left[what] -= 1
            msg = "The connection was reset"
            raise BackendUnavailableError(msg)
        return answer


def losing(*times: int) -> type[CrashTrain]:
    """Return an action whose backend loses so many answers about staging, and about registering."""

    class Losing(CrashTrain):
        def create_context(self) -> TrainContext:
            context = super().create_context()
            vars(context)["backend"] = Lossy(open_backend(), *times)
            return context

    return Losing


@pytest.mark.usefixtures("project")
def test_an_answer_that_is_lost_stages_nothing_twice() -> None:
    """F15: it is asked again, and gets the same model."""
    result = run_action(losing(2, 2), PARAMS)

    with open_backend() as backend:
        (model,) = backend.models.list()
    assert result["model"]["id"] == model.id


@pytest.mark.parametrize("times", [(99, 0), pytest.param((0, 99), marks=pytest.mark.full)], ids=["stage", "register"])
def test_answers_that_are_always_lost_undo_the_run(project: Path, times: tuple[int, int]) -> None:
    """F15: unknown is not "no": what may have been staged, or registered, is removed."""
    before = look(project)

    with pytest.raises((StepFailedError, BackendUnavailableError), match="The connection was reset"):
        run_action(losing(*times), PARAMS)

    assert look(project) == before
