"""The connection of this process to a Ray cluster: there is one at a time, and runs share it."""

import logging
import os
import secrets
import shutil
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from synapse_sdk.errors import ClusterUnavailableError, ConfigurationError
from synapse_sdk.executors.ray.scratch import USERS_OWN, Scratch
from synapse_sdk.executors.relay import is_main_thread

__all__ = ["connected", "load_ray"]

LOOPBACK = "127.0.0.2"
"""The address of a cluster that is started here. Ray takes the usual one for a request to find out another."""
HERE = "local"
"""Stands for a cluster that is started here."""
LOCALHOST = frozenset({"localhost", "127.0.0.1"})
"""Names for which Ray puts this machine's address."""
REACH_SECONDS = 10.0
"""Seconds after which nobody is expected to answer at an address."""
SHORT = 0.05
"""Seconds between two looks at something that is about to be so."""
SETTINGS = b"\x04"
"""The kind of frame with which both sides begin (RFC 9113, 3.4): Ray speaks gRPC, which is HTTP/2."""
GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0" + SETTINGS + b"\0\0\0\0\0"
FRAME_HEAD = 9
"""Bytes of a frame that come before its content."""
VARIABLE = "RAY_ADDRESS"
CLIENT = "ray://"
"""Begins the address of a cluster that this machine is no part of."""
_TOKEN = secrets.token_hex(32)
"""Lets only this process talk to the cluster that it starts; a new one is not written into the home folder."""


class _Connection:
    """What was connected here, and how many runs use it."""

    lock = threading.Lock()
    users = 0
    address = ""
    scratch: Scratch | None = None


def load_ray() -> ModuleType:
    """Import the library.

    Raises:
        ConfigurationError: It is not installed.
    """
    try:
        import ray  # noqa: PLC0415  # slow to import, and an extra
    except ImportError as error:
        msg = "Running on a Ray cluster needs the package ray"
        raise ConfigurationError(msg, why=str(error), fix="Install it: pip install 'synapse-sdk[ray]'") from error
    return ray


@contextmanager
def connected(address: str | None) -> Iterator[ModuleType]:
    """Connect this process to a cluster, and yield the library.

    A connection that the application has made is used and left alone. Otherwise one is made, shared by all runs of
    this process at a time, and ended with the last of them.

    Args:
        address: As `ray.init` takes it; `local` is a cluster of one node, which is started here; None is what
            RAY_ADDRESS says, or else `local`.

    Raises:
        ConfigurationError: Ray is not installed, or not in the cluster's version; or this process is connected already
            to another cluster.
        ClusterUnavailableError: There is no cluster at the address.
    """
    ray = load_ray()
    address = address or os.environ.get(VARIABLE) or HERE
    with _Connection.lock:
        is_ours = _Connection.users > 0 or not ray.is_initialized()
        if not is_ours:
            _refuse_other(address, ray.get_runtime_context().gcs_address)
        elif _Connection.users == 0:
            _connect(ray, address)
        elif address != _Connection.address:
            _refuse_other(address, _Connection.address)
        _Connection.users += is_ours
    try:
        yield ray
    finally:
        with _Connection.lock:
            _Connection.users -= is_ours
            if is_ours and _Connection.users == 0:
                _disconnect(ray)


def _refuse_other(wanted: str, address: str) -> None:
    host, _, port = wanted.rpartition(":")
    is_same = wanted in {HERE, "auto", address} or (host in LOCALHOST and port == address.rpartition(":")[2])
    if not is_same:
        msg = f"This process is connected to another Ray cluster than {wanted!r}"
        raise ConfigurationError(msg, why=f"it is connected to {address}", fix="Use one cluster at a time")


def _connect(ray: ModuleType, address: str) -> None:
    try:
        Path.cwd()  # Ray wants one
    except OSError as error:
        msg = "The current directory is gone"
        raise ConfigurationError(msg, why=str(error), fix="Change to another one") from error
    options: dict[str, Any] = {"address": address, "configure_logging": False, "log_to_driver": False}
    variables = {"RAY_USAGE_STATS_ENABLED": "0"}
    scratch = None
    if address == HERE:
        # Its sockets have paths of at most 107 bytes, and the usual folder belongs to whoever was first to use Ray.
        scratch = Scratch(Path("/tmp", USERS_OWN))  # noqa: S108  # a folder of this user's
        options |= {"include_dashboard": False, "_temp_dir": str(scratch.folder), "_node_ip_address": LOOPBACK}
        variables["RAY_AUTH_TOKEN"] = _TOKEN
    elif address.startswith(CLIENT):
        _refuse_without_grpc(address)
    elif address != "auto":
        _reach(address)
    try:
        with _unchanged_handlers(), _variables(variables), _quiet():
            ray.init(**options)
    except Exception as error:
        _remove(scratch)
        raise _refusal(address, error) from error
    except BaseException:
        _remove(scratch)
        raise
    _Connection.address, _Connection.scratch = address, scratch


