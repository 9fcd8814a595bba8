"""Runs that are recorded: what becomes of them, and what can be done about them afterwards."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.errors import (
    ConfigurationError,
    InvalidParamsError,
    JournalError,
    LeaseHeldError,
    RunEndedError,
    RunNotFoundError,
    StepFailedError,
    StepNotFoundError,
)
from synapse_sdk.journal import MemoryJournal, Owner, SqliteJournal, read_state
from synapse_sdk.plugins import cancel_run, resume_run, rollback_run, run_action, run_plugin
from synapse_sdk.plugins.discovery import find_plugin
from synapse_sdk.reporting import MemoryReporter
from tests.faults.durable_child import LEDGER, RUN, Scene, everything_is_there, nothing_is_left

CANARY = "canary-3f9a"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A folder and a journal."""
    with Scene.set_up(tmp_path) as scene:
        yield scene


def die(scene: Scene, action: str = "work", *, waits_in: str = "second", **params: Any) -> None:  # noqa: ANN401  # whatever the action takes
    """Start a run and kill it."""
    child = scene.start(action, waits_in=waits_in, **params)
    scene.kill(scene.wait_for("waiting"))
    child.process.wait(60)
    scene.give("go")


def all_bytes(path: Path) -> bytes:
    """Return everything that a journal has on the disk."""
    return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


in_every_mode = pytest.mark.parametrize("mode", ["local", "process"])


@in_every_mode
def test_a_run_is_recorded(scene: Scene, mode: str) -> None:
    """With its mode, its result, and where it was started."""
    reporter = MemoryReporter()

    result = run_plugin(LEDGER, "work", scene.params(), journal=scene.path, job_id=RUN, mode=mode, reporter=reporter)

    run = scene.run
    assert (run.status, run.source.mode, run.owner) == ("succeeded", mode, None)
    assert Path(run.source.directory) == Path.cwd()
    assert [name for name, _ in reporter.logs] == ["making"] * 3
    with SqliteJournal(scene.path) as journal:
        state = read_state(journal, RUN)
    assert (state.result, state.percent) == (result, 100)


@in_every_mode
def test_a_failed_run_is_undone_and_recorded(scene: Scene, mode: str) -> None:
    """It cannot be resumed."""
    with pytest.raises(StepFailedError):
        run_plugin(LEDGER, "work", scene.params(fails_in="third"), journal=scene.path, job_id=RUN, mode=mode)

    assert nothing_is_left(scene)
    assert scene.run.status == "rolled_back"
    with pytest.raises(RunEndedError, match="rolled_back"):
        rollback_run(RUN, journal=scene.path)


@pytest.mark.parametrize("mode", ["local", "process"])
def test_a_run_can_go_on_in_another_mode(scene: Scene, mode: str) -> None:
    """Whatever it was started in."""
    die(scene)

    result = resume_run(RUN, journal=scene.path, mode=mode)

    assert len(set(result)) == 6
    assert everything_is_there(scene)
    assert scene.run.status == "succeeded"


@in_every_mode
def test_a_run_can_be_undone_in_another_mode(scene: Scene, mode: str) -> None:
    """Whatever it was started in."""
    die(scene)

    run = rollback_run(RUN, journal=scene.path, mode=mode, reason="not wanted any more")

    assert run.status == "rolled_back"
    assert nothing_is_left(scene)
    with SqliteJournal(scene.path) as journal:
        assert read_state(journal, RUN).reason == "not wanted any more"


def test_a_function_is_resumed(scene: Scene) -> None:
    """It runs again from its start."""
    die(scene, "count", waits_in="count")

    assert resume_run(RUN, journal=scene.path) == 3
    assert scene.diary == ["run count"] * 2
    assert scene.run.status == "succeeded"


def test_an_action_without_steps_is_resumed(scene: Scene) -> None:
    """It runs again from its start."""
    die(scene, "plain", waits_in="plain")

    assert resume_run(RUN, journal=scene.path) == "done"
    assert scene.diary == ["run plain"] * 2
    assert scene.run.status == "succeeded"


def test_an_action_without_steps_has_nothing_to_undo(scene: Scene) -> None:
    """It is failed, and was not run."""
    die(scene, "plain", waits_in="plain")

    assert rollback_run(RUN, journal=scene.path).status == "failed"
    assert scene.diary == ["run plain"]


def test_an_action_without_steps_that_fails_is_failed(scene: Scene) -> None:
    """Its error goes on as itself."""
    with pytest.raises(ValueError, match="told to fail"):
        run_plugin(LEDGER, "plain", scene.params(fails_in="plain"), journal=scene.path, job_id=RUN)

    assert scene.run.status == "failed"


def test_a_run_of_a_class_is_resumed_with_the_class(scene: Scene) -> None:
    """Nothing else could find it."""
    journal, action = MemoryJournal(), find_plugin(LEDGER).action_class("work")

    result = run_action(action, scene.params(), journal=journal, job_id=RUN)

    assert len(result) == 6
    with pytest.raises(RunEndedError):
        resume_run(RUN, journal=journal, action=action)
    journal.create_run("000000000001", journal.run(RUN).source)  # type: ignore[arg-type]  # a run's id
    with pytest.raises(ConfigurationError, match="action="):
        resume_run("000000000001", journal=journal)
    assert len(resume_run("000000000001", journal=journal, action=action)) == 6


