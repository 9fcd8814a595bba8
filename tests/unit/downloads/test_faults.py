"""What fails on the way to a file, and what is done about it."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.utils import format_datetime

import pytest

from synapse_sdk.downloads import HttpReader
from synapse_sdk.errors import (
    ConfigurationError,
    DownloadDeniedError,
    DownloadError,
    DownloadUnavailableError,
    FileGoneError,
)
from synapse_sdk.retry import RetryPolicy
from synapse_sdk.testing import FakeClock
from synapse_sdk.testing.fault_proxy import FaultProxy
from synapse_sdk.testing.faults import OK, Blackhole, CutDownload, Fault, LostReply, Reset, Slow, Status
from tests.unit.downloads.web import Reply, WebServer, at_once, serving
from tests.unit.steps.scripted import HeldClock

BEYOND = "Thu, 01 Jan 2026 00:00:00 +9999999999999"
SAME = {"ETag": '"1"', "Accept-Ranges": "bytes"}


@pytest.fixture
def server() -> Iterator[WebServer]:
    """Give a server of one file."""
    with serving(Reply(body=b"meow", headers=SAME)) as server:
        yield server


@pytest.fixture
def proxy(server: WebServer) -> Iterator[FaultProxy]:
    """Give a network that fails on the way to it."""
    with FaultProxy("127.0.0.1", server.port) as proxy:
        yield proxy


def read(reader: HttpReader, url: str) -> bytes:
    """Return a whole file."""
    return b"".join(reader.stream(url))


@pytest.mark.parametrize(
    "fault", [Reset(), LostReply(), Status(503), Status(500), Status(429, html=False), Status(408)]
)
def test_what_passes_is_tried_again(proxy: FaultProxy, fault: Fault) -> None:
    """With pauses that grow; a page in HTML is never taken for the file."""
    proxy.faults([fault, fault])
    clock = HeldClock()
    retries = RetryPolicy(max_attempts=3, delay=2.0, jitter=0.0)
    with HttpReader(allows_private=True, retries=retries, clock=clock) as reader:
        assert read(reader, f"{proxy.url}/cat.jpg") == b"meow"

    assert clock.pauses == [2.0, 4.0]


@pytest.mark.parametrize("fault", [Reset(), LostReply(), Status(502), Status(425), Status(599)])
def test_what_does_not_pass_is_an_error_in_the_end(proxy: FaultProxy, fault: Fault) -> None:
    """After as many tries as the policy allows."""
    proxy.faults(fault)
    with (
        HttpReader(allows_private=True, retries=at_once(4)) as reader,
        pytest.raises(DownloadUnavailableError) as caught,
    ):
        read(reader, f"{proxy.url}/cat.jpg")

    assert len(proxy.requests) == 4
    assert caught.value.transient
    assert f"'{proxy.url}/cat.jpg'" in str(caught.value)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, DownloadError),
        (401, DownloadDeniedError),
        (403, DownloadDeniedError),
        (404, FileGoneError),
        (405, DownloadError),
        (410, FileGoneError),
        (422, DownloadError),
    ],
)
def test_what_will_not_pass_is_asked_for_once(proxy: FaultProxy, status: int, kind: type[DownloadError]) -> None:
    """The answer would be the same."""
    proxy.faults(Status(status, retry_after=1))
    with HttpReader(allows_private=True, retries=at_once(4)) as reader, pytest.raises(kind) as caught:
        read(reader, f"{proxy.url}/cat.jpg")

    assert len(proxy.requests) == 1
    assert (type(caught.value), caught.value.transient) == (kind, False)
    assert f"The server answered {status}" in str(caught.value)


@pytest.mark.parametrize("status", [201, 204, 206, 304])
def test_an_answer_that_is_no_file_is_an_error(status: int) -> None:
    """Nor part of one that nobody asked for."""
    headers = {"Content-Length": "0", "Content-Range": "bytes 0-3/9"}
    with (
        serving(Reply(status=status, headers=headers)) as server,
        HttpReader(allows_private=True) as reader,
        pytest.raises(DownloadError, match=f"The server answered {status}"),
    ):
        read(reader, server.url())


def test_a_refused_connection_is_tried_again() -> None:
    """Nobody listens at a port that was just given back."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    clock = HeldClock()
    with (
        HttpReader(allows_private=True, retries=RetryPolicy(jitter=0.0), clock=clock) as reader,
        pytest.raises(DownloadUnavailableError, match=r"It cannot be reached \(.*refused"),
    ):
        read(reader, f"http://127.0.0.1:{port}/cat.jpg")

    assert clock.pauses == [0.5, 1.0]


def test_the_server_says_when_to_come_again(proxy: FaultProxy) -> None:
    """In seconds."""
    proxy.faults([Status(429, retry_after=7), Status(503, retry_after=0)])
    clock = HeldClock()
    with HttpReader(allows_private=True, retries=RetryPolicy(jitter=0.0), clock=clock) as reader:
        assert read(reader, f"{proxy.url}/cat.jpg") == b"meow"

    assert clock.pauses == [7.0, 1.0]


