"""What parameters of built-in actions name, as records of the backend."""

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from synapse_sdk.backend.paging import every
from synapse_sdk.errors import ConfigurationError, RecordNotFoundError
from synapse_sdk.storage import absolute_url, place_of

if TYPE_CHECKING:
    from synapse_sdk.backend import Backend, StorageRecord

__all__ = ["find_storage", "is_address", "storage_at"]


def find_storage(backend: "Backend", named: int | str | None) -> "StorageRecord | str | None":
    """Return a storage; the URL of one that is not known yet; or None if none is named and there is none.

    Args:
        backend: Where storages are known.
        named: An id, a name, a path or a URL; None for the backend's default.

    Raises:
        RecordNotFoundError: There is none of this id or name.
        ConfigurationError: The place is known, with other options.
    """
    if isinstance(named, str) and is_address(named):
        address = absolute_url(named)
        there = storage_at(backend, address)
        if there is not None and there.url != address and not _options_of(address) <= _options_of(there.url):
            msg = f"The storage {there.name!r} is at this place already, with other options"
            why = f"Its URL is {there.url}; a place with two names would lose objects"
            raise ConfigurationError(msg, why=why, fix=f"Name it {there.name!r}, or leave the options out")
        return address if there is None else there
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


def storage_at(backend: "Backend", url: str) -> "StorageRecord | None":
    """Return the storage whose objects are where a URL leads, however the URL is written; None if there is none.

    Objects are known by their content: were one place known twice, what is undone in the one would be deleted from
    the other.
    """
    known = [*every(lambda after, size: backend.storages.list(after=after, limit=size))]
    place = place_of(url)
    there = [each for each in known if place_of(each.url) == place]
    return next((each for each in there if absolute_url(each.url) == absolute_url(url)), next(iter(there), None))


def is_address(text: str) -> bool:
    """Whether a text says where a storage is, rather than what it is called."""
    return "://" in text or "/" in text or text in {".", ".."}


def _options_of(url: str) -> set[tuple[str, str]]:
    return {*parse_qsl(urlsplit(url).query, keep_blank_values=True)}
