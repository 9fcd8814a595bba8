"""An S3-compatible server as it is used in production (Ceph's radosgw), thrown away after the tests."""

import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.conformance.s3_server import LOGIN, S3Server

__all__ = ["radosgw_server"]

PROGRAMS = ("radosgw", "radosgw-admin", "ceph", "ceph-mon", "ceph-osd", "monmaptool")
PATIENCE = 90.0
PAUSE = 0.1
CONFIGURATION = """
[global]
fsid = {fsid}
mon host = [v1:127.0.0.1:{monitor}]
mon initial members = a
public network = 127.0.0.0/8
ms bind ipv6 = false
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 2G
mon allow pool size one = true
mon max pg per osd = 1000
mon data = {folder}/mon
mon data avail warn = 1
mon data avail crit = 1
osd data = {folder}/osd
osd class load list = *
run dir = {folder}
log file = {folder}/$name.log
admin socket =
rgw frontends = beast endpoint=127.0.0.1:{gateway} tcp_nodelay=1
rgw run sync thread = false
rgw gc obj min wait = 2
rgw gc processor period = 2
"""


class _Cluster:
    """A monitor, one place for objects in memory, and the gateway.

    Args:
        folder: Where configuration and logs are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.monitor, self.gateway = _free_port(), _free_port()
        self._fsid, self._place = str(uuid.uuid4()), str(uuid.uuid4())
        self._configuration = folder / "ceph.conf"
        self._configuration.write_text(
            CONFIGURATION.format(fsid=self._fsid, folder=folder, monitor=self.monitor, gateway=self.gateway)
        )
        for name in ("mon", "osd"):
            (folder / name).mkdir()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start everything, and wait until it answers."""
        address = f"[v1:127.0.0.1:{self.monitor}]"
        self._run("monmaptool", "--create", "--clobber", "--addv", "a", address, "--fsid", self._fsid, "monmap")
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", "monmap")
        self._begin("ceph-mon", "-f", "-i", "a")
        self._run("ceph", "osd", "new", self._place)
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", self._place)
        self._wait(self._has_place, "there is a place for objects")
        self._begin("radosgw", "-f", "-n", "client.rgw")
        self._wait(lambda: self._answers(self.gateway), "the gateway answers")
        keys = (f"--access-key={LOGIN['access_key_id']}", f"--secret-key={LOGIN['secret_access_key']}")
        self._run("radosgw-admin", "user", "create", "--uid=test", "--display-name=test", *keys)

    def stop(self) -> None:
        """Kill everything: what it has is of no use any more."""
        for process in reversed(self._processes.values()):
            process.kill()
            process.wait()

    def _has_place(self) -> bool:
        """Whether the place is there; one that asks before the monitor knows of it ends, and is started again."""
        process = self._processes.get("ceph-osd")
        if process is None or process.poll() is not None:
            self._begin("ceph-osd", "-f", "-i", "0")
        with suppress(subprocess.SubprocessError):
            return b"1 up" in self._run("ceph", "osd", "stat")
        return False

    def _begin(self, program: str, *options: str) -> None:
        with (self.folder / f"{program}.out").open("ab") as log:
            self._processes[program] = subprocess.Popen(
                [program, "-c", self._configuration, *options],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _run(self, program: str, *options: str) -> bytes:
        command = [program, *(() if program == "monmaptool" else ("-c", str(self._configuration))), *options]
        return subprocess.run(command, cwd=self.folder, check=True, capture_output=True, timeout=PATIENCE).stdout

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, f"waited too long until {what}"
            time.sleep(PAUSE)

    @staticmethod
    def _answers(port: int) -> bool:
        with socket.socket() as knock:
            return knock.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def radosgw_server(folder: Path) -> Iterator[S3Server]:
    """Yield a server that checks signatures and digests; whoever has none skips the test."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        if os.environ.get("CI"):
            pytest.fail(f"{missing[0]} is not installed")
        pytest.skip(f"{missing[0]} is not installed")
    cluster = _Cluster(folder)
    try:
        cluster.start()
        yield S3Server(cluster.gateway)
    finally:
        cluster.stop()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
