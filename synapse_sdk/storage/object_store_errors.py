"""What object stores answer, in the words of storages. The one place where their texts are read."""

import contextlib
import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from synapse_sdk.errors import (
    InvalidKeyError,
    ObjectNotFoundError,
    StorageDeniedError,
    StorageError,
    StorageFullError,
    StorageIntegrityError,
    StorageUnavailableError,
    SynapseError,
)
from synapse_sdk.storage.content import Meter, is_of_content

__all__ = ["Answer", "object_errors", "storage_error"]

# obstore has types for some answers and one type for all others: status and code are only in its text.
STATUS = re.compile(r"status code: (\d{3})\b")
CODE = re.compile(r"<Code>(\w+)</Code>")
MESSAGE = re.compile(r"<Message>([^<]{1,300})")
NO_ANSWER = re.compile(
    r"HTTP error|error sending request|error decoding response|timed out|[Cc]onnect|after \d+ retries"
)
TOO_LATE = re.compile(r"TimedOut|Timeout\b|timed out")

BY_CODE: dict[str, type[StorageError]] = {
    "BadDigest": StorageIntegrityError,
    "InvalidDigest": StorageIntegrityError,
    "Md5Mismatch": StorageIntegrityError,
    "XAmzContentSHA256Mismatch": StorageIntegrityError,
    "XAmzContentChecksumMismatch": StorageIntegrityError,
    "KeyTooLongError": InvalidKeyError,
    "IncompleteBody": StorageUnavailableError,
    "RequestTimeout": StorageUnavailableError,
    "NoSuchUpload": StorageUnavailableError,  # somebody has cleared it away
    "OperationAborted": StorageUnavailableError,
    "QuotaExceeded": StorageFullError,
    "NoSuchBucket": StorageError,
    "ContainerNotFound": StorageError,
}
BY_STATUS: dict[int, type[StorageError]] = {
    HTTPStatus.UNAUTHORIZED: StorageDeniedError,
    HTTPStatus.FORBIDDEN: StorageDeniedError,
    HTTPStatus.NOT_FOUND: ObjectNotFoundError,
    HTTPStatus.REQUEST_TIMEOUT: StorageUnavailableError,
    HTTPStatus.TOO_EARLY: StorageUnavailableError,
    HTTPStatus.TOO_MANY_REQUESTS: StorageUnavailableError,
    HTTPStatus.INSUFFICIENT_STORAGE: StorageFullError,
}
FIXES: dict[type[StorageError], str] = {
    StorageDeniedError: "See whether the credentials are right and allow this",
    StorageUnavailableError: "Try again later, and see whether the storage can be reached",
    StorageFullError: "Make room, or have the quota raised",
    StorageIntegrityError: "Send it again",
}


class Answer:
    """What can be told from the text of an error of obstore.

    Args:
        text: All of it.
        secrets: What must not be shown.
    """

    def __init__(self, text: str, secrets: Sequence[str] = ()) -> None:
        status, code, message = STATUS.search(text), CODE.search(text), MESSAGE.search(text)
        self.status = int(status[1]) if status else None
        self.code = code[1] if code else None
        short = f"{code[1]}: {message[1]}" if code and message else _first_line(text)
        self.has_secret = any(secret in text for secret in secrets)
        for secret in secrets:
            short = short.replace(secret, "...")
        self.why = short
        self.is_missing = self.status is None and NO_ANSWER.search(text) is not None
        """Whether there was none at all, so that nobody knows what the store has done."""
        self.is_late = self.is_missing and TOO_LATE.search(text) is not None
        """Whether that is because it did not come in time."""

    @property
    def kind(self) -> type[StorageError]:
        """The error that it means."""
        if self.code in BY_CODE:
            return BY_CODE[self.code]
        if self.status is None:
            return StorageUnavailableError if self.is_missing else StorageError
        if self.status in BY_STATUS:
            return BY_STATUS[self.status]
        return StorageUnavailableError if self.status >= HTTPStatus.INTERNAL_SERVER_ERROR else StorageError


@contextlib.contextmanager
def object_errors(url: str, key: str, secrets: Sequence[str] = (), meter: Meter | None = None) -> Iterator[None]:
    """Raise what goes wrong inside as a `StorageError` that names the storage and the key.

    What reading the content raised passes as it is. `AlreadyExistsError` and `PreconditionError` have to be
    handled inside.
    """
    try:
        yield
    except SynapseError:
        raise
    except (BaseError, FileNotFoundError) as error:
        if is_of_content(error, meter):
            raise
        answer = Answer(str(error), secrets)
        kind = answer.kind
        if isinstance(error, (PermissionDeniedError, UnauthenticatedError)) and kind is StorageError:
            kind = StorageDeniedError
        elif isinstance(error, FileNotFoundError) and answer.code not in BY_CODE:
            kind = ObjectNotFoundError
        raise storage_error(kind, url, key, answer.why) from (None if answer.has_secret else error)


def storage_error(kind: type[StorageError], url: str, key: str, why: str | None) -> StorageError:
    """Return an error that names the storage and the key."""
    if kind is ObjectNotFoundError:
        return kind(f"{url} has no object {key!r}", key=key)
    what = f"{url} did not do what it was asked to" + (f" for {key!r}" if key else "")
    return kind(what, why=why, fix=FIXES.get(kind, "See whether the storage exists and is set up for this"), key=key)


def _first_line(text: str) -> str:
    """Return the beginning of a text, without the queries of addresses, which may be signed."""
    return re.sub(r"\?\S*", "", text.partition("\n\nDebug source")[0].partition("\n")[0])[:300]
