"""Tasks get their annotations from files in S3, over a network that fails: F14 and F16."""

import hashlib
import json
from typing import Any

import pytest

from synapse_sdk.backend import FileSpecification, NewUnit, TaskFilter
from synapse_sdk.errors import StepFailedError
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.actions import AddTaskDataAction, AddTaskDataParams
from synapse_sdk.plugins.actions.add_task_data import AddTaskDataResult
from synapse_sdk.storage import open_storage
from synapse_sdk.testing import OK, Blackhole, CutDownload, Fault, Latency, Reset, Slow, Status
from tests.conformance.s3_server import LOGIN
from tests.faults.buckets import BucketWorld

PARAMS = {"project": "birds", "target_specification_name": "labels", "batch_size": 2}
DOCUMENTS = {
    f"{number}.json": {"images": [{"classification": [{"id": "1", "classification": f"bird {number}"}]}]}
    for number in range(6)
}
RARE = (Status(500, html=False), Status(429, retry_after=1), CutDownload(10), Slow(2_000), Latency(0.2))
SPARE = 200
"""More requests than a run makes."""


class Annotate(AddTaskDataAction[AddTaskDataParams]):
    """Just what is built in."""


@pytest.fixture
def birds(bucket: BucketWorld) -> BucketWorld:
    """A project of six tasks, whose units have an image and a file with annotations in the bucket."""
    fill(bucket, "bucket")
    return bucket


def fill(world: BucketWorld, storage_name: str) -> None:
    """Make the project, whose files are in this storage; they come there without the proxy."""
    backend = world.backend
    specifications = [FileSpecification(name="images", is_primary=True), FileSpecification(name="labels")]
    collection = backend.collections.create("both", specifications=specifications).id
    record = backend.storages.get(storage_name)
    units, stored = [], []
    with open_storage(record.url.replace(world.proxy.url, world.server.endpoint), credentials=LOGIN) as storage:
        for name, document in DOCUMENTS.items():
            files = {}
            for specification, content in (("images", name.encode()), ("labels", json.dumps(document).encode())):
                digest = hashlib.sha256(content).hexdigest()
                (found,) = backend.ingestion.reserve("before", collection, record.id, [(digest, len(content), digest)])
                storage.put(digest, content)
                files[specification] = (found.file.id, name)
                stored.append(found.file.id)
            units.append(NewUnit(key=name, files=files))
    backend.ingestion.register("before", collection, units, stored=stored)
    backend.ingestion.publish("before")
    project = backend.projects.create("birds", collection).id
    backend.tasks.create(project, [unit.id for unit in backend.data_units.list(collection)])


def annotate(**params: Any) -> AddTaskDataResult:  # noqa: ANN401  # those of the action
    """Give the tasks of the project their annotations."""
    result: AddTaskDataResult = run_action(Annotate, PARAMS | params)
    return result


def data_of(world: BucketWorld) -> list[Any]:
    """Return the annotation data of every task."""
    return [task.data for task in world.backend.tasks.list(TaskFilter())]


@pytest.mark.parametrize(
    "fault",
    [
        Reset(),
        Status(503, html=True),
        *(
            pytest.param(fault, marks=pytest.mark.full)
            for fault in (
                Status(500, html=False),
                Status(429, retry_after=1),
                CutDownload(10),
                Slow(2_000),
                Latency(0.2),
            )
        ),
    ],
    ids=repr,
)
def test_annotations_come_from_a_network_that_fails_now_and_then(birds: BucketWorld, fault: Fault) -> None:
    """F14: every third request fails, and is sent again, or is slow."""
    birds.proxy.faults([OK, OK, fault] * (SPARE // 3))

    result = annotate()

    assert (result.success_count, result.failed_count) == (6, 0)
    assert data_of(birds) == [*DOCUMENTS.values()]
    assert any(each.fault == fault for each in birds.proxy.requests)


@pytest.mark.parametrize("fault", [Reset(), pytest.param(Blackhole(), marks=pytest.mark.full)], ids=repr)
def test_a_network_that_goes_away_fails_the_run_which_is_undone(bucket: BucketWorld, fault: Fault) -> None:
    """F16: the reason is the storage, and not six tasks one by one; none of them keeps anything."""
    url = f"s3://{bucket.bucket}/short?endpoint={bucket.proxy.url}&region=us-east-1&timeout=0.5"
    bucket.backend.storages.create("short", url, credentials=LOGIN)
    fill(bucket, "short")
    bucket.proxy.faults([OK] * 2 + [fault] * SPARE)

    with pytest.raises(StepFailedError, match=r"bucket|storage|s3"):
        annotate(on_error="stop", download_max_retries=0)

    assert data_of(bucket) == [None] * len(DOCUMENTS)
    assert [each.fault for each in bucket.proxy.requests].count(fault) > 0


def test_a_file_that_is_not_there_fails_its_task_alone(birds: BucketWorld) -> None:
    """What no retry would help is not tried again."""
    birds.proxy.faults([Status(404)] + [OK] * SPARE)

    result = annotate(download_max_workers=1)

    assert (result.success_count, result.failed_count) == (5, 1)
    assert [each.code for each in result.failures] == ["NO_FILE"]
    assert len(birds.proxy.requests) == len(DOCUMENTS)
