"""Signals for a program that runs an action with a journal and knows nothing of signals (F5)."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from synapse_sdk.errors import RunEndedError, WorkerLostError
from synapse_sdk.journal import read_state
from synapse_sdk.journal.sqlite import SqliteJournal
from synapse_sdk.plugins import resume_run, rollback_run, run_plugin
from tests.faults.durable_child import LEDGER, RUN, Scene, everything_is_there, nothing_is_left

UNDONE = ["run first", "run second", "undo second", "undo first"]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A folder and a journal."""
    with Scene.set_up(tmp_path) as scene:
        yield scene


in_every_mode = pytest.mark.parametrize("mode", ["local", "process"])


by_every_signal = pytest.mark.parametrize(
    ("number", "raised", "code"),
    [
        (signal.SIGINT, "KeyboardInterrupt", None),
        (signal.SIGTERM, "Terminated", 143),
        (signal.SIGHUP, "HungUp", 129),
    ],
    ids=["SIGINT", "SIGTERM", "SIGHUP"],
)


@in_every_mode
@by_every_signal
def test_a_signal_undoes_the_run_and_then_ends_the_process(
    scene: Scene, mode: str, number: int, raised: str, code: int | None
) -> None:
    """The journal says that it is undone, so that nobody can resume it by mistake."""
    child = scene.start(mode=mode, waits_in="second")
    scene.wait_for("waiting")
    child.send(number)
    said = child.said()

    assert (said["raised"], said["code"]) == (raised, code), said
    assert scene.diary == UNDONE
    assert nothing_is_left(scene)
    assert scene.run.status == "rolled_back"
    with pytest.raises(RunEndedError):
        resume_run(RUN, journal=scene.path)


@in_every_mode
@by_every_signal
def test_a_signal_undoes_a_run_that_is_not_recorded(
    scene: Scene, mode: str, number: int, raised: str, code: int | None
) -> None:
    """There is no other chance to do so."""
    child = scene.start(mode=mode, records=False, waits_in="second")
    scene.wait_for("waiting")
    child.send(number)
    said = child.said()

    assert (said["raised"], said["code"]) == (raised, code), said
    assert scene.diary == UNDONE
    assert nothing_is_left(scene)


@in_every_mode
def test_a_second_press_lets_the_rollback_go_on(scene: Scene, mode: str) -> None:
    """It is done, and recorded."""
    child = scene.start(mode=mode, waits_in="second", waits_undoing="second")
    scene.wait_for("waiting")
    child.send(signal.SIGINT)
    scene.wait_for("undoing")
    child.send(signal.SIGINT)
    scene.give("undo")
    said = child.said()

    assert said["raised"] == "KeyboardInterrupt", said
    assert nothing_is_left(scene)
    assert scene.run.status == "rolled_back"


def test_a_third_press_leaves_a_run_that_can_be_undone_later(scene: Scene) -> None:
    """The journal has what is left."""
    child = scene.start(waits_in="second", waits_undoing="second")
    scene.wait_for("waiting")
    child.send(signal.SIGINT)
    scene.wait_for("undoing")
    child.send(signal.SIGINT)
    _wait_for_note(child.process.stderr)
    child.send(signal.SIGINT)
    said = child.said()

    assert said["raised"] == "InsistentInterrupt", said
    assert scene.files == ["first-0.txt", "first-1.txt", "second-0.txt"]
    assert scene.run.status == "rollback_incomplete"
    scene.give("undo")
    assert rollback_run(RUN, journal=scene.path).status == "rolled_back"
    assert nothing_is_left(scene)


def _wait_for_note(stream: object) -> None:
    """Wait until the second press has been answered: three that come as one would count as one."""
    said = ""
    while "more time" not in said:
        character = stream.read(1)  # type: ignore[attr-defined]  # it is the text of a process
        assert character, f"it ended and said {said!r}"
        said += character


@in_every_mode
def test_a_worker_that_is_killed_leaves_a_run_that_can_be_resumed(scene: Scene, mode: str) -> None:
    """From the file after the one that it made last."""
    child = scene.start(mode=mode, waits_in="second")
    scene.kill(scene.wait_for("waiting"))
    if mode == "process":
        assert child.said()["raised"] == WorkerLostError.__name__
    child.process.wait(60)
    scene.give("go")

    result = resume_run(RUN, journal=scene.path)

    assert everything_is_there(scene)
    assert sorted(set(result)) == scene.files
    assert scene.diary == ["run first", "run second", "run second", "run third"]
    assert (scene.run.status, scene.run.source.mode) == ("succeeded", mode)


@in_every_mode
def test_a_rollback_that_is_killed_goes_on_later(scene: Scene, mode: str) -> None:
    """What is undone is not undone again."""
    child = scene.start(mode=mode, fails_in="third", waits_undoing="second")
    scene.kill(scene.wait_for("undoing"))
    child.process.wait(60)
    scene.give("undo")

    with pytest.raises(RunEndedError, match="it is undone now"):
        resume_run(RUN, journal=scene.path)

    assert scene.diary[3:] == ["undo third", "undo second", "undo second", "undo first"]
    assert nothing_is_left(scene)
    assert scene.run.status == "rolled_back"


@pytest.mark.parametrize("bad", ["none", "wrong", "exit", "skip"])
def test_whatever_a_step_does_wrong_is_recorded_and_undone(scene: Scene, bad: str) -> None:
    """It returns nothing or something else, leaves the process, or cannot say whether it wants to be skipped (F6)."""
    params = scene.params(fails_in="second", bad=bad)

    with pytest.raises(BaseException, match=r"Step 'second' failed|3"):
        run_plugin(LEDGER, "work", params, journal=scene.path, job_id=RUN)

    with SqliteJournal(scene.path) as journal:
        state = read_state(journal, RUN)
    assert state.status == "rolled_back"
    assert state.steps["second"].status == ("failed" if bad == "skip" else "rolled_back")
    assert state.leftovers == {}
    assert nothing_is_left(scene)
