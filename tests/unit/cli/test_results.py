"""What `synapse` makes of the result of a run: a result model may say how it is told, and that something is missing."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Synapse

CODE = """
from pydantic import BaseModel
from synapse_sdk.plugins.action import action


class Harvest(BaseModel):
    apples: int
    rotten: int

    @property
    def losses(self):
        return self.rotten

    def summary_lines(self):
        yield f"{self.apples} apples"
        yield "picked \\x1b[31mtoday"


@action(result=Harvest)
def pick(params: dict, ctx) -> Harvest:
    return Harvest(apples=7, rotten=params.get("rotten", 0))
"""


@pytest.fixture
def orchard(write_plugin: Callable[[str, Mapping[str, str], Mapping[str, str]], Path]) -> str:
    """A plugin whose result has words of its own."""
    return str(write_plugin("orchard", {"code.py": CODE}, {"pick": "code:pick"}))


@pytest.mark.parametrize("mode", ["local", "process"])
def test_a_result_is_told_in_its_own_words(synapse: "Synapse", orchard: str, mode: str) -> None:
    """Without what could steer the terminal."""
    outcome = synapse("run", orchard, "pick", "--mode", mode)

    assert (outcome.code, outcome.out) == (0, "7 apples\npicked \\x1b[31mtoday\n")


def test_programs_get_all_of_it(synapse: "Synapse", orchard: str) -> None:
    """As data."""
    assert synapse("run", orchard, "pick", "--json").lines[-1]["result"] == {"apples": 7, "rotten": 0}


def test_losses_make_the_exit_code(synapse: "Synapse", orchard: str) -> None:
    """The run has succeeded all the same."""
    outcome = synapse("run", orchard, "pick", "--set", "rotten=2", "--json")

    assert outcome.code == 3
    assert (outcome.lines[-1]["status"], outcome.lines[-1]["exit_code"]) == ("succeeded", 3)
