"""Exports from S3, to S3 and from the web over networks that fail, and what is told: F14 to F16, F30, F31."""

import json
import logging
import sys
from typing import Any

import pytest

from synapse_sdk.errors import StepFailedError, SynapseError
from synapse_sdk.plugins import describe_run, rollback_run, run_action
from synapse_sdk.plugins.actions.export import BaseExporter, DefaultExportAction, ExportContext, ExportResult
from synapse_sdk.reporting import JsonReporter, MemoryReporter, PlainReporter
from synapse_sdk.storage import open_storage
from synapse_sdk.testing import OK, Blackhole, CutDownload, CutUpload, Fault, LostReply, Reset, Status
from tests.conformance.s3_server import LOGIN
from tests.faults.buckets import BucketWorld
from tests.faults.exporting import check_whole, contents_of, documents_of, params_of, store
from tests.faults.test_upload_secrets import CANARY, TOKEN, raised, texts_of
from tests.unit.downloads.web import Reply, serving
from tests.unit.plugins.actions.upload.world import World

FILES = {f"{number}.jpg": f"picture {number}".encode() * 50 for number in range(6)}
FAULTS = [
    Reset(),
    Status(503),
    *(
        pytest.param(fault, marks=pytest.mark.full)
        for fault in (
            Status(500, html=False),
            Status(429, retry_after=1),
            CutDownload(100),
            CutUpload(100),
            LostReply(),
        )
    ),
]


def export(world: World, **params: Any) -> ExportResult:  # noqa: ANN401  # those of the action
    """Export the project `birds` into `out/birds`."""
    result: ExportResult = run_action(DefaultExportAction, params_of(world, **params))
    return result


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
def test_files_come_from_a_network_that_fails_now_and_then(bucket: BucketWorld, fault: Fault) -> None:
    """F14: every third request fails; all files are there, byte for byte."""
    store(bucket, FILES, "bucket")
    bucket.proxy.faults([OK, OK, fault] * 12)

    result = export(bucket)

    assert (result.exported_count, result.failed_count) == (6, 0)
    whole = check_whole(contents_of(bucket.folder / "out" / "birds"))
    assert {name: whole[f"origin_files/{name}"] for name in FILES} == FILES


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
def test_an_export_goes_into_a_network_that_fails_now_and_then(bucket: BucketWorld, fault: Fault) -> None:
    """F14, F15: a lost answer to the claim of the name is no conflict, and nothing is there twice."""
    store(bucket, FILES)
    bucket.proxy.faults([OK, OK, fault] * 40)

    export(bucket, storage="bucket", download_max_workers=2)

    bucket.proxy.faults(OK)
    with bucket.storage() as storage:
        whole = check_whole(documents_of(storage, "birds/"))
    assert {name: whole[f"origin_files/{name}"] for name in FILES} == FILES
    assert len(bucket.objects()) == len(whole) + 1


@pytest.mark.parametrize("side", ["source", "destination"])
def test_a_network_that_goes_away_fails_the_run_and_nothing_is_left(bucket: BucketWorld, side: str) -> None:
    """F16: the reason is the storage, and not a hundred items one by one."""
    store(bucket, FILES | {f"more{number}.jpg": b"%d" % number for number in range(20)}, "bucket")
    before = bucket.objects()
    bucket.proxy.faults(Status(403) if side == "destination" else [OK, *[Reset()] * 5000])

    with pytest.raises(StepFailedError):
        export(
            bucket, storage="bucket" if side == "destination" else str(bucket.folder / "out"), download_max_retries=0
        )

    bucket.proxy.faults(OK)
    assert bucket.objects() == before
    assert not (bucket.folder / "out").exists()
    assert not [*bucket.folder.glob(".synapse/runs/*/work")]


@pytest.mark.parametrize("side", ["source", "destination"])
def test_an_export_outlasts_a_network_that_is_cut_for_a_while(bucket: BucketWorld, side: str) -> None:
    """F16: what was asked while nothing came through is asked again; nothing is lost, and nothing there twice."""
    url = f"s3://{bucket.bucket}/short?endpoint={bucket.proxy.url}&region=us-east-1&timeout=0.5"
    bucket.backend.storages.create("short", url, credentials=LOGIN)
    store(bucket, FILES, "short" if side == "source" else "store")
    bucket.proxy.faults([OK, OK, *[Blackhole()] * 3, *[OK] * 5, *[Blackhole()] * 2, *[OK] * 1000])

    result = export(bucket, storage="short" if side == "destination" else str(bucket.folder / "out"))

    bucket.proxy.faults(OK)
    assert (result.exported_count, result.failed_count) == (6, 0)
    if side == "source":
        whole = check_whole(contents_of(bucket.folder / "out" / "birds"))
    else:
        with open_storage(url, credentials=LOGIN) as storage:
            whole = check_whole(documents_of(storage, "birds/"))
            assert len(documents_of(storage, "")) == len(whole) + 1
    assert {name: whole[f"origin_files/{name}"] for name in FILES} == FILES


