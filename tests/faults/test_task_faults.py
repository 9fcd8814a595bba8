"""Annotating tasks while somebody presses Ctrl-C, the disk fills up, or answers of the backend are lost."""

import json
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.backend import Backend, Submission, SubmissionOutcome, TaskFilter, TaskId, open_backend
from synapse_sdk.errors import BackendUnavailableError, StepFailedError
from synapse_sdk.journal import SqliteJournal
from synapse_sdk.plugins import describe_run, rollback_run, run_action
from synapse_sdk.plugins.actions import AddTaskDataAction, AddTaskDataContext, AddTaskDataParams
from tests.e2e.conftest import Shell
from tests.faults.annotating import BY_FILE, look, make_world
from tests.faults.disks import run_while_it_fills, small_disk

COMMAND = ("tasks", "annotate", "--project", "birds", "--file", "coco.json", "--progress", "none")

LATE_OR_EARLY = [pytest.param(at, marks=pytest.mark.full) for at in ("tasks.loaded", "tasks.converted")]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of seven tasks, of which some have data."""
    folder = tmp_path / "project"
    folder.mkdir()
    make_world(tmp_path / "template")(folder)
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
@pytest.mark.parametrize("at", ["tasks.submitted", *LATE_OR_EARLY])
def test_a_signal_gives_every_task_back_what_it_had(
    project: Path, shell: Shell, number: signal.Signals, code: int, at: str
) -> None:
    """F5: wherever it comes, and the exit code tells of it; the same command annotates then."""
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
@pytest.mark.parametrize("at", ["tasks.loaded", "tasks.converted"])
def test_a_full_disk_of_the_journal_fails_the_run_which_is_undone(
    project: Path, shell: Shell, disk: Path, at: str
) -> None:
    """F7: all of it, and that is recorded in what was set aside; once there is room the same command annotates."""
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


class Lossy:
    """A backend whose answers to submissions are lost, after it has done what was asked."""

    def __init__(self, backend: Backend, times: int) -> None:
        self._backend, self.left, self.calls = backend, times, 0
        self.submissions = self

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the real one has
        """Return what the real one has."""
        return getattr(self._backend, name)

    def submit(self, run: str, submissions: Sequence[Submission]) -> Mapping[TaskId, SubmissionOutcome]:
        """Submit, and lose the answer."""
        self.calls += 1
        outcomes = self._backend.submissions.submit(run, submissions)
        if self.left:
            self.left -= 1
            msg = "The connection was reset"
            raise BackendUnavailableError(msg)
        return outcomes

    def withdraw(self, run: str) -> Any:  # noqa: ANN401  # as the real one
        """Withdraw."""
        return self._backend.submissions.withdraw(run)

    def conflicts(self, run: str, *, after: int = 0) -> Any:  # noqa: ANN401  # as above
        """Return conflicts."""
        return self._backend.submissions.conflicts(run, after=after)

    def forget(self, run: str) -> None:
        """Forget."""
        self._backend.submissions.forget(run)


def losing(times: int) -> type[AddTaskDataAction[Any]]:
    """Return an action whose backend loses this many answers."""

    class Losing(AddTaskDataAction[AddTaskDataParams]):
        def create_context(self) -> AddTaskDataContext:
            context = super().create_context()
            vars(context)["backend"] = Lossy(open_backend(), times)
            return context

    return Losing


@pytest.mark.usefixtures("project")
def test_an_answer_that_is_lost_submits_nothing_twice() -> None:
    """F15: the same batch is sent again, and what was submitted is only confirmed."""
    result = run_action(losing(2), {**BY_FILE, "download_max_retries": 2})

    assert (result.success_count, result.failed_count) == (5, 0)
    with open_backend() as backend:
        tasks = backend.tasks.list(TaskFilter())
    assert [task.version for task in tasks] == [1, 2, 1, 2, 1, 1, 0]


def test_answers_that_are_always_lost_undo_the_run(project: Path) -> None:
    """F15: unknown is not "no": what may have been submitted is given back."""
    before = look(project)

    with pytest.raises(StepFailedError, match="The connection was reset"):
        run_action(losing(99), BY_FILE)

    assert look(project) == before


class Stubborn(Lossy):
    """A backend that takes nothing back."""

    def withdraw(self, run: str) -> Any:  # noqa: ANN401  # as the real one
        """Refuse."""
        msg = f"{run} stays"
        raise RuntimeError(msg)


def test_a_report_says_whether_tasks_have_got_back_what_they_had(project: Path) -> None:
    """It is written again when they have, also if that is much later, and nothing that the run needed is left then."""
    before = look(project)

    class Annotate(AddTaskDataAction[AddTaskDataParams]):
        def create_context(self) -> AddTaskDataContext:
            context = super().create_context()
            vars(context)["backend"] = Stubborn(open_backend(), 99)
            return context

    def statuses() -> tuple[str, str]:
        report = json.loads((project / ".synapse" / "runs" / "kept" / "report.json").read_text())
        return str(describe_run("kept").record.status), report["status"]

    with pytest.raises(StepFailedError, match="The connection was reset"):
        run_action(Annotate, BY_FILE, journal=True, job_id="kept")
    assert statuses() == ("rollback_incomplete", "rollback_incomplete")
    assert look(project) != before

    rollback_run("kept", action=AddTaskDataAction)

    assert statuses() == ("rolled_back", "rolled_back")
    assert look(project) == before


class Forgetful(Lossy):
    """A backend that does not say what became of some tasks."""

    def submit(self, run: str, submissions: Sequence[Submission]) -> Mapping[TaskId, SubmissionOutcome]:
        """Submit, and say nothing about the last task."""
        outcomes = self._backend.submissions.submit(run, submissions[:-1])
        return dict(outcomes)


def test_a_task_without_an_answer_has_failed(project: Path) -> None:
    """A1: what nobody confirms was not done; it is named, and counted."""
    before = {id_: data for id_, _, data in look(project)["tasks"]}

    class Annotate(AddTaskDataAction[AddTaskDataParams]):
        def create_context(self) -> AddTaskDataContext:
            context = super().create_context()
            vars(context)["backend"] = Forgetful(open_backend(), 0)
            return context

    result = run_action(Annotate, {**BY_FILE, "batch_size": 100})

    assert (result.success_count, result.failed_count) == (4, 1)
    (failure,) = result.failures
    assert failure.code == "NO_ANSWER"
    assert {id_: data for id_, _, data in look(project)["tasks"]}[failure.task_id] == before[failure.task_id]
