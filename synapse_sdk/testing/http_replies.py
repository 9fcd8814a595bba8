"""The way of a request to the server and of its reply back, and answers that are made here."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Coroutine
from http import HTTPStatus

from synapse_sdk.testing.faults import Status
from synapse_sdk.testing.http_wire import Head, Peer, RefusedError, Sink, copy_body

__all__ = ["answer_with", "connected", "download", "exchange", "refuse"]

BODYLESS = ("204", "304")

LINGERING = 1.0
"""Seconds for which a refused client is heard out: closing on words unread would take the answer away by a reset."""


@contextlib.asynccontextmanager
async def connected(host: str, port: int, timeout: float) -> AsyncIterator[Peer]:  # noqa: ASYNC109  # of each wait
    """Connect to a server for the length of a block."""
    server = await Peer.connect(host, port, timeout)
    try:
        yield server
    finally:
        await server.drop()


async def exchange(
    server: Peer,
    upload: Coroutine[None, None, None],
    download: Coroutine[None, None, None],
    client: Peer | None = None,
) -> None:
    """Send a request while its reply comes: a server may answer, and hang up, before it has heard everything."""
    up, down = asyncio.create_task(upload), asyncio.create_task(download)
    try:
        await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
        if up.done():
            await up  # if the client is gone there is no reply to wait for
        await down
        if not up.done():
            await server.drop()
            if client is not None:
                client.say_end()
        await up
    finally:
        up.cancel()
        down.cancel()
        await asyncio.gather(up, down, return_exceptions=True)


async def download(server: Peer, request: Head, sink: Sink) -> None:
    """Copy the reply to a request."""
    status = "100"
    while status.startswith("1"):  # interim replies are for this connection only
        head = await server.read_head()
        status = head.start.partition(" ")[2][:3]
    try:
        length = 0 if request.start.startswith("HEAD ") or status in BODYLESS else head.body_length()
        await sink.send(head.encode())
        await copy_body(server, length, sink)
    except RefusedError as error:  # too late for an answer of our own
        msg = f"The server's reply is malformed: {error}"
        raise ConnectionError(msg) from error


async def answer_with(client: Peer, fault: Status) -> None:
    """Answer with a status, in the server's place."""
    phrase = HTTPStatus(fault.code).phrase if fault.code in HTTPStatus else "Error"
    title = f"{fault.code} {phrase}"
    page = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
    text, kind = (page, "text/html") if fault.html else (json.dumps({"detail": phrase}), "application/json")
    retry = () if fault.retry_after is None else (("Retry-After", f"{fault.retry_after:.0f}"),)
    await _say(client, title, kind, text, *retry)


async def refuse(client: Peer, refusal: RefusedError) -> None:
    """Say why a request is refused, and hear the client out."""
    with contextlib.suppress(OSError):
        title = f"{refusal.status} {refusal.status.phrase}"
        await _say(client, title, "text/plain", f"Fault proxy: {refusal}\n")
        client.say_end()
        async with asyncio.timeout(LINGERING):
            await client.swallow()


async def _say(client: Peer, status: str, kind: str, text: str, *headers: tuple[str, str]) -> None:
    body = text.encode()
    all_headers = (("Content-Type", f"{kind}; charset=utf-8"), ("Content-Length", str(len(body))), *headers)
    await client.write(Head(f"HTTP/1.1 {status}", all_headers).encode() + body)
