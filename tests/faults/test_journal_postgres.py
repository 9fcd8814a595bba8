"""The journal in PostgreSQL while its server dies, its sessions are ended, and answers get lost (F13)."""

import itertools
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from synapse_sdk.errors import ConfigurationError, JournalBusyError, JournalError, JournalVersionError, RunNotFoundError
from synapse_sdk.journal import Frame, Lease, Owner, RunId, RunSource, open_journal, read_state
from synapse_sdk.journal.postgres import PostgresJournal
from synapse_sdk.reporting.events import RunStatus
from synapse_sdk.retry import RetryPolicy
from tests.conformance.postgres_server import PostgresServer, postgres_server

pytestmark = pytest.mark.full

SOURCE = RunSource(plugin="", action="greet")
OWNER = Owner(host="lab", pid=1)
RUN = RunId("7f3a00112233")
PATIENCE = RetryPolicy(max_attempts=60, delay=0.02, max_delay=0.5)
SCHEMAS = itertools.count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server that these tests may kill."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def url(server: PostgresServer) -> str:
    """Where an empty journal can be made."""
    return f"{server.url}?schema=f{next(SCHEMAS)}"


@pytest.fixture
def journal(url: str) -> Iterator[PostgresJournal]:
    """A journal that does not give up while a server starts anew."""
    with PostgresJournal(url, patience=PATIENCE) as journal:
        yield journal


@pytest.fixture
def lease(journal: PostgresJournal) -> Lease:
    """The right to write about a new run."""
    journal.create_run(RUN, SOURCE)
    return journal.acquire_lease(RUN, OWNER)


def append(journal: PostgresJournal, lease: Lease, count: int, *, pause: float = 0.0) -> list[Frame]:
    """Append frames, and return those that were acknowledged: all."""
    written = []
    number, digest = journal.head(lease.run_id)
    for _ in range(count):
        frame = Frame.after(number, digest, f'[{{"type":"Tick","at":{number}}}]')
        journal.append(lease, frame)
        written.append(frame)
        number, digest = frame.number, frame.digest
        time.sleep(pause)
    return written


@contextmanager
def meanwhile(act: Callable[[threading.Event], None]) -> Iterator[None]:
    """Do something in another thread until the block is left."""
    end = threading.Event()
    thread = threading.Thread(target=act, args=(end,))
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join(timeout=60)
    assert not thread.is_alive()


def test_sessions_that_are_ended_lose_and_double_no_frame(
    journal: PostgresJournal, lease: Lease, server: PostgresServer
) -> None:
    """The administrator ends every session again and again while a worker writes."""
    ended = 0

    def end_sessions(end: threading.Event) -> None:
        nonlocal ended
        with psycopg.connect(server.url, autocommit=True) as admin:
            while not end.wait(0.02):
                query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'synapse'"
                ended += len(admin.execute(query).fetchall())

    with meanwhile(end_sessions):
        written = append(journal, lease, 150)

    assert ended > 0
    assert list(journal.frames(RUN)) == written
    assert read_state(journal, RUN).frames == 150


def test_a_server_that_is_killed_and_started_anew_loses_and_doubles_no_frame(
    journal: PostgresJournal, lease: Lease, server: PostgresServer
) -> None:
    """By SIGKILL, in the midst of writing; what was acknowledged is there once."""
    deaths = 0

    def crash(end: threading.Event) -> None:
        nonlocal deaths
        while deaths < 2 and not end.wait(0.1):
            server.kill()
            server.start()
            deaths += 1

    with meanwhile(crash):
        written = append(journal, lease, 300, pause=0.005)

    assert deaths > 0
    assert list(journal.frames(RUN)) == written


class Wire:
    """A connection to a server, as a proxy: on request the next answer is lost, after the server has acted."""

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self.port = int(self._listener.getsockname()[1])
        self.is_losing = False
        self.losses = 0

    def run(self, end: threading.Event) -> None:
        """Pass bytes on, until the end."""
        with self._listener:
            while not end.is_set():
                with suppress(OSError):  # nobody came, or one of the two has gone
                    self._serve_one(end)

    def _serve_one(self, end: threading.Event) -> None:
        client, _ = self._listener.accept()
        with client, socket.create_connection(("127.0.0.1", self._upstream)) as server:
            self._pass_on(client, server, end)

    def _pass_on(self, client: socket.socket, server: socket.socket, end: threading.Event) -> None:
        while not end.is_set():
            ready, _, _ = select.select([client, server], [], [], 0.05)
            for source, target in ((client, server), (server, client)):
                if source not in ready:
                    continue
                data = source.recv(65536)
                if not data:
                    return
                if source is server and self.is_losing:
                    self.is_losing = False
                    self.losses += 1
                    return
                target.sendall(data)


