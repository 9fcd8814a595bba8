"""A connection that several threads take for theirs, as a pool lets them do."""

import select
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from synapse_sdk.downloads.network import SYSTEM_NETWORK, BoundedStream


@pytest.fixture
def pair() -> Iterator[tuple[BoundedStream, socket.socket]]:
    """Give a connection, and its other end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stream = BoundedStream(SYSTEM_NETWORK.connect("127.0.0.1", listener.getsockname()[1], 5.0))
        server = listener.accept()[0]
    server.settimeout(5.0)
    with server:
        yield stream, server
    stream.rest()
    stream.close()


def say(stream: BoundedStream, server: socket.socket, what: bytes) -> None:
    """Have the server say something, and wait until it has arrived."""
    server.sendall(what)
    select.select([stream.get_extra_info("socket")], [], [], 5.0)


def test_an_answer_is_not_taken_for_the_end(pair: tuple[BoundedStream, socket.socket]) -> None:
    """It can be read while the connection is in use; on an idle one nothing can be read but the end."""
    stream, server = pair
    stream.write(b"GET", 5.0)
    say(stream, server, b"200")

    assert not stream.get_extra_info("is_readable")

    stream.rest()
    assert stream.get_extra_info("is_readable")


def test_another_thread_does_not_close_a_connection_in_use(pair: tuple[BoundedStream, socket.socket]) -> None:
    """It is closed when its user is done."""
    stream, server = pair
    stream.write(b"GET", 5.0)
    assert server.recv(3) == b"GET"

    with ThreadPoolExecutor(1) as other:
        other.submit(stream.close).result()

    server.sendall(b"200")
    assert stream.read(3, 5.0) == b"200"
    stream.rest()
    assert server.recv(1) == b""


def test_a_connection_is_closed_by_its_user(pair: tuple[BoundedStream, socket.socket]) -> None:
    """At once, though the answer is not there."""
    stream, server = pair
    stream.write(b"GET", 5.0)
    assert server.recv(3) == b"GET"

    stream.close()

    assert server.recv(1) == b""
