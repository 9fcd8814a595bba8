"""Uploads of very many and of very large files: F21, U11."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from synapse_sdk.backend import DataUnitState
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.actions.upload import DefaultUploadAction
from synapse_sdk.reporting import MemoryReporter
from tests.unit.plugins.actions.upload.world import World

MANY = 20_000
MORE = 100_000
SCRIPT = """
import json, pathlib, re, sys
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.actions.upload import DefaultUploadAction
from synapse_sdk.plugins.actions.upload.context import UploadContext
from synapse_sdk.storage import PutResult, open_storage
from synapse_sdk.storage.memory import MemoryStorage

class Sink(MemoryStorage):
    def put(self, key, content, *, size=None, sha256=None, **_):
        return PutResult(key=key, size=size or len(content), sha256=sha256 or "", is_new=True)

params = json.loads(sys.argv[1])
if params["storage"] == "sink://":
    params["storage"] = "memory://sink"
    UploadContext.storage = Sink()
result = run_action(DefaultUploadAction, params, journal=True)
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())[1])
print(json.dumps({"uploaded": result.uploaded, "bytes": result.uploaded_bytes, "peak": peak * 1024}))
"""


def upload(world: World, **params: object) -> dict[str, int]:
    """Upload in a process of its own, and return how much memory it took at most.

    The peak is VmHWM: ru_maxrss would start from the size of the process that started this one (getrusage(2)).
    """
    command = [sys.executable, "-c", SCRIPT, json.dumps(world.params(**params))]
    told: dict[str, int] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return told


def write_many(world: World, folder: str, count: int) -> None:
    """Write small files, each with a content of its own."""
    images = world.folder / folder / "images"
    for number in range(count):
        if number % 1000 == 0:
            (images / f"{number // 1000:03}").mkdir(parents=True)
        (images / f"{number // 1000:03}" / f"picture-{number:06}.jpg").write_bytes(b"%d" % number)


@pytest.mark.full
def test_memory_hardly_grows_with_the_number_of_files(world: World) -> None:
    """F21, U11: 100,000 files within 300 MiB, less than 3 KB for each."""
    write_many(world, "many", MANY)
    write_many(world, "more", MORE)
    world.backend.collections.create("others", specifications=world.backend.collections.get("things").specifications)

    many = upload(world, path="many", storage="sink://")
    more = upload(world, path="more", storage="sink://", data_collection="others")

    assert (many["uploaded"], more["uploaded"]) == (MANY, MORE)
    assert more["peak"] < 300 << 20
    assert (more["peak"] - many["peak"]) / (MORE - MANY) < 3_000


@pytest.mark.full
def test_a_file_of_6_gb_is_never_in_memory(world: World) -> None:
    """F21: within 150 MB; linked, so that the test does not write 6 GB."""
    os.truncate(world.write("images/huge.jpg"), 6 << 30)

    told = upload(world, storage=world.store.as_uri() + "?link=hardlink")

    assert told["bytes"] == 6 << 30
    assert told["peak"] < 150 << 20
    (key,) = world.objects()
    assert (world.store / key).stat().st_size == 6 << 30


def test_events_do_not_grow_with_the_number_of_files(world: World) -> None:
    """U11: they tell of many files at a time, and none of them is large."""
    counts = []
    for folder, number in (("few", 100), ("many", 2_000)):
        write_many(world, folder, number)
        reporter = MemoryReporter()
        run_action(DefaultUploadAction, world.params(path=folder), reporter=reporter)
        counts.append(len(reporter.events))
        assert max(len(repr(event)) for event in reporter.events) < 10_000

    assert counts[1] < counts[0] + 200
    assert len(world.units(DataUnitState.LIVE)) <= 2_000
    assert Path("many").is_dir()
