"""Decisions are numbered, listed, and say what they must."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "adr"
DECISIONS = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")


def test_decisions_are_numbered_without_gaps() -> None:
    """A number is given once, in order."""
    numbers = [path.name.partition("-")[0] for path in DECISIONS]

    assert numbers == [f"{number:04}" for number in range(1, len(DECISIONS) + 1)]


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_its_three_parts(decision: Path) -> None:
    """The situation, what was decided, and what follows; with the number in the title."""
    lines = decision.read_text(encoding="utf-8").splitlines()

    assert lines[0].startswith(f"# {decision.name[:4]}: ")
    assert [line for line in lines if line.startswith("## ")] == ["## Context", "## Decision", "## Consequences"]


def test_the_index_lists_every_decision() -> None:
    """A reader finds each decision without looking into the folder."""
    index = (FOLDER / "README.md").read_text(encoding="utf-8")

    assert re.findall(r"\]\((\d{4}-[^)]+\.md)\)", index) == [path.name for path in DECISIONS]
