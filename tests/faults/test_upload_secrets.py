"""What must never be seen of an upload: F31, I8."""

import logging
import sys
import traceback
from pathlib import Path

import pytest

from synapse_sdk.errors import SynapseError
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.actions.upload import DefaultUploadAction
from synapse_sdk.reporting import JsonReporter, MemoryReporter, PlainReporter
from synapse_sdk.storage import open_storage
from synapse_sdk.testing import OK, Status
from tests.faults.buckets import BucketWorld
from tests.unit.plugins.actions.upload.world import World

CANARY = "canary-7f3a9c51-secret"
TOKEN = "canary-0b1d-session-token"  # noqa: S105  # planted to be looked for


def texts_of(world: World) -> dict[str, bytes]:
    """Return everything that was written below the project, without the backend, whose business secrets are."""
    return {
        str(path): path.read_bytes()
        for path in world.folder.rglob("*")
        if path.is_file() and not path.name.startswith("backend.db")
    }


def raised(error: BaseException) -> str:
    """Return all that an error shows."""
    notes = "".join(traceback.format_exception(error))
    where = getattr(error, "where", {})
    return f"{error} {error!r} {notes} {where}"


@pytest.mark.parametrize("fails", [False, True])
def test_the_secret_key_of_a_storage_is_nowhere_to_be_seen(
    bucket: BucketWorld,
    fails: bool,  # noqa: FBT001  # a parameter
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """F31: neither in journal, report, events, logs, output, errors nor in any `repr`."""
    caplog.set_level(logging.DEBUG)
    url = f"s3://{bucket.bucket}/secret?endpoint={bucket.proxy.url}&region=us-east-1"
    login = {"access_key_id": "test", "secret_access_key": CANARY, "session_token": TOKEN}
    record = bucket.backend.storages.create("secret", url, credentials=login)
    bucket.write("images/cat.jpg", b"cat")
    if fails:  # a server that repeats what it was sent
        bucket.proxy.faults([OK, OK, OK, *[Status(403)] * 3])
    said = repr(record) + repr(open_storage(url, credentials=login))
    memory = MemoryReporter()

    for reporter in (memory, PlainReporter(sys.stderr), JsonReporter(sys.stdout)):
        try:
            result = run_action(DefaultUploadAction, bucket.params(storage="secret"), journal=True, reporter=reporter)
        except SynapseError as error:
            said += raised(error)
        else:
            said += repr(result) + result.model_dump_json()

    printed = capfd.readouterr()
    said += printed.out + printed.err + caplog.text + repr(memory.events)
    for secret in (CANARY, TOKEN):
        assert secret not in said
        assert [name for name, text in texts_of(bucket).items() if secret.encode() in text] == []


@pytest.mark.parametrize(
    "url",
    [
        f"s3://bucket/things?X-Amz-Signature={CANARY}&X-Amz-Credential=me",
        f"s3://me:{CANARY}@bucket/things",
        f"sftp://me:{CANARY}@nowhere.invalid/things",
        f"az://container/things?sig={CANARY}",
    ],
)
@pytest.mark.parametrize("where", ["storage", "path"])
def test_a_secret_in_a_url_is_refused_and_not_repeated(world: World, url: str, where: str) -> None:
    """F31: a presigned URL, or one with a password, as where files go and as where they come from."""
    world.write("images/cat.jpg", b"cat")
    reporter = MemoryReporter()

    with pytest.raises(SynapseError) as caught:
        run_action(DefaultUploadAction, world.params(**{where: url}), reporter=reporter)

    assert CANARY not in raised(caught.value)
    assert CANARY not in repr(reporter.events)
    reports = [Path(name) for name in texts_of(world) if name.endswith(("report.json", "report.csv"))]
    assert not any(CANARY in path.read_text() for path in reports)
