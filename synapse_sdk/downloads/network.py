"""Connecting to addresses that were checked, and to no others."""

import queue
import socket
import ssl
import threading
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import httpcore

from synapse_sdk.downloads.addresses import why_unsafe
from synapse_sdk.downloads.deadline import within_deadline
from synapse_sdk.errors import UnsafeUrlError

__all__ = ["SYSTEM_NETWORK", "BoundedStream", "CheckedBackend", "Network", "SystemNetwork"]

MOST_ADDRESSES = 3
"""Addresses of one host that are tried, one after the other."""


class Network(Protocol):
    """What is asked of the network."""

    def resolve(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses of a host, the best first.

        Raises:
            socket.gaierror: The host is not known, or nobody could be asked.
        """
        ...

    def connect(self, address: str, port: int, timeout: float | None) -> httpcore.NetworkStream:
        """Connect to an address within so many seconds.

        Raises:
            httpcore.ConnectError: Nobody is there.
            httpcore.ConnectTimeout: It took longer.
        """
        ...


class SystemNetwork:
    """The network of this machine."""

    def resolve(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses of a host, in the order of the system."""
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(place[0]) for *_, place in found))

    def connect(self, address: str, port: int, timeout: float | None) -> httpcore.NetworkStream:
        """Connect to an address by TCP."""
        return httpcore.SyncBackend().connect_tcp(address, port, timeout)


SYSTEM_NETWORK = SystemNetwork()
"""The network everything uses unless it is given another one."""


class CheckedBackend(httpcore.NetworkBackend):
    """Looks a host up once, checks every address it has, and connects to one of exactly these.

    The connection pool calls it for each new connection. It sits below TLS and HTTP, which go on with the name: the
    certificate has to be one of the host, and `Host` says it. One unsafe address among several is enough to refuse:
    who answers with a mixture means to be asked twice.
    """

    def __init__(self, network: Network, *, allows_private: bool) -> None:
        self._network = network
        self._allows_private = allows_private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to a host.

        Raises:
            UnsafeUrlError: An address of the host must not be connected to.
        """
        addresses = self._resolve(host, port, within_deadline(timeout))
        for address in addresses:
            why = why_unsafe(address, allows_private=self._allows_private)
            if why is not None:
                raise _unsafe(host, address, why)
        tried = addresses[:MOST_ADDRESSES]
        share = None if timeout is None else timeout / max(1, len(tried))
        failure: Exception = httpcore.ConnectError("the host has no address")
        for address in tried:
            try:
                return BoundedStream(self._network.connect(address, port, within_deadline(share)))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def _resolve(self, host: str, port: int, timeout: float | None) -> Sequence[str]:
        """Look a host up in a thread of its own, because the system has no limit for that.

        A thread that is waited for no longer ends when the system gives up.
        """
        found = queue.SimpleQueue[Sequence[str] | Exception]()

        def look_up() -> None:
            try:
                found.put(self._network.resolve(host, port))
            except Exception as error:  # noqa: BLE001  raised below, in the thread that asked
                found.put(error)

        threading.Thread(target=look_up, name=f"resolve {host}", daemon=True).start()
        try:
            answer = found.get(timeout=timeout)
        except queue.Empty:
            msg = "its name was looked up in vain"
            raise httpcore.ConnectTimeout(msg) from None
        if isinstance(answer, Exception):
            raise answer
        return answer


class BoundedStream(httpcore.NetworkStream):
    """A connection whose waits end with the deadline that is running.

    It is also safe from its pool, which looks at connections and closes them while another thread begins to use one:
    it takes what can be read for the end of an idle connection, and it is the answer. So a connection knows when it
    is in use, and is closed by another thread only after that.
    """

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._user: int | None = None
        """The thread whose request has no whole answer yet."""
        self._written = 0
        self._is_doomed = False

    def rest(self) -> None:
        """Note that the last answer is done with."""
        self._user = None
        if self._is_doomed:
            self._stream.close()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what has come, at least a byte, or nothing at the end."""
        return self._stream.read(max_bytes, within_deadline(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write everything."""
        self._user = threading.get_ident()
        self._written += 1
        self._stream.write(buffer, within_deadline(timeout))

    def close(self) -> None:
        """Close the connection, or have it closed when the thread that uses it is done."""
        if self._user in {None, threading.get_ident()}:
            self._stream.close()
        self._is_doomed = True

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Return the same connection with TLS."""
        return BoundedStream(self._stream.start_tls(ssl_context, server_hostname, within_deadline(timeout)))

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  as the base has it
        """Return a fact about the connection."""
        written = self._written
        fact = self._stream.get_extra_info(info)
        if info == "is_readable":
            return fact and self._user is None and self._written == written
        return fact


def _unsafe(host: str, address: str, why: str) -> UnsafeUrlError:
    what = f"{host!r} is" if host == address else f"{host!r} has the address {address}, which is"
    fix = "Use a public host; files of your own network are read only where allows_private=True says so"
    return UnsafeUrlError(f"Will not connect to {host!r}", why=f"{what} {why}", fix=fix, host=host, address=address)
