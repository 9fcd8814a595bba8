"""Exports of very many items, of very large files, and of documents that are deep or huge: F21, F26."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from synapse_sdk.backend import TaskFilter
from synapse_sdk.backend.paging import every
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.actions.export import BaseExporter, DefaultExportAction
from tests.faults.exporting import check_whole, contents_of, params_of, store
from tests.unit.plugins.actions.upload.world import World

DEEPEST = 400_000
SCRIPT = """
import json, pathlib, re, sys
from synapse_sdk.backend import TaskFilter
from synapse_sdk.backend.paging import every
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.actions.export import DefaultExportAction

result = run_action(DefaultExportAction, json.loads(sys.argv[1]), journal=True)
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())[1])
print(json.dumps({"exported": result.exported_count, "bytes": result.original_bytes, "peak": peak * 1024}))
"""


def export(world: World, **params: object) -> dict[str, int]:
    """Export in a process of its own, and return how much memory it took at most."""
    command = [sys.executable, "-c", SCRIPT, json.dumps(params_of(world, **params))]
    told: dict[str, int] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return told


class Deep(BaseExporter):
    """Makes documents of every depth, and some that are no JSON."""

    def convert_data(self, data: Any) -> Any:  # noqa: ANN401  # as the hook wants it
        """Nest a document the deeper, the greater its id."""
        document: Any = {"fine": True}
        for _ in range(self.params["depths"][data["id"] % len(self.params["depths"])]):
            document = [document]
        return {**data, "data": {"nested": document}}


class DeepExport(DefaultExportAction):
    """Exports them."""

    exporter_class = Deep


def test_a_document_that_is_too_deep_fails_its_item_and_no_other(world: World) -> None:
    """F26: wherever the limit is, in the step that converts or in the one that saves."""
    depths = [0, 500, 900, 950, 970, 980, 985, 990, 995, 1000, 1500, 3000, 5000, 9000, 10_000, 50_000, DEEPEST]
    store(world, {f"{number}.jpg": b"%d" % number for number in range(len(depths))})

    result = run_action(DeepExport, params_of(world, extra_params={"depths": depths}, save_original_file=False))

    assert result.exported_count + result.failed_count == len(depths)
    assert result.exported_count >= 2
    assert {failure.code for failure in result.failures} == {"HOOK_FAILED"}
    assert all("RecursionError" in failure.reason for failure in result.failures)
    assert len(check_whole(contents_of(world.folder / "out" / "birds"))) == result.exported_count + 1


@pytest.mark.full
def test_a_file_of_1_gb_is_never_in_memory(world: World) -> None:
    """F21: within 150 MB; it is sparse, and its digest is not what the backend knows, which is found at its end."""
    store(world, {"huge.jpg": b"huge", "small.jpg": b"small"})
    huge = next(path for path in world.store.rglob("*") if path.is_file() and path.read_bytes() == b"huge")
    huge.unlink()
    huge.touch()
    os.truncate(huge, 1 << 30)

    told = export(world, download_max_retries=0)

    assert told["exported"] == 1
    assert told["peak"] < 150 << 20


@pytest.mark.full
def test_memory_hardly_grows_with_the_number_of_items(world: World) -> None:
    """F21: ten times as many items without files need hardly more."""
    peaks = []
    for name, count in (("few", 500), ("many", 4_500)):
        store(world, {f"{name}/{number}.jpg": b"%d" % (number % 7) for number in range(count)})
        told = export(world, name=name, save_original_file=False)
        peaks.append((told["exported"], told["peak"]))

    (few, first), (many, second) = peaks
    assert (few, many) == (500, 5_000)
    assert second - first < 16 << 20


@pytest.mark.full
def test_memory_does_not_grow_with_documents_that_are_large(world: World) -> None:
    """F26: a few documents of 1 MB are in memory at a time, as masks are, and not a page of hundreds."""
    peaks = []
    for name, count in (("few", 12), ("many", 84)):
        store(world, {f"{name}/{number}.jpg": b"%d" % number for number in range(count)})
        for task in every(lambda after, size: world.backend.tasks.list(TaskFilter(), after=after, limit=size)):
            if len(task.data or {}) < 3:
                world.backend.tasks.set_data(task.id, {"1": 1, "2": 2, "mask": ["x" * 1_000] * 1_000}, task.version)
        told = export(world, name=name, save_original_file=False)
        peaks.append((told["exported"], told["peak"]))

    (few, first), (many, second) = peaks
    assert (few, many) == (12, 96)
    assert second - first < 16 << 20
