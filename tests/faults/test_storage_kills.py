"""A process dies in the middle of a put, or the power fails after a flush (F39, G20)."""

import subprocess
import sys
from pathlib import Path

import pytest

from synapse_sdk.storage import LocalStorage, Storage, open_storage
from tests.conformance.s3_server import LOGIN, S3Server
from tests.faults.test_power_loss import Disk, disk

__all__ = ["disk"]

SCRIPT = """
import json, sys, time
from synapse_sdk.storage import open_storage

def pieces():
    for _ in range(19):
        yield bytes(1 << 20)
    print("half", flush=True)
    time.sleep(60)

storage = open_storage(sys.argv[1], credentials=json.loads(sys.argv[2]))
storage.put("photos/whole.jpg", b"meow")
storage.put("photos/film.mp4", pieces(), size=20 << 20)
"""
PATIENCE = 30.0


def put_and_die(url: str, credentials: str = "null") -> None:
    """Let a process put an object and, while it puts another one, be killed."""
    command = [sys.executable, "-c", SCRIPT, url, credentials]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "half\n"
        finally:
            process.kill()
        process.wait(PATIENCE)


def check(storage: Storage) -> None:
    """See that what was whole is there, and that nothing else is."""
    assert [info.key for info in storage.list()] == ["photos/whole.jpg"]
    assert not storage.exists("photos/film.mp4")
    assert storage.abort_unfinished("music/") == 0
    assert storage.abort_unfinished("photos/") == 1
    assert storage.abort_unfinished() == 0
    assert storage.put("photos/film.mp4", bytes(20 << 20)).is_new


def test_a_killed_put_into_a_folder_leaves_one_hidden_file(tmp_path: Path) -> None:
    """Which is found and removed."""
    put_and_die(str(tmp_path / "root"))

    check(LocalStorage(tmp_path / "root"))
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["film.mp4", "whole.jpg"]


def test_a_killed_put_into_an_object_store_leaves_one_upload(moto: S3Server) -> None:
    """Which is found and aborted."""
    bucket = moto.make_bucket()
    url = f"s3://{bucket}/run?endpoint={moto.endpoint}"

    put_and_die(url, '{"access_key_id": "test", "secret_access_key": "testtest"}')

    assert moto.unfinished(bucket) == ["run/photos/film.mp4"]
    check(open_storage(url, credentials=LOGIN))
    assert moto.unfinished(bucket) == []


@pytest.mark.full
@pytest.mark.parametrize("count", [1, 3, 40])  # few are synced one by one, many at once
def test_what_was_flushed_survives_a_loss_of_power(disk: Disk, count: int) -> None:  # it is the fixture
    """With its folders; what was not may be gone, and is never half there."""
    with LocalStorage(disk.root / "new" / "root") as storage:
        for number in range(count):
            storage.put(f"deep/{number % 3}/{number}.jpg", f"{number}".encode() * 20_000)
        storage.flush()
        storage.put("late.jpg", b"x" * 300_000)

    disk.lose_power()

    with LocalStorage(disk.root / "new" / "root") as storage:
        for number in range(count):
            assert storage.get(f"deep/{number % 3}/{number}.jpg") == f"{number}".encode() * 20_000
        storage.delete(["late.jpg"])
        storage.abort_unfinished()
        assert len(list(storage.list())) == count


@pytest.mark.full
def test_without_a_flush_the_power_takes_objects(disk: Disk) -> None:  # as above
    """This is what the test before would show if `flush` did nothing."""
    with LocalStorage(disk.root / "root") as storage:
        for number in range(5):
            storage.put(f"{number}.jpg", b"x" * 100_000)

    disk.lose_power()

    kept = [info for info in LocalStorage(disk.root / "root").list() if info.size == 100_000]
    assert kept == []
