"""Uploads to S3 over a network that fails: F14, F15, F39."""

import json
from collections import Counter
from pathlib import Path

import pytest

from synapse_sdk.errors import StepFailedError
from synapse_sdk.plugins import describe_run, rollback_run, run_action
from synapse_sdk.plugins.actions.upload import DefaultUploadAction
from synapse_sdk.testing import OK, CutDownload, CutUpload, LostReply, Reset, Slow, Status
from synapse_sdk.testing.faults import Fault
from tests.conformance.s3_server import LOGIN
from tests.faults.buckets import BucketWorld
from tests.unit.plugins.actions.upload.world import World

LARGE = bytes(range(256)) * (40 << 10)
"""10 MiB, which are sent in parts."""


def fill(world: World, *, large: bool = False) -> dict[str, bytes]:
    """Write files, and return their contents by unit key."""
    contents = {f"cat{number}": f"cat {number}".encode() * 50 for number in range(6)}
    contents |= {"large": LARGE} if large else {}
    for key, content in contents.items():
        world.write(f"images/{key}.jpg", content)
    return contents


def check_whole(world: World, contents: dict[str, bytes]) -> None:
    """Check that every unit is there with its content, and nothing else."""
    units = world.units()
    assert {key: world.content(unit, "images") for key, unit in units.items()} == contents
    world.check()


def test_of_units_that_are_in_another_storage_no_byte_is_sent(bucket: BucketWorld) -> None:
    """U3: neither of small files nor of large ones; there is but the probe that it can be written."""
    contents = fill(bucket, large=True)
    bucket.upload(storage=str(bucket.store))

    result = bucket.upload()

    assert (result.uploaded, result.duplicate) == (0, len(contents))
    assert all("probe" in each.path for each in bucket.proxy.requests if each.body_bytes and each.method == "PUT")
    assert not any("uploadId" in each.path for each in bucket.proxy.requests)
    assert bucket.objects() == set()


@pytest.mark.parametrize(
    "fault",
    [
        Reset(),
        Status(503),
        CutUpload(100),
        *(
            pytest.param(fault, marks=pytest.mark.full)
            for fault in (
                Status(500, html=False),
                Status(429, retry_after=1),
                CutDownload(0),
                Slow(200_000),
                LostReply(),
            )
        ),
    ],
    ids=repr,
)
def test_a_network_that_fails_now_and_then_costs_nothing_but_time(bucket: BucketWorld, fault: Fault) -> None:
    """F14: every third request fails; all units are there, each object once, and the result says uploaded."""
    contents = fill(bucket)
    bucket.proxy.faults([OK, OK, fault] * 12)

    result = bucket.upload()

    assert (result.uploaded, result.duplicate, result.failed) == (6, 0, 0)
    check_whole(bucket, contents)


@pytest.mark.full
@pytest.mark.parametrize("fault", [Status(503), Reset(), LostReply()], ids=repr)
def test_a_large_file_outlasts_the_same(bucket: BucketWorld, fault: Fault) -> None:
    """F14, F15: parts are sent again one by one, and a lost answer to the last request is no conflict."""
    contents = fill(bucket, large=True)
    bucket.proxy.faults([OK, OK, OK, fault] * 12)

    result = bucket.upload()

    assert (result.uploaded, result.failed) == (7, 0)
    check_whole(bucket, contents)


def test_a_lost_answer_is_no_conflict(bucket: BucketWorld) -> None:
    """F15: every object is put twice, there is one of each, and nobody complains."""
    contents = fill(bucket)
    bucket.proxy.faults([OK] * 4 + [LostReply()] * 3)  # the first four are the question and the probe

    result = bucket.upload(upload_max_workers=1)

    assert (result.uploaded, result.duplicate, result.failed) == (6, 0, 0)
    check_whole(bucket, contents)


def test_one_bad_file_costs_its_own_retries_and_no_others(bucket: BucketWorld) -> None:
    """U3: the server sees every other file once."""
    contents = fill(bucket)
    bucket.proxy.faults([OK] * 5 + [LostReply()])

    bucket.upload(upload_max_workers=1)

    times = Counter(bucket.sent())
    assert len(times) == 6
    assert sorted(times.values()) == [1, 1, 1, 1, 1, 2]
    check_whole(bucket, contents)


