"""What every journal promises (`synapse_sdk.journal.base`), over every store there is."""

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from synapse_sdk.errors import JournalError, LeaseHeldError, LeaseLostError, RunEndedError, RunNotFoundError
from synapse_sdk.journal import Frame, Journal, Lease, MemoryJournal, Owner, RunId, RunSource, SqliteJournal, read_state
from synapse_sdk.journal.model import ENDED, first_digest
from synapse_sdk.journal.postgres import PostgresJournal
from synapse_sdk.reporting.events import RunStatus
from synapse_sdk.testing import FakeClock

if TYPE_CHECKING:
    from synapse_sdk.journal.sqlite import Level
    from tests.conformance.postgres_server import PostgresServer

SOURCE = RunSource(
    plugin="/plugins/greeter",
    action="greet",
    params='{"name": "Ada \\u0000"}',
    hidden=("token",),
    env=("REGION",),
    inject_failure="upload",
    directory="/home/ada",
    version="1.0",
)
FIRST = Owner(host="lab-1", pid=4711)
SECOND = Owner(host="lab-2", pid=4712)
"""Of workers elsewhere, about which nobody here can tell whether they live."""
SCHEMAS = itertools.count(1)

STORES = ("memory", "sqlite-power", "sqlite-group", "sqlite-kill", pytest.param("postgres", marks=pytest.mark.full))

type Opener = Callable[[], Journal]


@pytest.fixture
def clock() -> FakeClock:
    """The time, as the journal sees it."""
    return FakeClock()


