"""Asking for a file, as far as the answer and along its body, within limits of time."""

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

import certifi
import httpcore

from synapse_sdk import __version__
from synapse_sdk.downloads.deadline import Deadline
from synapse_sdk.downloads.failures import download_error, meaning
from synapse_sdk.downloads.network import BoundedStream, CheckedBackend
from synapse_sdk.downloads.urls import WebUrl
from synapse_sdk.errors import DownloadError, DownloadUnavailableError

__all__ = ["Connections", "Timeouts"]

REDIRECTS = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.FOUND,
        HTTPStatus.SEE_OTHER,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }
)
MOST_REDIRECTS = 5
IDLE = 15.0
"""Seconds that a connection is kept for the next file."""
HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": f"synapse-sdk/{__version__}"}


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits of one download, in seconds."""

    connect: float
    stall: float
    total: float


class Connections:
    """A pool of connections that many threads share. It keeps no cookies, and heeds no proxy of the environment.

    Behind a proxy it would be the proxy that looks hosts up, and nothing here could be checked.
    """

    def __init__(self, backend: CheckedBackend, timeouts: Timeouts, *, most: int) -> None:
        self.timeouts = timeouts
        self._most = most
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # accepts no certificate until it is told which ones
        self._trusts = False
        self._lock = threading.Lock()
        self._pool = httpcore.ConnectionPool(
            ssl_context=self._tls,
            max_connections=most,
            max_keepalive_connections=most,
            keepalive_expiry=IDLE,
            network_backend=backend,
        )

    def close(self) -> None:
        """Close all connections, those in use as soon as they are not."""
        self._pool.close()

    def open(self, url: WebUrl, headers: Mapping[str, str], deadline: Deadline) -> httpcore.Response:
        """Ask for a file, go where redirects lead, and return the first answer that is none; `finish` is to follow.

        Raises:
            UnsafeUrlError: The URL, or a redirect, leads where nobody should go.
            DownloadUnavailableError: There is no answer, or none in time.
            DownloadError: A certificate is wrong, or redirects do not end.
        """
        place = url
        for _ in range(MOST_REDIRECTS + 1):
            if place.scheme == "https":
                self._trust()
            with self._translated(place, deadline, "The server hung up, or did not answer in HTTP"):
                response = self._pool.handle_request(self._request(place, headers, deadline))
            if response.status not in REDIRECTS:
                return response
            self.finish(response)
            location = next((value for name, value in response.headers if name.lower() == b"location"), None)
            if location is None:
                why = f"The server answered {response.status} and did not say where the file is"
                raise download_error(DownloadError, place, why)
            place = place.follow(location)
        raise download_error(DownloadError, url, f"It redirects more than {MOST_REDIRECTS} times")

    def send(self, url: WebUrl, content: bytes, headers: Mapping[str, str], deadline: Deadline) -> httpcore.Response:
        """Post something, and return the answer; `finish` is to follow. It goes where the URL says, and nowhere else.

        Raises:
            UnsafeUrlError: The URL leads where nobody should go.
            DownloadUnavailableError: There is no answer, or none in time.
            DownloadError: A certificate is wrong.
        """
        if url.scheme == "https":
            self._trust()
        sent = {**headers, "Content-Length": str(len(content))}
        with self._translated(url, deadline, "The server hung up, or did not answer in HTTP"):
            return self._pool.handle_request(self._request(url, sent, deadline, content))

    def pieces(self, url: WebUrl, response: httpcore.Response, deadline: Deadline) -> Iterator[bytes]:
        """Yield the body as it comes.

        Raises:
            DownloadUnavailableError: The body ended early, stands still, or takes too long.
        """
        stream = iter(response.iter_stream())
        while True:
            with self._translated(url, deadline, "The connection ended before the file did"):
                piece = next(stream, None)
            if piece is None:
                return
            if not deadline.left():
                raise download_error(DownloadUnavailableError, url, _late(deadline))
            yield piece

    @staticmethod
    def finish(response: httpcore.Response) -> None:
        """Give a connection back, or close it if not all of the answer was read."""
        stream = response.extensions["network_stream"]
        if isinstance(stream, BoundedStream):
            stream.rest()
        response.close()

    def _trust(self) -> None:
        """Accept certificates that the system or certifi accept; loading them takes a tenth of a second."""
        with self._lock:
            if not self._trusts:
                self._tls.load_default_certs()
                self._tls.load_verify_locations(certifi.where())
                self._trusts = True

    def _request(
        self, url: WebUrl, headers: Mapping[str, str], deadline: Deadline, content: bytes | None = None
    ) -> httpcore.Request:
        whole = httpcore.URL(
            scheme=url.scheme.encode(), host=url.host.encode(), port=url.port, target=url.target.encode()
        )
        waits = {
            "connect": self.timeouts.connect,
            "read": self.timeouts.stall,
            "write": self.timeouts.stall,
            "pool": deadline.left(),
        }
        sent = {"Host": url.authority, **HEADERS, **headers}
        method = "GET" if content is None else "POST"
        return httpcore.Request(
            method, whole, headers=list(sent.items()), content=content, extensions={"timeout": waits}
        )

    @contextmanager
    def _translated(self, url: WebUrl, deadline: Deadline, broken: str) -> Iterator[None]:
        """Raise what goes wrong inside as an error that names the file; the deadline runs meanwhile.

        Args:
            url: The file.
            deadline: Of the whole download.
            broken: What it means when the connection ends, or something else than HTTP comes.
        """
        try:
            with deadline.running():
                yield
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, socket.gaierror) as error:
            is_late = isinstance(error, httpcore.TimeoutException) or not deadline.left()
            kind, why = (DownloadUnavailableError, self._wait(error, deadline)) if is_late else meaning(error, broken)
            raise download_error(kind, url, why) from error

    def _wait(self, error: Exception, deadline: Deadline) -> str:
        """Say which wait was too long."""
        if not deadline.left():
            return _late(deadline)
        match error:
            case httpcore.ConnectTimeout():
                return f"There was no connection within {self.timeouts.connect:g} seconds"
            case httpcore.PoolTimeout():
                return f"All {self._most} connections were in use"
            case _:
                return f"Nothing came for {self.timeouts.stall:g} seconds"


def _late(deadline: Deadline) -> str:
    return f"It took longer than {deadline.seconds:g} seconds"
