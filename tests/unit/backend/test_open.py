"""Which backends can be opened, and what is said of the others."""

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from synapse_sdk import database_files
from synapse_sdk.backend import NewUnit, default_backend, open_backend
from synapse_sdk.backend.embedded import sqlite_file
from synapse_sdk.backend.embedded.version import HEAD, VERSION_TABLE
from synapse_sdk.errors import BackendError, BackendUnavailableError, BackendVersionError, ConfigurationError

IS_ROOT = os.geteuid() == 0
SECRET = "hunter2"  # noqa: S105  # that is the point


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the backend is, or will be."""
    return tmp_path / "backend.db"


def test_a_new_backend_is_made_with_its_folder_and_found_again(path: Path) -> None:
    """By path and by URL, in WAL mode."""
    deep = path.parent / "a b" / "backend.db"
    with open_backend(deep) as backend:
        backend.collections.create("birds")
        assert backend.url == f"sqlite:///{deep}"

    with open_backend(f"sqlite:///{deep.parent.as_uri().removeprefix('file://')}/backend.db") as backend:
        assert backend.collections.get("birds").id == 1
    with closing(sqlite3.connect(deep)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_the_setting_says_which_one_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, it is the project's own."""
    (tmp_path / "synapse.toml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SYNAPSE_BACKEND", raising=False)

    with open_backend() as backend:
        assert backend.url == f"sqlite:///{default_backend()}" == f"sqlite:///{tmp_path}/.synapse/backend.db"
    monkeypatch.setenv("SYNAPSE_BACKEND", "memory:")
    with open_backend() as backend:
        assert backend.url == "memory:"


def test_an_older_backend_is_migrated(path: Path) -> None:
    """And keeps what is in it."""
    with open_backend(path) as backend:
        backend.collections.create("birds")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE task_submissions")
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '0002'")  # noqa: S608  # a name of ours
        connection.commit()

    with open_backend(path) as backend:
        assert backend.collections.get("birds").id == 1
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone() == (HEAD,)  # noqa: S608
        assert connection.execute("SELECT count(*) FROM task_submissions").fetchone() == (0,)


@pytest.mark.parametrize("is_new", [True, False])
def test_a_backend_that_is_new_or_up_to_date_is_opened_without_alembic(path: Path, *, is_new: bool) -> None:
    """Which would take half a second."""
    if not is_new:
        open_backend(path).close()
    script = (
        "import sys; from synapse_sdk.backend import open_backend;"
        f"open_backend({str(path)!r}).close(); print(sorted(each for each in sys.modules if each == 'alembic'))"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout == "[]\n"


def test_several_processes_may_open_a_new_backend_at_once(path: Path) -> None:
    """One of them makes it, and the others wait."""
    script = (
        "import sys; from synapse_sdk.backend import open_backend; sys.stdin.readline();"
        f"b = open_backend({str(path)!r}); b.storages.ensure('file:///a'); b.close()"
    )
    workers = [subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE) for _ in range(4)]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write(b"go\n")
        worker.stdin.close()

    assert [worker.wait(timeout=60) for worker in workers] == [0, 0, 0, 0]
    with open_backend(path) as backend:
        assert len(backend.storages.list()) == 1


def test_a_folder_is_no_backend(tmp_path: Path) -> None:
    """The error says what to name instead."""
    with pytest.raises(BackendError, match=r"is a folder.*backend\.db"):
        open_backend(tmp_path)


def test_a_pipe_is_no_backend(tmp_path: Path) -> None:
    """To open it would wait for ever."""
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(BackendError, match=r"is a pipe, a socket or a device.*Name a file"):
        open_backend(tmp_path / "pipe")


def test_a_file_system_between_machines_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks do not hold there."""
    mounts = path.parent / "mountinfo"
    mounts.write_text(f"1 0 0:1 / / rw - ext4 disk rw\n2 1 0:2 / {path.parent.resolve()} rw - nfs4 server:/x rw\n")
    monkeypatch.setattr(database_files, "MOUNTS", mounts)

    with pytest.raises(BackendError, match=r"network file system \(nfs4\)"):
        open_backend(path)


@pytest.mark.parametrize("script", ["CREATE TABLE t (a)", "PRAGMA user_version = 7", "PRAGMA application_id = 7"])
def test_a_database_of_somebody_else_is_left_alone(path: Path, script: str) -> None:
    """Not one byte of it changes."""
    with closing(sqlite3.connect(path)) as other:
        other.execute(script)
        other.commit()
    before = path.read_bytes()

    with pytest.raises(BackendError, match="is a database, and not a backend"):
        open_backend(path)
    assert path.read_bytes() == before


def test_what_is_no_database_is_left_alone(path: Path) -> None:
    """It may be a file that somebody needs."""
    path.write_text("My novel\n" * 200)

    with pytest.raises(BackendError, match="damaged, or no database at all"):
        open_backend(path)
    assert path.read_text() == "My novel\n" * 200


def test_a_newer_backend_is_refused(path: Path) -> None:
    """An older version of this package would not know what it breaks."""
    open_backend(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")  # noqa: S608  # a name of ours
        connection.commit()

    with pytest.raises(BackendVersionError, match=f"version 9999, and this version knows {HEAD}"):
        open_backend(path)


def test_a_locked_backend_says_who_has_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the same may succeed later."""
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.05)
    with open_backend(path) as backend, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(BackendUnavailableError, match="is locked by") as refused:
            backend.collections.create("birds")

        assert refused.value.transient
        other.execute("ROLLBACK")
        assert backend.collections.create("birds").name == "birds"


@pytest.mark.skipif(IS_ROOT, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """With the way out."""
    tmp_path.chmod(0o500)
    with pytest.raises(BackendError, match="cannot be written"):
        open_backend(tmp_path / "backend.db")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///a?level=kill", "mysql://x/y", "postgresql://h:port/x"])
def test_a_url_that_means_nothing_is_refused(url: str) -> None:
    """With what could be meant."""
    with pytest.raises(ConfigurationError):
        open_backend(url)


def test_no_password_is_shown() -> None:
    """Neither in an error, nor anywhere near it."""
    with pytest.raises(BackendUnavailableError) as refused:
        open_backend(f"postgresql://ada:{SECRET}@127.0.0.1:1/x?sslpassword={SECRET}")

    assert SECRET not in f"{refused.value} {refused.value!r} {refused.value.where} {refused.value.__cause__}"


def test_memory_is_shared_by_threads_and_by_nobody_else() -> None:
    """Each one that is opened is new."""
    with open_backend("memory:") as first, open_backend("memory:") as second:
        workers = [threading.Thread(target=first.collections.create, args=[f"c{number}"]) for number in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

        assert len(first.collections.list()) == 8
        assert second.collections.list() == []
        assert repr(first) == "EmbeddedBackend('memory:')"


def test_text_that_cannot_be_kept_is_refused() -> None:
    """Such as a file name that is not UTF-8; the caller writes it in another way."""
    with open_backend("memory:") as backend:
        collection, storage = backend.collections.create("a"), backend.storages.ensure("file:///a")
        (reserved,) = backend.ingestion.reserve("r", collection.id, storage.id, [("aa", 1, "k")])
        unit = NewUnit(key="caf\udce9", files={"images": (reserved.file.id, "x")})

        with pytest.raises(ConfigurationError, match="cannot be kept"):
            backend.ingestion.register("r", collection.id, [unit], stored=[reserved.file.id])
