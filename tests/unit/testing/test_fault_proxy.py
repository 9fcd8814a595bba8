"""Every fault, from both sides: what the client sees, and what the server was given."""

import gc
import http.client
import json
import queue
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from synapse_sdk.testing.fault_proxy import FaultProxy
from synapse_sdk.testing.faults import (
    OK,
    Blackhole,
    CutDownload,
    CutUpload,
    Duplicate,
    Latency,
    LostReply,
    Reset,
    Slow,
    Status,
)

SOON = 5.0
"""Seconds after which a test has failed; nothing lasts nearly as long."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as the server got it."""

    method: str
    path: str
    body: bytes


class Handler(BaseHTTPRequestHandler):
    """Answers with the number of the request and what the path asks for."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _answer(self) -> None:
        early = self.path == "/early"
        number = self.server.see(Seen(self.command, self.path, b"" if early else self._body()))
        answer = b"x" * int(self.path[5:]) if self.path.startswith("/big/") else f"answer {number}".encode()
        self.send_response(413 if early else 200)
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"3\r\nabc\r\n4;note=1\r\ndefg\r\n0\r\nTrailer: 1\r\n\r\n")
            return
        if self.path != "/unstated":
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)
        if early:
            self._body()
        self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = _answer  # noqa: N815  the names are fixed by the base

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is fixed by the base
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """A real server on loopback that remembers what it was given."""

    daemon_threads = False  # closing the server waits for the handlers

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: queue.Queue[Seen] = queue.Queue()
        self._count = 0
        self._lock = threading.Lock()

    def see(self, request: Seen) -> int:
        """Remember a request and return its number."""
        with self._lock:
            self._count += 1
            self.seen.put(request)
            return self._count

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: connections are cut here on purpose."""


