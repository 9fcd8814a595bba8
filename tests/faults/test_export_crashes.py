"""Killed at any moment, an export can be finished, and it can be undone: nothing half, nothing lost, nothing twice."""

from pathlib import Path

import pytest

from synapse_sdk.failpoints import FAILPOINTS
from synapse_sdk.testing import assert_crash_safe
from tests.conformance.s3_server import LOGIN, S3Server
from tests.faults.exporting import CrashExport, look_at, make_world

PARAMS = {
    "name": "birds",
    "path": "exports",
    "target": "task",
    "filter": {"project": "birds"},
    "download_max_retries": 0,
}
NEW_FOLDER = {**PARAMS, "storage": "./out/new/deep", "download_max_workers": 2}
BESIDE_OTHERS = {**PARAMS, "storage": "./out"}
OURS = {name for name in FAILPOINTS if name.startswith("export.")}


def test_an_export_survives_a_few_moments(tmp_path: Path) -> None:
    """A sample of what the tests below try, for every change."""
    report = assert_crash_safe(
        CrashExport,
        BESIDE_OTHERS,
        world=make_world("", tmp_path / "template"),
        look=look_at(""),
        sandbox=tmp_path,
        limit=2,
    )

    assert report.cases >= 8


@pytest.mark.full
@pytest.mark.parametrize("params", [NEW_FOLDER, BESIDE_OTHERS], ids=["new-folder", "beside-others"])
def test_an_export_into_a_folder_survives_every_kind_of_moment(tmp_path: Path, params: dict[str, object]) -> None:
    """F1 to F3: afterwards the export is as it always is, or there is no trace of it, new folders included (I7)."""
    report = assert_crash_safe(
        CrashExport,
        params,
        world=make_world("", tmp_path / "template"),
        look=look_at(""),
        sandbox=tmp_path,
        limit=60,
    )

    assert {name for name in OURS if not report.kills.get(name)} == set()


@pytest.mark.full
def test_an_export_into_an_object_store_survives_every_kind_of_moment(
    tmp_path: Path, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same with S3: no object is left that is not part of an export, nor an unfinished multipart upload."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", LOGIN["access_key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", LOGIN["secret_access_key"])
    url = f"s3://{s3_server.make_bucket()}/root?endpoint={s3_server.endpoint}&region=us-east-1"

    report = assert_crash_safe(
        CrashExport,
        {**PARAMS, "storage": url},
        world=make_world(url, tmp_path / "template"),
        look=look_at(url),
        sandbox=tmp_path,
        limit=16,
    )

    assert {name for name in OURS if not report.kills.get(name)} == set()
