"""Web servers on loopback that say what a test wants, and a network of names that leads to them."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import httpcore

from synapse_sdk.retry import RetryPolicy

__all__ = ["Asked", "Reply", "StubNetwork", "WebServer", "at_once", "serving"]


def at_once(attempts: int = 3) -> RetryPolicy:
    """Return a policy of so many tries without pauses."""
    return RetryPolicy(max_attempts=attempts, delay=0.0)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer, and how its connection fares."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    pieces: Sequence[bytes | Callable[[], object]] = ()
    """In place of `body`: what is sent, and what is called in between; then the connection ends."""
    has_head: bool = True
    """Whether a head is sent before the pieces; otherwise it is among them."""
    cut_at: int | None = None
    """Bytes of the body after which the connection ends."""
    hangs: bool = False
    """Whether nothing more comes after what was sent, until the client hangs up."""

    def head(self) -> bytes:
        """Return status line and headers, with the length of the body if the headers do not say it."""
        names = {name.lower() for name in self.headers}
        stated = names & {"content-length", "transfer-encoding"} or self.pieces
        length = {} if stated else {"Content-Length": str(len(self.body))}
        lines = [f"{name}: {value}" for name, value in {**length, **self.headers}.items()]
        return "\r\n".join([f"HTTP/1.1 {self.status} Said", *lines, "", ""]).encode("latin-1")


@dataclass(frozen=True)
class Asked:
    """A request as the server got it."""

    target: str
    headers: Mapping[str, str]
    """Names in lower case."""
    server_name: str | None = None
    """What TLS was asked for."""


class WebServer:
    """Gives its replies one after the other, the last one for ever, and remembers what it was asked."""

    def __init__(self, replies: Sequence[Reply], tls: ssl.SSLContext | None) -> None:
        self._replies = list(replies)
        self._tls = tls
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._names: list[str | None] = []
        self.asked: list[Asked] = []
        self.connections = 0
        self.port: int = self._listener.getsockname()[1]
        if tls is not None:
            tls.sni_callback = lambda _, name, __: self._names.append(name)

    def url(self, target: str = "/cat.jpg") -> str:
        """Return the URL of a file."""
        return f"http://127.0.0.1:{self.port}{target}"

    def run(self) -> None:
        """Serve until the listener is closed."""
        with suppress(OSError):
            while True:
                connection = self._listener.accept()[0]
                with self._lock:
                    self.connections += 1
                    self._open.add(connection)
                thread = threading.Thread(target=self._serve, args=(connection,))
                thread.start()
                self._threads.append(thread)

    def close(self) -> None:
        """End everything."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _serve(self, raw: socket.socket) -> None:
        connection = raw
        try:
            if self._tls is not None:
                connection = self._tls.wrap_socket(raw, server_side=True)
            with connection.makefile("rb") as words:
                while (asked := self._read(words)) and self._answer(connection, asked):
                    pass
        except OSError:
            pass  # the client has hung up, or will not speak TLS with us
        finally:
            with self._lock:
                self._open.discard(raw)
            connection.close()

    def _read(self, words: Iterator[bytes]) -> Asked | None:
        start = next(words, b"").decode("latin-1")
        if not start:
            return None
        headers = dict[str, str]()
        while line := next(words, b"").decode("latin-1").strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return Asked(start.split(" ")[1], headers, self._names[-1] if self._names else None)

    def _answer(self, connection: socket.socket, asked: Asked) -> bool:
        """Answer one request, and return whether the connection goes on."""
        with self._lock:
            self.asked.append(asked)
            reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        connection.sendall((reply.head() if reply.has_head else b"") + reply.body[: reply.cut_at])
        for piece in reply.pieces:
            if callable(piece):
                piece()
            else:
                connection.sendall(piece)
        if reply.hangs:
            connection.recv(1)
        return not (reply.pieces or reply.hangs or reply.cut_at is not None)


@contextmanager
def serving(*replies: Reply, tls: ssl.SSLContext | None = None) -> Iterator[WebServer]:
    """Give a running server."""
    server = WebServer(replies, tls)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()


class StubNetwork:
    """A network in which names have the addresses of the test, and every connection ends at one port of loopback.

    Args:
        port: Where connections really go.
        names: Host to its addresses; a list of such lists is one for each time it is looked up.
    """

    def __init__(self, port: int, names: Mapping[str, Sequence[Sequence[str]]]) -> None:
        self._port = port
        self._names = {host: list(answers) for host, answers in names.items()}
        self.looked_up: list[str] = []
        self.connected: list[tuple[str, int]] = []

    def resolve(self, host: str, port: int) -> Sequence[str]:
        """Return the next answer for a host; the last one for ever."""
        self.looked_up.append(host)
        answers = self._names[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def connect(self, address: str, port: int, timeout: float | None) -> httpcore.NetworkStream:
        """Note where the connection was meant to go, and connect to loopback."""
        self.connected.append((address, port))
        return httpcore.SyncBackend().connect_tcp("127.0.0.1", self._port, timeout)
