#!/usr/bin/env python3
"""A store that is far away: takes objects, and answers each request a while after it has come in whole.

    python -m bench.latency_sink PORT MILLISECONDS

Keeps of each object only its size and digest; its ETag is the MD5, as of S3. `GET /received` tells, without a wait, how
many objects and bytes there are below `/bench/timed/`, and a digest of all their names and contents. Listens on
127.0.0.1 only.
"""

import asyncio
import hashlib
import json
import sys

TIMED = "/bench/timed/"
received: dict[str, tuple[int, str]] = {}
"""Size and MD5, by path."""


class Sink(asyncio.Protocol):
    """One connection; one request at a time."""

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.head = bytearray()
        self.method, self.path = "", ""
        self.size = self.left = 0
        self.md5 = hashlib.md5(usedforsecurity=False)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what answers go out by."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Take what has come of a head or a body."""
        if self.left:
            self.take(data)
            return
        self.head += data
        head, separator, body = bytes(self.head).partition(b"\r\n\r\n")
        if separator:
            self.head.clear()
            self.begin(head.decode("latin-1"))
            self.take(body)

    def begin(self, head: str) -> None:
        """Read the head of a request."""
        request, *fields = head.split("\r\n")
        self.method, path, _ = request.split(" ")
        self.path = path.partition("?")[0]
        named = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in fields)}
        assert "aws-chunked" not in named.get("content-encoding", ""), "bodies are taken as they are"
        self.size = self.left = int(named.get("content-length", "0"))
        self.md5 = hashlib.md5(usedforsecurity=False)
        if "expect" in named:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def take(self, data: bytes) -> None:
        """Take a part of a body, and answer if it is the last."""
        self.md5.update(data)
        self.left -= len(data)
        if self.left > 0:
            return
        if self.method == "PUT":
            received[self.path] = (self.size, self.md5.hexdigest())
            asyncio.get_running_loop().call_later(self.delay, self.answer, "200 OK", self.md5.hexdigest(), b"")
        elif self.path == "/received":
            self.answer("200 OK", "", summary())
        else:
            self.answer("404 Not Found", "", b"")

    def answer(self, status: str, etag: str, body: bytes) -> None:
        """Answer the request, unless nobody waits any more."""
        if not self.transport.is_closing():
            head = f'HTTP/1.1 {status}\r\nETag: "{etag}"\r\nContent-Length: {len(body)}\r\n\r\n'
            self.transport.write(head.encode() + body)


def summary() -> bytes:
    """Return what was received, as JSON."""
    timed = {path.removeprefix(TIMED): found for path, found in received.items() if path.startswith(TIMED)}
    names = hashlib.sha256("".join(f"{name} {timed[name][1]}\n" for name in sorted(timed)).encode())
    sizes = sum(size for size, _ in timed.values())
    return json.dumps({"objects": len(timed), "bytes": sizes, "digest": names.hexdigest()}).encode()


async def main(port: int, delay: float) -> None:
    """Serve until somebody ends the process."""
    server = await asyncio.get_running_loop().create_server(lambda: Sink(delay), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]) / 1000))
