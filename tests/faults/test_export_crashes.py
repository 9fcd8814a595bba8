"""Killed at any moment, an export can be finished, and it can be undone: nothing half, nothing lost, nothing twice."""

from pathlib import Path

from synapse_sdk.testing import assert_crash_safe
from tests.faults.exporting import CrashExport, look_at, make_world

PARAMS = {"name": "birds", "path": "exports", "target": "task", "filter": {"project": "birds"}}
BESIDE_OTHERS = {**PARAMS, "storage": "./out"}


def test_an_export_survives_a_few_moments(tmp_path: Path) -> None:
    """A sample of moments of every kind, for every change."""
    report = assert_crash_safe(
        CrashExport,
        BESIDE_OTHERS,
        world=make_world("", tmp_path / "template"),
        look=look_at(""),
        sandbox=tmp_path,
        limit=2,
    )

    assert report.cases >= 8
