from collections.abc import Iterator

import pytest

from tests.conformance.azure_server import AzureServer, azure_server
from tests.conformance.ceph_server import radosgw_server
from tests.conformance.postgres_server import PostgresServer, postgres_server
from tests.conformance.s3_server import S3Server
from tests.conformance.sftp_server import SftpServer, sftp_server


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
