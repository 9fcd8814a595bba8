"""Watching runs: the same lines, result and exit code as if they happened here."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from synapse_sdk.journal import Owner, RunId, RunSource, default_journal, open_journal

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Crash, Synapse

NO_SUCH_RUN = "0123456789ab"


def test_following_the_logs_of_a_dead_worker_ends(synapse: "Synapse", crash: "Crash") -> None:
    """With 75, and the way to go on."""
    run_id = crash()

    outcome = synapse("runs", "logs", "last", "--follow")

    assert outcome.code == 75
    assert f"synapse runs resume {run_id}" in outcome.err


@pytest.mark.parametrize(("failure", "code"), [((), 0), (("--inject-failure", "write_greeting"), 1)])
def test_watching_shows_a_run_as_it_went(
    failure: tuple[str, ...], code: int, synapse: "Synapse", greeter: Path
) -> None:
    """The same lines, result and exit code as the run itself."""
    ran = synapse("run", str(greeter), "greet", *failure)

    watched = synapse("runs", "watch", "last")

    assert watched.code == ran.code == code
    assert watched.out == ran.out
    steps = [line for line in ran.err.splitlines() if line.startswith(("[", "undoing"))]
    assert [line.partition(" in ")[0] for line in steps] == [
        line.partition(" in ")[0] for line in watched.err.splitlines() if line.startswith(("[", "undoing"))
    ]


def test_a_program_can_watch(synapse: "Synapse", greeter: Path) -> None:
    """It gets the events, and one result at the end."""
    synapse("run", str(greeter), "greet", "--progress", "none")

    lines = synapse("runs", "watch", "last", "--json").lines

    assert (lines[0]["type"], lines[0]["run_id"]) == ("run_started", lines[-1]["run_id"])
    assert [line["type"] for line in lines].count("result") == 1
    assert (lines[-1]["status"], lines[-1]["exit_code"]) == ("succeeded", 0)
    assert lines[-1]["result"]["greeting"] == "Hello, world!"


def test_watching_a_run_without_a_worker_ends(synapse: "Synapse", crash: "Crash") -> None:
    """With 75: it can be resumed."""
    run_id = crash()

    outcome = synapse("runs", "watch", run_id)

    assert outcome.code == 75
    assert "error[SYN-E1908]" in outcome.err
    assert f"Go on with it (synapse runs resume {run_id}), or undo it (synapse runs rollback {run_id})" in outcome.err


def test_watching_waits_for_the_end(synapse: "Synapse", home: Path) -> None:
    """Here of a run that nobody has begun, whose worker then takes it and hands it back unfinished."""
    with open_journal(default_journal()) as journal:
        journal.create_run(RunId(NO_SUCH_RUN), RunSource(plugin=str(home), action="greet"))
        lease = journal.acquire_lease(NO_SUCH_RUN, Owner.here())
        release = threading.Timer(0.3, journal.release_lease, [lease])
        release.start()

        outcome = synapse("runs", "watch", NO_SUCH_RUN)
        release.join()

    assert outcome.code == 75


def test_the_result_of_an_action_without_steps_is_recorded(synapse: "Synapse", home: Path) -> None:
    """Watching it later shows what it gave back."""
    code = "from synapse_sdk.plugins.action import action\n\n\n"
    code += "@action()\ndef add(params: dict, ctx):\n    return {'sum': 3}\n"
    folder = home / "adder"
    folder.mkdir()
    (folder / "config.yaml").write_text("name: adder\ncode: adder\nactions:\n  add: {entrypoint: 'code:add'}\n")
    (folder / "code.py").write_text(code, encoding="utf-8")
    synapse("run", "adder", "add")

    assert synapse("runs", "watch", "last").out == "sum  3\n"
