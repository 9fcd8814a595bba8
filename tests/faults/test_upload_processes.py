"""An upload whose process is killed, interrupted, cancelled, or frozen until somebody else has its run."""

import os
import signal
from pathlib import Path

import pytest

from synapse_sdk.plugins import cancel_run, resume_run, rollback_run
from synapse_sdk.testing import OK, Slow
from tests.faults.buckets import BucketWorld
from tests.faults.upload_child import RUN, journal_of, recorded, uploading, wait_until_frozen, wait_while_it_lives
from tests.unit.executors.driving import wait_until
from tests.unit.plugins.actions.upload.world import World

LARGE = bytes(range(256)) * (48 << 10)
"""12 MiB, which are sent in three parts."""
SHORT = 1.0


def fill(world: World) -> set[str]:
    """Write a few files, upload one of them before, and return the objects that are there then."""
    world.write("images/before.jpg", b"before")
    world.upload()
    for number in range(8):
        world.write(f"images/cat{number}.jpg", f"cat {number}".encode())
    return world.objects()


@pytest.mark.parametrize("moment", ["upload.reserved", pytest.param("upload.sent", marks=pytest.mark.full)])
def test_a_worker_that_wakes_up_after_its_run_was_undone_leaves_nothing(either: World, moment: str) -> None:
    """F18: it is refused, and deletes what it has sent in vain; what was there before stays."""
    before = fill(either)
    with uploading(either, lease=SHORT, failpoints=f"{moment}=stop@1") as child:
        pid = child.process.pid
        wait_until_frozen(child, journal_of(either))
        wait_until(lambda: not recorded(either).is_owned, "its lease has ended")
        rollback_run(RUN, journal=journal_of(either))
        assert either.objects() == before

        os.kill(pid, signal.SIGCONT)
        said = child.said()

    assert said["raised"] in {"LeaseLostError", "ConflictError", "StepFailedError"}, said
    assert recorded(either).status == "rolled_back"
    assert either.units(None).keys() == {"before"}
    assert either.objects() == before
    either.check()


@pytest.mark.parametrize(
    "goes_back", [pytest.param(False, id="resume"), pytest.param(True, marks=pytest.mark.full, id="rollback")]
)
def test_what_a_kill_leaves_of_a_large_file_is_cleared_away(bucket: BucketWorld, goes_back: bool) -> None:  # noqa: FBT001  # a parameter
    """F39: the unfinished upload is gone after resume and after rollback; so is everything else."""
    bucket.write("images/large.jpg", LARGE)
    bucket.write("images/cat.jpg", b"cat")
    bucket.proxy.faults(Slow(1_000_000))
    with uploading(bucket) as child:
        wait_while_it_lives(child, lambda: bucket.server.unfinished(bucket.bucket), "parts are on their way")
        child.process.kill()
        child.process.wait()
    bucket.proxy.faults(OK)
    assert bucket.server.unfinished(bucket.bucket)

    if goes_back:
        rollback_run(RUN, journal=journal_of(bucket))
        assert bucket.objects() == set()
    else:
        resume_run(RUN, journal=journal_of(bucket))
        assert bucket.content(bucket.units()["large"], "images") == LARGE
    bucket.check()


@pytest.mark.full
def test_what_another_run_has_sent_meanwhile_stays(bucket: BucketWorld) -> None:
    """U4, F39: after a run was killed while it sent the same file; only its parts are cleared away."""
    bucket.write("images/large.jpg", LARGE)
    bucket.proxy.faults(Slow(1_000_000))
    with uploading(bucket) as child:
        wait_while_it_lives(child, lambda: bucket.server.unfinished(bucket.bucket), "parts are on their way")
        child.process.kill()
        child.process.wait()
    bucket.proxy.faults(OK)
    bucket.upload()

    rollback_run(RUN, journal=journal_of(bucket))

    assert bucket.content(bucket.units()["large"], "images") == LARGE
    bucket.check()


@pytest.mark.parametrize("how", ["ctrl-c", pytest.param("cancel", marks=pytest.mark.full)])
def test_stopping_in_the_middle_of_a_large_file_leaves_no_part(bucket: BucketWorld, how: str) -> None:
    """F5: it does not wait for the file to be sent."""
    bucket.write("images/large.jpg", LARGE * 4)
    bucket.proxy.faults(Slow(4_000_000))
    with uploading(bucket) as child:
        wait_while_it_lives(child, lambda: bucket.server.unfinished(bucket.bucket), "parts are on their way")
        if how == "ctrl-c":
            child.send(signal.SIGINT)
        else:
            cancel_run(RUN, journal=journal_of(bucket))
        said = child.said()

    assert said["raised"] == ("KeyboardInterrupt" if how == "ctrl-c" else "RunCancelledError"), said
    assert recorded(bucket).status == "rolled_back"
    sent = sum(each.body_bytes for each in bucket.proxy.requests if "partNumber" in each.path)
    assert sent < len(LARGE) * 4
    assert bucket.objects() == set()
    bucket.check()


@pytest.mark.full
def test_a_file_that_is_killed_while_it_is_written_leaves_no_hidden_file(world: World) -> None:
    """F2, I7: a folder keeps unfinished files beside the others; they are gone after the rollback."""
    large = world.write("images/large.jpg")
    os.truncate(large, 192 << 20)

    def is_writing() -> bool:
        return any(Path(name).name.startswith(".synapse-tmp-") for name in world.objects())

    with uploading(world) as child:
        wait_while_it_lives(child, is_writing, "it is written")
        child.process.kill()
        child.process.wait()

    rollback_run(RUN, journal=journal_of(world))

    assert world.objects() == set()
    world.check()
