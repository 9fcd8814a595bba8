"""The figures of the benchmarks: what was measured is written down, and what was not stays."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).parents[2] / "bench"
README = BENCH / "README.md"


@pytest.fixture(scope="module")
def figures() -> ModuleType:
    """Return the script that renders figures."""
    spec = spec_from_file_location("bench_figures", BENCH / "figures.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def old() -> str:
    """Return the figures that are written down."""
    return README.read_text(encoding="utf-8").partition("<!-- figures -->\n")[2].partition("<!-- /figures -->")[0]


def test_figures_of_suites_that_were_not_measured_stay(figures: ModuleType, old: str) -> None:
    """One suite can be measured anew on a machine that has no results of the others."""
    before = figures.split(old)
    titles = [title for title in before if title != "Targets"]
    rows = before["Targets"].splitlines()

    new = figures.split(
        figures.merged(old, titles, {"Upload": "Anew.\n\n#### A table"}, ["| Upload | fast | 1 s | yes |"])
    )

    assert new["Upload"].strip() == "Anew.\n\n#### A table"
    assert {title: new[title].strip() for title in titles if title != "Upload"} == {
        title: before[title].strip() for title in titles if title != "Upload"
    }
    all_rows = [row for row in rows if row.startswith("| ")]
    place = next(number for number, row in enumerate(all_rows) if row.startswith("| Upload "))
    kept = [row for row in all_rows if not row.startswith("| Upload ")]
    expected = [*kept[:place], "| Upload | fast | 1 s | yes |", *kept[place:]]
    assert [row for row in new["Targets"].splitlines() if row] == expected


def test_writing_down_what_is_written_changes_nothing(figures: ModuleType, old: str) -> None:
    """The figures can be read as they are."""
    titles = [title for title in figures.split(old) if title != "Targets"]

    assert figures.merged(old, titles, {}, []).strip() == old.strip()


def test_a_suite_that_nobody_has_measured_says_so(figures: ModuleType) -> None:
    """Its section stands between those of the others."""
    text = figures.merged("", ["Start", "Upload"], {"Upload": "Figures."}, [])

    assert text.index("### Start\n\nNot measured.") < text.index("### Upload\n\nFigures.")
