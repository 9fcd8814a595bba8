"""A name is data: whatever the system allows comes back byte for byte, and steers nothing on its way (F22)."""

import csv
import io
import os
from pathlib import Path

import pytest

from synapse_sdk.errors import StepFailedError
from synapse_sdk.journal import SqliteJournal, read_state
from synapse_sdk.plugins import run_action
from synapse_sdk.testing import assert_crash_safe
from tests.faults.odd_names import FILE_NAMES, STEP_NAMES, NamesAction
from tests.unit.cli.conftest import Synapse

RUN = "7f3a00112233"


def test_a_run_with_odd_names_survives_every_moment(tmp_path: Path) -> None:
    """Each file is found again under its own name, to go on and to be removed."""
    report = assert_crash_safe(NamesAction, sandbox=tmp_path, limit=10)

    assert report.cases >= 10


@pytest.fixture
def synapse(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Synapse:
    """The command `synapse`, for a user without settings."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return Synapse(capsys)


@pytest.fixture
def failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The journal of such a run, which failed and was undone."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    with pytest.raises(StepFailedError):
        run_action(NamesAction, {}, journal=tmp_path / "journal.db", job_id=RUN, inject_failure="check")
    return tmp_path / "journal.db"


def test_the_journal_has_every_name_byte_for_byte(failed: Path) -> None:
    """In the order in which they were recorded."""
    with SqliteJournal(failed, read_only=True) as journal:
        state = read_state(journal, RUN)

    made = [name for step in STEP_NAMES for name in state.steps[step].result["data"]["files"]]  # type: ignore[index]  # they succeeded
    assert sorted(map(os.fsencode, made)) == sorted(map(os.fsencode, FILE_NAMES))
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize(
    "words", [["show"], ["logs"], ["export-report"], ["export-report", "--format", "csv"]], ids=str
)
def test_no_name_steers_the_terminal(synapse: Synapse, failed: Path, words: list[str]) -> None:
    """Control characters and marks of direction are written out."""
    outcome = synapse("runs", *words, RUN, "--journal", str(failed))

    assert outcome.code == 0
    assert not {"\x1b", "\r", "\u202e"} & set(outcome.out)


def test_no_name_becomes_a_formula(synapse: Synapse, failed: Path, tmp_path: Path) -> None:
    """A program for tables takes what begins with = for one, and runs it."""
    place = tmp_path / "report.csv"
    outcome = synapse("runs", "export-report", RUN, "--journal", str(failed), "--format", "csv", "--out", str(place))

    rows = list(csv.DictReader(io.StringIO(place.read_text(encoding="utf-8"))))
    assert outcome.code == 0
    assert [row["step"] for row in rows][:2] == ["'=1+1", r"\x1b[2J\n"]
