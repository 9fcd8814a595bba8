"""Two workers and one run: the one that was frozen finds out, and leaves the run alone (F18); jumping clocks (F19)."""

import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from synapse_sdk.errors import JournalError, LeaseHeldError
from synapse_sdk.journal import Owner, RunSource, SqliteJournal
from synapse_sdk.journal.base import LEASE_SECONDS
from synapse_sdk.plugins import resume_run, rollback_run
from synapse_sdk.testing import FakeClock
from tests.faults.durable_child import LEDGER, RUN, Scene, everything_is_there, nothing_is_left
from tests.unit.executors.driving import process_state, wait_until
from tests.unit.plugins.durable_runs import Workshop
from tests.unit.steps.scripted import PlainStep

SHORT = 1.0
SOURCE = RunSource(plugin=str(LEDGER), action="work", params='{"folder":"/"}')


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A folder and a journal."""
    with Scene.set_up(tmp_path) as scene:
        yield scene


def is_free(scene: Scene) -> bool:
    """Whether nobody has the run any more."""
    return not scene.run.is_owned


@pytest.mark.parametrize("goes_back", [False, True])
def test_a_worker_that_wakes_up_too_late_is_refused_and_touches_nothing(scene: Scene, goes_back: bool) -> None:  # noqa: FBT001  # a parameter
    """Whether the other one went on with the run or undid it."""
    stale = scene.start(lease=SHORT, waits_in="second")
    pid = scene.wait_for("waiting")
    scene.kill(pid, signal.SIGSTOP)
    wait_until(lambda: process_state(pid) == "T", "it is frozen")
    with pytest.raises(LeaseHeldError):
        resume_run(RUN, journal=scene.path)
    wait_until(lambda: is_free(scene), "its lease has ended")

    if goes_back:
        rollback_run(RUN, journal=scene.path)
    else:
        scene.give("go")
        resume_run(RUN, journal=scene.path)
    before, diary = scene.files, scene.diary
    scene.give("go")
    scene.kill(pid, signal.SIGCONT)
    said = stale.said()

    assert said["raised"] == "LeaseLostError", said
    assert (scene.files, scene.diary) == (before, diary)
    assert nothing_is_left(scene) if goes_back else everything_is_there(scene)
    assert scene.run.status == ("rolled_back" if goes_back else "succeeded")


@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(days=2), timedelta(days=365 * 13)], ids=str)
def test_a_lease_does_not_care_what_the_clock_on_the_wall_says(jump: timedelta, tmp_path: Path) -> None:
    """It ends after so many seconds, whatever day it is."""
    clock = JumpingClock()
    with SqliteJournal(tmp_path / "journal.db", clock=clock) as journal:
        journal.create_run(RUN, SOURCE)
        first, second = Owner(host="lab", pid=1), Owner(host="lab", pid=2)
        lease = journal.acquire_lease(RUN, first)
        clock.jump += jump

        with pytest.raises(LeaseHeldError):
            journal.acquire_lease(RUN, second)
        journal.renew_lease(lease)
        clock.advance(LEASE_SECONDS)
        taken = journal.acquire_lease(RUN, second)

    assert taken.token == lease.token + 1


def test_events_are_in_order_whatever_the_clock_on_the_wall_says() -> None:
    """Their frames are numbered."""
    shop = Workshop()

    shop.execute(PlainStep("a"), PlainStep("b"))

    assert [frame.number for frame in shop.journal.frames(RUN)] == [1, 2, 3, 4]
    assert shop.state.frames == 4


class JumpingClock(FakeClock):
    """A clock whose wall time is set anew while its seconds go on."""

    jump = timedelta()

    def now(self) -> datetime:
        """Return what the clock on the wall says."""
        return super().now().astimezone(UTC) + self.jump


def test_a_journal_that_cannot_be_written_starts_nothing(scene: Scene) -> None:
    """Its folder is a file here, which not even root can write into; the message names it (F10)."""
    scene.path.write_text("no journal")
    child = scene.start()
    said = child.said()

    assert str(scene.path) in said["message"], said
    assert scene.diary == []


def test_a_journal_that_is_only_looked_at_takes_no_run(scene: Scene) -> None:
    """Reading is possible, writing is refused in one line (F10)."""
    with SqliteJournal(scene.path) as journal:
        journal.create_run(RUN, SOURCE)
    with SqliteJournal(scene.path, read_only=True) as journal:
        assert journal.run(RUN).status == "pending"
        with pytest.raises(JournalError) as raised:
            rollback_run(RUN, journal=journal)

    assert "\n" not in str(raised.value)
