"""What goes wrong on the way to a file, as errors that name it. The server's own words are never repeated."""

import socket
import ssl
from datetime import datetime
from http import HTTPStatus

import httpcore

from synapse_sdk.downloads.answers import Answer
from synapse_sdk.downloads.urls import WebUrl
from synapse_sdk.errors import (
    DownloadDeniedError,
    DownloadError,
    DownloadIntegrityError,
    DownloadUnavailableError,
    FileGoneError,
)

__all__ = ["Failure", "answer_error", "download_error", "meaning"]

BY_STATUS: dict[int, type[DownloadError]] = {
    HTTPStatus.UNAUTHORIZED: DownloadDeniedError,
    HTTPStatus.FORBIDDEN: DownloadDeniedError,
    HTTPStatus.NOT_FOUND: FileGoneError,
    HTTPStatus.GONE: FileGoneError,
    HTTPStatus.REQUEST_TIMEOUT: DownloadUnavailableError,
    HTTPStatus.TOO_EARLY: DownloadUnavailableError,
    HTTPStatus.TOO_MANY_REQUESTS: DownloadUnavailableError,
}
FIXES: dict[type[DownloadError], str] = {
    DownloadError: "See whether the link is that of a file",
    DownloadDeniedError: "See whether the link has expired; credentials are not sent",
    FileGoneError: "See whether the file still exists",
    DownloadUnavailableError: "Try again later",
    DownloadIntegrityError: "Download it anew",
}

type Failure = tuple[type[DownloadError], str]
"""An error, and why."""


def download_error(kind: type[DownloadError], url: WebUrl, why: str, fix: str | None = None) -> DownloadError:
    """Return an error that names a file."""
    return kind(f"Cannot download {str(url)!r}", why=why, fix=fix or FIXES[kind], url=str(url))


def answer_error(url: WebUrl, answer: Answer, now: datetime) -> DownloadError:
    """Return the error that an answer without a file means."""
    status = answer.status
    default = DownloadUnavailableError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else DownloadError
    phrase = HTTPStatus(status).phrase if status in HTTPStatus else ""
    error = download_error(BY_STATUS.get(status, default), url, f"The server answered {status} {phrase}".rstrip())
    if isinstance(error, DownloadUnavailableError):
        error.retry_after = answer.retry_after(now)
        if error.retry_after is not None:
            error.fix = f"Try again in {error.retry_after:.0f} seconds"
    return error


def meaning(error: Exception, broken: str) -> Failure:
    """Return what an exception of a connection means, other than that it took too long.

    Args:
        error: From httpcore, or from looking up a host.
        broken: What it means when the connection ends, or something else than HTTP comes.
    """
    match error:
        case socket.gaierror() if error.errno != socket.EAI_AGAIN:
            return DownloadError, f"Its host is not known ({error.strerror})"
        # The pool takes the cause away, and leaves the context.
        case httpcore.ConnectError(__context__=ssl.SSLCertVerificationError(verify_message=message)):
            return DownloadError, f"Its certificate is not accepted ({message.rstrip('.')})"
        case httpcore.LocalProtocolError():
            return DownloadError, "It cannot be asked for by HTTP"
        case httpcore.ConnectError() | socket.gaierror():
            return DownloadUnavailableError, f"It cannot be reached ({error})"
        case _:
            return DownloadUnavailableError, broken
