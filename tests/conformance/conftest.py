from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conformance.azure_server import AzureServer, azure_server
from tests.conformance.ceph_server import radosgw_server
from tests.conformance.executors import Run, drivers, runner
from tests.conformance.postgres_server import PostgresServer, postgres_server
from tests.conformance.s3_server import S3Server
from tests.conformance.sftp_server import SftpServer, sftp_server
from tests.unit.executors.driving import Driver


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for all tests of this process."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def radosgw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3-compatible server that checks what it is sent, for all tests of this process."""
    with radosgw_server(tmp_path_factory.mktemp("ceph")) as server:
        yield server


@pytest.fixture(scope="session")
def azure() -> Iterator[AzureServer]:
    """An Azure-compatible server for all tests of this process."""
    with azure_server() as server:
        yield server


@pytest.fixture(scope="session")
def sftp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpServer]:
    """An SFTP server for all tests of this process."""
    with sftp_server(tmp_path_factory.mktemp("sftp")) as server:
        yield server


@pytest.fixture
def mode(request: pytest.FixtureRequest) -> str:
    """The executor, by its name; what it needs is there."""
    name: str = request.param
    if name == "ray":
        request.getfixturevalue("on_ray")
    return name


@pytest.fixture
def run(mode: str) -> Run:
    """What runs a spec with the executor."""
    return runner(mode)


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """The folder in which actions leave their signs."""
    folder = tmp_path / "scene"
    folder.mkdir()
    return folder


@pytest.fixture
def drive(scene: Path) -> Iterator[Callable[..., Driver]]:
    """What starts drivers."""
    with drivers(scene) as start:
        yield start
