"""Looking at runs: lists, accounts, logs, and watching, each for people and for programs."""

import csv
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from synapse_sdk.journal import RunId, RunSource, default_journal, open_journal

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Crash, Synapse


def test_a_fresh_place_has_no_runs(synapse: "Synapse", home: Path) -> None:
    """That is no error, and makes no journal."""
    outcome = synapse("runs", "list")

    assert (outcome.code, outcome.out) == (0, "")
    assert "No runs are recorded here yet" in outcome.err
    assert synapse("runs", "list", "--json").json["runs"] == []
    assert not default_journal().exists()
    assert list(home.iterdir()) == []


def test_runs_are_listed_newest_first(synapse: "Synapse", greeter: Path) -> None:
    """With where each stands; ids alone with -q."""
    synapse("run", str(greeter), "greet")
    synapse("run", str(greeter), "greet", "--inject-failure", "write_greeting")

    listed = synapse("runs", "list")
    ids = synapse("runs", "list", "-q").out.split()

    assert [line.split()[:3] for line in listed.out.splitlines()[1:]] == [
        [ids[0], "greet", "rolled"],
        [ids[1], "greet", "succeeded"],
    ]
    assert listed.err == ""
    assert synapse("runs", "list", "-q", "--limit", "1").out.split() == ids[:1]
    assert synapse("runs", "list", "-q", "--status", "succeeded").out.split() == ids[1:]
    assert "more than 1" in synapse("runs", "list", "--limit", "1").err
    assert synapse("runs", "list", "-q", "--all").out.split() == ids


def test_a_run_whose_worker_died_is_called_interrupted(synapse: "Synapse", crash: "Crash") -> None:
    """And the way out is said."""
    run_id = crash()

    listed = synapse("runs", "list")
    data = synapse("runs", "list", "--status", "interrupted", "--json").json

    assert "interrupted" in listed.out
    assert listed.err == f"1 run lost its worker. To go on: synapse runs resume {run_id}\n"
    assert [(run["id"], run["is_interrupted"], run["status"]) for run in data["runs"]] == [(run_id, True, "running")]
    assert (data["runs"][0]["steps_done"], data["runs"][0]["steps_total"]) == (1, 2)


def test_what_happened_in_a_run_can_be_read(synapse: "Synapse", crash: "Crash") -> None:
    """Steps, figures, what the steps complained about, and the commands that can follow."""
    run_id = crash("--set", "name=Grace")

    shown = synapse("runs", "show", run_id[:5])
    data = synapse("runs", "show", "last", "--json").json

    assert shown.code == 0
    assert "status   interrupted: it was running, but its worker died" in shown.out
    assert "done     1 of 2 steps, 50 %" in shown.out
    assert "params\n  name  Grace\n" in shown.out
    assert "action   mortal of mortal\n" in shown.out
    assert "the disk is old" in shown.out
    assert f"synapse runs resume {run_id} " in shown.out
    assert [(step["step"], step["status"], step["undo_entries"]) for step in data["steps"]] == [
        ("write", "succeeded", 1),
        ("halt", "running", 0),
    ]
    assert data["metrics"] == {"write": {"files": 1}} or data["metrics"]
    assert data["errors"] == ["the disk is old"]
    assert data["commands"] == [f"synapse runs resume {run_id}", f"synapse runs rollback {run_id}"]


def test_an_ended_run_has_no_commands_that_can_follow(synapse: "Synapse", greeter: Path) -> None:
    """Every command that is shown works."""
    synapse("run", str(greeter), "greet")

    shown = synapse("runs", "show", "last")

    assert "status   succeeded" in shown.out
    assert "Hello, world!" in shown.out
    assert "next" not in shown.out


def test_commands_name_the_journal_that_was_named(synapse: "Synapse", crash: "Crash") -> None:
    """So that they can be copied."""
    run_id = crash("--journal", "elsewhere.db")

    outcome = synapse("runs", "show", run_id, "--journal", "elsewhere.db")

    assert f"synapse runs resume {run_id} --journal elsewhere.db" in outcome.out


def test_a_mistyped_id_is_answered_with_the_nearest(synapse: "Synapse", greeter: Path) -> None:
    """Exit code 2: it is the command line that is wrong."""
    synapse("run", str(greeter), "greet")
    run_id = synapse("runs", "list", "-q").out.strip()
    mistyped = run_id[:5] + ("0" if run_id[5] != "0" else "1") + run_id[6:]

    for command in ("show", "watch", "logs", "resume", "rollback", "cancel", "export-report"):
        outcome = synapse("runs", command, mistyped)

        assert outcome.code == 2, outcome.err
        assert f"Did you mean {run_id}?" in outcome.err