@pytest.mark.parametrize("fault", [Status(403), pytest.param(Reset(), marks=pytest.mark.full)], ids=repr)
def test_what_could_not_be_undone_is_undone_when_the_network_is_back(bucket: BucketWorld, fault: Fault) -> None:
    """F16: the run says so until then; also when it was published by the time that the network was cut."""
    store(bucket, FILES)

    class GoesAway(DefaultExportAction):
        def commit(self, context: ExportContext) -> None:
            super().commit(context)
            bucket.proxy.faults(fault)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        run_action(GoesAway, params_of(bucket, storage="bucket"), journal=True, job_id="gone")
    assert describe_run("gone").record.status == "rollback_incomplete"
    assert len(bucket.objects()) == 2 * len(FILES) + 1
    bucket.proxy.faults(OK)

    rollback_run("gone", action=GoesAway)

    assert describe_run("gone").record.status == "rolled_back"
    assert bucket.objects() == set()
    assert not [*bucket.folder.glob(".synapse/runs/*/work")]


def test_a_report_says_whether_the_export_could_be_undone(bucket: BucketWorld) -> None:
    """It is written again when it could, also if that is much later."""
    store(bucket, FILES)

    class GoesAway(DefaultExportAction):
        def commit(self, context: ExportContext) -> None:
            bucket.proxy.faults(Status(403))
            raise RuntimeError

    def statuses() -> tuple[str, str]:
        report = json.loads((bucket.folder / ".synapse" / "runs" / "gone" / "report.json").read_text())
        return str(describe_run("gone").record.status), report["status"]

    with pytest.raises(RuntimeError):
        run_action(GoesAway, params_of(bucket, storage="bucket"), journal=True, job_id="gone")
    assert statuses() == ("rollback_incomplete", "rollback_incomplete")
    bucket.proxy.faults(OK)

    rollback_run("gone", action=GoesAway)

    assert statuses() == ("rolled_back", "rolled_back")
    assert not [*bucket.folder.glob(".synapse/runs/*/work")]


# F30: where files come from


class FromTheWeb(BaseExporter):
    """Says that the file of each item is elsewhere."""

    def before_convert(self, data: Any) -> Any:  # noqa: ANN401  # as the hook wants it
        """Replace the file."""
        url = self.params["urls"][data["id"] % len(self.params["urls"])]
        files = {"images": {"file_name_original": "web.jpg", "is_primary": True, "url": url}}
        return {**data, "files": files}


class WebExport(DefaultExportAction):
    """Exports files of the web."""

    exporter_class = FromTheWeb


def test_an_address_in_a_private_network_is_not_read_and_no_secret_of_a_url_is_told(world: World) -> None:
    """F30, F31: neither directly nor by other ways of writing it; the signature of the URL is told nowhere."""
    store(world, FILES)
    with serving(Reply(body=b"internal")) as server:
        secret = f"/cat.jpg?X-Amz-Signature={CANARY}"
        urls = [
            server.url(secret),
            f"http://127.1:{server.port}{secret}",
            f"http://[::ffff:127.0.0.1]:{server.port}{secret}",
            f"http://me:{CANARY}@169.254.169.254/latest",
            f"file:///etc/passwd?{CANARY}",
            f"http://localhost:{server.port}{secret}",
        ]
        reporter = MemoryReporter()
        with pytest.raises(SynapseError, match="No item could be exported") as caught:
            run_action(
                WebExport, params_of(world, extra_params={"urls": urls}, download_max_retries=0), reporter=reporter
            )
        assert server.asked == []

    told = [event for event in reporter.events if "params" not in repr(event)]
    assert CANARY not in raised(caught.value)
    assert CANARY not in repr(told)
    assert [name for name, text in texts_of(world).items() if CANARY.encode() in text] == []
    assert not (world.folder / "out").exists()


@pytest.mark.parametrize("fails", [False, True])
def test_the_secret_key_of_a_storage_is_nowhere_to_be_seen(
    bucket: BucketWorld,
    fails: bool,  # noqa: FBT001  # a parameter
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """F31: neither in journal, ledger, report, manifest, events, logs, output, errors nor in any `repr`."""
    caplog.set_level(logging.DEBUG)
    login = {"access_key_id": "test", "secret_access_key": CANARY, "session_token": TOKEN}
    url = f"s3://{bucket.bucket}/secret?endpoint={bucket.proxy.url}&region=us-east-1"
    bucket.backend.storages.create("secret", url, credentials=login)
    store(bucket, FILES, "secret")
    said, memory = "", MemoryReporter()
    if fails:
        bucket.proxy.faults(Status(403))

    for reporter in (memory, PlainReporter(sys.stderr), JsonReporter(sys.stdout)):
        for place in ("secret", str(bucket.folder / "out")):
            try:
                result = run_action(
                    DefaultExportAction, params_of(bucket, storage=place), journal=True, reporter=reporter
                )
            except SynapseError as error:
                said += raised(error)
            else:
                said += repr(result) + result.model_dump_json()

    bucket.proxy.faults(OK)
    with bucket.storage() as storage:
        said += repr(documents_of(storage, ""))
    printed = capfd.readouterr()
    said += printed.out + printed.err + caplog.text + repr(memory.events)
    for secret in (CANARY, TOKEN):
        assert secret not in said
        assert [name for name, text in texts_of(bucket).items() if secret.encode() in text] == []
