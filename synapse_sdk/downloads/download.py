"""One file on its way: where it stands, and how it goes on when the connection breaks."""

from collections.abc import Generator, Iterator

from synapse_sdk.clock import Clock
from synapse_sdk.downloads.answers import Answer
from synapse_sdk.downloads.connections import Connections
from synapse_sdk.downloads.deadline import Deadline
from synapse_sdk.downloads.failures import answer_error, download_error
from synapse_sdk.downloads.tries import pause
from synapse_sdk.downloads.urls import WebUrl
from synapse_sdk.errors import DownloadError, DownloadIntegrityError, DownloadUnavailableError
from synapse_sdk.retry import RetryPolicy

__all__ = ["Download"]

OK = 200
PARTIAL = 206
OUT_OF_RANGE = 416


class Download:
    """Reads one file once, in as many tries as the policy allows.

    A try that fails with bytes received goes on behind them, and only if the server can say that the file is still
    the same one: by its validator. Two halves of different versions would be a file that never existed.
    """

    def __init__(
        self, url: WebUrl, connections: Connections, *, most_bytes: int | None, retries: RetryPolicy, clock: Clock
    ) -> None:
        self._url = url
        self._connections = connections
        self._most_bytes = most_bytes
        self._retries = retries
        self._clock = clock
        self._deadline = Deadline(connections.timeouts.total, clock)
        self._received = 0
        self._size: int | None = None
        self._validator: str | None = None
        self._takes_ranges = False

    def pieces(self) -> Generator[bytes]:
        """Yield the bytes of the file, in order, each once."""
        for delay in self._retries.delays():
            try:
                yield from self._try()
            except DownloadUnavailableError as error:
                is_lost = self._received > 0 and self._validator is None
                if is_lost or not pause(
                    error, delay, retries=self._retries, deadline=self._deadline, clock=self._clock
                ):
                    raise
            else:
                return

    def _try(self) -> Iterator[bytes]:
        response = self._connections.open(self._url, self._conditions(), self._deadline)
        try:
            skipped = self._begin(Answer.of(response))
            if skipped is None:
                return
            for piece in self._connections.pieces(self._url, response, self._deadline):
                fresh = piece[skipped:]
                skipped -= len(piece) - len(fresh)
                if fresh:
                    self._count(len(fresh))
                    yield fresh
        finally:
            self._connections.finish(response)
        self._end()

    def _conditions(self) -> dict[str, str]:
        """Return the headers that ask for the rest of the file, if some of it is there and parts can be had."""
        if not self._received or self._validator is None or not self._takes_ranges:
            return {}
        return {"Range": f"bytes={self._received}-", "If-Range": self._validator}

    def _begin(self, answer: Answer) -> int | None:
        """Check an answer, and return how many bytes of its body are there already; None if nothing is missing."""
        start, total = answer.part
        if self._received and answer.status == OUT_OF_RANGE:
            self._require(total == self._received and self._size in (None, total), "its size is another one now")
            return None
        if answer.status != OK and not (self._received and answer.status == PARTIAL):
            raise answer_error(self._url, answer, self._clock.now())
        if answer.coding != "identity":
            why = f"It was sent compressed ({answer.coding[:20]!r}), which was not asked for"
            raise download_error(DownloadError, self._url, why, "Have it sent as it is")
        if answer.status == PARTIAL:
            self._require(start == self._received, "the server sent another part than the one that was asked for")
            self._require(answer.has(self._validator) is not False, "it has changed meanwhile")
        elif self._received:
            self._require(answer.has(self._validator) is True, "it has changed meanwhile")
            total = answer.size
        else:
            total, self._size = answer.size, None
            self._validator, self._takes_ranges = answer.validator, answer.takes_ranges
        self._require(self._size is None or total in (None, self._size), "its size is another one now")
        self._size = self._size if total is None else total
        self._check_size(self._size or 0)
        return 0 if answer.status == PARTIAL else self._received

    def _count(self, size: int) -> None:
        received = self._received + size
        self._require(self._size is None or received <= self._size, "more bytes came than there should be")
        self._check_size(received)
        self._received = received

    def _end(self) -> None:
        """Check that the file has come as a whole: a server may send less than the part it was asked for."""
        if self._size is not None and self._received < self._size:
            why = f"The server ended after {self._received} of {self._size} bytes"
            raise download_error(DownloadUnavailableError, self._url, why)

    def _check_size(self, size: int) -> None:
        if self._most_bytes is not None and size > self._most_bytes:
            why = f"It has more than {self._most_bytes} bytes"
            raise download_error(DownloadError, self._url, why, "Raise the limit, or have a smaller file put there")

    def _require(self, holds: bool, why: str) -> None:  # noqa: FBT001  the sentence reads as a condition
        if not holds:
            why = f"After {self._received} bytes the connection broke, and then {why}"
            raise download_error(DownloadIntegrityError, self._url, why)
