"""Doing something about runs: resume, roll back, cancel, forget."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from synapse_sdk.journal import Owner, default_journal, open_journal
from synapse_sdk.plugins import collect_runs

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Crash, Synapse


def test_a_run_goes_on_where_its_process_died(synapse: "Synapse", crash: "Crash", home: Path) -> None:
    """Result and exit code are those of `synapse run`; parameters are those of the first time."""
    run_id = crash("--set", "name=Grace")

    resumed = synapse("runs", "resume", run_id[:6])

    assert (resumed.code, resumed.out) == (0, "hello  Grace\n")
    assert "run resumed: 1 of 2 steps done before" in resumed.err
    assert (home / "made").exists()


def test_parameters_of_a_resumed_run_can_be_replaced(synapse: "Synapse", crash: "Crash") -> None:
    """As on the command line of `synapse run`, and a program gets one result."""
    crash()

    lines = synapse("runs", "resume", "last", "--set", "name=Linus", "--json").lines

    assert (lines[-1]["type"], lines[-1]["status"], lines[-1]["result"]) == ("result", "succeeded", {"hello": "Linus"})


def test_a_run_that_succeeded_cannot_be_resumed(synapse: "Synapse", greeter: Path) -> None:
    """Nor rolled back, nor cancelled: its end is final."""
    synapse("run", str(greeter), "greet")

    for command in ("resume", "rollback", "cancel"):
        outcome = synapse("runs", command, "last")

        assert outcome.code == 2
        assert "has ended" in outcome.err


def test_a_run_can_be_rolled_back_instead(synapse: "Synapse", crash: "Crash", home: Path) -> None:
    """What it did is gone, and the exit code is 0: this is what was asked for."""
    run_id = crash()

    outcome = synapse("runs", "rollback", run_id)

    assert outcome.code == 0
    assert outcome.out == f"run     {run_id}\nstatus  rolled_back\n"
    assert not (home / "made").exists()


def test_a_rollback_that_was_cut_short_can_be_finished(synapse: "Synapse", crash: "Crash", home: Path) -> None:
    """Resuming does the same, says why, and ends with 1: the run has failed."""
    run_id = crash(variable="DIE_UNDOING")
    shown = synapse("runs", "show", run_id)

    outcome = synapse("runs", "resume", run_id)

    assert f"synapse runs rollback {run_id}" in shown.out
    assert f"synapse runs resume {run_id}" not in shown.out
    assert outcome.code == 1
    assert "could not go on, because it had failed or was stopped; it is undone now" in outcome.err
    assert not (home / "made").exists()


def test_what_cannot_be_undone_is_listed_and_tried_again(
    synapse: "Synapse", crash: "Crash", home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 4 with the command to finish; which works once the cause is gone."""
    run_id = crash()
    monkeypatch.setenv("CANNOT_UNDO", "1")

    first = synapse("runs", "rollback", run_id)
    shown = synapse("runs", "show", run_id)
    monkeypatch.delenv("CANNOT_UNDO")
    second = synapse("runs", "rollback", run_id)

    assert first.code == 4
    assert "not undone: step 'write': " in first.err
    assert f"then finish undoing it: synapse runs rollback {run_id}" in first.err
    assert "left behind" in shown.out
    assert second.code == 0
    assert not (home / "made").exists()


def test_a_plugin_that_is_gone_is_named(synapse: "Synapse", crash: "Crash", home: Path) -> None:
    """Nothing is done, and the run can still be resumed."""
    run_id = crash()
    (home / "mortal").rename(home / "gone")

    outcome = synapse("runs", "resume", run_id)
    (home / "gone").rename(home / "mortal")

    assert outcome.code == 2
    assert str(home / "mortal") in outcome.err
    assert f"run {run_id}" in outcome.err
    assert synapse("runs", "resume", run_id).code == 0


def test_other_steps_than_at_first_are_refused_until_accepted(synapse: "Synapse", crash: "Crash", home: Path) -> None:
    """With what is different, in words."""
    run_id = crash()
    (home / "changed").touch()

    refused = synapse("runs", "resume", run_id)
    accepted = synapse("runs", "resume", run_id, "--force")

    assert refused.code == 78
    assert "'another' is new" in refused.err
    assert "--force" in refused.err
    assert accepted.code == 0
    assert "3 steps" in accepted.err


def test_a_run_in_other_hands_is_left_alone(synapse: "Synapse", crash: "Crash") -> None:
    """Exit code 75: try again later, or watch it."""
    run_id = crash()
    with open_journal(default_journal()) as journal:
        lease = journal.acquire_lease(run_id, Owner.here())
        outcomes = [synapse("runs", command, run_id) for command in ("resume", "rollback")]
        journal.release_lease(lease)

    assert [outcome.code for outcome in outcomes] == [75, 75]
    assert f"Watch it (synapse runs watch {run_id})" in outcomes[0].err