def test_the_server_says_at_which_time_to_come_again() -> None:
    """As a date."""
    clock = HeldClock()
    later = format_datetime(clock.now() + timedelta(seconds=9), usegmt=True)
    past = format_datetime(clock.now() - timedelta(days=1), usegmt=True)
    replies = [Reply(status=503, headers={"Retry-After": text}) for text in (later, past, "soon", BEYOND)]
    with serving(*replies, Reply(body=b"meow")) as server:
        retries = RetryPolicy(max_attempts=5, jitter=0.0)
        with HttpReader(allows_private=True, retries=retries, clock=clock) as reader:
            assert read(reader, server.url()) == b"meow"

    assert clock.pauses == [9.0, 1.0, 2.0, 4.0]


def test_a_server_that_wants_a_long_pause_is_left_alone(proxy: FaultProxy) -> None:
    """To come earlier than it asks for helps nobody; the caller may know what to do meanwhile."""
    proxy.faults(Status(429, retry_after=31))
    with (
        HttpReader(allows_private=True, retries=RetryPolicy()) as reader,
        pytest.raises(DownloadUnavailableError) as caught,
    ):
        read(reader, f"{proxy.url}/cat.jpg")

    assert (len(proxy.requests), caught.value.retry_after) == (1, 31.0)
    assert "Try again in 31 seconds" in str(caught.value)


def test_a_pause_that_outlasts_the_deadline_is_not_made(proxy: FaultProxy) -> None:
    """What would come after it is known."""
    proxy.faults(Status(503))
    clock = HeldClock()
    retries = RetryPolicy(max_attempts=9, delay=4.0, factor=1.0, jitter=0.0)
    with (
        HttpReader(allows_private=True, retries=retries, total_timeout=10.0, clock=clock) as reader,
        pytest.raises(DownloadUnavailableError, match="The server answered 503"),
    ):
        read(reader, f"{proxy.url}/cat.jpg")

    assert clock.pauses == [4.0, 4.0]


def test_the_policy_of_the_caller_has_the_last_word(proxy: FaultProxy) -> None:
    """It may not want to try again at all."""
    proxy.faults(Status(503))
    retries = RetryPolicy(max_attempts=9, delay=0.0, retry_on=lambda _: False)
    with HttpReader(allows_private=True, retries=retries) as reader, pytest.raises(DownloadUnavailableError):
        read(reader, f"{proxy.url}/cat.jpg")

    assert len(proxy.requests) == 1


def test_a_server_that_falls_silent_is_not_waited_for(proxy: FaultProxy) -> None:
    """Nor for ever, and it gets another chance."""
    proxy.faults([Blackhole(), OK])
    with HttpReader(allows_private=True, retries=at_once(9), stall_timeout=0.3) as reader:
        assert read(reader, f"{proxy.url}/cat.jpg") == b"meow"

    assert proxy.requests[0].fault == Blackhole()


def test_a_body_that_stands_still_is_an_error() -> None:
    """Half a file is not waited for longer than an answer."""
    with (
        serving(Reply(body=b"meow" * 9, cut_at=9, hangs=True)) as server,
        HttpReader(allows_private=True, stall_timeout=0.3) as reader,
    ):
        pieces = reader.stream(server.url())
        assert next(pieces) == b"meowmeowm"
        with pytest.raises(DownloadUnavailableError, match=r"Nothing came for 0\.3 seconds"):
            next(pieces)


def test_a_dribble_is_a_file_as_long_as_it_comes(proxy: FaultProxy) -> None:
    """Slow is not silent."""
    proxy.faults(Slow(10_000))
    with HttpReader(allows_private=True, retries=at_once(1)) as reader:
        assert read(reader, f"{proxy.url}/cat.jpg") == b"meow"


def test_a_dribble_ends_with_the_deadline() -> None:
    """A server may not keep us by sending a byte now and then."""
    clock = FakeClock()
    dribble: list[bytes | Callable[[], object]]
    dribble = [b"m", lambda: clock.advance(200.0), b"e", lambda: clock.advance(200.0), b"o", b"w"]
    with (
        serving(Reply(pieces=dribble, headers={"Content-Length": "4"})) as server,
        HttpReader(allows_private=True, clock=clock) as reader,
        pytest.raises(DownloadUnavailableError, match="It took longer than 300 seconds"),
    ):
        read(reader, server.url())

    assert len(server.asked) == 1


def test_an_answer_that_dribbles_ends_with_the_deadline() -> None:
    """Its headers, too."""
    clock = FakeClock()
    dribble: list[bytes | Callable[[], object]]
    dribble = [b"HTTP/1.1 200 OK\r\n", lambda: clock.advance(400.0), b"Content-Length: 4\r\n\r\nmeow"]
    with (
        serving(Reply(pieces=dribble, has_head=False)) as server,
        HttpReader(allows_private=True, clock=clock) as reader,
        pytest.raises(DownloadUnavailableError, match="It took longer than 300 seconds"),
    ):
        read(reader, server.url())


