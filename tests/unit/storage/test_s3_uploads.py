"""Requests to S3 that are signed here, and answers that are read here."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from synapse_sdk.errors import (
    InvalidKeyError,
    ObjectNotFoundError,
    StorageDeniedError,
    StorageError,
    StorageFullError,
    StorageIntegrityError,
    StorageUnavailableError,
)
from synapse_sdk.storage import open_storage
from synapse_sdk.storage.object_store_errors import Answer
from synapse_sdk.storage.s3_uploads import S3Login, sign
from tests.conformance.s3_server import LOGIN, S3Server

AWS = S3Login(access_key_id="AKIAIOSFODNN7EXAMPLE", secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")  # noqa: S106  # AWS's own example
NOW = datetime(2013, 5, 24, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "signature"),
    [
        ({"lifecycle": ""}, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ({"max-keys": "2", "prefix": "J"}, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ],
)
def test_signatures_are_those_of_the_examples(query: dict[str, str], signature: str) -> None:
    """The ones in AWS's documentation of Signature Version 4."""
    headers = sign("GET", "examplebucket.s3.amazonaws.com", "/", query, region="us-east-1", login=AWS, now=NOW)

    assert headers["authorization"].endswith(f"Signature={signature}")


def test_every_page_of_uploads_is_read(moto: S3Server) -> None:
    """Of keys with a prefix, however they are written."""
    bucket = moto.make_bucket()
    names = [f"photos/{number} é+%41&.jpg" for number in range(12)]
    for name in [*names, "music/1"]:
        moto.client().create_multipart_upload(Bucket=bucket, Key=f"all/{name}")
    storage = open_storage(f"s3://{bucket}/all?endpoint={moto.endpoint}", credentials=LOGIN)

    assert storage.abort_unfinished("photos/") == 12
    assert moto.unfinished(bucket) == ["all/music/1"]
    assert storage.abort_unfinished() == 1
    assert moto.unfinished(bucket) == []


def texts() -> Iterator[tuple[str, type[StorageError]]]:
    """Yield what obstore's errors say, and what they mean."""
    begin = "Generic S3 error: Error performing PUT http://127.0.0.1:9/b/k?sig=canary in 9ms - "
    for code, kind in (
        ("400 Bad Request: <Error><Code>BadDigest</Code><Message>m</Message></Error>", StorageIntegrityError),
        ("400 Bad Request: <Error><Code>XAmzContentSHA256Mismatch</Code></Error>", StorageIntegrityError),
        ("400 Bad Request: <Error><Code>KeyTooLongError</Code></Error>", InvalidKeyError),
        ("400 Bad Request: <Error><Code>RequestTimeout</Code></Error>", StorageUnavailableError),
        ("400 Bad Request: <Error><Code>InvalidArgument</Code></Error>", StorageError),
        ("401 Unauthorized: ", StorageDeniedError),
        ("403 Forbidden: <Error><Code>AccessDenied</Code></Error>", StorageDeniedError),
        ("403 Forbidden: <Error><Code>QuotaExceeded</Code></Error>", StorageFullError),
        ("404 Not Found: <Error><Code>NoSuchKey</Code></Error>", ObjectNotFoundError),
        ("404 Not Found: <Error><Code>NoSuchBucket</Code></Error>", StorageError),
        ("429 Too Many Requests: ", StorageUnavailableError),
        ("500 Internal Server Error: <html>", StorageUnavailableError),
        ("503 Slow Down: <Error><Code>SlowDown</Code></Error>", StorageUnavailableError),
        ("507 Insufficient Storage: ", StorageFullError),
    ):
        yield f"{begin}Server returned non-2xx status code: {code}", kind
    yield f"{begin}HTTP error: error sending request\n\nDebug source: Os {{ code: 104 }}", StorageUnavailableError
    yield f"{begin}something that nobody has thought of", StorageError


@pytest.mark.parametrize(("text", "kind"), [*texts()])
def test_answers_are_understood(text: str, kind: type[StorageError]) -> None:
    """By code and status; what is shown of them is short, and without the query of the address."""
    answer = Answer(text)

    assert answer.kind is kind
    assert "canary" not in answer.why
    assert "Debug" not in answer.why


def test_secrets_in_answers_are_hidden() -> None:
    """Whatever a server sends back."""
    answer = Answer("status code: 403: <Code>AccessDenied</Code><Message>canary is wrong</Message>", ["canary"])

    assert answer.has_secret
    assert answer.why == "AccessDenied: ... is wrong"
