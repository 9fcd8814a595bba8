"""What a storage says when it could not delete some of the objects that it should."""

from collections.abc import Mapping

from synapse_sdk.errors import StorageError

__all__ = ["undeleted"]


def undeleted(url: str, failed: Mapping[str, StorageError | OSError]) -> StorageError:
    """Return the error that says which objects are still there, and why the first of them is.

    Args:
        url: The storage.
        failed: Why each could not be deleted, by its key; at least one.
    """
    key, first = next(iter(failed.items()))
    others = f" and {len(failed) - 1:,} more" if len(failed) > 1 else ""
    msg = f"{url} could not delete {key!r}{others}"
    if isinstance(first, StorageError):
        error = type(first)(msg, why=first.why, fix=first.fix, keys=sorted(failed))
    else:
        error = StorageError(msg, why=first.strerror, keys=sorted(failed))
    error.__cause__ = first
    return error