@pytest.fixture
def wire(server: PostgresServer) -> Iterator[Wire]:
    """A wire to the server."""
    wire = Wire(server.port)
    with meanwhile(wire.run):
        yield wire


@pytest.fixture
def far_journal(url: str, server: PostgresServer, wire: Wire) -> Iterator[PostgresJournal]:
    """The journal, at the other end of the wire."""
    far = url.replace(f":{server.port}/", f":{wire.port}/")
    with PostgresJournal(far, patience=RetryPolicy(max_attempts=3, delay=0.01)) as journal:
        yield journal


@pytest.mark.parametrize("status", [None, RunStatus.SUCCEEDED])
def test_a_frame_whose_answer_was_lost_is_there_once(
    journal: PostgresJournal, lease: Lease, far_journal: PostgresJournal, wire: Wire, status: RunStatus | None
) -> None:
    """The connection goes after the commit: it is looked for before it is written again."""
    first = append(far_journal, lease, 1)
    wire.is_losing = True
    second = Frame.after(first[0].number, first[0].digest, "[]")

    far_journal.append(lease, second, status)

    assert wire.losses == 1
    assert list(journal.frames(RUN)) == [*first, second]
    assert journal.run(RUN).status is (status or RunStatus.PENDING)


def test_a_creation_whose_answer_was_lost_is_no_duplicate(far_journal: PostgresJournal, wire: Wire) -> None:
    """It is told from somebody else's."""
    wire.is_losing = True

    assert far_journal.create_run(RUN, SOURCE).status is RunStatus.PENDING

    assert wire.losses == 1
    with pytest.raises(JournalError, match="already a run"):
        far_journal.create_run(RUN, SOURCE)


