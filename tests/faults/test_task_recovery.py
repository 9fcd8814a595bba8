"""Runs that annotate tasks are killed again and again, at work and while they are undone: F1, F3.

The tests by lot print their seed; `SYNAPSE_SEED=... pytest tests/faults/test_task_recovery.py` plays it again.
"""

import random
from collections.abc import Iterator

import pytest

from tests.faults.annotating import BY_FILE, CrashTasks, look, make_world
from tests.faults.laboratory import Laboratory, Verb

rounds = pytest.mark.parametrize(
    "number", [0, *(pytest.param(number, marks=pytest.mark.full) for number in range(1, 8))]
)
ENDS = ("rolled_back", "failed", "succeeded")


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """A project with seven tasks."""
    place = tmp_path_factory.mktemp("tasks").resolve()
    with Laboratory.set_up(CrashTasks, BY_FILE, place / "sandbox", make_world(place / "template"), look) as made:
        yield made


@rounds
def test_a_resumed_run_converges(laboratory: Laboratory, lot: random.Random, number: int) -> None:  # noqa: ARG001  # part of the seed
    """F3: however often it is killed, tasks have what they would have had."""
    run_id = laboratory.begin_and_kill(lot)

    laboratory.check(laboratory.recover(run_id, lot, "resume"), "succeeded")


@rounds
def test_an_undone_run_converges(laboratory: Laboratory, lot: random.Random, number: int) -> None:  # noqa: ARG001  # as above
    """F3: however often undoing is killed, tasks have what they had in the end; unless it was over before."""
    run_id = laboratory.begin_and_kill(lot)

    laboratory.check(laboratory.recover(run_id, lot, "rollback"), *ENDS)


@rounds
def test_resumed_and_undone_in_turns_a_run_is_whole_or_gone(
    laboratory: Laboratory,
    lot: random.Random,
    number: int,  # noqa: ARG001  # as above
) -> None:
    """F3: and nothing in between."""
    run_id = laboratory.begin_and_kill(lot)

    laboratory.check(laboratory.recover(run_id, lot, "resume", "rollback"), *ENDS)


@pytest.mark.full
@pytest.mark.parametrize("verb", ["resume", "rollback"])
def test_a_run_survives_a_kill_at_every_write_of_its_journal(laboratory: Laboratory, verb: Verb) -> None:
    """F1: it is finished or undone, from the first write to the last."""
    assert laboratory.kill_at_every_write(verb, *ENDS) >= 10
