"""A network that fails on purpose: an HTTP proxy to put between a client and a real server in a test."""

import asyncio
import contextlib
import socket
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from types import TracebackType
from typing import Self, assert_never

from synapse_sdk.testing.faults import (
    OK,
    Blackhole,
    CutDownload,
    CutUpload,
    Duplicate,
    Fault,
    Latency,
    LostReply,
    Ok,
    ProxiedRequest,
    Reset,
    Slow,
    Status,
)
from synapse_sdk.testing.http_replies import answer_with, connected, download, exchange, refuse
from synapse_sdk.testing.http_wire import (
    CopySink,
    CutError,
    Head,
    HeldSink,
    Peer,
    RefusedError,
    Sink,
    UploadSink,
    copy_body,
)

__all__ = ["FaultProxy"]

HOST = "127.0.0.1"
CLOSING = 10.0
"""Seconds that closing may last."""


class FaultProxy:
    """Passes HTTP requests on to a server, and lets each of them fail as the test says.

    It listens on a free port of 127.0.0.1 while the `with` block lasts; afterwards the port refuses connections, and
    no thread, socket or task is left. Whoever is still waiting for an answer then loses the connection.

    One connection carries one request, in both directions (`Connection: close`), so that one fault is one request.
    All else travels unchanged, `Host` as well; a redirect to the server's own address goes past the proxy. Bodies are
    streamed, whole or in chunks. TLS and upgrades (WebSocket) are not supported. What the proxy itself has to refuse,
    such as a request it cannot parse (400) or a server that cannot be reached (502), it answers with the reason.

    Args:
        upstream_host: Host of the real server.
        upstream_port: Its port.
        timeout: Seconds that one wait for the client or the server may last; then the connection is reset.

    Example:
        >>> import http.server, threading, urllib.request
        >>> server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
        >>> threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        >>> with FaultProxy("127.0.0.1", server.server_port) as proxy:
        ...     proxy.faults([Status(503, retry_after=1)])
        ...     try:
        ...         urllib.request.urlopen(f"{proxy.url}/cat.jpg")
        ...     except urllib.error.HTTPError as error:
        ...         print(error.code, error.headers["Retry-After"])
        ...     print([(request.path, request.deliveries) for request in proxy.requests])
        503 1
        [('/cat.jpg', 0)]
        >>> server.shutdown()
        >>> server.server_close()
    """

    def __init__(self, upstream_host: str, upstream_port: int, *, timeout: float = 30.0) -> None:
        if not timeout > 0:
            msg = f"timeout is {timeout!r}: give more than 0 seconds"
            raise ValueError(msg)
        self._upstream = (upstream_host, upstream_port)
        self._timeout = timeout
        self._lock = threading.Lock()
        self._planned: deque[Fault] = deque()
        self._then: Fault = OK
        self._requests: list[ProxiedRequest] = []
        self._port: int | None = None
        self._bugs: list[Exception] = []

    # ----------------------------------------------------------------------------------------------- for the test

    def __enter__(self) -> Self:
        """Begin to listen."""
        if self._port is not None:
            msg = f"{self!r} listens already: make another one"
            raise RuntimeError(msg)
        listener = socket.create_server((HOST, 0), backlog=128)
        self._port = listener.getsockname()[1]
        self._stop = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(listener,), name=repr(self), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every connection and the thread.

        Raises:
            RuntimeError: The proxy failed in a way that was not asked for, or does not end.
        """
        with contextlib.suppress(RuntimeError):  # the loop has ended by itself
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(CLOSING)
        name, self._port = repr(self), None
        if self._thread.is_alive():
            msg = f"{name} has not ended within {CLOSING:g} seconds"
            raise RuntimeError(msg)
        if self._bugs and error is None:
            msg = f"{name} failed by itself: {self._bugs[0]!r}"
            raise RuntimeError(msg) from self._bugs[0]

    def __repr__(self) -> str:
        host, port = self._upstream
        return f"<FaultProxy {self._port or 'closed'} to {host}:{port}>"

    @property
    def port(self) -> int:
        """The port it listens on."""
        if self._port is None:
            msg = f"{self!r} does not listen: use it in a `with` statement"
            raise RuntimeError(msg)
        return self._port

    @property
    def url(self) -> str:
        """Where it listens, such as `http://127.0.0.1:54321`, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    @property
    def requests(self) -> tuple[ProxiedRequest, ...]:
        """Every request whose head has arrived, in that order, as far as it has come by now."""
        with self._lock:
            return tuple(self._requests)

    def faults(self, faults: Fault | Sequence[Fault]) -> None:
        """Say what becomes of the requests from now on, in place of what was said before.

        Args:
            faults: One for each request in the order in which their heads arrive, after which all goes well;
                or a single one, for every request.

        Raises:
            TypeError: Something else is among them.
        """
        planned = list(faults) if isinstance(faults, Sequence) else [faults]
        for fault in planned:
            if not isinstance(fault, Fault.__value__):
                hint = f"; write {fault.__name__}(...)" if isinstance(fault, type) else ""
                msg = f"{fault!r} is not a fault{hint}"
                raise TypeError(msg)
        with self._lock:
            repeated = not isinstance(faults, Sequence)
            self._then = planned[0] if repeated else OK
            self._planned = deque(() if repeated else planned)

    # -------------------------------------------------------------------------------------------- in its own thread

    def _run(self, listener: socket.socket) -> None:
        with listener, asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._listen(listener))

    async def _listen(self, listener: socket.socket) -> None:
        connections: set[asyncio.Task[None]] = set()

        # Not asyncio.start_server(): a connection that it is just about to hand over when it closes is lost, and stays.
        def accept() -> None:
            with contextlib.suppress(OSError):  # the client has hung up already
                connection = listener.accept()[0]
                task = asyncio.create_task(self._serve(connection))
                connections.add(task)
                task.add_done_callback(connections.discard)
                task.add_done_callback(lambda _: connection.close())  # a task that is cancelled at once never begins

        listener.settimeout(0)
        self._loop.add_reader(listener, accept)
        await self._stop.wait()
        self._loop.remove_reader(listener)
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _serve(self, connection: socket.socket) -> None:
        """Answer the one request of a connection."""
        client = await Peer.accept(connection, self._timeout)
        try:
            await self._answer(client)
        except RefusedError as refusal:
            await refuse(client, refusal)
        except (OSError, EOFError):
            await client.drop(reset=True)
        except Exception as error:  # noqa: BLE001  a bug of the proxy is not to pass for a fault: raised at the end
            self._bugs.append(error)
        finally:
            await client.drop()

    async def _answer(self, client: Peer) -> None:
        head = await client.read_head()
        index, fault = self._record(head)
        if head.value("expect") is not None and not isinstance(fault, Reset | Blackhole):
            await client.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        match fault:
            case Reset():
                await client.drop(reset=True)
            case Blackhole():
                await client.swallow()
            case Status():
                await copy_body(client, head.body_length() or 0, Sink())
                await answer_with(client, fault)
                await client.finish()
            case Duplicate():
                await self._deliver_twice(client, head, index, fault.limit)
            case Ok() | Latency() | CutDownload() | CutUpload() | Slow() | LostReply():
                await self._forward(client, head, index, fault)
            case _:
                assert_never(fault)

    def _record(self, head: Head) -> tuple[int, Fault]:
        """Write a request down, and return its place and what becomes of it."""
        method, _, rest = head.start.partition(" ")
        path, _, version = rest.rpartition(" ")
        if not (method and path and version.startswith("HTTP/1.")):
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"not a request of HTTP/1: {head.start[:80]!r}")
        with self._lock:
            fault = self._planned.popleft() if self._planned else self._then
            self._requests.append(ProxiedRequest(method=method, path=path, fault=fault))
            return len(self._requests) - 1, fault

    def _note(self, index: int, sink: UploadSink, *, whole: bool) -> None:
        with self._lock:
            was = self._requests[index]
            bytes_now = was.body_bytes + sink.body_bytes
            self._requests[index] = replace(was, deliveries=was.deliveries + whole, body_bytes=bytes_now)

    async def _forward(self, client: Peer, head: Head, index: int, fault: Fault) -> None:
        """Pass the request on and the reply back, with what the fault does to either."""
        if isinstance(fault, Latency):
            await asyncio.sleep(fault.seconds)
        async with connected(*self._upstream, self._timeout) as server:
            if isinstance(fault, Slow):
                client.rate = server.rate = fault.bytes_per_second
            up = UploadSink(server, cut_at=fault.after if isinstance(fault, CutUpload) else None)
            down = Sink(
                None if isinstance(fault, LostReply) else client,
                cut_at=fault.after if isinstance(fault, CutDownload) else None,
            )
            try:
                await exchange(server, self._upload(client, head, up, index), download(server, head, down), client)
            except CutError:
                # The side that got a part is closed in good order, or the part might not arrive.
                await (client if isinstance(fault, CutDownload) else server).finish()
                await client.drop(reset=True)
        if isinstance(fault, LostReply):
            await client.drop(reset=True)
        await client.finish()

    async def _deliver_twice(self, client: Peer, head: Head, index: int, limit: int) -> None:
        copy, reply = CopySink(limit), HeldSink(client)
        await copy_body(client, head.body_length() or 0, copy)
        if copy.kept is None:
            reason = (
                f"Duplicate(limit={limit}) keeps {limit} bytes of a request, and this one has more: raise the limit"
            )
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, reason)
        for sink in (reply, Sink()):
            # The client knows of the first delivery already: what becomes of the second is no concern of its own.
            with contextlib.nullcontext() if sink is reply else contextlib.suppress(OSError, EOFError, RefusedError):
                async with connected(*self._upstream, self._timeout) as server:
                    upload = self._upload(copy, head, UploadSink(server), index)
                    await exchange(server, upload, download(server, head, sink))
        await reply.release()
        await client.finish()

    async def _upload(self, source: Peer | CopySink, head: Head, sink: UploadSink, index: int) -> None:
        whole = False
        try:
            await sink.send(head.encode())
            if isinstance(source, CopySink):
                await source.replay(sink)
            else:
                await copy_body(source, head.body_length() or 0, sink)
            whole = not sink.broken
        finally:
            self._note(index, sink, whole=whole)