def test_secrets_are_nowhere_in_the_journal(scene: Scene) -> None:
    """Neither those in parameters nor those in settings; both have to be given again (I8)."""
    params = {**scene.params(fails_in="third"), "password": CANARY}
    env = {"LEDGER_TOKEN": f"{CANARY}-too"}
    with pytest.raises(StepFailedError):
        run_plugin(LEDGER, "work", params, journal=scene.path, job_id=RUN, env=env)

    assert RUN.encode() in all_bytes(scene.path)
    assert CANARY.encode() not in all_bytes(scene.path)


def test_secrets_have_to_be_given_again(scene: Scene) -> None:
    """The message names them, before anything runs."""
    die(scene, password=CANARY)
    diary = scene.diary

    with pytest.raises(InvalidParamsError, match="needs password again"):
        resume_run(RUN, journal=scene.path)
    assert scene.diary == diary
    resume_run(RUN, journal=scene.path, params={"password": CANARY})

    assert everything_is_there(scene)
    assert CANARY.encode() not in all_bytes(scene.path)


def test_a_run_goes_on_in_its_own_directory(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative paths begin there; afterwards everybody is where he was."""
    there, here = tmp_path / "there", tmp_path / "here"
    (there / "out").mkdir(parents=True)
    here.mkdir()
    monkeypatch.chdir(there)
    journal = SqliteJournal(scene.path)
    _begin(journal, {"folder": "out"})
    monkeypatch.chdir(here)

    resume_run(RUN, journal=journal)

    assert len(list((there / "out").glob("*.txt"))) == 6
    assert Path.cwd() == here
    journal.close()


def test_a_directory_that_is_gone_is_named(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing runs elsewhere."""
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "there")
    journal = SqliteJournal(scene.path)
    _begin(journal, scene.params())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").rmdir()

    with pytest.raises(JournalError, match=r"there', which is not there"):
        resume_run(RUN, journal=journal)
    journal.close()


def _begin(journal: SqliteJournal, params: dict[str, str]) -> None:
    """Create a run of which nothing was begun."""
    from synapse_sdk.plugins.journalling import create_run  # noqa: PLC0415  # only here

    create_run(journal, RUN, find_plugin(LEDGER).action_class("work"), params, plugin=str(LEDGER))


def test_an_id_that_is_in_use_starts_nothing(scene: Scene) -> None:
    """In no mode."""
    run_plugin(LEDGER, "work", scene.params(), journal=scene.path, job_id=RUN)
    diary = scene.diary

    for mode in ("local", "process"):
        with pytest.raises(JournalError, match="already a run"):
            run_plugin(LEDGER, "work", scene.params(), journal=scene.path, job_id=RUN, mode=mode)

    assert scene.diary == diary


@pytest.mark.parametrize("act", [resume_run, rollback_run, cancel_run], ids=lambda act: act.__name__)
def test_what_is_not_there_or_has_ended_is_refused(scene: Scene, act: Callable[..., Any]) -> None:
    """With the reason."""
    run_plugin(LEDGER, "work", scene.params(), journal=scene.path, job_id=RUN)

    with pytest.raises(RunNotFoundError, match=f"Did you mean {RUN}"):
        act(f"{RUN[:-1]}x", journal=scene.path)
    with pytest.raises(RunEndedError, match="succeeded"):
        act(RUN, journal=scene.path)
    with pytest.raises(ConfigurationError, match="no journal"):
        act(RUN, journal=False)


def test_a_run_in_other_hands_is_left_alone(scene: Scene) -> None:
    """Its owner is named."""
    with SqliteJournal(scene.path) as journal:
        _begin(journal, scene.params())
        journal.acquire_lease(RUN, Owner(host="elsewhere", pid=2))

        with pytest.raises(LeaseHeldError, match="process 2 on elsewhere"):
            resume_run(RUN, journal=journal)

    assert scene.diary == []


def test_a_dead_run_that_was_cancelled_can_only_be_undone(scene: Scene) -> None:
    """Resuming it undoes it, and says so."""
    die(scene)
    cancel_run(RUN, journal=scene.path, by="ada")

    with pytest.raises(RunEndedError, match="it is undone now") as raised:
        resume_run(RUN, journal=scene.path)

    assert raised.value.why == "It was cancelled by ada"
    assert nothing_is_left(scene)
    assert scene.run.status == "rolled_back"


@in_every_mode
def test_a_living_run_that_is_cancelled_is_stopped_where_it_stands(scene: Scene, mode: str) -> None:
    """Within about a second, and undone."""
    child = scene.start(mode=mode, waits_in="second")
    scene.wait_for("waiting")
    cancel_run(RUN, journal=scene.path, by="ada")
    said = child.said()

    assert said["raised"] == "RunCancelledError", said
    assert nothing_is_left(scene)
    assert scene.run.status == "rolled_back"


def test_a_process_mode_run_needs_a_journal_that_can_be_shared(scene: Scene) -> None:
    """Nothing is created that nobody could take up."""
    journal = MemoryJournal()

    for choice in (journal, "memory:"):
        with pytest.raises(ConfigurationError, match="cannot be handed"):
            run_plugin(LEDGER, "work", scene.params(), journal=choice, mode="process")

    assert journal.runs() == []
    assert scene.diary == []
    assert os.listdir(scene.folder) == []  # noqa: PTH208  # names are enough


@in_every_mode
def test_a_run_that_its_worker_cannot_begin_with_does_not_wait_for_another(scene: Scene, mode: str) -> None:
    """It has failed, if it was recorded at all."""
    with pytest.raises(StepNotFoundError):
        run_plugin(LEDGER, "work", scene.params(), journal=scene.path, job_id=RUN, mode=mode, inject_failure="nowhere")

    with SqliteJournal(scene.path) as journal:
        assert [run.status for run in journal.runs()] == ([] if mode == "local" else ["failed"])
    assert scene.diary == []