def _disconnect(ray: ModuleType) -> None:
    with _unchanged_handlers():
        ray.shutdown()
    _remove(_Connection.scratch)
    _Connection.address, _Connection.scratch = "", None


def _remove(scratch: Scratch | None) -> None:
    """Remove the folder of a cluster that has ended; its last process may still be writing the end of its log."""
    end = time.monotonic() + REACH_SECONDS
    while scratch is not None and time.monotonic() < end:
        shutil.rmtree(scratch.folder, ignore_errors=True)
        time.sleep(SHORT)
        if not scratch.folder.exists():
            break
    if scratch is not None:
        scratch.remove()


def _refuse_without_grpc(address: str) -> None:
    if find_spec("grpc") is None:
        msg = f"The address {address!r} needs the package grpcio"
        raise ConfigurationError(
            msg, fix="Install it: pip install 'ray[client]'; or start this on a node of the cluster"
        )


def _reach(address: str) -> None:
    """Find out in a bounded time whether a server of Ray's kind answers at an address; Ray would try for minutes."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=REACH_SECONDS) as connection:
            is_ray = os.environ.get("RAY_USE_TLS", "0") != "0" or _speaks_grpc(connection)
    except ValueError as error:
        msg = f"{address!r} is not the address of a Ray cluster"
        raise ConfigurationError(msg, fix="Write it as HOST:PORT, ray://HOST:PORT or auto") from error
    except OSError as error:
        raise _absent(address, str(error)) from error
    if not is_ray:
        raise _absent(address, "what answers there is something else")


def _speaks_grpc(connection: socket.socket) -> bool:
    connection.sendall(GREETING)
    return connection.recv(FRAME_HEAD, socket.MSG_WAITALL)[3:4] == SETTINGS


def _refusal(address: str, error: Exception) -> ConfigurationError | ClusterUnavailableError:
    """Return what kept this process from being connected, in our words."""
    text = str(error).strip() or type(error).__name__
    if "ersion mismatch" in text:
        msg = f"The Ray cluster at {address!r} has other versions than this process"
        fix = "Use the cluster's versions of Ray and Python here"
        return ConfigurationError(msg, why=" ".join(text.split()), fix=fix)
    causes = [type(each).__name__ for each in _causes(error)]
    if "AuthenticationError" in causes:
        msg = f"The Ray cluster at {address!r} wants a token that this process does not have"
        fix = "Set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH"
        return ConfigurationError(msg, fix=fix)
    if address == HERE:
        msg = "Cannot start a Ray cluster on this machine"
        return ClusterUnavailableError(msg, why=text.splitlines()[0], fix="Run the action with mode='process'")
    return _absent(address, text.splitlines()[0])


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _absent(address: str, why: str) -> ClusterUnavailableError:
    msg = f"No Ray cluster can be reached at {address!r}"
    return ClusterUnavailableError(
        msg, why=why, fix="Start it (ray start --head), or leave the address out to start one here"
    )


@contextmanager
def _unchanged_handlers() -> Iterator[None]:
    """Put back the handler of SIGTERM, for which Ray installs its own."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if is_main_thread() and handler is not None:
            signal.signal(signal.SIGTERM, handler)


@contextmanager
def _variables(values: dict[str, str]) -> Iterator[None]:
    """Set those environment variables that are not set, and put back all that change inside."""
    before = dict(os.environ)
    if "RAY_AUTH_TOKEN_PATH" in before or before.get("RAY_AUTH_MODE") == "disabled":
        values.pop("RAY_AUTH_TOKEN", None)
    os.environ.update({name: value for name, value in values.items() if name not in before})
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Ray's advice to its own users out of standard error, as long as nobody has asked for it."""
    log = logging.getLogger("ray")
    level = log.level
    log.setLevel(max(level, logging.ERROR))
    try:
        yield
    finally:
        log.setLevel(level)
