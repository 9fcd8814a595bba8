"""What parameters of built-in actions name, as records of the backend."""

from typing import TYPE_CHECKING

from synapse_sdk.backend.paging import every
from synapse_sdk.errors import RecordNotFoundError
from synapse_sdk.storage import absolute_url

if TYPE_CHECKING:
    from synapse_sdk.backend import Backend, StorageRecord

__all__ = ["find_storage", "is_address"]


def find_storage(backend: "Backend", named: int | str | None) -> "StorageRecord | str | None":
    """Return a storage; the URL of one that is not known yet; or None if none is named and there is none.

    Args:
        backend: Where storages are known.
        named: An id, a name, a path or a URL; None for the backend's default.

    Raises:
        RecordNotFoundError: There is none of this id or name.
    """
    if isinstance(named, str) and is_address(named):
        address = absolute_url(named)
        known = every(lambda after, size: backend.storages.list(after=after, limit=size))
        return next((each for each in known if absolute_url(each.url) == address), address)
    if isinstance(named, str):
        try:
            return backend.storages.get(named)
        except RecordNotFoundError as error:
            fix = f"{error.fix}. A folder is written as a path: ./{named}"
            raise RecordNotFoundError(error.message, why=error.why, fix=fix, **error.where) from error
    if named is not None:
        return backend.storages.get(named)
    try:
        return backend.storages.default()
    except RecordNotFoundError:
        return None


def is_address(text: str) -> bool:
    """Whether a text says where a storage is, rather than what it is called."""
    return "://" in text or "/" in text or text in {".", ".."}
