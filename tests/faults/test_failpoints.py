"""Killed at every boundary of an effect and of its undoing, a run can be finished, and it can be undone (F2)."""

from pathlib import Path

from PIL import Image

from synapse_sdk.failpoints import FAILPOINTS
from synapse_sdk.journal import SqliteJournal
from synapse_sdk.journal.repair import check
from synapse_sdk.testing import assert_crash_safe, snapshot_tree
from tests.faults.busy_action import BusyAction
from tests.unit.testing.crash_actions import SafeAction

EXAMPLES = Path(__file__).parents[2] / "examples"


def _assert_whole(sandbox: Path) -> None:
    """The journal in which hundreds of runs died is whole, and every one of them has come to an end (I1, I4)."""
    with SqliteJournal(sandbox / "journal.db") as journal:
        report = check(journal)
        assert report.findings == ()
        assert [run.id for run in journal.runs() if not run.has_ended] == []


def test_a_small_job_survives_every_moment_and_every_failpoint_there_is(tmp_path: Path) -> None:
    """No moment is left out; a failpoint that no test comes to would promise what nobody has seen."""
    report = assert_crash_safe(SafeAction, sandbox=tmp_path)

    assert report.left_out == 0
    assert report.passed_by <= report.cases / 10
    others = ("upload.", "export.", "dataset.", "tasks.", "train.", "create_tasks.")  # those have tests of their own
    engine = {name for name in FAILPOINTS if not name.startswith(others)}
    assert {name for name in engine if not report.kills.get(name)} == set()
    assert set(report.kills) <= set(FAILPOINTS)
    _assert_whole(tmp_path)


def test_steps_of_every_kind_survive_moments_of_every_kind(tmp_path: Path) -> None:
    """Those that run side by side or are tried again record what they do as well as any other."""
    report = assert_crash_safe(BusyAction, sandbox=tmp_path, limit=12)

    assert report.left_out > 0
    _assert_whole(tmp_path)


def test_the_image_report_survives_every_moment(tmp_path: Path) -> None:
    """Copies and report are all there or all gone, no part of a file is left, and the photos are as they were."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for number, name in enumerate(("cat.jpg", "dog.png")):
        Image.new("RGB", (40, 30), (60 * number, 90, 120)).save(photos / name)
    (photos / "broken.jpg").write_bytes(b"no image")
    before = snapshot_tree(photos)

    report = assert_crash_safe(
        (EXAMPLES / "image_report", "image_report"),
        lambda folder: {"input_dir": str(photos), "output_dir": str(folder / "out"), "resize_width": 20},
        sandbox=tmp_path / "sandbox",
        limit=24,
    )

    assert report.cases >= 100
    assert snapshot_tree(photos) == before
    _assert_whole(tmp_path / "sandbox")
    assert report.kills["undo.recorded"] >= 4
