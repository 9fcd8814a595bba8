"""Killed at any moment, the annotating of tasks can be finished, and it can be undone: nothing half, nothing twice."""

from pathlib import Path

import pytest

from synapse_sdk.failpoints import FAILPOINTS
from synapse_sdk.testing import assert_crash_safe
from tests.faults.annotating import BY_FILE, BY_MODEL, BY_ONNX, BY_SPECIFICATION, CrashTasks, look, make_world

OURS = {name for name in FAILPOINTS if name.startswith("tasks.")}
WAYS = {"file": BY_FILE, "specification": BY_SPECIFICATION, "model": BY_MODEL, "onnx": BY_ONNX}
ELSEWHERE = {
    "file": {"tasks.inferred"},
    "specification": {"tasks.inferred"},
    "model": {"tasks.loaded"},
    "onnx": {"tasks.loaded"},
}
"""Failpoints that belong to the other methods."""
ways = pytest.mark.parametrize("way", WAYS)


@ways
def test_annotating_survives_a_few_moments(tmp_path: Path, way: str) -> None:
    """A sample of what the test below tries, for every change."""
    report = assert_crash_safe(
        CrashTasks, WAYS[way], world=make_world(tmp_path / "template"), look=look, sandbox=tmp_path, limit=2
    )

    assert report.cases >= 8


@pytest.mark.full
@ways
def test_annotating_survives_every_kind_of_moment(tmp_path: Path, way: str) -> None:
    """F1 to F3: afterwards tasks have what they always get, or exactly what they had."""
    report = assert_crash_safe(
        CrashTasks, WAYS[way], world=make_world(tmp_path / "template"), look=look, sandbox=tmp_path, limit=60
    )

    assert {name for name in OURS - ELSEWHERE[way] if not report.kills.get(name)} == set()
