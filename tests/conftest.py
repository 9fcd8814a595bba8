"""What holds for every test: runs are recorded in a folder of this session, and signals mean what they usually do."""

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.conformance.ray_cluster import RayCluster
    from tests.conformance.s3_server import S3Server

pytest_plugins = ["synapse_sdk.testing.pytest_plugin"]

# No test fails because the machine is busy.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Keep what is loaded, and the tests themselves, out of garbage collections: half a million objects that stay."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder for this session and its child processes."""
    folder = tmp_path_factory.mktemp("data")
    before = {name: os.environ.pop(name, None) for name in ("XDG_DATA_HOME", "SYNAPSE_JOURNAL", "SYNAPSE_FAILPOINTS")}
    os.environ["XDG_DATA_HOME"] = str(folder)
    yield folder
    for name, value in before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


@pytest.fixture(scope="session", autouse=True)
def _signals_are_heard() -> Iterator[None]:
    """Heed what processes ignore for good, as do their children, when nohup or `&` in a script started them."""
    before = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGINT)}
    if before[signal.SIGHUP] is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if before[signal.SIGINT] is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def moto() -> Iterator["S3Server"]:
    """An S3 server for all tests of this process."""
    from tests.conformance.s3_server import moto_server  # noqa: PLC0415  # slow to import, and few tests need it

    with moto_server() as server:
        yield server


@pytest.fixture(scope="session")
def ray_nodes() -> Iterator["RayCluster"]:
    """A Ray cluster for all tests of this process."""
    from tests.conformance.ray_cluster import ray_cluster  # noqa: PLC0415  # as above

    with ray_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def on_ray(ray_nodes: "RayCluster") -> Iterator["RayCluster"]:
    """The cluster, to which this process belongs while a module has its tests: Ray has threads."""
    from tests.conformance.ray_cluster import belonging_to  # noqa: PLC0415  # as above

    with belonging_to(ray_nodes):
        yield ray_nodes