@pytest.fixture
def server() -> Iterator[Server]:
    """Give a running server."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(server: Server) -> Iterator[FaultProxy]:
    """Give a proxy before the server; no thread is left of it."""
    with FaultProxy("127.0.0.1", server.server_port, timeout=SOON) as proxy:
        yield proxy
    assert not [thread for thread in threading.enumerate() if "FaultProxy" in thread.name]


@contextmanager
def sent(
    proxy: FaultProxy, method: str = "GET", path: str = "/", body: bytes | Iterator[bytes] | None = None
) -> Iterator[http.client.HTTPConnection]:
    """Give a connection on which a request was sent."""
    with closing(http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=SOON)) as connection:
        connection.request(method, path, body)
        yield connection


def fetch(
    proxy: FaultProxy, method: str = "GET", path: str = "/", body: bytes | Iterator[bytes] | None = None
) -> tuple[int, bytes]:
    """Send a request and return status and body of the answer."""
    with sent(proxy, method, path, body) as connection, connection.getresponse() as response:
        return response.status, response.read()


def given(server: Server) -> list[Seen]:
    """Return what the server has been given by now."""
    return [server.seen.get_nowait() for _ in range(server.seen.qsize())]


def wait_until(condition: Callable[[], object]) -> None:
    """Return when it holds, soon."""
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def deliveries(proxy: FaultProxy) -> list[int]:
    """Return how often each request reached the server."""
    return [request.deliveries for request in proxy.requests]


@pytest.mark.parametrize("path", ["/", "/unstated"])
def test_without_a_fault_everything_passes(proxy: FaultProxy, server: Server, path: str) -> None:
    """Method, path with query, and body arrive, and the answer comes back."""
    assert fetch(proxy, "PUT", path, b"cat") == (200, b"answer 1")
    assert given(server) == [Seen("PUT", path, b"cat")]
    (request,) = proxy.requests
    assert (request.method, request.path, request.fault) == ("PUT", path, OK)
    assert (request.deliveries, request.body_bytes) == (1, 3)


def test_bodies_in_chunks_pass(proxy: FaultProxy, server: Server) -> None:
    """Both ways; the framing does not count."""
    assert fetch(proxy, "POST", "/chunked", iter([b"one", b"two" * 50_000])) == (200, b"abcdefg")
    assert given(server) == [Seen("POST", "/chunked", b"one" + b"two" * 50_000)]
    assert proxy.requests[0].body_bytes == 150_003


def test_a_large_body_passes_both_ways(proxy: FaultProxy, server: Server) -> None:
    """In many blocks."""
    assert fetch(proxy, "PUT", "/big/3000000", b"y" * 3_000_000) == (200, b"x" * 3_000_000)
    assert given(server)[0].body == b"y" * 3_000_000


def test_an_answer_without_a_body_passes(proxy: FaultProxy, server: Server) -> None:
    """HEAD states a length of which nothing comes."""
    assert fetch(proxy, "HEAD") == (200, b"")
    assert given(server) == [Seen("HEAD", "/", b"")]


def test_an_answer_that_comes_before_the_body_has_ended_passes(proxy: FaultProxy, server: Server) -> None:
    """The server has refused while the client still speaks."""
    assert fetch(proxy, "PUT", "/early", b"y" * 3_000_000) == (413, b"answer 1")
    assert given(server) == [Seen("PUT", "/early", b"")]


def test_a_client_that_asks_whether_to_go_on_is_told_so(proxy: FaultProxy, server: Server) -> None:
    """`Expect: 100-continue` is met by the proxy."""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=SOON) as client:
        client.sendall(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"cat")
        assert client.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
    assert given(server) == [Seen("PUT", "/", b"cat")]


def test_faults_come_in_order_and_then_all_is_well(proxy: FaultProxy, server: Server) -> None:
    """One request each."""
    proxy.faults([Reset(), OK, Status(503)])

    with pytest.raises(ConnectionError):
        fetch(proxy)
    assert [fetch(proxy)[0] for _ in range(3)] == [200, 503, 200]
    assert deliveries(proxy) == [0, 1, 0, 1]
    assert len(given(server)) == 2


def test_a_single_fault_comes_again_and_again(proxy: FaultProxy) -> None:
    """Until something else is said."""
    proxy.faults(Status(500))
    assert [fetch(proxy)[0] for _ in range(3)] == [500, 500, 500]

    proxy.faults([])
    assert fetch(proxy)[0] == 200


def test_reset(proxy: FaultProxy, server: Server) -> None:
    """The client is reset, the server hears nothing."""
    proxy.faults(Reset())
    with pytest.raises(ConnectionResetError):
        fetch(proxy)
    assert given(server) == []
    assert deliveries(proxy) == [0]


def test_blackhole(proxy: FaultProxy, server: Server) -> None:
    """The client waits until it gives up, the server hears nothing."""
    proxy.faults(Blackhole())
    with sent(proxy, "PUT", "/", b"cat") as connection:
        connection.sock.settimeout(0.05)
        with pytest.raises(TimeoutError):
            connection.getresponse()
    assert given(server) == []
    assert deliveries(proxy) == [0]


def test_closing_ends_what_still_waits(server: Server) -> None:
    """A blackholed client and an idle one are let go, the port refuses, the thread is gone."""
    threads = threading.active_count()
    with FaultProxy("127.0.0.1", server.server_port) as proxy:
        proxy.faults(Blackhole())
        address = ("127.0.0.1", proxy.port)
        idle, client = (socket.create_connection(address, timeout=SOON) for _ in range(2))
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        wait_until(lambda: proxy.requests)

    with idle, client:
        assert (idle.recv(1), client.recv(1)) == (b"", b"")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=SOON)
    assert threading.active_count() == threads


@pytest.mark.parametrize("clients", range(0, 20, 4))
def test_closing_leaves_nothing_of_those_who_just_came(server: Server, clients: int) -> None:
    """Accepted or not yet, with a request or without."""
    with FaultProxy("127.0.0.1", server.server_port) as proxy:
        connections = [socket.create_connection(("127.0.0.1", proxy.port), timeout=SOON) for _ in range(clients)]
        for connection in connections[::2]:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
    for connection in connections:
        with connection, suppress(ConnectionError):
            while connection.recv(1000):
                pass
    gc.collect()  # a socket that was left open warns here
    assert len(given(server)) <= len(proxy.requests) <= clients


def test_status_as_a_page(proxy: FaultProxy, server: Server) -> None:
    """As a gateway that is overloaded sends it, for a request of any size."""
    proxy.faults(Status(503, retry_after=2.0))
    request = urllib.request.Request(proxy.url, data=b"y" * 3_000_000)  # noqa: S310  http, on loopback
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=SOON)  # noqa: S310  the same
    with caught.value as error:
        assert (error.code, error.headers["Retry-After"]) == (503, "2")
        assert error.headers["Content-Type"].startswith("text/html")
        assert b"<h1>503 Service Unavailable</h1>" in error.read()
    assert given(server) == []


def test_status_as_json(proxy: FaultProxy, server: Server) -> None:
    """As an API answers; a code without a name is one as well."""
    proxy.faults([Status(429, html=False), Status(599)])
    status, body = fetch(proxy)
    assert (status, json.loads(body)) == (429, {"detail": "Too Many Requests"})
    assert fetch(proxy)[0] == 599
    assert given(server) == []


def test_latency(proxy: FaultProxy, server: Server) -> None:
    """The answer comes, but late."""
    proxy.faults(Latency(0.05))
    before = time.monotonic()
    assert fetch(proxy) == (200, b"answer 1")
    assert time.monotonic() - before >= 0.05
    assert len(given(server)) == 1


@pytest.mark.parametrize(("path", "whole"), [("/big/1000000", 1_000_000), ("/chunked", 7)])
def test_cut_download(proxy: FaultProxy, server: Server, path: str, whole: int) -> None:
    """The client gets the first bytes and an early end, the server has done everything."""
    proxy.faults([CutDownload(3), CutDownload(0), CutDownload(whole)])
    for size in (3, 0):
        with pytest.raises(http.client.IncompleteRead) as caught:
            fetch(proxy, path=path)
        assert len(caught.value.partial) == size
    assert len(fetch(proxy, path=path)[1]) == whole
    assert len(given(server)) == 3
    assert deliveries(proxy) == [1, 1, 1]


def test_a_cut_answer_of_unstated_length_looks_whole(proxy: FaultProxy) -> None:
    """Nobody could tell."""
    proxy.faults(CutDownload(3))
    assert fetch(proxy, path="/unstated") == (200, b"ans")


def test_cut_upload(proxy: FaultProxy, server: Server) -> None:
    """The server gets the first bytes and an early end, the client a reset."""
    proxy.faults([CutUpload(1000), CutUpload(3)])
    with pytest.raises(ConnectionError):
        fetch(proxy, "PUT", "/", b"y" * 3_000_000)
    assert server.seen.get(timeout=SOON).body == b"y" * 1000
    assert (proxy.requests[0].deliveries, proxy.requests[0].body_bytes) == (0, 1000)

    assert fetch(proxy, "PUT", "/", b"cat")[0] == 200


def test_slow(proxy: FaultProxy, server: Server) -> None:
    """Both ways, heads included: 2,000 bytes of bodies at 20,000 a second are at least a tenth of a second."""
    proxy.faults(Slow(20_000))
    before = time.monotonic()
    assert fetch(proxy, "PUT", "/big/1000", b"y" * 1000) == (200, b"x" * 1000)
    assert time.monotonic() - before >= 0.1
    assert given(server) == [Seen("PUT", "/big/1000", b"y" * 1000)]


def test_lost_reply(proxy: FaultProxy, server: Server) -> None:
    """The server has acted, and the client cannot know."""
    proxy.faults([LostReply()])
    with pytest.raises(ConnectionResetError):
        fetch(proxy, "POST", "/", b"cat")
    assert given(server) == [Seen("POST", "/", b"cat")]
    assert deliveries(proxy) == [1]


@pytest.mark.parametrize("path", ["/", "/unstated", "/chunked", "/big/1000000"])
def test_duplicate(proxy: FaultProxy, server: Server, path: str) -> None:
    """The server has been given the request twice when the client has its first answer."""
    proxy.faults([Duplicate()])
    status, body = fetch(proxy, "POST", path, iter([b"one", b"two"]))
    assert (status, body[:3]) == (200, {"/chunked": b"abc", "/big/1000000": b"xxx"}.get(path, b"ans"))
    assert body[-1:] in b"1gx"  # the first answer, whole
    assert given(server) == [Seen("POST", path, b"onetwo")] * 2
    assert deliveries(proxy) == [2]


def test_duplicate_refuses_what_it_cannot_keep(proxy: FaultProxy, server: Server) -> None:
    """It says so, and delivers nothing."""
    proxy.faults(Duplicate(limit=1000))
    status, body = fetch(proxy, "PUT", "/", b"y" * 1_000_000)
    assert status == 413
    assert b"Duplicate(limit=1000)" in body
    assert given(server) == []


def test_a_server_that_is_gone_is_named() -> None:
    """With 502, not with a fault that nobody asked for."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    with FaultProxy("127.0.0.1", port) as proxy:
        status, body = fetch(proxy, "PUT", "/", b"y" * 1_000_000)
    assert status == 502
    assert f"cannot connect to the server at 127.0.0.1:{port}".encode() in body


