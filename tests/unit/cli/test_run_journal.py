"""Where `synapse run` records what happens, and what the doctor says about that."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from synapse_sdk.cli.errors import (
    RollbackIncompleteError,
    RunFailedError,
    RunInterruptedError,
    StillRunningError,
    exit_code,
)
from synapse_sdk.errors import (
    JournalBusyError,
    JournalCorruptedError,
    JournalError,
    JournalVersionError,
    LeaseHeldError,
    LeaseLostError,
    PlanChangedError,
    RunCancelledError,
    RunEndedError,
    RunNotFoundError,
    UnencodableValueError,
)
from synapse_sdk.journal import default_journal

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Crash, Synapse


def caused(error: BaseException, cause: BaseException) -> BaseException:
    """Return an error that was raised from another one."""
    error.__cause__ = cause
    return error


def unreachable(state: str | None) -> BaseException:
    """Return an error as PostgreSQL's driver raises it."""
    psycopg = pytest.importorskip("psycopg")
    error: BaseException = psycopg.errors.lookup(state)("no") if state else psycopg.OperationalError("no")
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (JournalError("unusable"), 74),
        (JournalCorruptedError("damaged"), 74),
        (caused(JournalError("no"), PermissionError(13, "no")), 77),
        (caused(JournalError("no"), OSError(28, "full")), 74),
        (JournalVersionError("new"), 78),
        (JournalBusyError("locked"), 75),
        (LeaseHeldError("held"), 75),
        (LeaseLostError("lost"), 75),
        (RunNotFoundError("where?"), 2),
        (RunEndedError("over"), 2),
        (PlanChangedError("other"), 78),
        (UnencodableValueError("object"), 78),
        (RunCancelledError("stop"), 130),
        (RunInterruptedError("dead"), 75),
        (StillRunningError("alive"), 75),
        (RollbackIncompleteError("left"), 4),
        (RunFailedError("no"), 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_trouble_with_a_journal_has_its_code(error: BaseException, code: int) -> None:
    """Scripts tell apart what may pass, what somebody has to mend, and what was mistyped."""
    assert exit_code(error) == code


@pytest.mark.parametrize(("state", "code"), [(None, 69), ("57P01", 69), ("08006", 69), ("53100", 74)])
def test_a_server_that_cannot_be_reached_is_told_apart_from_a_full_one(state: str | None, code: int) -> None:
    """The first may pass by itself."""
    assert exit_code(caused(JournalError("no"), unreachable(state))) == code


def test_a_run_can_be_recorded_elsewhere(synapse: "Synapse", greeter: Path, home: Path) -> None:
    """As the option, the variable or the file says; the option wins."""
    (home / "synapse.toml").write_text("journal = 'project.db'\n", encoding="utf-8")

    synapse("run", str(greeter), "greet")
    synapse("run", str(greeter), "greet", "--journal", "option.db")

    assert (home / "project.db").exists()
    assert (home / "option.db").exists()
    assert not default_journal().exists()
    assert len(synapse("runs", "list", "-q").out.split()) == 1


def test_a_run_need_not_be_recorded(synapse: "Synapse", greeter: Path) -> None:
    """Then it cannot be shown either."""
    assert synapse("run", str(greeter), "greet", "--no-journal").code == 0
    assert not default_journal().exists()
    contradiction = synapse("run", str(greeter), "greet", "--no-journal", "--journal", "x.db")

    assert contradiction.code == 2


def test_a_failure_names_the_command_that_shows_what_happened(synapse: "Synapse", greeter: Path) -> None:
    """If it was recorded."""
    recorded = synapse("run", str(greeter), "greet", "--inject-failure", "write_greeting")
    run_id = synapse("runs", "list", "-q").out.strip()
    not_recorded = synapse("run", str(greeter), "greet", "--inject-failure", "write_greeting", "--no-journal")

    assert f"· synapse runs show {run_id}" in recorded.err
    assert "synapse runs" not in not_recorded.err


def test_the_doctor_looks_at_the_journal(synapse: "Synapse", crash: "Crash") -> None:
    """Where it is, its file system and mode, its space, and who waits."""
    fresh = synapse("doctor")
    crash()

    lines = synapse("doctor", "--json").json["checks"]
    found = {each["name"]: each for each in lines}

    assert f"{default_journal()}, which the first run will make" in fresh.out
    assert found["journal"]["found"] == f"{default_journal()} with 1 run"
    assert "mode WAL" in found["journal file"]["found"]
    assert "MiB free" in found["disk, journal"]["found"]
    assert found["runs"]["health"] == "warn"
    assert found["runs"]["fix"] == "Resume or roll back: synapse runs list --status interrupted"


@pytest.mark.parametrize(("place", "words"), [(".", "is a folder"), ("none", "not recorded")])
def test_the_doctor_says_what_is_wrong_with_the_journal(
    place: str, words: str, synapse: "Synapse", monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what to do."""
    monkeypatch.setenv("SYNAPSE_JOURNAL", place)

    found = next(each for each in synapse("doctor", "--json").json["checks"] if each["name"] == "journal")

    assert words in found["found"]
    assert found["health"] != "ok"
    assert found["fix"]