def test_secrets_have_to_be_given_again(synapse: "Synapse", crash: "Crash") -> None:
    """They are not in the journal."""
    run_id = crash("--set", "token=hush", action="secret")

    missing = synapse("runs", "resume", run_id)
    given = synapse("runs", "resume", run_id, "--set", "token=hush")

    assert missing.code == 2
    assert "token" in missing.err
    assert "--set token=" in missing.err
    assert given.code == 0
    assert b"hush" not in default_journal().read_bytes()


def test_settings_have_to_be_given_again(synapse: "Synapse", crash: "Crash") -> None:
    """Their values may be secret, too."""
    run_id = crash("--env", "REGION=eu")

    missing = synapse("runs", "resume", run_id)

    assert missing.code == 78
    assert "--env REGION=" in missing.err
    assert synapse("runs", "resume", run_id, "--env", "REGION=eu").code == 0


def test_cancelling_a_run_without_a_worker_undoes_it_here(synapse: "Synapse", crash: "Crash", home: Path) -> None:
    """Nobody else would."""
    run_id = crash()

    outcome = synapse("runs", "cancel", run_id)

    assert outcome.code == 0
    assert "No worker is at work" in outcome.err
    assert "status  rolled_back" in outcome.out
    assert not (home / "made").exists()


def test_asking_to_cancel_need_not_wait(synapse: "Synapse", crash: "Crash", home: Path) -> None:
    """The command that undoes is named; to resume it is to undo it."""
    run_id = crash()

    outcome = synapse("runs", "cancel", run_id, "--no-wait")

    assert outcome.code == 0
    assert f"synapse runs rollback {run_id}" in outcome.out
    assert (home / "made").exists()
    assert synapse("runs", "resume", run_id).code == 1
    assert not (home / "made").exists()


def test_waiting_for_a_worker_that_does_not_obey_is_bounded(synapse: "Synapse", crash: "Crash") -> None:
    """It says whom it waits for, and ends with 75."""
    run_id = crash()
    with open_journal(default_journal()) as journal:
        journal.acquire_lease(run_id, Owner.here())

        outcome = synapse("runs", "cancel", run_id, "--timeout", "0.1")

    assert outcome.code == 75
    assert f"Waiting for process {os.getpid()}" in outcome.err
    assert "error[SYN-E1910]" in outcome.err


def test_old_runs_are_forgotten_and_unfinished_ones_are_not(synapse: "Synapse", crash: "Crash", greeter: Path) -> None:
    """Without a terminal only if that is confirmed."""
    run_id = crash()
    synapse("run", str(greeter), "greet")

    unconfirmed = synapse("runs", "gc", "--older-than", "0")
    would = synapse("runs", "gc", "--older-than", "0", "--dry-run")
    young = synapse("runs", "gc", "--yes")
    done = synapse("runs", "gc", "--older-than", "0", "--yes", "--json").json

    assert unconfirmed.code == 2
    assert "--yes" in unconfirmed.err
    assert would.out.startswith("Would forget 1 run with ")
    assert young.out == "There is nothing to forget.\n"
    assert len(done["runs"]) == 1
    assert done["bytes"] > 0
    assert synapse("runs", "list", "-q").out.split() == [run_id]


def test_the_age_of_a_run_counts_from_its_end(synapse: "Synapse", greeter: Path) -> None:
    """In days, as a function, too."""
    synapse("run", str(greeter), "greet")
    with open_journal(default_journal(), read_only=True) as journal:
        ended_at = journal.runs()[0].ended_at
    assert ended_at is not None
    assert datetime.now(UTC) - ended_at < timedelta(minutes=1)

    assert collect_runs(age_days=0.1, forgets=False).runs == ()
    assert len(collect_runs(age_days=0, forgets=False).runs) == 1


def test_a_process_of_its_own_can_be_resumed_here(
    synapse: "Synapse", mortal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its death is told with the way to go on."""
    monkeypatch.setenv("DIE", "1")
    died = synapse("run", mortal, "mortal", "--mode", "process")
    run_id = synapse("runs", "list", "-q").out.strip()
    monkeypatch.delenv("DIE")

    resumed = synapse("runs", "resume", run_id, "--mode", "local")

    assert died.code == 1
    assert f"synapse runs resume {run_id}" in died.err
    assert f"synapse runs show {run_id}" in died.err
    assert (resumed.code, resumed.out) == (0, "hello  Ada\n")
