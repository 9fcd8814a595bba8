"""Where the files of items are read from."""

from collections.abc import Iterator
from contextlib import ExitStack
from threading import Lock
from typing import TYPE_CHECKING

from synapse_sdk.backend import Backend, StorageId
from synapse_sdk.retry import RetryPolicy
from synapse_sdk.storage import Storage, open_storage

if TYPE_CHECKING:
    from synapse_sdk.downloads import HttpReader

__all__ = ["BackendSources"]


class BackendSources:
    """Opens the storages that the backend knows, and reads what lies on the web; each is opened once, on use.

    Args:
        backend: Where the storages are known.
        retries: How to try a file of the web again whose failure may pass.
        allows_private: Whether files of the web may lie in private networks.
    """

    def __init__(self, backend: Backend, retries: RetryPolicy, *, allows_private: bool = False) -> None:
        self._backend, self._retries, self._allows_private = backend, retries, allows_private
        self._storages: dict[int, Storage] = {}
        self._web: HttpReader | None = None
        self._opened = ExitStack()
        self._lock = Lock()

    def storage(self, number: int) -> Storage:
        """Return a storage by the id of its record; called by the thread that decides before any other."""
        known = self._storages.get(number)
        if known is None:
            record = self._backend.storages.get(StorageId(number))
            known = self._opened.enter_context(open_storage(record.url, credentials=record.credentials))
            self._storages[number] = known
        return known

    def read_web(self, url: str, most_bytes: int | None) -> Iterator[bytes]:
        """Yield the bytes of a file of the web; an address inside a private network is refused."""
        with self._lock:
            if self._web is None:
                from synapse_sdk.downloads import HttpReader  # noqa: PLC0415  # few items have files of the web

                reader = HttpReader(retries=self._retries, allows_private=self._allows_private)
                self._web = self._opened.enter_context(reader)
        return self._web.stream(url, most_bytes=most_bytes)

    def close(self) -> None:
        """Release what was opened."""
        self._opened.close()
        self._storages.clear()
        self._web = None