@pytest.mark.parametrize(
    ("words", "status", "reason"),
    [
        (b"\x16\x03\x01", 400, b"no TLS"),
        (b"hello\r\n\r\n", 400, b"not a request of HTTP/1: 'hello'"),
        (b"PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400, b"Content-Length is '-1'"),
        (b"PUT / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400, b"where the body ends"),
        (b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", 400, b"a chunk begins with b'-1"),
        (b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxy\r\n", 400, b"a chunk begins with b'xy"),
        (b"GET / HTTP/1.1\r\nName: " + b"x" * 100_000 + b"\r\n\r\n", 431, b"longer than 65536 bytes"),
    ],
)
def test_what_is_no_request_is_refused(proxy: FaultProxy, words: bytes, status: int, reason: bytes) -> None:
    """With the reason."""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=SOON) as client:
        client.sendall(words)
        client.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: client.recv(1000), b""))
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert reason in answer


def test_no_wait_for_the_client_lasts_for_ever(server: Server) -> None:
    """A client that falls silent loses its connection; the server hears an early end."""
    with (
        FaultProxy("127.0.0.1", server.server_port, timeout=0.05) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port), timeout=SOON) as client,
    ):
        client.sendall(b"PUT / HTTP/1.1\r\nContent-Length: 10\r\n\r\ncat")
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        assert server.seen.get(timeout=SOON).body == b"cat"
        assert deliveries(proxy) == [0]


