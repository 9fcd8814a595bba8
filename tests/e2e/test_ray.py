"""`synapse run --on ray`, and the built-in actions on a cluster."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from synapse_sdk.executors.ray.scratch import USERS_OWN
from synapse_sdk.plugins import run_plugin
from synapse_sdk.reporting import MemoryReporter
from tests.conformance.ray_cluster import RayCluster
from tests.unit.plugins.actions.add_task_data.world import TaskWorld, boxes_of

if TYPE_CHECKING:
    from tests.e2e.conftest import Shell

pytestmark = pytest.mark.ray

ROOT = Path(__file__).parents[2]
TEMP = Path("/tmp", USERS_OWN)  # noqa: S108  # a folder of this user's
MODELS = "tests.unit.plugins.actions.add_task_data.models"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TaskWorld]:
    """A project with tasks."""
    with TaskWorld.made(tmp_path, monkeypatch) as world:
        yield world


def test_a_run_on_a_cluster_looks_as_one_here(shell: "Shell", slow_plugin: str, ray_nodes: RayCluster) -> None:
    """Its lines, its result, and the commands about it."""
    place = ("--on", "ray", "--address", ray_nodes.address, "--num-cpus", "2")
    running = shell.start("run", slow_plugin, "slow", *place, env=ray_nodes.environ)
    running.wait_for("the step runs")
    running.signal(signal.SIGINT)
    ended = running.end()

    assert ended.code == 130, ended.err
    assert "what the run had done is undone" in ended.err
    listed = shell.run("runs", "show", "last", "--json")
    assert '"rolled_back"' in listed.out, listed.out + listed.err


@pytest.mark.full
def test_without_an_address_a_cluster_is_started_and_ended(shell: "Shell", slow_plugin: str) -> None:
    """Nothing of it is left: no process, no folder, nothing at home."""
    before = {*TEMP.glob("*/session_*")}

    done = shell.run("run", slow_plugin, "slow", "--on", "ray", "--inject-failure", "write", env={"RAY_ADDRESS": ""})

    assert done.code == 1, done.err
    assert "rolled back" in done.err
    assert {*TEMP.glob("*/session_*")} <= before
    assert not (shell.folder.parent / ".ray").exists()


@pytest.mark.full
@pytest.mark.usefixtures("on_ray")
def test_a_training_runs_on_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its model in the registry, and its metrics here."""
    (tmp_path / ".synapse").mkdir()
    monkeypatch.chdir(tmp_path)
    reporter = MemoryReporter()
    writer = str(ROOT / "examples/digits_train/write_digits.py")
    subprocess.run([sys.executable, writer, "digits"], check=True)
    params = {"path": str(tmp_path / "digits"), "name": "digits", "version": "1", "epochs": 2}

    result = run_plugin(ROOT / "examples/digits_train", "train", params, mode="ray", reporter=reporter, journal="j.db")

    assert result["model"]["name"] == "digits"
    assert reporter.metrics


@pytest.mark.usefixtures("on_ray")
def test_a_model_annotates_tasks_on_a_cluster(world: TaskWorld) -> None:
    """They are in the backend that this machine has."""
    world.add_tasks(*(f"{name}.png" for name in "abc"))
    params = world.task_params(
        method="inference", model=f"{MODELS}:detect", pre_processor_params={"label": "dog"}, inference_batch_size=2
    )

    result: Any = run_plugin("synapse_sdk.plugins.actions", "add_task_data", params, mode="ray", journal="j.db")

    assert result.success_count == 3
    assert {str(boxes_of(document)) for document in world.data().values()} == {str([("dog", [20.0, 0.0, 20.0, 20.0])])}
