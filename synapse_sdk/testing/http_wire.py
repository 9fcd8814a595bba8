"""As much of HTTP/1.1 as a proxy needs that passes one message a connection, block by block."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Self

__all__ = [
    "BLOCK",
    "CopySink",
    "CutError",
    "Head",
    "HeldSink",
    "Peer",
    "RefusedError",
    "Sink",
    "UploadSink",
    "copy_body",
]

BLOCK = 64 * 1024
"""Bytes passed on at a time, and the most that the head of a message may have."""

CHUNKED = -1
"""Stands for the length of a body that tells it as it comes."""

HOP_BY_HOP = frozenset({"connection", "expect", "keep-alive", "proxy-connection", "upgrade"})
TLS_HANDSHAKE = b"\x16"
PIECES_A_SECOND = 10
FORCED_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, for 0 seconds; closing then sends RST instead of FIN


class RefusedError(Exception):
    """The proxy itself has to say no; carries the status to answer with, and the reason."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class CutError(Exception):
    """A body has come as far as it may."""


@dataclass(frozen=True, slots=True)
class Head:
    """The start line and the headers of a message."""

    start: str
    headers: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Read a head up to and with its empty line."""
        start, *lines = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return cls(start, tuple((name, value.strip()) for name, _, value in pairs))

    def value(self, name: str) -> str | None:
        """Return the values of a header, joined as HTTP allows; `name` is in lower case."""
        values = [value for key, value in self.headers if key.lower() == name]
        return ", ".join(values) if values else None

    def encode(self) -> bytes:
        """Return the head as it is passed on: its connection ends with this one message."""
        kept = [f"{name}: {value}" for name, value in self.headers if name.lower() not in HOP_BY_HOP]
        return "\r\n".join([self.start, *kept, "Connection: close", "", ""]).encode("latin-1")

    def body_length(self) -> int | None:
        """Return how many bytes the body has, `CHUNKED`, or `None` if nothing is said.

        Raises:
            RefusedError: It is said in a way that two readers may understand differently.
        """
        coding, length = self.value("transfer-encoding"), self.value("content-length")
        if coding is not None and coding.lower() == "chunked" and length is None:
            return CHUNKED
        if coding is not None or not (length is None or (length.isascii() and length.isdecimal())):
            reason = f"cannot tell where the body ends: Transfer-Encoding is {coding!r}, Content-Length is {length!r}"
            raise RefusedError(HTTPStatus.BAD_REQUEST, reason)
        return None if length is None else int(length)


class Peer:
    """One connection, to the client or to the server, on which no single wait lasts longer than `timeout`.

    Its methods raise `OSError`, of which `TimeoutError` is one, or `EOFError` when the other side is gone or late.
    """

    rate: int | None = None
    """Bytes a second to write at the most."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, timeout: float) -> None:
        self._reader = reader
        self._writer = writer
        self._timeout = timeout

    @classmethod
    async def connect(cls, host: str, port: int, timeout: float) -> Self:  # noqa: ASYNC109  kept for all later waits
        """Connect to a server."""
        try:
            async with asyncio.timeout(timeout):
                reader, writer = await asyncio.open_connection(host, port, limit=BLOCK)
        except OSError as error:
            reason = f"cannot connect to the server at {host}:{port}: {error or type(error).__name__}"
            raise RefusedError(HTTPStatus.BAD_GATEWAY, reason) from error
        return cls(reader, writer, timeout)

    @classmethod
    async def accept(cls, connection: socket.socket, timeout: float) -> Self:  # noqa: ASYNC109  the same
        """Take over the connection of a client."""
        connection.settimeout(0)
        reader, writer = await asyncio.open_connection(sock=connection, limit=BLOCK)
        return cls(reader, writer, timeout)

    async def _wait[T](self, what: Awaitable[T]) -> T:
        async with asyncio.timeout(self._timeout):
            return await what

    async def read_head(self) -> Head:
        """Read the head of a message."""
        first = await self._wait(self._reader.readexactly(1))
        if first == TLS_HANDSHAKE:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "this proxy speaks plain HTTP: use an http:// address, no TLS")
        try:
            return Head.parse(first + await self._wait(self._reader.readuntil(b"\r\n\r\n")))
        except asyncio.LimitOverrunError as error:
            reason = f"the head of the message is longer than {BLOCK} bytes"
            raise RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, reason) from error

    async def read_line(self) -> bytes:
        """Read a line with its end."""
        try:
            return await self._wait(self._reader.readuntil(b"\n"))
        except asyncio.LimitOverrunError as error:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"a line is longer than {BLOCK} bytes") from error

    async def read_some(self, most: int = BLOCK) -> bytes:
        """Read what has come, at least a byte, or nothing at the end."""
        return await self._wait(self._reader.read(most))

    async def swallow(self) -> None:
        """Read until the other side hangs up, however long that takes, and keep nothing."""
        while await self._reader.read(BLOCK):
            pass

    async def write(self, data: bytes) -> None:
        """Write everything, at `rate`."""
        size = len(data) if self.rate is None else max(1, self.rate // PIECES_A_SECOND)
        for start in range(0, len(data), size or 1):
            piece = data[start : start + size]
            if self.rate is not None:  # before the piece, or the last would come too early
                await asyncio.sleep(len(piece) / self.rate)
            self._writer.write(piece)
            await self._wait(self._writer.drain())

    def say_end(self) -> None:
        """Tell the other side that nothing more will be written."""
        self._writer.write_eof()

    async def finish(self) -> None:
        """Close in good order, when everything has been written."""
        self._writer.close()
        await self._wait(self._writer.wait_closed())

    async def drop(self, *, reset: bool = False) -> None:
        """Close at once, if that has not been done, by RST if so wished; never raises."""
        if reset and not self._writer.is_closing():
            self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, FORCED_RESET)
        self._writer.transport.abort()
        with contextlib.suppress(OSError):
            await self._wait(self._writer.wait_closed())


