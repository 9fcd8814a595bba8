"""Asking a service of the web: something is posted, and the answer is small."""

from types import TracebackType
from typing import Self

from synapse_sdk.clock import SYSTEM_CLOCK, Clock
from synapse_sdk.downloads.answers import Answer
from synapse_sdk.downloads.connections import Connections, Timeouts
from synapse_sdk.downloads.deadline import Deadline
from synapse_sdk.downloads.failures import answer_error, download_error
from synapse_sdk.downloads.network import SYSTEM_NETWORK, CheckedBackend, Network
from synapse_sdk.downloads.tries import RETRIES, pause
from synapse_sdk.downloads.urls import WebUrl
from synapse_sdk.errors import DownloadError, DownloadUnavailableError
from synapse_sdk.retry import RetryPolicy

__all__ = ["HttpPoster"]

OK = 200


class HttpPoster:
    """Posts to one URL, which the user has named.

    It follows no redirect, and sends neither credentials nor cookies; proxies named in the environment are not used.

    Args:
        url: `http://` or `https://`.
        allows_private: Also ask this machine and private networks. Never metadata services of clouds, nor link-local,
            multicast or reserved addresses.
        retries: How often one request is sent in all, and with which pauses. Only broken connections and the statuses
            408, 425, 429 and 5xx are tried again, so the service must not mind to be asked twice. `Retry-After` is
            honoured up to `max_delay`.
        connect_timeout: Seconds until the host must have been looked up and connected to, each.
        stall_timeout: Seconds for which nothing at all may come; a service may think as long.
        total_timeout: Seconds that one request may take, all tries and pauses together.
        clock: Where the time comes from.
        network: Looks hosts up and connects.

    Raises:
        UnsafeUrlError: It is no URL of the web.
    """

    def __init__(
        self,
        url: str,
        *,
        allows_private: bool = False,
        retries: RetryPolicy = RETRIES,
        connect_timeout: float = 5.0,
        stall_timeout: float = 120.0,
        total_timeout: float = 600.0,
        clock: Clock = SYSTEM_CLOCK,
        network: Network = SYSTEM_NETWORK,
    ) -> None:
        self._url = WebUrl.parse(url)
        backend = CheckedBackend(network, allows_private=allows_private)
        self._connections = Connections(backend, Timeouts(connect_timeout, stall_timeout, total_timeout), most=1)
        self._retries, self._clock = retries, clock

    def post(self, content: bytes, *, kind: str, most_bytes: int) -> bytes:
        """Return the answer to a request.

        Args:
            content: What is posted.
            kind: Its media type, and that of the answer.
            most_bytes: Most bytes of the answer.

        Raises:
            UnsafeUrlError: The URL leads to an unsafe address.
            DownloadError: There is no answer, or none of status 200, of this kind and size.
        """
        deadline = Deadline(self._connections.timeouts.total, self._clock)
        delays = self._retries.delays()
        while True:
            delay = next(delays)
            try:
                return self._once(content, kind, most_bytes, deadline)
            except DownloadUnavailableError as error:
                if not pause(error, delay, retries=self._retries, deadline=deadline, clock=self._clock):
                    raise

    def _once(self, content: bytes, kind: str, most_bytes: int, deadline: Deadline) -> bytes:
        headers = {"Content-Type": kind, "Accept": kind}
        response = self._connections.send(self._url, content, headers, deadline)
        try:
            answer = Answer.of(response)
            if answer.status != OK:
                raise answer_error(self._url, answer, self._clock.now())
            found = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            if found != kind or answer.coding != "identity":
                why = f"The server answered {found[:40] or 'something unnamed'!r}, and not {kind!r} as it is"
                raise download_error(DownloadError, self._url, why)
            pieces, size = list[bytes](), 0
            for piece in self._connections.pieces(self._url, response, deadline):
                size += len(piece)
                if size > most_bytes:
                    why = f"The answer has more than {most_bytes:,} bytes"
                    raise download_error(DownloadError, self._url, why)
                pieces.append(piece)
        finally:
            self._connections.finish(response)
        if answer.size is not None and size < answer.size:
            why = f"The server ended after {size} of {answer.size} bytes"
            raise download_error(DownloadUnavailableError, self._url, why)
        return b"".join(pieces)

    def close(self) -> None:
        """Close the connection. Safe to repeat."""
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self.close()
