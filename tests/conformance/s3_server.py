"""An S3-compatible server of our own in this process, thrown away after the tests."""

import itertools
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
from moto.s3.responses import S3Response
from moto.server import ThreadedMotoServer

__all__ = ["LOGIN", "S3Server", "moto_server"]

NUMBERS = itertools.count(1)
"""Of buckets: all servers of moto in a process have the same ones."""
LOGIN: Mapping[str, str] = {"access_key_id": "test", "secret_access_key": "testtest"}
"""What every S3 server of the tests lets in."""


class S3Server:
    """A server that listens on a port of this machine.

    Args:
        port: The port.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.endpoint = f"http://127.0.0.1:{port}"
        self._client: Any = None

    def make_bucket(self) -> str:
        """Make an empty bucket, and return its name."""
        name = f"bucket-{next(NUMBERS)}"
        self.client().create_bucket(Bucket=name)
        return name

    def client(self) -> Any:  # noqa: ANN401  # boto3 makes its types as it goes
        """Return a client of another make, to look at what there is."""
        if self._client is None:
            self._client = boto3.client(
                "s3",
                endpoint_url=self.endpoint,
                region_name="us-east-1",
                aws_access_key_id=LOGIN["access_key_id"],
                aws_secret_access_key=LOGIN["secret_access_key"],
            )
        return self._client

    def unfinished(self, bucket: str) -> list[str]:
        """Return the keys of unfinished uploads."""
        return [each["Key"] for each in self.client().list_multipart_uploads(Bucket=bucket).get("Uploads", [])]


@contextmanager
def moto_server() -> Iterator[S3Server]:
    """Yield a server; it checks neither signatures nor digests."""
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(S3Response, "put_object", _one_at_a_time(S3Response.put_object))
        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
        try:
            yield S3Server(server.get_host_and_port()[1])
        finally:
            server.stop()


def _one_at_a_time[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Let one thread after the other call a function: between looking for an object and making it, moto has no lock."""
    lock = threading.RLock()

    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        with lock:
            return function(*args, **kwargs)

    return call