@pytest.fixture(params=STORES)
def opener(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Opener:
    """What opens one and the same journal, as many times as it is called."""
    kind, _, level = request.param.partition("-")
    if kind == "memory":
        journal = MemoryJournal(clock)
        return lambda: journal
    if kind == "sqlite":
        return lambda: SqliteJournal(tmp_path / "journal.db", level=cast("Level", level), clock=clock)
    server: PostgresServer = request.getfixturevalue("postgres")
    url = f"{server.url}?schema=t{next(SCHEMAS)}"
    return lambda: PostgresJournal(url, clock=clock)


@pytest.fixture
def journal(opener: Opener) -> Iterator[Journal]:
    """An empty journal."""
    with opener() as journal:
        yield journal


@pytest.fixture
def run(journal: Journal) -> RunId:
    """The id of a run that nobody has yet."""
    return journal.create_run(RunId("7f3a00112233"), SOURCE).id


def events(number: int) -> str:
    """Return the text of a frame."""
    return f'[{{"type":"Tick","at":{number},"n":"\\u00e9 {number}"}}]'


def append(journal: Journal, lease: Lease, status: RunStatus | None = None) -> Frame:
    """Append the next frame to a run, and return it."""
    number, digest = journal.head(lease.run_id)
    frame = Frame.after(number, digest, events(number + 1))
    journal.append(lease, frame, status)
    return frame


def test_every_store_is_a_journal(journal: Journal) -> None:
    """And says where it is."""
    assert isinstance(journal, Journal)
    assert journal.url


def test_a_new_run_is_pending_and_nobodys(journal: Journal, clock: FakeClock) -> None:
    """All that was given is there again."""
    clock.advance(1.25)
    run = journal.create_run(RunId("7f3a00112233"), SOURCE)

    assert run == journal.run("7f3a00112233")
    assert (run.id, run.source, run.status, run.created_at) == ("7f3a00112233", SOURCE, RunStatus.PENDING, clock.now())
    assert (run.ended_at, run.owner, run.token, run.lease_left, run.cancellation) == (None, None, 0, 0.0, None)
    assert not run.is_owned
    assert not run.has_ended


def test_a_run_cannot_be_created_twice(journal: Journal, run: RunId) -> None:
    """And the first one is as it was."""
    with pytest.raises(JournalError, match="already a run"):
        journal.create_run(run, RunSource(plugin="", action="other"))

    assert journal.run(run).source == SOURCE


@pytest.mark.usefixtures("run")
def test_a_mistyped_id_is_answered_with_the_nearest(journal: Journal) -> None:
    """Wherever an id is given."""
    for use in (journal.run, journal.head, journal.delete_run, lambda each: list(journal.frames(each))):
        with pytest.raises(RunNotFoundError, match="Did you mean 7f3a00112233"):
            use("7f3a00112234")
    with pytest.raises(RunNotFoundError):
        journal.acquire_lease("7f3a00112234", FIRST)
    with pytest.raises(RunNotFoundError):
        journal.request_cancel("7f3a00112234", "ada")
    with pytest.raises(RunNotFoundError):
        journal.runs(before="7f3a00112234")


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("name", ["", "\0", "\udcff", "'; DROP TABLE run; --", "é" * 300], ids=ascii)
def test_an_id_that_makes_no_sense_is_not_found(journal: Journal, name: str) -> None:
    """Whatever a command line can hold."""
    with pytest.raises(RunNotFoundError):
        journal.run(name)


def test_runs_are_listed_newest_first(journal: Journal) -> None:
    """In the order of their creation, also within one instant."""
    names = [f"{number:012x}" for number in (5, 3, 9, 1)]
    for name in names:
        journal.create_run(RunId(name), SOURCE)

    assert [run.id for run in journal.runs()] == names[::-1]


def test_runs_come_in_pages(journal: Journal) -> None:
    """A page begins where the last one ended, also if there are new runs since."""
    names = [f"{number:012x}" for number in range(7)]
    for name in names:
        journal.create_run(RunId(name), SOURCE)
    first = journal.runs(limit=3)
    journal.create_run(RunId("ffffffffffff"), SOURCE)

    second = journal.runs(limit=3, before=first[-1].id)
    third = journal.runs(limit=3, before=second[-1].id)

    assert [run.id for run in (*first, *second, *third)] == names[::-1]
    assert journal.runs(limit=0) == []


def test_runs_are_filtered_by_status(journal: Journal) -> None:
    """Before the limit is counted."""
    for number, status in enumerate((RunStatus.RUNNING, RunStatus.FAILED, RunStatus.RUNNING, RunStatus.SUCCEEDED)):
        name = RunId(f"{number:012x}")
        journal.create_run(name, SOURCE)
        append(journal, journal.acquire_lease(name, FIRST), status)

    running = journal.runs(statuses=[RunStatus.RUNNING], limit=2)

    assert [run.id for run in running] == ["000000000002", "000000000000"]
    assert len(journal.runs(statuses=[RunStatus.RUNNING, RunStatus.FAILED])) == 3
    assert journal.runs(statuses=[RunStatus.CANCELLED]) == []


def test_a_leased_run_is_refused_to_others(journal: Journal, run: RunId) -> None:
    """And the refusal names who has it."""
    lease = journal.acquire_lease(run, FIRST, 30.0)

    with pytest.raises(LeaseHeldError, match="process 4711 on lab-1"):
        journal.acquire_lease(run, SECOND)

    assert (lease.run_id, lease.owner, lease.token) == (run, FIRST, 1)
    record = journal.run(run)
    assert (record.owner, record.token, record.lease_left, record.is_owned) == (FIRST, 1, 30.0, True)


def test_a_run_can_be_taken_over_after_its_lease_has_ended(journal: Journal, run: RunId, clock: FakeClock) -> None:
    """A worker that dies does not hold its run for ever."""
    journal.acquire_lease(run, FIRST, 30.0)
    clock.advance(30.0)
    assert not journal.run(run).is_owned

    lease = journal.acquire_lease(run, SECOND, 30.0)

    assert (lease.owner, lease.token) == (SECOND, 2)


def test_a_run_of_a_dead_worker_can_be_taken_over_at_once(
    journal: Journal, run: RunId, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is known that it is dead, nobody waits."""
    journal.acquire_lease(run, FIRST, 30.0)
    monkeypatch.setattr(Owner, "is_dead", lambda self: self == FIRST)
    assert not journal.run(run).is_owned

    assert journal.acquire_lease(run, SECOND).token == 2
    assert journal.run(run).is_owned


def test_a_renewed_lease_counts_from_now(journal: Journal, run: RunId, clock: FakeClock) -> None:
    """A worker that is heard of keeps its run."""
    lease = journal.acquire_lease(run, FIRST, 30.0)
    clock.advance(20.0)
    journal.renew_lease(lease, 30.0)
    clock.advance(20.0)

    with pytest.raises(LeaseHeldError):
        journal.acquire_lease(run, SECOND)
    assert journal.run(run).lease_left == pytest.approx(10.0)


def test_a_lease_can_be_renewed_after_its_end_if_nobody_took_over(
    journal: Journal, run: RunId, clock: FakeClock
) -> None:
    """A machine that slept goes on."""
    lease = journal.acquire_lease(run, FIRST, 30.0)
    clock.advance(3600.0)
    append(journal, lease)

    journal.renew_lease(lease, 30.0)

    assert journal.run(run).is_owned


def test_a_worker_that_was_replaced_is_shut_out(journal: Journal, run: RunId, clock: FakeClock) -> None:
    """It can neither keep the run nor write about it, whatever it missed."""
    stale = journal.acquire_lease(run, FIRST, 30.0)
    clock.advance(30.0)
    lease = journal.acquire_lease(run, SECOND, 30.0)

    with pytest.raises(LeaseLostError, match="process 4712 on lab-2"):
        journal.renew_lease(stale)
    for status in (None, RunStatus.FAILED):
        with pytest.raises(LeaseLostError):
            append(journal, stale, status)

    assert journal.head(run)[0] == 0
    assert journal.run(run).status is RunStatus.PENDING
    append(journal, lease)


def test_a_worker_that_was_replaced_releases_nothing(journal: Journal, run: RunId, clock: FakeClock) -> None:
    """The run belongs to the other one."""
    stale = journal.acquire_lease(run, FIRST, 30.0)
    clock.advance(30.0)
    journal.acquire_lease(run, SECOND, 30.0)

    journal.release_lease(stale)

    assert journal.run(run).owner == SECOND
    assert journal.run(run).is_owned


def test_a_released_run_is_free_at_once(journal: Journal, run: RunId) -> None:
    """And its token still grows with the next worker."""
    lease = journal.acquire_lease(run, FIRST, 30.0)
    journal.release_lease(lease)
    journal.release_lease(lease)
    assert journal.run(run).owner is None

    assert journal.acquire_lease(run, SECOND).token == 2


def test_frames_come_back_as_they_were_written(journal: Journal, run: RunId, opener: Opener) -> None:
    """In order, to whoever opens the journal, and more of them than are read in one go."""
    lease = journal.acquire_lease(run, FIRST)
    written, last = [], Frame(0, "", journal.head(run)[1])
    for number in range(1, 1102):
        last = Frame.after(last.number, last.digest, events(number))
        journal.append(lease, last)
        written.append(last)

    with opener() as other:
        assert list(other.frames(run)) == written
        assert list(other.frames(run, after=1099)) == written[1099:]
        assert list(other.frames(run, after=1101)) == []
        assert other.head(run) == (last.number, last.digest)


def test_the_chain_of_a_run_begins_with_what_it_is_about(journal: Journal, run: RunId) -> None:
    """And is whole from there to its head."""
    assert journal.head(run) == (0, first_digest(run, SOURCE.to_text()))
    assert journal.run(run).digest == first_digest(run, SOURCE.to_text())
    lease = journal.acquire_lease(run, FIRST)
    for _ in range(3):
        append(journal, lease)

    state = read_state(journal, run)

    assert (state.frames, state.digest) == journal.head(run)


def test_the_frames_of_one_run_are_not_those_of_another(journal: Journal) -> None:
    """However many there are."""
    for name in ("a", "b", "c"):
        lease = journal.acquire_lease(journal.create_run(RunId(name), SOURCE).id, FIRST)
        for _ in range(3):
            append(journal, lease)

    assert [frame.number for frame in journal.frames("b")] == [1, 2, 3]


def test_a_frame_cannot_be_written_twice(journal: Journal, run: RunId) -> None:
    """With a status or without, and the journal goes on afterwards."""
    lease = journal.acquire_lease(run, FIRST)
    frame = append(journal, lease)

    for status in (None, RunStatus.RUNNING):
        with pytest.raises(JournalError, match="already has a frame 1"):
            journal.append(lease, frame, status)

    assert journal.run(run).status is RunStatus.PENDING
    assert append(journal, lease).number == 2


def test_a_status_comes_with_its_frame(journal: Journal, run: RunId, clock: FakeClock) -> None:
    """Only a final one ends the run."""
    lease = journal.acquire_lease(run, FIRST)
    for status in RunStatus:
        if status not in ENDED:
            append(journal, lease, status)
            assert (journal.run(run).status, journal.run(run).ended_at) == (status, None)
    clock.advance(12.5)

    append(journal, lease, RunStatus.ROLLED_BACK)

    record = journal.run(run)
    assert (record.status, record.ended_at) == (RunStatus.ROLLED_BACK, clock.now())
    assert record.ended_at == record.created_at + timedelta(seconds=12.5)


@pytest.mark.parametrize("status", sorted(ENDED))
def test_the_end_of_a_run_is_final(journal: Journal, run: RunId, status: RunStatus) -> None:
    """Nothing is added, whoever has it, and nobody can stop it any more."""
    lease = journal.acquire_lease(run, FIRST)
    append(journal, lease, status)

    for again in (None, RunStatus.RUNNING):
        with pytest.raises(RunEndedError, match=str(status)):
            append(journal, lease, again)
    with pytest.raises(RunEndedError):
        journal.request_cancel(run, "ada")

    assert journal.head(run)[0] == 1
    assert (journal.run(run).status, journal.run(run).cancellation) == (status, None)


def test_who_asks_first_for_a_run_to_be_stopped_is_noted(journal: Journal, run: RunId, clock: FakeClock) -> None:
    """Whoever asks later changes nothing."""
    asked_at = clock.now()
    first = journal.request_cancel(run, "ada@lab (pid 1)")
    clock.advance(5.0)

    second = journal.request_cancel(run, "bob@lab (pid 2)")

    assert first == second == journal.run(run)
    assert first.cancellation is not None
    assert (first.cancellation.by, first.cancellation.requested_at) == ("ada@lab (pid 1)", asked_at)


def test_a_run_can_be_forgotten(journal: Journal, run: RunId) -> None:
    """With all that was written about it, and the others stay."""
    other = journal.create_run(RunId("other"), SOURCE).id
    for name in (run, other):
        lease = journal.acquire_lease(name, FIRST)
        append(journal, lease)
        journal.release_lease(lease)

    journal.delete_run(run)

    with pytest.raises(RunNotFoundError):
        journal.run(run)
    assert len(list(journal.frames(other))) == 1
    assert journal.create_run(run, SOURCE).status is RunStatus.PENDING
    assert list(journal.frames(run)) == []


def test_a_run_that_somebody_works_on_is_not_forgotten(journal: Journal, run: RunId, clock: FakeClock) -> None:
    """Until its lease has ended; then its worker can write no more."""
    lease = journal.acquire_lease(run, FIRST, 30.0)
    with pytest.raises(LeaseHeldError):
        journal.delete_run(run)
    clock.advance(30.0)

    journal.delete_run(run)

    with pytest.raises(RunNotFoundError):
        journal.append(lease, Frame.after(0, b"", "[]"))


def test_threads_write_at_the_same_time(journal: Journal, opener: Opener) -> None:
    """Each about its own run, two through one journal and two through another; nothing is lost or mixed."""
    with opener() as other:
        leases = {name: journal.acquire_lease(journal.create_run(RunId(name), SOURCE).id, FIRST) for name in "abcd"}
        barrier = threading.Barrier(len(leases))

        def work(name: str) -> list[Frame]:
            barrier.wait(timeout=10)
            store = journal if name in "ab" else other
            return [append(store, leases[name]) for _ in range(25)]

        with ThreadPoolExecutor(len(leases)) as pool:
            written = dict(zip(leases, pool.map(work, leases), strict=True))

    for name, frames in written.items():
        assert list(journal.frames(name)) == frames
        assert read_state(journal, name).frames == 25


def test_of_workers_who_want_a_run_at_once_one_gets_it(journal: Journal, opener: Opener, run: RunId) -> None:
    """And the others are told."""
    with opener() as other:
        barrier = threading.Barrier(6)

        def claim(number: int) -> bool:
            barrier.wait(timeout=10)
            try:
                (journal if number % 2 else other).acquire_lease(run, Owner(host="lab", pid=number))
            except LeaseHeldError:
                return False
            return True

        with ThreadPoolExecutor(6) as pool:
            won = list(pool.map(claim, range(6)))

    assert won.count(True) == 1
    assert journal.run(run).token == 1


def test_a_takeover_comes_before_an_append_or_after_it(journal: Journal, opener: Opener, run: RunId) -> None:
    """What a replaced worker wrote was there when the next one looked at the head."""
    with opener() as other:
        stale = journal.acquire_lease(run, FIRST, 0.0)
        barrier = threading.Barrier(2)

        def write() -> int:
            barrier.wait(timeout=10)
            for number in range(200):
                try:
                    append(journal, stale)
                except LeaseLostError:
                    return number
            return 200

        def take_over() -> int:
            barrier.wait(timeout=10)
            other.acquire_lease(run, SECOND)
            return other.head(run)[0]

        with ThreadPoolExecutor(2) as pool:
            written, seen = pool.submit(write), pool.submit(take_over)

    assert written.result() == seen.result() == journal.head(run)[0]


def test_a_journal_can_be_closed_twice(opener: Opener) -> None:
    """As a context, and once more."""
    with opener() as journal:
        journal.close()
    journal.close()