def test_many_clients_at_once(proxy: FaultProxy, server: Server) -> None:
    """Each fault goes to exactly one of them."""
    proxy.faults([Status(503)] * 5 + [OK] * 5)
    statuses: queue.Queue[int] = queue.Queue()
    threads = [threading.Thread(target=lambda: statuses.put(fetch(proxy, "PUT", "/", b"y")[0])) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON)
    assert sorted(statuses.get(timeout=SOON) for _ in threads) == [200] * 5 + [503] * 5
    assert len(given(server)) == sum(deliveries(proxy)) == 5


def test_what_is_not_a_fault_is_refused(proxy: FaultProxy) -> None:
    """By name, with the way out."""
    with pytest.raises(TypeError, match=r"Reset'> is not a fault; write Reset\(\.\.\.\)"):
        proxy.faults([Reset])  # type: ignore[list-item]  # the mistake in question
    with pytest.raises(TypeError, match=r"503 is not a fault$"):
        proxy.faults(503)  # type: ignore[arg-type]  # the same


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Status(200), "code is 200: give an error"),
        (lambda: Status(503, retry_after=0.5), "retry_after is 0.5: HTTP has whole seconds"),
        (lambda: Latency(-1), "seconds is -1: give 0 or more"),
        (lambda: Latency(float("nan")), "seconds is nan"),
        (lambda: CutUpload(-1), "after is -1"),
        (lambda: Slow(0), "bytes_per_second is 0: give 1 or more"),
        (lambda: FaultProxy("x", 1, timeout=0), "timeout is 0: give more"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(make: Callable[[], object], words: str) -> None:
    """When it is written down, not in the middle of a request."""
    with pytest.raises(ValueError, match=words):
        make()


def test_a_proxy_that_does_not_listen_has_no_port(server: Server) -> None:
    """Before, after, and there is no second time inside."""
    proxy = FaultProxy("127.0.0.1", server.server_port)
    with pytest.raises(
        RuntimeError, match=r"closed to 127\.0\.0\.1:\d+> does not listen: use it in a `with` statement"
    ):
        _ = proxy.url
    with proxy, pytest.raises(RuntimeError, match="listens already"):
        proxy.__enter__()
    with pytest.raises(RuntimeError, match="does not listen"):
        _ = proxy.port
