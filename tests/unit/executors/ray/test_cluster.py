import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from synapse_sdk.errors import ClusterUnavailableError, ConfigurationError
from synapse_sdk.executors import RayExecutor
from tests.unit.executors.driving import answer_spec


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No cluster is named by the environment."""
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


@pytest.fixture
def stranger() -> Iterator[str]:
    """The address of a server that speaks something else."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def test_without_the_library_the_extra_is_named() -> None:
    """It is not installed with the package; and what does not need it works."""
    code = """
import sys
sys.modules["ray"] = None
from synapse_sdk.executors import RayExecutor, RunSpec
try:
    RayExecutor().run(RunSpec(plugin="p", action="a"), None)
except ValueError as error:
    print(type(error).__name__, error)
"""
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed.startswith("ConfigurationError Running on a Ray cluster needs the package ray")
    assert "pip install 'synapse-sdk[ray]'" in printed


def test_naming_the_executor_loads_no_ray() -> None:
    """It is slow, and most runs are elsewhere."""
    code = "import sys; from synapse_sdk.executors import RayExecutor; RayExecutor(); print('ray' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_an_address_where_nobody_is_is_named() -> None:
    """At once, and with the way out."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        free = server.getsockname()[1]

    with pytest.raises(ClusterUnavailableError, match=f"at '127.0.0.1:{free}'.*ray start --head"):
        RayExecutor(f"127.0.0.1:{free}").run(answer_spec("place"), None)


def test_a_server_of_another_kind_is_told_apart(stranger: str) -> None:
    """Ray itself would ask it for minutes."""
    with pytest.raises(ClusterUnavailableError, match="something else"):
        RayExecutor(stranger).run(answer_spec("place"), None)


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:many"])
def test_what_is_no_address_is_refused(address: str) -> None:
    """With how one is written."""
    with pytest.raises(ConfigurationError, match="HOST:PORT"):
        RayExecutor(address).run(answer_spec("place"), None)


def test_a_cluster_from_outside_needs_another_package() -> None:
    """Ray's client speaks through it."""
    with pytest.raises(ConfigurationError, match=r"grpcio.*ray\[client\]"):
        RayExecutor("ray://127.0.0.1:10001").run(answer_spec("place"), None)


def test_a_variable_that_is_not_set_cannot_be_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found out before anything is started."""
    monkeypatch.delenv("NOWHERE_TOKEN", raising=False)

    with pytest.raises(ConfigurationError, match=r"'NOWHERE_TOKEN'.*not set"):
        RayExecutor(pass_env=["NOWHERE_TOKEN"]).run(answer_spec("place"), None)
