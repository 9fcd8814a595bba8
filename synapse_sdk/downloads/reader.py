"""Files from the web, read by URL."""

from collections.abc import Generator
from types import TracebackType
from typing import Self

from synapse_sdk.clock import SYSTEM_CLOCK, Clock
from synapse_sdk.downloads.connections import Connections, Timeouts
from synapse_sdk.downloads.download import Download
from synapse_sdk.downloads.network import SYSTEM_NETWORK, CheckedBackend, Network
from synapse_sdk.downloads.tries import RETRIES
from synapse_sdk.downloads.urls import WebUrl
from synapse_sdk.errors import ConfigurationError
from synapse_sdk.retry import RetryPolicy

__all__ = ["HttpReader"]


class HttpReader:
    """Reads files from the web whose URLs come from somebody else.

    It goes where anybody may go, and nowhere else: `http` and `https` only, and only to public addresses. A host is
    looked up once for each connection, every address is checked, and the connection goes to one of these. Redirects
    are checked in the same way, at most 5, and never lead from https to http. It sends no credentials and keeps no
    cookies; proxies named in the environment are not used. Certificates are checked, against those of the system too.

    One reader serves many threads, which share its connections.

    Args:
        allows_private: Also read from this machine and from private networks. Never from metadata services of clouds,
            nor from link-local, multicast or reserved addresses.
        retries: How often a file is tried for in all, and with which pauses. Only broken connections and the statuses
            408, 425, 429 and 5xx are tried again. `Retry-After` is honoured up to `max_delay`; a server that asks for
            more is not asked again.
        connect_timeout: Seconds until a host must have been looked up and connected to, each.
        stall_timeout: Seconds for which nothing at all may come.
        total_timeout: Seconds that one file may be waited for, all tries and pauses together. What the caller does
            between two pieces does not count.
        max_connections: Most connections at one time; who comes when all are in use waits for one.
        clock: Where the time comes from.
        network: Looks hosts up and connects.

    Raises:
        ConfigurationError: A number makes no sense.

    Example:
        >>> with HttpReader() as reader:
        ...     content = b"".join(reader.stream("http://127.1/cat.jpg?signature=secret"))
        Traceback (most recent call last):
        synapse_sdk.errors.UnsafeUrlError: Will not connect to '127.1'. '127.1' has the address 127.0.0.1, ...
    """

    def __init__(
        self,
        *,
        allows_private: bool = False,
        retries: RetryPolicy = RETRIES,
        connect_timeout: float = 5.0,
        stall_timeout: float = 15.0,
        total_timeout: float = 300.0,
        max_connections: int = 16,
        clock: Clock = SYSTEM_CLOCK,
        network: Network = SYSTEM_NETWORK,
    ) -> None:
        _require_positive(
            connect_timeout=connect_timeout,
            stall_timeout=stall_timeout,
            total_timeout=total_timeout,
            max_connections=max_connections,
        )
        backend = CheckedBackend(network, allows_private=allows_private)
        timeouts = Timeouts(connect_timeout, stall_timeout, total_timeout)
        self._connections = Connections(backend, timeouts, most=max_connections)
        self._retries = retries
        self._clock = clock

    def stream(self, url: str, *, most_bytes: int | None = None) -> Generator[bytes]:
        """Yield a file in pieces, as it comes.

        A file whose connection breaks is gone on with where that happened, if the server says that it is still the
        same. What was yielded stays valid then, and is not yielded again. The end of the iterator says that the
        file is whole: everything that `Content-Length` announced has come. A server that announces nothing, neither
        a length nor chunks, cannot be held to it.

        Nothing is asked for before the first piece is. Whoever stops early closes the iterator, which gives back
        its connection.

        Args:
            url: `http://` or `https://`. Its query may be secret: no error or log record of this package shows it.
            most_bytes: Most bytes to accept; a file that has more is refused before any byte beyond them.

        Raises:
            UnsafeUrlError: It is no URL of a file on the web, or it or a redirect leads to an unsafe address.
            FileGoneError: There is no such file (404, 410).
            DownloadDeniedError: The server refuses (401, 403).
            DownloadUnavailableError: The server cannot be reached, is busy or too slow; all tries are used up.
            DownloadIntegrityError: The file changed on its way.
            DownloadError: Anything else: too many bytes, another status, a compressed body, a wrong certificate.
        """
        download = Download(
            WebUrl.parse(url), self._connections, most_bytes=most_bytes, retries=self._retries, clock=self._clock
        )
        return download.pieces()

    def close(self) -> None:
        """Close all connections, those in use as soon as they are not. Safe to repeat."""
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections."""
        self.close()


def _require_positive(**numbers: float) -> None:
    for name, number in numbers.items():
        if not number > 0:  # NaN is refused as well
            msg = f"HttpReader got {name}={number!r}"
            raise ConfigurationError(msg, fix="Give more than 0")
