"""A run in the hands of many workers that die, freeze and come back: whatever the order, it ends well.

A schedule is made from its number. One that fails says which it was, and can be run again alone:
`SYNAPSE_SIM_SEED=4711 .venv/bin/pytest tests/simulation`. More of them: `SYNAPSE_SIM_SCHEDULES=100000` shares so many
out among the tests that are marked `full`.
"""

import logging
import os
from collections.abc import Iterator

import pytest

from tests.simulation.simulator import Figures, simulate

SEED = os.environ.get("SYNAPSE_SIM_SEED")
SHARES = 8
A_FEW = 3_200
MANY = int(os.environ.get("SYNAPSE_SIM_SCHEDULES", "20000"))


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Leave out what the engine says about each message that was lost."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(before)


def simulate_all(seeds: range) -> Figures:
    """Run schedules and return what happened in them."""
    figures = Figures()
    for seed in seeds:
        figures += simulate(seed)
    return figures


@pytest.mark.skipif(SEED is not None, reason="one schedule was asked for")
@pytest.mark.parametrize("share", range(SHARES))
def test_whatever_happens_a_run_ends_well(share: int) -> None:
    """It has done everything, or nothing is left of it; and everything that is to happen did happen."""
    count = A_FEW // SHARES
    figures = simulate_all(range(share * count, (share + 1) * count))

    assert figures.schedules == count
    assert figures.succeeded + figures.rolled_back + figures.nothing_to_undo == count
    for name in ("succeeded", "rolled_back", "nothing_to_undo", "cancelled", "takeovers"):
        assert getattr(figures, name) > count / 20, figures
    for name in ("crashes", "frozen", "refused", "refused_again", "lost", "late"):
        assert getattr(figures, name) > 0, figures


@pytest.mark.full
@pytest.mark.skipif(SEED is not None, reason="one schedule was asked for")
@pytest.mark.parametrize("share", range(SHARES))
def test_whatever_else_happens_a_run_ends_well(share: int) -> None:
    """The same for many more schedules."""
    count = MANY // SHARES
    first = A_FEW + share * count

    assert simulate_all(range(first, first + count)).schedules == count


@pytest.mark.skipif(SEED is None, reason="SYNAPSE_SIM_SEED is not set")
def test_the_schedule_that_was_asked_for_ends_well() -> None:
    """For looking into a failure."""
    assert simulate(int(SEED or "0")).schedules == 1


def test_a_schedule_is_made_from_its_number_alone() -> None:
    """Else a failure could not be looked into."""
    assert [simulate(seed) for seed in range(20)] == [simulate(seed) for seed in range(20)]