def test_a_storage_that_goes_away_fails_the_run_and_the_rest_is_undone_later(bucket: BucketWorld) -> None:
    """F14: the rollback says what it could not undo; once the storage is back, it is undone."""
    fill(bucket)
    bucket.upload()
    before = bucket.objects()
    for number in range(6):
        bucket.write(f"images/dog{number}.jpg", f"dog {number}".encode())

    class GoesAway(DefaultUploadAction):
        def commit(self, context: object) -> None:
            bucket.proxy.faults(Status(403))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        run_action(GoesAway, bucket.params(), journal=True, job_id="gone")
    assert describe_run("gone").record.status == "rollback_incomplete"
    bucket.proxy.faults(OK)

    rollback_run("gone", action=GoesAway)

    assert describe_run("gone").record.status == "rolled_back"
    assert bucket.objects() == before
    bucket.check()


@pytest.mark.parametrize("how", ["no-bucket", "no-server"])
def test_a_storage_that_is_not_there_leaves_nothing_to_undo(bucket: BucketWorld, how: str) -> None:
    """F14: a mistyped name, or a host that does not answer, fails the run, which is rolled back and done with."""
    fill(bucket)
    there = bucket.proxy.url if how == "no-bucket" else "http://127.0.0.1:9"  # the discard service, which nobody has
    bucket.backend.storages.create(
        "mistyped", f"s3://mistyped/uploads?endpoint={there}&region=us-east-1", credentials=LOGIN
    )

    with pytest.raises(StepFailedError, match=r"initialize.*s3://mistyped"):
        run_action(DefaultUploadAction, bucket.params(storage="mistyped"), journal=True, job_id="lost")

    assert describe_run("lost").record.status == "rolled_back"


@pytest.mark.parametrize("other", [b"shorter", b"the same siz3"], ids=["other-size", "same-size"])
@pytest.mark.parametrize("on_error", ["stop", "continue"])
def test_an_object_of_somebody_else_is_never_overwritten_nor_deleted(
    either: World, other: bytes, on_error: str
) -> None:
    """F39: the file fails by name, the object stays as it was, also when the run is rolled back."""
    content = b"the same size"
    key = either.key_of(content)
    with either.storage() as storage:
        storage.put(key, other)
    either.write("images/cat.jpg", content)
    either.write("images/dog.jpg", b"dog")

    if on_error == "stop":
        with pytest.raises(StepFailedError, match=r"images/cat.jpg.*has another object"):
            either.upload()
        wanted = {key}
    else:
        result = either.upload(on_error="continue")
        assert {failure.file: failure.code for failure in result.failures} == {"images/cat.jpg": "UPLOAD_FAILED"}
        wanted = {key, either.key_of(b"dog")}

    with either.storage() as storage:
        assert storage.get(key) == other
    assert either.objects() == wanted


def test_an_equal_object_that_nobody_knows_of_is_taken_over(either: World) -> None:
    """F39: such as one that a lost machine has left."""
    with either.storage() as storage:
        storage.put(either.key_of(b"cat"), b"cat")
    either.write("images/cat.jpg", b"cat")

    result = either.upload()

    assert (result.uploaded, result.duplicate) == (0, 1)
    either.check()


def test_the_account_is_true_after_all_that(bucket: BucketWorld) -> None:
    """U1: a file that the storage does not take is in the report with its reason, the others are uploaded."""
    fill(bucket)
    bucket.proxy.faults([OK] * 4 + [Status(400, html=False)])

    result = bucket.upload(on_error="continue", upload_max_workers=1)

    assert (result.discovered, result.uploaded, result.failed) == (6, 5, 1)
    report = json.loads(Path(result.report_path).read_text())
    assert Counter(row["outcome"] for row in report["files"]) == {"uploaded": 5, "failed": 1}
    bucket.check()