@pytest.mark.parametrize("answers", [0, 1, 2, 3])
def test_a_lease_whose_answer_was_lost_is_ones_own(
    far_journal: PostgresJournal, wire: Wire, answers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever answer of the transaction it was."""
    far_journal.create_run(RUN, SOURCE)
    execute, count = psycopg.Connection.execute, itertools.count()

    def lossy(self: psycopg.Connection, *args: Any, **options: Any) -> Any:  # noqa: ANN401  # as they were given
        wire.is_losing = next(count) == answers
        return execute(self, *args, **options)

    monkeypatch.setattr(psycopg.Connection, "execute", lossy)
    lease = far_journal.acquire_lease(RUN, OWNER)
    monkeypatch.undo()
    wire.is_losing = False

    append(far_journal, lease, 1)
    assert far_journal.run(RUN).owner == OWNER


def test_a_run_whose_deletion_was_not_answered_is_gone(far_journal: PostgresJournal, wire: Wire) -> None:
    """And deleting it is no error."""
    far_journal.create_run(RUN, SOURCE)
    wire.is_losing = True

    far_journal.delete_run(RUN)

    with pytest.raises(RunNotFoundError):
        far_journal.run(RUN)


def test_a_transaction_that_an_interrupt_left_open_is_not_built_upon(
    journal: PostgresJournal, lease: Lease, url: str
) -> None:
    """Within it nothing would ever be committed."""
    assert journal._connection is not None  # noqa: SLF001  # the state in which an interrupt can leave it
    journal._connection.execute("BEGIN")  # noqa: SLF001

    written = append(journal, lease, 1)

    with open_journal(url) as other:
        assert list(other.frames(RUN)) == written


def test_a_server_that_is_not_there_is_named_without_the_password(server: PostgresServer) -> None:
    """Neither in the message nor in its cause."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    place = urlsplit(server.url)._replace(netloc=f"ada:hunter2@127.0.0.1:{port}").geturl()

    with pytest.raises(JournalError) as caught:
        PostgresJournal(place)

    assert f"database 'postgres' at 127.0.0.1:{port}" in str(caught.value)
    assert "hunter2" not in f"{caught.value!s} {caught.value.__cause__!s} {caught.value.where}"


def test_a_server_that_does_not_come_back_is_an_error_in_time(server: PostgresServer, wire: Wire) -> None:
    """After so many tries, and it is the same journal once the server is there."""
    far = server.url.replace(f":{server.port}/", f":{wire.port}/") + f"?schema=f{next(SCHEMAS)}"
    with PostgresJournal(far, patience=RetryPolicy(max_attempts=3, delay=0.01)) as journal:
        journal.create_run(RUN, SOURCE)
        server.kill()
        with pytest.raises(JournalError, match="cannot be used"):
            journal.run(RUN)
        server.start()

        assert journal.run(RUN).source == SOURCE


def test_the_url_of_a_journal_holds_no_password(url: str) -> None:
    """And opens it where none is needed."""
    given = url.replace("postgres@", "postgres:hun%40ter@") + "&password=hunter2"

    with PostgresJournal(given) as journal, open_journal(journal.url) as other:
        assert "hunter2" not in journal.url
        assert "hun%40ter" not in journal.url
        assert other.url == journal.url


@pytest.mark.parametrize(
    "url", ["postgresql://ada:hun/ter2@lab/db", "postgresql://lab:x/db", "postgresql://lab/db?no=1"]
)
def test_a_url_that_is_not_one_is_refused_without_showing_it(url: str) -> None:
    """It may hold a password."""
    with pytest.raises(ConfigurationError) as caught:
        open_journal(url)

    assert "ter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_schema_is_a_plain_name(url: str) -> None:
    """It becomes a part of statements."""
    with pytest.raises(ConfigurationError, match="plain name"):
        PostgresJournal(f"{url};DROP")


def test_without_the_driver_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """One command."""
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(ConfigurationError, match=r"pip install 'synapse-sdk\[postgres\]'"):
        open_journal("postgresql://lab/db")


def test_a_journal_of_a_newer_version_is_refused(journal: PostgresJournal, url: str) -> None:
    """It is not touched."""
    assert journal._connection is not None  # noqa: SLF001
    journal._connection.execute("UPDATE version SET number = 99")  # noqa: SLF001

    with pytest.raises(JournalVersionError, match="schema is 99"):
        PostgresJournal(url)


def test_looking_at_a_journal_makes_none(url: str) -> None:
    """And changes none."""
    with pytest.raises(JournalError, match="There is no journal"):
        open_journal(url, read_only=True)
    with open_journal(url) as journal:
        journal.create_run(RUN, SOURCE)

    with open_journal(url, read_only=True) as journal:
        assert journal.run(RUN).source == SOURCE
        with pytest.raises(JournalError, match="cannot be written"):
            journal.acquire_lease(RUN, OWNER)


def test_many_who_open_a_new_journal_at_once_make_one(url: str) -> None:
    """The first makes the schema, and the others wait for it."""
    barrier, failures = threading.Barrier(4), []

    def open_it() -> None:
        barrier.wait(timeout=10)
        try:
            PostgresJournal(url).close()
        except JournalError as error:
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert list(map(str, failures)) == []


def test_a_run_that_another_session_keeps_locked_is_an_error_in_time(
    journal: PostgresJournal, lease: Lease, url: str
) -> None:
    """A worker that is frozen in the midst of a transaction stops nobody for ever."""
    assert journal._connection is not None  # noqa: SLF001
    journal._connection.execute("SET lock_timeout = '50ms'")  # noqa: SLF001  # instead of 10 s
    with PostgresJournal(url) as other:
        assert other._connection is not None  # noqa: SLF001
        with other._connection.transaction():  # noqa: SLF001
            other._connection.execute("SELECT 1 FROM run FOR UPDATE")  # noqa: SLF001
            with pytest.raises(JournalBusyError, match="is locked"):
                append(journal, lease, 1)

    append(journal, lease, 1)


def test_a_lease_ends_by_the_clock_of_the_server(journal: PostgresJournal, lease: Lease) -> None:
    """The clocks of workers may differ."""
    journal.renew_lease(lease, 30.0)

    assert 25.0 < journal.run(RUN).lease_left <= 30.0
