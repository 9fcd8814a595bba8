"""Killed at any moment, the making of a dataset can be finished, and it can be undone: nothing half, nothing lost."""

from pathlib import Path

import pytest

from synapse_sdk.failpoints import FAILPOINTS
from synapse_sdk.testing import assert_crash_safe
from tests.faults.downloading import CrashDataset, look, make_world

DOWNLOAD = {"dataset": "birds", "output": "out/new/deep/birds", "download_max_retries": 0}
CONVERT = {**DOWNLOAD, "operation": "convert", "target_format": "yolo", "output": "out/birds"}
OURS = {name for name in FAILPOINTS if name.startswith("dataset.")}


@pytest.mark.parametrize("params", [DOWNLOAD, CONVERT], ids=["download", "convert"])
def test_a_dataset_survives_a_few_moments(tmp_path: Path, params: dict[str, object]) -> None:
    """A sample of what the tests below try, for every change."""
    report = assert_crash_safe(
        CrashDataset,
        params,
        world=make_world(tmp_path / "template", is_broken=False),
        look=look,
        sandbox=tmp_path,
        limit=2,
    )

    assert report.cases >= 8


@pytest.mark.full
@pytest.mark.parametrize("is_broken", [False, True], ids=["whole", "with-a-failure"])
def test_a_download_survives_every_kind_of_moment(tmp_path: Path, *, is_broken: bool) -> None:
    """F1 to F3: afterwards the dataset is as it always is, or there is no trace of it, new folders included."""
    report = assert_crash_safe(
        CrashDataset,
        DOWNLOAD,
        world=make_world(tmp_path / "template", is_broken=is_broken),
        look=look,
        sandbox=tmp_path,
        limit=40,
    )

    assert {name for name in OURS - {"dataset.converted"} if not report.kills.get(name)} == set()


@pytest.mark.full
def test_a_conversion_survives_every_kind_of_moment(tmp_path: Path) -> None:
    """The same, with a download before it."""
    report = assert_crash_safe(
        CrashDataset,
        CONVERT,
        world=make_world(tmp_path / "template", is_broken=False),
        look=look,
        sandbox=tmp_path,
        limit=40,
    )

    assert {name for name in OURS - {"dataset.placed"} if not report.kills.get(name)} == set()
