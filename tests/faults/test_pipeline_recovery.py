"""Pipelines are killed again and again, at work and while they are undone: F1, F3.

The tests by lot print their seed; `SYNAPSE_SEED=... pytest tests/faults/test_pipeline_recovery.py` plays it again.
"""

import random
from collections.abc import Iterator, Sequence

import pytest

from synapse_sdk.testing.crash_worker import Outcome
from tests.faults.laboratory import Laboratory, Verb
from tests.faults.piping import FAILS, PARAMS, CrashPipeline, fill, look

rounds = pytest.mark.parametrize(
    "number", [0, 1, *(pytest.param(number, marks=pytest.mark.full) for number in range(2, 16))]
)
ENDS = ("rolled_back", "failed", "succeeded")


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """A folder with a log, and three actions that write."""
    sandbox = tmp_path_factory.mktemp("pipeline").resolve() / "sandbox"
    with Laboratory.set_up(CrashPipeline, PARAMS, sandbox, fill, look) as made:
        yield made


@rounds
def test_a_resumed_pipeline_converges(laboratory: Laboratory, lot: random.Random, number: int) -> None:  # noqa: ARG001  # part of the seed
    """F3: however often it is killed, all actions have done what they would have done."""
    run_id = laboratory.begin_and_kill(lot)

    laboratory.check(laboratory.recover(run_id, lot, "resume"), "succeeded")


@rounds
def test_an_undone_pipeline_converges(laboratory: Laboratory, lot: random.Random, number: int) -> None:  # noqa: ARG001  # as above
    """F3: however often undoing is killed, nothing is left in the end of any action; unless all was over before."""
    run_id = laboratory.begin_and_kill(lot)

    laboratory.check(laboratory.recover(run_id, lot, "rollback"), *ENDS)


@rounds
def test_resumed_and_undone_in_turns_a_pipeline_is_whole_or_gone(
    laboratory: Laboratory,
    lot: random.Random,
    number: int,  # noqa: ARG001  # as above
) -> None:
    """F3: and nothing in between."""
    run_id = laboratory.begin_and_kill(lot)

    laboratory.check(laboratory.recover(run_id, lot, "resume", "rollback"), *ENDS)


@pytest.mark.full
@pytest.mark.parametrize("verb", ["resume", "rollback"])
def test_a_pipeline_survives_a_kill_at_every_write_of_its_journal(laboratory: Laboratory, verb: Verb) -> None:
    """F1: between two actions as well as in the middle of each, before the outer run knows of an end and after."""
    assert laboratory.kill_at_every_write(verb, *ENDS) >= 50


@pytest.mark.parametrize("every", [7, pytest.param(1, marks=pytest.mark.full)])
@pytest.mark.parametrize("fails_inside", [True, False])
def test_undoing_a_pipeline_survives_a_kill_at_every_write_of_its_journal(
    laboratory: Laboratory,
    fails_inside: bool,  # noqa: FBT001  # a parameter of the test
    every: int,
) -> None:
    """F1, F3: of one whose last action fails, and of one that fails after its last; the recovery dies as early, too.

    In the first the action undoes itself, then the pipeline undoes the others; it is killed between the two as well.
    """
    failure = None if fails_inside else "last"

    def begin(dies_at: tuple[str, int] | None = None) -> tuple[str, Outcome]:
        laboratory.reset()
        if fails_inside:
            (laboratory.process.world / FAILS).touch()
        run_id = laboratory.process.new_run()
        return run_id, laboratory.process.do("run", run_id, dies_at=dies_at, inject_failure=failure)

    trace = begin()[1].trace
    moments = writes(trace, trace.index("rollback.step"))[::every]
    for moment in moments:
        run_id, outcome = begin(moment)
        assert outcome.is_killed, moment
        laboratory.process.do("rollback", run_id, dies_at=("rollback.step", 2))

        outcome = laboratory.process.do("rollback", run_id)

        laboratory.progress(run_id)
        laboratory.check(outcome.status, "rolled_back", "failed")
    assert len(moments) * every >= 20


def writes(trace: Sequence[str], start: int) -> list[tuple[str, int]]:
    """Return the moments right before and right after every write of the journal, from a position on."""
    found = [(name, trace[: at + 1].count(name)) for at, name in enumerate(trace)]
    return [moment for moment in found[start:] if moment[0].startswith("journal.")]