def test_an_ambiguous_prefix_is_refused(synapse: "Synapse") -> None:
    """Which run is meant must never be a guess."""
    with open_journal(default_journal()) as journal:
        for run_id in ("aaaa00000001", "aaaa00000002"):
            journal.create_run(RunId(run_id), RunSource(plugin="", action="x"))

    outcome = synapse("runs", "show", "aaaa")

    assert outcome.code == 2
    assert "There are 2 runs whose ids begin with 'aaaa'" in outcome.err
    assert synapse("runs", "show", "aaaa00000001").code == 0
    assert synapse("runs", "show", "aaa").code == 2


def test_what_cannot_be_printed_is_no_id(synapse: "Synapse", greeter: Path) -> None:
    """Not even half a character."""
    synapse("run", str(greeter), "greet")

    assert synapse("runs", "show", "\udcff\x1b[31m").code == 2


def test_a_journal_that_is_a_folder_is_refused(synapse: "Synapse", home: Path, greeter: Path) -> None:
    """By every command, with 74 and a way out."""
    for args in (["list"], ["show", "x"], ["watch", "x"], ["resume", "x"], ["gc", "--yes"]):
        outcome = synapse("runs", *args, "--journal", str(home))
        assert outcome.code == 74
        assert "is a folder" in outcome.err
    started = synapse("run", str(greeter), "greet", "--journal", str(home))

    assert started.code == 74
    assert f"Name a file, such as {home / 'journal.db'}" in started.err


def test_no_journal_is_a_matter_of_configuration(
    synapse: "Synapse", greeter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs go on without it; what needs it says so."""
    monkeypatch.setenv("SYNAPSE_JOURNAL", "none")

    assert synapse("run", str(greeter), "greet").code == 0
    outcome = synapse("runs", "list")

    assert outcome.code == 78
    assert "SYNAPSE_JOURNAL" in outcome.err


def test_logs_are_kept(synapse: "Synapse", crash: "Crash") -> None:
    """For people with the time, for programs as the lines of `--json`."""
    crash()

    shown = synapse("runs", "logs", "last")
    lines = synapse("runs", "logs", "last", "--json").lines

    assert "written" in shown.out
    assert [line["event"] for line in lines] == ["written"]
    assert lines[0]["data"] == {"path": "made"}
    assert synapse("runs", "logs", "last", "--level", "error").out == ""


@pytest.mark.parametrize("form", ["md", "csv", "json"])
def test_an_account_of_a_run_can_be_written(form: str, synapse: "Synapse", crash: "Crash", home: Path) -> None:
    """What was done, what was undone, what is left."""
    run_id = crash(variable="DIE_UNDOING")

    outcome = synapse("runs", "export-report", run_id, "--format", form, "--out", "report")
    text = (home / "report").read_text(encoding="utf-8")

    assert outcome.code == 0
    assert outcome.out == ""
    match form:
        case "csv":
            rows = list(csv.DictReader(text.splitlines()))
            assert [(row["step"], row["undo_left"]) for row in rows] == [("write", "1"), ("halt", "0")]
        case "json":
            assert f'"synapse runs rollback {run_id}"' in text
            assert '"undo_left": 1' in text
        case _:
            assert text.startswith(f"# Run {run_id}\n")
            assert "## Left behind" in text


def test_a_damaged_run_does_not_hide_the_others(synapse: "Synapse", greeter: Path) -> None:
    """It is listed as damaged, and shown as far as it goes."""
    synapse("run", str(greeter), "greet")
    with sqlite3.connect(default_journal()) as connection:
        connection.execute("UPDATE frame SET text = replace(text, 'StepStarted', 'StepSkipped')")
    connection.close()
    synapse("run", str(greeter), "greet")

    listed = synapse("runs", "list")
    shown = synapse("runs", "show", listed.out.splitlines()[2].split()[0])

    assert listed.code == shown.code == 0
    assert [line.split()[2] for line in listed.out.splitlines()[1:]] == ["succeeded", "damaged"]
    assert "damage" in shown.out


def test_the_shell_completes_runs(synapse: "Synapse", greeter: Path) -> None:
    """As they are recorded."""
    synapse("run", str(greeter), "greet")
    run_id = synapse("runs", "list", "-q").out.strip()
    script = "import sys; from synapse_sdk.cli.main import main; sys.argv = ['synapse']; main()"
    environ = {**os.environ, "_SYNAPSE_COMPLETE": "bash_complete", "COMP_CWORD": "3"}

    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**environ, "COMP_WORDS": f"synapse runs show {run_id[:2]}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stdout.split() == [f"plain,{run_id}"]
