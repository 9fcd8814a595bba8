"""F37: workers, nodes and drivers of a Ray cluster that die in the middle of a run; and what Ray gets to see of one."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import synapse_sdk
from synapse_sdk.errors import ConfigurationError, RunEndedError, WorkerLostError
from synapse_sdk.executors import RayExecutor
from synapse_sdk.journal import open_journal
from synapse_sdk.plugins import describe_run, resume_run, run_plugin
from synapse_sdk.reporting.events import RunStatus
from tests.conformance.executors import drivers
from tests.conformance.postgres_server import postgres_server
from tests.conformance.ray_cluster import RayCluster
from tests.unit.executors.driving import PLUGIN, Driver, answer_spec, process_state, steps_spec, wait_until

pytestmark = pytest.mark.ray

RUN = "7f3a00112233"


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """The folder in which actions leave their signs."""
    folder = tmp_path / "scene"
    folder.mkdir()
    return folder


@pytest.fixture
def drive(scene: Path, on_ray: RayCluster) -> Iterator[Callable[..., Driver]]:  # noqa: ARG001  # it has to be there
    """What starts drivers."""
    with drivers(scene) as start:
        yield start


def parent(pid: int) -> int:
    """Return the process that started a process: of a worker, the one of Ray's that hosts it."""
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])


def freeze(pid: int) -> int:
    """Let a process stand still, and return it."""
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: process_state(pid) == "T", "it stands still")
    return pid


def meanwhile(scene: Path, deed: Callable[[int], None]) -> threading.Thread:
    """Do something to the worker once it is in its second step."""

    def wait() -> None:
        wait_until((scene / "second").exists, "the second step runs")
        deed(int((scene / "second").read_text()))

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def run(scene: Path, journal: Path | str | bool, **place: object) -> object:  # noqa: FBT001  # as run_plugin takes it
    """Run the two steps on the cluster."""
    params = {"folder": str(scene), "mode": "wait"}
    return run_plugin(PLUGIN, "steps", params, mode="ray", journal=journal, job_id=RUN, **place)  # type: ignore[arg-type]  # options


def status(journal: Path | str) -> RunStatus:
    """Return where the run stands."""
    return describe_run(RUN, journal=journal).record.status


@pytest.mark.usefixtures("on_ray")
def test_a_worker_whose_host_is_killed_undoes_its_run(scene: Path, tmp_path: Path) -> None:
    """Its input ends. Whoever waited is told, and the run cannot be resumed as if nothing had happened."""
    journal = tmp_path / "journal.db"
    killer = meanwhile(scene, lambda pid: os.kill(parent(pid), signal.SIGKILL))

    with pytest.raises(WorkerLostError, match=f"synapse runs show {RUN}"):
        run(scene, journal)
    killer.join()

    worker = int((scene / "second").read_text())
    wait_until(lambda: process_state(worker) in {"", "Z"}, "the worker has ended")
    assert not (scene / "made").exists()
    assert status(journal) is RunStatus.ROLLED_BACK
    with pytest.raises(RunEndedError):
        resume_run(RUN, journal=journal)


@pytest.mark.usefixtures("on_ray")
def test_a_run_whose_worker_and_host_are_killed_is_resumed(scene: Path, tmp_path: Path) -> None:
    """What was done is not done again: Ray repeats nothing by itself."""
    journal = tmp_path / "journal.db"

    def kill(pid: int) -> None:
        host = freeze(parent(pid))  # neither must notice the other's death
        os.kill(pid, signal.SIGKILL)
        os.kill(host, signal.SIGKILL)

    killer = meanwhile(scene, kill)
    with pytest.raises(WorkerLostError):
        run(scene, journal)
    killer.join()
    assert status(journal) is RunStatus.RUNNING
    (scene / "made").unlink()
    (scene / "go").touch()

    assert resume_run(RUN, journal=journal)["success"]
    assert not (scene / "made").exists()


@pytest.mark.full
def test_a_driver_that_is_killed_leaves_nothing_or_a_run_that_can_be_resumed(
    drive: Callable[..., Driver], scene: Path
) -> None:
    """Ray ends the host of the worker, which then undoes its run."""
    driver = drive("ray", "wait")
    worker = driver.worker

    driver.process.kill()

    wait_until(lambda: process_state(worker) in {"", "Z"}, "the worker has ended")
    assert not (scene / "made").exists()


@pytest.mark.usefixtures("on_ray")
def test_a_journal_that_is_a_file_keeps_the_run_here(scene: Path, tmp_path: Path) -> None:
    """What this machine does not have cannot be had elsewhere then."""
    with pytest.raises(ConfigurationError, match=r"this machine.*1 GPUs.*journal\.db.*postgresql://"):
        run(scene, tmp_path / "journal.db", num_gpus=1)

    assert status(tmp_path / "journal.db") is RunStatus.FAILED
    assert not list(scene.iterdir())