class Sink:
    """Where a message goes: to a peer, or nowhere."""

    def __init__(self, peer: Peer | None = None, *, cut_at: int | None = None) -> None:
        self._peer = peer
        self._cut_at = cut_at
        self.body_bytes = 0
        """Bytes of the body that went through, framing not counted."""

    async def send(self, block: bytes, *, body: bool = False) -> None:
        """Pass a block on.

        Raises:
            CutError: The body has come as far as it may.
        """
        left = len(block) if self._cut_at is None or not body else self._cut_at - self.body_bytes
        await self._write(block[:left])
        self.body_bytes += min(left, len(block)) if body else 0
        if left < len(block):
            raise CutError

    async def _write(self, block: bytes) -> None:
        if self._peer is not None:
            await self._peer.write(block)


class UploadSink(Sink):
    """Goes on without the server once that is gone: it may have answered, and the client's words are to be heard."""

    broken = False

    async def _write(self, block: bytes) -> None:
        try:
            if not self.broken:
                await super()._write(block)
        except OSError:
            self.broken = True


class HeldSink(Sink):
    """Holds the newest block back until `release`."""

    _held = b""

    async def _write(self, block: bytes) -> None:
        await self.release()
        self._held = block

    async def release(self) -> None:
        """Pass on what is held back."""
        held, self._held = self._held, b""
        await super()._write(held)


class CopySink(Sink):
    """Keeps up to `limit` bytes as they travel, and lets go of everything if there are more."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit
        self.kept: bytearray | None = bytearray()

    async def _write(self, block: bytes) -> None:
        if self.kept is not None:
            self.kept += block
            if len(self.kept) > self._limit:
                self.kept = None

    async def replay(self, sink: Sink) -> None:
        """Send what was kept."""
        await sink.send(bytes(self.kept or b""), body=True)


async def copy_body(source: Peer, length: int | None, sink: Sink) -> None:
    """Copy a body of so many bytes, or in chunks, or to the end of the connection if `length` is `None`.

    Raises:
        EOFError: The connection ended before the body.
        RefusedError: A chunk is malformed.
    """
    if length == CHUNKED:
        await _copy_chunks(source, sink)
    elif length is not None:
        await _copy_exactly(source, length, sink)
    else:
        while block := await source.read_some():
            await sink.send(block, body=True)


async def _copy_exactly(source: Peer, size: int, sink: Sink, *, body: bool = True) -> None:
    while size:
        block = await source.read_some(min(size, BLOCK))
        if not block:
            msg = f"the connection ended {size} bytes before the body"
            raise EOFError(msg)
        size -= len(block)
        await sink.send(block, body=body)


async def _copy_chunks(source: Peer, sink: Sink) -> None:
    size = -1
    while size:
        line = await source.read_line()
        digits = line.partition(b";")[0].strip()
        if not digits.isalnum():  # int() would take signs and underscores as well
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"a chunk begins with {line[:40]!r}")
        try:
            size = int(digits, 16)
        except ValueError as error:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"a chunk begins with {line[:40]!r}") from error
        await sink.send(line)
        await _copy_exactly(source, size, sink)
        if size:
            await sink.send(await source.read_line())
    while line.strip():  # trailers, up to an empty line; the size line of the last chunk is not empty
        line = await source.read_line()
        await sink.send(line)
