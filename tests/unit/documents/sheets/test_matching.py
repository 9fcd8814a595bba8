import sys

import pytest

from synapse_sdk.documents.sheets import SheetIndex, SheetRow


def rows(*names: str) -> list[SheetRow]:
    """Return rows with these file names."""
    return [SheetRow(number=number, file_name=name, values={}) for number, name in enumerate(names, start=2)]


@pytest.mark.parametrize(
    "told", ["1.jpg", "1", "cats/1.jpg", "cats/1", "photos/cats/1.jpg", "cats\\1.jpg", "./photos/cats/1"]
)
def test_a_file_is_found_by_its_name_or_the_end_of_its_path(told: str) -> None:
    """With or without its ending, with or without folders."""
    report = SheetIndex(rows(told)).match(["photos/cats/1.jpg"])

    assert list(report.matched) == ["photos/cats/1.jpg"]


@pytest.mark.parametrize("told", ["21.jpg", "1.JPG", "1.png", "s/1.jpg", "cats", "jpg", "1.jp", "dogs/1.jpg"])
def test_a_file_is_never_found_by_a_part_of_its_name(told: str) -> None:
    """U6: row `1.jpg` does not mean `21.jpg`, nor the other way round."""
    report = SheetIndex(rows(told)).match(["cats/1.jpg"])

    assert report.matched == {}
    assert [row.file_name for row in report.unmatched_rows] == [told]
    assert report.unmatched_names == ("cats/1.jpg",)


def test_unicode_forms_are_the_same_name() -> None:
    """A name typed on a Mac finds the file of another system."""
    assert SheetIndex(rows("caf\u00e9.jpg")).match(["cafe\u0301.jpg"]).matched


def test_two_rows_for_one_file_are_ambiguous() -> None:
    """Even if they say the same: somebody wrote both."""
    report = SheetIndex(rows("1.jpg", "1", "2")).match(["1.jpg", "2.jpg"])

    assert list(report.matched) == ["2.jpg"]
    assert [([row.number for row in each.rows], each.names) for each in report.ambiguous] == [([2, 3], ("1.jpg",))]
    assert "row 2 ('1.jpg'), row 3 ('1'); '1.jpg'" in report.ambiguous[0].text


def test_one_row_for_two_files_is_ambiguous() -> None:
    """Unless they belong together."""
    index, names = SheetIndex(rows("1")), ["images/1.jpg", "labels/1.txt"]

    assert index.match(names).ambiguous[0].names == ("images/1.jpg", "labels/1.txt")
    grouped = index.match(names, group=lambda name: name.rpartition("/")[2].partition(".")[0])
    assert list(grouped.matched) == names


def test_the_most_telling_name_wins() -> None:
    """A whole path before the end of one, an ending before none."""
    report = SheetIndex(rows("1.jpg", "2")).match(["1.jpg", "a/1.jpg", "2", "2.jpg"])

    assert list(report.matched) == ["1.jpg", "2"]
    assert report.unmatched_names == ("a/1.jpg", "2.jpg")


def test_the_cost_grows_with_rows_plus_files() -> None:
    """Counted in calls, not in seconds: a million pairs would be a thousand times as many."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    index = SheetIndex(rows(*["1"] * 1000))
    names = [f"{number}/1.jpg" for number in range(1000)]
    sys.setprofile(count)
    try:
        report = index.match(names)
    finally:
        sys.setprofile(None)

    assert len(report.ambiguous) == 1
    assert calls < 100_000