@pytest.mark.usefixtures("on_ray")
def test_what_no_node_has_is_not_waited_for_for_ever(scene: Path) -> None:
    """After a while it is said what they have."""
    with pytest.raises(ConfigurationError, match=r"No node .* 1 CPUs and 64 GPUs.*its nodes have 8 CPUs and 0 GPUs"):
        RayExecutor(num_gpus=64, patience=0).run(steps_spec(scene, "succeed"), None)


@pytest.mark.full
def test_a_run_whose_node_is_lost_goes_on_on_another(on_ray: RayCluster, scene: Path) -> None:
    """With a journal that all nodes reach, and the plugin's folder brought to each."""
    node = on_ray.add_node()

    def lose(pid: int) -> None:
        host = freeze(parent(pid))  # on a machine that is lost, it would not tell of the worker's death
        os.kill(pid, signal.SIGKILL)
        on_ray.kill_node(node)
        with suppress(ProcessLookupError):  # it has gone with its node
            os.kill(host, signal.SIGKILL)

    with postgres_server() as server:
        loser = meanwhile(scene, lose)
        with pytest.raises(WorkerLostError):
            run(scene, server.url, num_gpus=1)
        loser.join()
        with open_journal(server.url) as journal:
            wait_until(lambda: not journal.run(RUN).is_owned, "nobody has the run any more")
            assert journal.run(RUN).source.options == {"num_gpus": 1}
        (scene / "go").touch()
        other = on_ray.add_node()
        try:
            assert resume_run(RUN, journal=server.url)["success"]
        finally:
            on_ray.kill_node(other)
        assert status(server.url) is RunStatus.SUCCEEDED


@pytest.mark.usefixtures("on_ray")
def test_nodes_with_another_version_of_this_package_are_refused(scene: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both versions are named, and nothing runs."""
    monkeypatch.setattr(synapse_sdk, "__version__", "0.0.7")

    with pytest.raises(ConfigurationError, match=r"has synapse-sdk .*here it is 0\.0\.7"):
        RayExecutor().run(steps_spec(scene, "succeed"), None)

    assert not list(scene.iterdir())


@pytest.mark.full
def test_a_cluster_with_another_version_of_ray_is_refused(drive: Callable[..., Driver]) -> None:
    """As soon as it is reached."""
    script = """
import ray, sys
from synapse_sdk.executors import RunSpec, open_executor
ray.__version__ = "2.0.7"
try:
    open_executor("ray").run(RunSpec.from_json(sys.argv[1]), None)
except ValueError as error:
    print(type(error).__name__, error)
"""
    printed, errors = drive("ray", "succeed", script=script).process.communicate(timeout=60)

    assert "ConfigurationError The Ray cluster at" in printed, errors
    assert "other versions" in printed
    assert "2.0.7" in printed


@pytest.mark.full
@pytest.mark.usefixtures("on_ray")
def test_a_run_that_finds_no_room_waits_for_it(scene: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And says so."""
    import ray  # noqa: PLC0415  # slow, and few tests need it

    hog: Any = ray.remote(type("Hog", (), {"stay": lambda _self: None})).options(num_cpus=8).remote()
    ray.get(hog.stay.remote())

    def make_room() -> None:
        wait_until(lambda: "Still waiting for a node" in caplog.text, "it says that it waits")
        ray.kill(hog)

    helper = threading.Thread(target=make_room)
    helper.start()
    run = RayExecutor(num_cpus=4, patience=0.5).run
    assert run(steps_spec(scene, "succeed"), None) == {"success": True, "steps_executed": 2, "steps_total": 2}
    helper.join()


def test_ray_gets_to_know_no_secret(on_ray: RayCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what it keeps, nor its logs, nor its own processes: the worker's own alone."""
    monkeypatch.setenv("INHERITED", "hunter-in-a-variable")
    spec = answer_spec("settings", OVERRIDE="hunter-in-a-setting")

    answer = RayExecutor(pass_env=["INHERITED"]).run(spec, None)

    assert answer == {"override": "hunter-in-a-setting", "inherited": "hunter-in-a-variable", "job": "job-1"}
    import ray  # noqa: PLC0415  # slow, and here it is connected
    from ray.experimental import internal_kv  # noqa: PLC0415  # as above

    keys = internal_kv._internal_kv_list("", namespace=None)  # noqa: SLF001  # there is no public way to see it
    kept = [internal_kv._internal_kv_get(key) or b"" for key in keys]  # noqa: SLF001  # as above
    logs = [path.read_bytes() for path in Path(on_ray.folder).rglob("*") if path.is_file()]
    processes = [read(pid, name) for pid in processes_of(on_ray) for name in ("cmdline", "environ")]
    assert ray.is_initialized()
    assert logs
    assert processes
    assert not any(b"hunter-in" in text for text in [*keys, *kept, *logs, *processes])


def processes_of(cluster: RayCluster) -> list[int]:
    """Return the processes of a cluster, by their environment."""
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
    return [pid for pid in pids if f"RAY_TMPDIR={cluster.folder}".encode() in read(pid, "environ")]


def read(pid: int, name: str) -> bytes:
    """Return what the system says about a process; nothing if it has ended."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
