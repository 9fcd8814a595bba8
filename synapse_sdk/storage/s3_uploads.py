"""Unfinished uploads of S3, which obstore cannot list: signed requests with the standard library alone."""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as ET

from synapse_sdk.errors import StorageUnavailableError
from synapse_sdk.retry import RetryPolicy, retry
from synapse_sdk.storage.object_store_errors import Answer, storage_error

__all__ = ["S3Login", "S3Uploads", "sign"]

EMPTY = hashlib.sha256(b"").hexdigest()
POLICY = RetryPolicy(max_attempts=4, delay=0.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Login:
    """Who asks; never shown."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    def __repr__(self) -> str:
        return "S3Login(...)"


class S3Uploads:
    """The multipart uploads of a bucket that were begun and neither completed nor aborted.

    Args:
        url: Of the storage, for errors.
        endpoint: Such as `https://s3.eu-west-1.amazonaws.com`, without the bucket.
        bucket: Its name.
        region: The one that requests are signed for.
        login: Who asks.
        timeout: Seconds that one wait for the server may last.
    """

    def __init__(
        self, url: str, endpoint: str, bucket: str, region: str, login: S3Login, *, timeout: float
    ) -> None:  # each is named
        self._url, self._endpoint = url, urlsplit(endpoint)
        self._path = f"{self._endpoint.path.rstrip('/')}/{_encoded(bucket)}"
        self._region, self._login, self._timeout = region, login, timeout

    def unfinished(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Yield the key and the id of every unfinished upload to a key with a prefix, page by page."""
        markers = {"key-marker": "", "upload-id-marker": ""}
        while True:
            page = _parsed(self._ask("GET", self._path, {"uploads": "", "prefix": prefix, **markers}, prefix))
            for upload in page.findall("Upload"):
                yield upload.findtext("Key", ""), upload.findtext("UploadId", "")
            if page.findtext("IsTruncated", "false") != "true":
                return
            following = (page.findtext("NextKeyMarker", ""), page.findtext("NextUploadIdMarker", ""))
            if following == tuple(markers.values()):
                raise storage_error(StorageUnavailableError, self._url, prefix, "Its list of uploads goes in circles")
            markers = dict(zip(markers, following, strict=True))

    def abort(self, key: str, upload_id: str) -> None:
        """Abort an upload; one that is gone is success."""
        self._ask("DELETE", f"{self._path}/{_encoded(key, '/')}", {"uploadId": upload_id}, key)

    def _ask(self, method: str, path: str, query: Mapping[str, str], key: str) -> bytes:
        return retry(lambda: self._ask_once(method, path, query, key), POLICY)

    def _ask_once(self, method: str, path: str, query: Mapping[str, str], key: str) -> bytes:
        kind = HTTPSConnection if self._endpoint.scheme == "https" else HTTPConnection
        connection = kind(self._endpoint.hostname or "", self._endpoint.port, timeout=self._timeout)
        host = self._endpoint.netloc.rpartition("@")[2]
        headers = sign(method, host, path, query, region=self._region, login=self._login, now=datetime.now(UTC))
        try:
            connection.request(method, f"{path}?{_canonical(query)}", headers=headers)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, HTTPException) as error:
            raise storage_error(StorageUnavailableError, self._url, key, f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES and not (
            method == "DELETE" and answer.status == HTTPStatus.NOT_FOUND
        ):
            said = Answer(f"status code: {answer.status} {answer.reason}: {body[:4000].decode(errors='replace')}")
            raise storage_error(said.kind, self._url, key, said.why)
        return body


def sign(
    method: str, host: str, path: str, query: Mapping[str, str], *, region: str, login: S3Login, now: datetime
) -> dict[str, str]:
    """Return the headers of a request without a body, signed with AWS Signature Version 4.

    Args:
        method: Of HTTP.
        host: With the port, if it is in the address.
        path: As it is sent: encoded.
        query: Names and values, not encoded.
        region: The one to sign for.
        login: Who asks.
        now: Aware UTC.
    """
    at = now.strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": host, "x-amz-content-sha256": EMPTY, "x-amz-date": at}
    if login.session_token:
        headers["x-amz-security-token"] = login.session_token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = "\n".join((method, path, _canonical(query), lines, names, EMPTY))
    scope = f"{at[:8]}/{region}/s3/aws4_request"
    to_sign = "\n".join(("AWS4-HMAC-SHA256", at, scope, hashlib.sha256(request.encode()).hexdigest()))
    key = f"AWS4{login.secret_access_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    by = f"AWS4-HMAC-SHA256 Credential={login.access_key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "authorization": by}


def _encoded(text: str, safe: str = "") -> str:
    return quote(text, safe=safe + "~")


def _canonical(query: Mapping[str, str]) -> str:
    return "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in sorted(query.items()))


def _parsed(body: bytes) -> ET.Element:
    """Return an answer as XML without its namespaces; one that declares entities is refused."""
    if b"<!" in body:
        msg = "The storage sent a document type, which S3 does not have"
        raise StorageUnavailableError(msg)
    try:
        root = ET.fromstring(body)  # noqa: S314  # without a document type there are no entities to expand
    except ET.ParseError as error:
        msg = "The storage sent something else than a list of uploads"
        raise StorageUnavailableError(msg, why=str(error)) from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root
