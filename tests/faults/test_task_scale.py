"""Annotating very many tasks from one file: F21."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from synapse_sdk.backend import FileSpecification, NewUnit, open_backend
from tests.unit.plugins.actions.add_task_data.world import coco

SCRIPT = """
import json, pathlib, re, resource, sys
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.actions import AddTaskDataAction

result = run_action(AddTaskDataAction, {"project": sys.argv[1], "file": sys.argv[2]}, journal=True)
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())[1])
usage = resource.getrusage(resource.RUSAGE_SELF)
cpu = usage.ru_utime + usage.ru_stime
print(json.dumps({"annotated": result.success_count, "peak": peak * 1024, "cpu": cpu}))
"""


def annotate_many(folder: Path, count: int) -> dict[str, float]:
    """Annotate tasks in a process of its own, and return how much memory and processor time it took."""
    (folder / ".synapse").mkdir(parents=True)
    names = [f"{number:06}.jpg" for number in range(count)]
    (folder / "coco.json").write_text(json.dumps(coco({name: [[1, 2, 3, 4]] * 5 for name in names})))
    with open_backend(folder / ".synapse" / "backend.db") as backend:
        specification = FileSpecification(name="images", is_primary=True)
        things = backend.collections.create("things", specifications=[specification]).id
        storage = backend.storages.ensure("memory:").id
        (reserved,) = backend.ingestion.reserve("before", things, storage, [("h", 1, "h")])
        units = [NewUnit(key=name, files={"images": (reserved.file.id, name)}) for name in names]
        backend.ingestion.register("before", things, units, stored=[reserved.file.id])
        backend.ingestion.publish("before")
        project = backend.projects.create("birds", things).id
        after = 0
        while page := backend.data_units.list(things, after=after):
            after = page[-1].id
            backend.tasks.create(project, [unit.id for unit in page])
    command = [sys.executable, "-c", SCRIPT, "birds", "coco.json"]
    told: dict[str, float] = json.loads(
        subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    )
    return told


@pytest.mark.full
def test_memory_hardly_grows_with_the_number_of_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """F21: eight times as many tasks need little more than what the reader of the file keeps of each image."""
    monkeypatch.delenv("SYNAPSE_BACKEND", raising=False)

    few, many = (annotate_many(tmp_path / str(count), count) for count in (1_000, 8_000))

    assert (few["annotated"], many["annotated"]) == (1_000, 8_000)
    assert many["peak"] - few["peak"] < 32 << 20


if __name__ == "__main__":  # how much it takes for a given number
    print(annotate_many(Path(sys.argv[1]), int(sys.argv[2])))  # noqa: T201  # that is the point
