"""An Azure-compatible server of our own (Azurite), thrown away after the tests."""

import base64
import fcntl
import hashlib
import hmac
import http.client
import itertools
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path

import pytest

__all__ = ["AZURE_LOGIN", "AzureServer", "azure_server"]

PACKAGE = "azurite@3.35.0"
ACCOUNT, KEY = "test", base64.b64encode(b"testtest").decode()
AZURE_LOGIN: Mapping[str, str] = {"account_key": KEY}
"""What the server lets in."""
VERSION = "2021-12-02"
PATIENCE = 60.0
PAUSE = 0.05


class AzureServer:
    """A server that listens on a port of this machine, and checks signatures.

    Args:
        port: The port.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.endpoint = f"http://127.0.0.1:{port}/{ACCOUNT}"
        self._numbers = itertools.count(1)

    def make_container(self) -> str:
        """Make an empty container, and return the URL of a storage in it."""
        name = f"container-{next(self._numbers)}"
        headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": VERSION}
        signed = "".join(f"{header}:{value}\n" for header, value in headers.items())
        text = "PUT" + "\n" * 12 + f"{signed}/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
        signature = base64.b64encode(hmac.digest(base64.b64decode(KEY), text.encode(), hashlib.sha256)).decode()
        headers |= {"Authorization": f"SharedKey {ACCOUNT}:{signature}", "Content-Length": "0"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request("PUT", f"/{ACCOUNT}/{name}?restype=container", headers=headers)
        answer = connection.getresponse()
        assert answer.status == http.HTTPStatus.CREATED, answer.read()
        connection.close()
        return f"az://{name}/pre%20fix?account={ACCOUNT}&endpoint={self.endpoint}"


@contextmanager
def azure_server() -> Iterator[AzureServer]:
    """Yield a server whose objects are in its memory; whoever cannot have one skips the test."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    options = ("--blobHost", "127.0.0.1", "--blobPort", str(port), "--inMemoryPersistence", "--silent")
    process = subprocess.Popen(
        [_program(), *options, "--skipApiVersionCheck", "--disableTelemetry"],
        env={**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, process)
        yield AzureServer(port)
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, f"the Azure server ended with {process.returncode}"
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < end, "the Azure server does not come up"
        time.sleep(PAUSE)


def _program() -> Path:
    """Return the server's program; it is installed the first time, by one process at a time."""
    found = shutil.which("azurite-blob")
    if found is not None:
        return Path(found)
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "synapse-sdk", PACKAGE)
    program, npm = folder / "node_modules" / ".bin" / "azurite-blob", shutil.which("npm")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists() and npm is not None:
            command = [npm, "install", "--silent", "--no-package-lock", "--no-save", "--prefix", str(folder), PACKAGE]
            subprocess.run(command, check=False, stdin=subprocess.DEVNULL, timeout=300)
    if not program.exists():
        missing = "there is no azurite-blob, and npm is missing or could not install it"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return program