def test_what_the_caller_does_between_pieces_does_not_count() -> None:
    """Whoever writes slowly has not waited for the server."""
    clock = FakeClock()
    with serving(Reply(body=bytes(1_000_000))) as server, HttpReader(allows_private=True, clock=clock) as reader:
        size = 0
        for piece in reader.stream(server.url()):
            clock.advance(1000.0)
            size += len(piece)

    assert size == 1_000_000


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=b"meow", cut_at=2),
        Reply(pieces=[b"4\r\nmeow\r\n"], headers={"Transfer-Encoding": "chunked"}),
        Reply(pieces=[b"4\r\nme"], headers={"Transfer-Encoding": "chunked"}),
        Reply(pieces=[b"zz\r\nmeow"], headers={"Transfer-Encoding": "chunked"}),
    ],
)
def test_a_body_that_ends_early_is_noticed(reply: Reply) -> None:
    """Half a file never passes for a whole one."""
    with (
        serving(reply) as server,
        HttpReader(allows_private=True, retries=at_once()) as reader,
        pytest.raises(DownloadUnavailableError, match="The connection ended before the file did"),
    ):
        read(reader, server.url())


def test_a_cut_body_is_gone_on_with(proxy: FaultProxy) -> None:
    """Though here the server sends it from the beginning again."""
    proxy.faults([CutDownload(1), CutDownload(2)])
    with HttpReader(allows_private=True, retries=at_once()) as reader:
        assert read(reader, f"{proxy.url}/cat.jpg") == b"meow"


def test_bytes_are_counted_as_they_come() -> None:
    """What a server says of the size may be wrong, or missing."""
    body = [b"4\r\nmeow\r\n"] * 5
    headers = {"Transfer-Encoding": "chunked"}
    with (
        serving(Reply(pieces=[*body, b"0\r\n\r\n"], headers=headers)) as server,
        HttpReader(allows_private=True) as reader,
    ):
        assert b"".join(reader.stream(server.url(), most_bytes=20)) == b"meow" * 5
        pieces = reader.stream(server.url(), most_bytes=19)
        with pytest.raises(DownloadError, match="It has more than 19 bytes") as caught:
            list(pieces)

    assert not caught.value.transient


def test_a_file_that_is_announced_as_too_large_is_not_read() -> None:
    """Not a byte of it."""
    with serving(Reply(body=b"meow")) as server, HttpReader(allows_private=True) as reader:
        pieces = reader.stream(server.url(), most_bytes=3)
        with pytest.raises(DownloadError, match="It has more than 3 bytes"):
            next(pieces)


def test_a_compressed_body_is_refused() -> None:
    """Its bytes are not those of the file, and may be more than anybody has room for."""
    with (
        serving(Reply(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})) as server,
        HttpReader(allows_private=True) as reader,
        pytest.raises(DownloadError, match="It was sent compressed"),
    ):
        read(reader, server.url())


def test_an_empty_file_is_a_file() -> None:
    """Of no pieces."""
    with serving(Reply()) as server, HttpReader(allows_private=True) as reader:
        assert list(reader.stream(server.url(), most_bytes=0)) == []


def test_a_reader_serves_many_threads_over_few_connections() -> None:
    """Connections are used again, and no thread closes one that another has begun to use."""
    body = bytes(range(256)) * 400
    with serving(Reply(body=body)) as server, HttpReader(allows_private=True, max_connections=2) as reader:
        with ThreadPoolExecutor(8) as threads:
            files = list(threads.map(lambda number: read(reader, server.url(f"/{number}")), range(40)))

        assert files == [body] * 40
        assert len(server.asked) == 40  # none was asked for twice
        assert server.connections < 20


def test_who_stops_early_gives_the_connection_back() -> None:
    """The next one does not wait for it."""
    with (
        serving(Reply(body=bytes(1_000_000))) as server,
        HttpReader(allows_private=True, max_connections=1, total_timeout=5.0) as reader,
    ):
        for _ in range(3):
            pieces = reader.stream(server.url())
            assert next(pieces)
            pieces.close()


def test_no_connection_is_free_for_too_long() -> None:
    """Waiting for one ends with the deadline, too."""
    with (
        serving(Reply(body=bytes(10_000_000))) as server,
        HttpReader(
            allows_private=True, max_connections=1, total_timeout=0.5, retries=at_once(1), clock=FakeClock()
        ) as reader,
    ):
        pieces = reader.stream(server.url())
        assert next(pieces)
        with pytest.raises(DownloadUnavailableError, match="All 1 connections were in use"):
            read(reader, server.url())
        pieces.close()


def test_a_reader_can_be_closed_twice(server: WebServer) -> None:
    """And makes new connections if it is used again."""
    reader = HttpReader(allows_private=True)
    reader.close()
    assert read(reader, server.url()) == b"meow"
    reader.close()
    reader.close()


@pytest.mark.parametrize("name", ["connect_timeout", "stall_timeout", "total_timeout", "max_connections"])
@pytest.mark.parametrize("number", [0, -1, float("nan")])
def test_a_limit_is_more_than_nothing(name: str, number: float) -> None:
    """No limit that lets nothing through."""
    with pytest.raises(ConfigurationError, match=f"HttpReader got {name}={number!r}"):
        HttpReader(**{name: number})  # type: ignore[arg-type]  # max_connections is an int
