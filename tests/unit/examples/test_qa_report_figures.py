"""The functions of the example that changes the export action: finding boxes, measuring and describing them."""

import pytest
from qa_report.boxes import MalformedBoxError, boxes_of
from qa_report.figures import measure
from qa_report.report import render_markdown

from synapse_sdk.plugins.actions.export import ExportItem
from synapse_sdk.types import JsonObject, JsonValue


def item(number: int, data: JsonObject | None) -> ExportItem:
    """Return an item without files."""
    return ExportItem(id=number, data=data, files={})


def box(label: str, width: float = 30, height: float = 20) -> JsonObject:
    """Return a document with one box."""
    return {"images": [{"bounding_box": [{"id": "b1", "classification": label, "data": [0, 0, width, height]}]}]}


def test_a_report_lists_no_more_than_it_is_told_to() -> None:
    """Nor does anything else grow with the count of items."""
    items = (item(number, box("cat", number, number)) for number in range(1, 100))
    empty = (item(number, None) for number in range(100, 200))

    figures = measure([*items, *empty], most_listed=3)

    assert [each.width for _, each in figures.smallest] == [1, 2, 3]
    assert (figures.items, figures.unlabelled_count, figures.boxes) == (199, 100, {"cat": 99})
    assert "- item 102\n- and 97 more\n" in render_markdown(figures, "cats")


def test_a_name_does_not_break_the_report() -> None:
    """Whatever it is made of."""
    figures = measure([item(1, box("a|b\n# c"))], most_listed=1)

    assert "| a\\|b # c | 1 |" in render_markdown(figures, "cats")


@pytest.mark.parametrize("wrong", [{"classification": "cat"}, {"data": [1, 2, 3]}, {"data": 7}, "cat", None])
def test_what_is_no_box_is_named(wrong: JsonValue) -> None:
    """And not passed over."""
    with pytest.raises(MalformedBoxError, match="A box cannot be understood"):
        [*boxes_of({"images": [{"bounding_box": [wrong]}]})]


@pytest.mark.parametrize("wrong", ["cat", None, {"bounding_box": 7}, {"bounding_box": None}])
def test_what_is_no_image_is_named(wrong: JsonValue) -> None:
    """Likewise."""
    with pytest.raises(MalformedBoxError, match="An image with boxes cannot be understood"):
        [*boxes_of({"images": [wrong]})]
