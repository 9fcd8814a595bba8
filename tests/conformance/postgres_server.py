"""A PostgreSQL server of our own, thrown away after the tests."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PATIENCE = 30.0
"""Seconds within which a server has to be there, or gone."""


class PostgresServer:
    """One server with a folder and a port of its own, durable as PostgreSQL ships."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._folder = programs, folder
        self._data = folder / "data"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        if os.getuid() == 0:
            shutil.chown(folder, "postgres")
        self._run("initdb", "-D", str(self._data), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''"
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", str(self._data), "-w", "-t", str(int(PATIENCE)), "-l", log, "-o", options, "start")

    def stop(self) -> None:
        """Stop it at once, if it is up."""
        if (self._data / "postmaster.pid").exists():
            self._run("pg_ctl", "-D", str(self._data), "-w", "-m", "immediate", "stop")

    def kill(self) -> None:
        """Kill it as a crash would, and wait until all its processes are gone: they hold its memory."""
        pid = int((self._data / "postmaster.pid").read_text().split()[0])
        family = [pid, *_children(pid)]
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE
        while any(_is_alive(each) for each in family):
            assert time.monotonic() < deadline, "the server's processes live on"
            time.sleep(0.01)
        (self._data / "postmaster.pid").unlink()  # its process may be waited for later, and until then looks alive

    def _run(self, program: str, *args: str) -> None:
        command = [str(self._programs / program), *args]
        user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
        done = subprocess.run(
            command,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            capture_output=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=2 * PATIENCE,
            **user,  # type: ignore[call-overload]  # a mapping of options
        )
        log = self._folder / "log"
        assert done.returncode == 0, f"{program} failed: {log.read_text() if log.exists() else done}"


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Yield a running server; skip the test without one, and fail it in continuous integration."""
    programs = _programs()
    if programs is None:
        missing = "no PostgreSQL server is installed here"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    # Not under pytest's own folder: that one is closed to the user the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="synapse-postgres-"))
    try:
        server = PostgresServer(programs, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    try:
        server.start()
        yield server
    finally:
        try:
            server.stop()
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    """Return the folder of the server's programs; Debian keeps them off the path, one folder a version."""
    found = [Path("/usr/lib/postgresql") / name / "bin" for name in _versions()]
    on_path = shutil.which("pg_ctl")
    if on_path is not None:
        found.append(Path(on_path).resolve().parent)
    return next((folder for folder in found if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


def _versions() -> list[str]:
    folder = Path("/usr/lib/postgresql")
    names = [each.name for each in folder.iterdir() if each.name.isdecimal()] if folder.is_dir() else []
    return sorted(names, key=int, reverse=True)


def _children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
