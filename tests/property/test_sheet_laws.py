"""Whatever a sheet and a folder hold, matching them accounts for everything and never guesses."""

from unicodedata import normalize

from hypothesis import given
from hypothesis import strategies as st

from synapse_sdk.documents.sheets import SheetIndex, SheetRow

PARTS = st.sampled_from(
    ["1", "21", "a", "b", "a.jpg", "1.jpg", "21.jpg", "1.png", "caf\u00e9.jpg", "cafe\u0301.jpg", ".x"]
)
PATHS = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
SEPARATORS = st.sampled_from(["/", "\\"])


@st.composite
def sheets(draw: st.DrawFn) -> list[SheetRow]:
    """Rows with names that are like those of files."""
    names = draw(st.lists(PATHS, max_size=12))
    separator = draw(SEPARATORS)
    return [
        SheetRow(number=number, file_name=name.replace("/", separator), values={})
        for number, name in enumerate(names, start=2)
    ]


def means(row: SheetRow, name: str) -> bool:
    """Whether a row may mean a file, said in another way: part by part from the end."""
    told = normalize("NFC", row.file_name.replace("\\", "/")).split("/")
    parts = normalize("NFC", name).split("/")[-len(told) :]
    stem, dot, _ = parts[-1].rpartition(".")
    return told[:-1] == parts[:-1] and told[-1] in ({parts[-1], stem} if dot and stem else {parts[-1]})


@given(rows=sheets(), names=st.lists(PATHS, max_size=12))
def test_everything_is_accounted_for_once(rows: list[SheetRow], names: list[str]) -> None:
    """Each row and each file is matched, unmatched or ambiguous, and not two of these."""
    report = SheetIndex(rows).match(names)

    used = [*report.matched.values(), *report.unmatched_rows, *(row for each in report.ambiguous for row in each.rows)]
    assert sorted(row.number for row in used) == [row.number for row in rows]
    found = [*report.matched, *report.unmatched_names, *(name for each in report.ambiguous for name in each.names)]
    assert sorted(found) == sorted(set(names))


@given(rows=sheets(), names=st.lists(PATHS, max_size=12, unique=True))
def test_only_what_is_meant_is_matched(rows: list[SheetRow], names: list[str]) -> None:
    """A row that could mean one file alone, which no other row could mean, is matched; nothing is by a part of it."""
    report = SheetIndex(rows).match(names)

    assert all(means(row, name) for name, row in report.matched.items())
    assert not any(means(row, name) for row in report.unmatched_rows for name in names)
    for row in rows:
        meant = [name for name in names if means(row, name)]
        if len(meant) == 1 and sum(means(other, meant[0]) for other in rows) == 1:
            assert report.matched[meant[0]] is row


@given(rows=sheets(), names=st.lists(PATHS, max_size=12, unique=True))
def test_the_order_does_not_matter(rows: list[SheetRow], names: list[str]) -> None:
    """Neither that of the rows nor that of the files."""
    report, other = SheetIndex(rows).match(names), SheetIndex(rows[::-1]).match(names[::-1])

    assert report.matched == other.matched
    assert {each.names for each in report.ambiguous} == {each.names[::-1] for each in other.ambiguous}
