"""What file systems of fsspec say, in the words of storages."""

import contextlib
import sys
from collections.abc import Iterator

from synapse_sdk.errors import (
    ObjectNotFoundError,
    StorageDeniedError,
    StorageError,
    StorageUnavailableError,
    SynapseError,
)
from synapse_sdk.storage.content import Meter, is_of_content
from synapse_sdk.storage.local_errors import KINDS

__all__ = ["fsspec_errors"]


@contextlib.contextmanager
def fsspec_errors(url: str, key: str, secrets: tuple[str, ...] = (), meter: Meter | None = None) -> Iterator[None]:
    """Raise what goes wrong inside as a `StorageError` that names the storage and the key, and shows no secret.

    What reading the content raised passes as it is.
    """
    try:
        yield
    except SynapseError:
        raise
    except Exception as error:
        kind, fix = _kind(error)
        if kind is None or is_of_content(error, meter):
            raise
        why = f"{type(error).__name__}: {error}"
        has_secret = any(secret in why for secret in secrets)
        for secret in secrets:
            why = why.replace(secret, "...")
        msg = f"{url} cannot do this" + (f" for {key!r}" if key else "")
        raise kind(msg, why=why, fix=fix, key=key) from (None if has_secret else error)


def _kind(error: Exception) -> tuple[type[StorageError] | None, str]:
    """Return the error that one of another library means, and the way out; None for one that is not its business."""
    paramiko = sys.modules.get("paramiko")
    if paramiko is not None and isinstance(
        error, (paramiko.AuthenticationException, paramiko.BadHostKeyException, paramiko.PasswordRequiredException)
    ):
        return StorageDeniedError, "See whether user, password or key are right, and the host is the right one"
    if paramiko is not None and isinstance(error, paramiko.SSHException):
        return StorageUnavailableError, "Try again later, and see whether the host can be reached"
    if isinstance(error, FileNotFoundError):
        return ObjectNotFoundError, "See whether the folder is there"
    if (
        isinstance(error, (ConnectionError, TimeoutError, EOFError))
        or type(error).__name__ == "NoValidConnectionsError"
    ):
        return StorageUnavailableError, "Try again later, and see whether the host can be reached"
    if isinstance(error, (OSError, NotImplementedError)):
        number = getattr(error, "errno", None) or 0
        return KINDS.get(number, (StorageError, "See what the server says in its log"))
    return None, ""
