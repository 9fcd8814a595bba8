"""F37: workers, nodes and drivers of a Ray cluster that die in the middle of a run; and what Ray gets to see of one."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

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
        host = parent(pid)
        os.kill(pid, signal.SIGSTOP)  # it must not notice
        os.kill(host, signal.SIGKILL)
        wait_until(lambda: process_state(host) in {"", "Z"}, "its host is gone")
        os.kill(pid, signal.SIGKILL)

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
        os.kill(pid, signal.SIGSTOP)  # on a machine that is lost it would not live on
        on_ray.kill_node(node)
        os.kill(pid, signal.SIGKILL)

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
