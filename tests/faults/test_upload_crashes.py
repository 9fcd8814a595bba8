"""Killed at any moment, an upload can be finished, and it can be undone: no orphan, nothing lost, nothing twice."""

from pathlib import Path

import pytest

from synapse_sdk.failpoints import FAILPOINTS
from synapse_sdk.plugins.actions.upload import DefaultUploadAction
from synapse_sdk.testing import assert_crash_safe
from tests.conformance.s3_server import LOGIN, S3Server
from tests.faults.uploading import look_at, make_world

PARAMS = {"data_collection": "things", "path": "data", "creating_data_unit_batch_size": 2, "upload_max_workers": 2}
OURS = {name for name in FAILPOINTS if name.startswith("upload.")}


def test_an_upload_survives_a_few_moments(tmp_path: Path) -> None:
    """A sample of what the tests below try, for every change."""
    report = assert_crash_safe(
        DefaultUploadAction,
        PARAMS,
        world=make_world("", tmp_path / "template"),
        look=look_at(""),
        sandbox=tmp_path,
        limit=4,
    )

    assert report.cases >= 16


@pytest.mark.full
def test_an_upload_into_a_folder_survives_every_kind_of_moment(tmp_path: Path) -> None:
    """F1 to F3 with a local store: after recovery the store's listing equals the catalogue (I3, I5, I7)."""
    report = assert_crash_safe(
        DefaultUploadAction,
        PARAMS,
        world=make_world("", tmp_path / "template"),
        look=look_at(""),
        sandbox=tmp_path,
        limit=40,
    )

    assert {name for name in OURS if not report.kills.get(name)} == set()


@pytest.mark.full
def test_an_upload_into_an_object_store_survives_every_kind_of_moment(
    tmp_path: Path, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same with S3: no orphan object and no unfinished multipart upload."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", LOGIN["access_key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", LOGIN["secret_access_key"])
    url = f"s3://{s3_server.make_bucket()}/uploads?endpoint={s3_server.endpoint}&region=us-east-1"

    report = assert_crash_safe(
        DefaultUploadAction,
        PARAMS,
        world=make_world(url, tmp_path / "template"),
        look=look_at(url),
        sandbox=tmp_path,
        limit=12,
    )

    assert {name for name in OURS if not report.kills.get(name)} == set()
