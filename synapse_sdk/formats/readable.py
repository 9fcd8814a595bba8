"""Datasets whose folders cannot be listed."""

from collections.abc import Iterator
from contextlib import contextmanager

from synapse_sdk.errors import InvalidDatasetError

__all__ = ["readable"]


@contextmanager
def readable() -> Iterator[None]:
    """Refuse a dataset whose folders cannot be listed: nobody knows what would be missing.

    Raises:
        InvalidDatasetError: A system call failed; the error names the folder.
    """
    try:
        yield
    except OSError as error:
        msg = f"Cannot read {error.filename!r}: {error.strerror}"
        raise InvalidDatasetError(msg, fix="Make it readable", path=str(error.filename)) from error
