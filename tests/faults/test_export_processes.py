"""Exports whose processes are interrupted, frozen, or meet others: F5, F18."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from synapse_sdk.errors import ObjectExistsError, StepFailedError
from synapse_sdk.plugins import resume_run, rollback_run, run_action
from synapse_sdk.plugins.actions.export import DefaultExportAction
from synapse_sdk.testing import OK, Fault, Slow, Status
from tests.faults.buckets import BucketWorld
from tests.faults.export_child import exporting, resuming
from tests.faults.exporting import check_whole, contents_of, params_of, seen, store
from tests.faults.upload_child import RUN, journal_of, recorded, wait_until_frozen, wait_while_it_lives
from tests.unit.executors.driving import wait_until
from tests.unit.plugins.actions.upload.world import World

SHORT = 1.0
LARGE = {f"{number}.jpg": bytes([number]) * (1 << 20) for number in range(8)}
MANY = {f"{number}.jpg": b"%d" % number for number in range(450)}


# What signals do


@pytest.mark.parametrize(
    ("numbers", "raised"),
    [
        ([signal.SIGINT], "KeyboardInterrupt"),
        pytest.param([signal.SIGTERM], "Terminated", marks=pytest.mark.full),
        pytest.param([signal.SIGINT, signal.SIGINT], "KeyboardInterrupt", marks=pytest.mark.full),
    ],
)
@pytest.mark.parametrize(
    "fault",
    [
        Slow(200_000),
        pytest.param(Status(503, retry_after=9), marks=pytest.mark.full),
    ],
    ids=repr,
)
def test_a_signal_while_threads_fetch_files_undoes_everything(
    bucket: BucketWorld, numbers: list[int], raised: str, fault: Fault
) -> None:
    """F5: it does not wait for the files to come."""
    store(bucket, LARGE, "bucket")
    before, asked = seen(bucket.folder / "out"), len(bucket.proxy.requests)
    bucket.proxy.faults(fault)
    with exporting(bucket, path="new") as child:
        wait_while_it_lives(child, lambda: len(bucket.proxy.requests) > asked + 3, "files are being fetched")
        for number in numbers:
            child.send(number)
        said = child.said()

    assert said["raised"] == raised, said
    assert recorded(bucket).status == "rolled_back"
    assert seen(bucket.folder / "out") == before == {}
    assert not (bucket.folder / "out").exists()
    assert not [*bucket.folder.glob(".synapse/runs/*/work")]


@pytest.mark.full
def test_a_kill_while_threads_fetch_files_loses_nothing(bucket: BucketWorld) -> None:
    """F2: what was half fetched is fetched again."""
    store(bucket, LARGE, "bucket")
    asked = len(bucket.proxy.requests)
    bucket.proxy.faults(Slow(200_000))
    with exporting(bucket) as child:
        wait_while_it_lives(child, lambda: len(bucket.proxy.requests) > asked + 3, "files are being fetched")
        child.process.kill()
        child.process.wait()
    bucket.proxy.faults(OK)

    resume_run(RUN, journal=journal_of(bucket))

    whole = check_whole(contents_of(bucket.folder / "out" / "birds"))
    assert {path: whole[path] for path in whole if "origin" in path} == {
        f"origin_files/{k}": v for k, v in LARGE.items()
    }


# Two workers on one run


@pytest.mark.parametrize(
    "moment",
    [
        "export.saved",
        *(
            pytest.param(moment, marks=pytest.mark.full)
            for moment in ("lease.acquired", "export.converted", "step.executed", "export.published")
        ),
    ],
)
def test_a_worker_that_wakes_up_after_the_rollback_leaves_nothing(world: World, moment: str) -> None:
    """F18: it finds that the run is not its own any more."""
    store(world, MANY)
    with exporting(world, lease=SHORT, failpoints=f"{moment}=stop@1", save_original_file=False) as child:
        pid = child.process.pid
        wait_until_frozen(child, journal_of(world))
        wait_until(lambda: not recorded(world).is_owned, "its lease has ended")
        rollback_run(RUN, journal=journal_of(world))
        assert not (world.folder / "out").exists()

        os.kill(pid, signal.SIGCONT)
        said = child.said()

    assert said["raised"] in {"LeaseLostError", "StepFailedError"}, said
    assert recorded(world).status in {"rolled_back", "failed"}
    assert not (world.folder / "out").exists()
    assert not [*world.folder.glob(".synapse/runs/*/work")]


@pytest.mark.parametrize(
    "moment",
    [
        "export.saved",
        *(pytest.param(moment, marks=pytest.mark.full) for moment in ("export.converted", "step.executed")),
    ],
)
def test_a_worker_that_wakes_up_does_no_harm_to_the_one_that_goes_on(world: World, moment: str) -> None:
    """F18: neither to its ledger nor to its files, nor to its report."""
    store(world, MANY)
    with exporting(world, lease=SHORT, failpoints=f"{moment}=stop@1", save_original_file=False) as first:
        wait_until_frozen(first, journal_of(world))
        wait_until(lambda: not recorded(world).is_owned, "its lease has ended")
        with resuming(world, RUN, failpoints="export.saved=stop@1") as second:
            wait_until_frozen(second, journal_of(world))
            os.kill(first.process.pid, signal.SIGCONT)
            assert first.said()["raised"] in {"LeaseLostError", "StepFailedError"}

            os.kill(second.process.pid, signal.SIGCONT)
            said = second.said()

    assert "raised" not in said, said
    assert said["result"]["exported_count"] == len(MANY)
    assert recorded(world).status == "succeeded"
    assert len(check_whole(contents_of(world.folder / "out" / "birds"))) == len(MANY)
    assert [path.name for path in (world.folder / "out").iterdir()] == ["birds"]
    (report,) = world.folder.glob(".synapse/runs/*/report.json")
    assert '"status": "succeeded"' in report.read_text()


# Two runs


@pytest.mark.parametrize("when_taken", ["number", "refuse"])
def test_two_exports_of_one_name_at_once(world: World, when_taken: str) -> None:
    """Each is whole under a name of its own, or the later one fails and leaves nothing."""
    store(world, {f"{number}.jpg": b"%d" % number for number in range(20)})

    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(run_action, DefaultExportAction, params_of(world, when_taken=when_taken)) for _ in range(2)]
        errors = [run.exception() for run in runs]

    failed = [error for error in errors if error is not None]
    assert all(isinstance(error, StepFailedError | ObjectExistsError) for error in failed), failed
    names = {path.name for path in (world.folder / "out").iterdir()}
    assert names == ({"birds"} if when_taken == "refuse" else {"birds", "birds(1)"})
    assert len(failed) == 2 - len(names)
    for name in names:
        assert len(check_whole(contents_of(world.folder / "out" / name))) == 40
