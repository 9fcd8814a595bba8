"""A project whose uploads go to an S3-compatible server, over a network that a test can spoil."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.storage import Storage, open_storage
from synapse_sdk.testing import FaultProxy
from tests.conformance.s3_server import LOGIN, S3Server
from tests.unit.plugins.actions.upload.world import World

__all__ = ["BucketWorld", "bucket_world"]


@dataclass
class BucketWorld(World):
    """The project, the server, and the proxy in between; what is looked at is looked at without the proxy."""

    server: S3Server = field(init=False)
    proxy: FaultProxy = field(init=False)
    bucket: str = field(init=False)

    def params(self, **params: Any) -> dict[str, Any]:  # noqa: ANN401  # those of the action
        """Return parameters for an upload into the bucket."""
        return super().params(**{"storage": "bucket"} | params)

    def storage(self) -> Storage:
        """Open the bucket."""
        url = f"s3://{self.bucket}/uploads?endpoint={self.server.endpoint}&region=us-east-1"
        return open_storage(url, credentials=LOGIN)

    def objects(self) -> set[str]:
        """Return the keys of everything in the bucket, unfinished uploads included."""
        with self.storage() as storage:
            whole = {info.key for info in storage.list()}
        return whole | {f"unfinished: {key}" for key in self.server.unfinished(self.bucket)}

    def sent(self) -> list[str]:
        """Return the paths of all requests that have put an object and reached the server, parts left out."""
        return [
            each.path
            for each in self.proxy.requests
            if each.method == "PUT" and "partNumber" not in each.path and each.deliveries and "probe" not in each.path
        ]


@contextmanager
def bucket_world(server: S3Server, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[BucketWorld]:
    """Make a project with a bucket of its own."""
    with FaultProxy("127.0.0.1", server.port) as proxy, BucketWorld.made(folder, patch) as world:
        assert isinstance(world, BucketWorld)
        world.server, world.proxy, world.bucket = server, proxy, server.make_bucket()
        url = f"s3://{world.bucket}/uploads?endpoint={proxy.url}&region=us-east-1"
        world.backend.storages.create("bucket", url, credentials=LOGIN)
        yield world
