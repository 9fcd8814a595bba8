"""How a COCO file is cut into records, and how they are found."""

import json
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from synapse_sdk.formats.coco import record_list
from synapse_sdk.formats.coco.id_table import IdTable
from synapse_sdk.formats.coco.ids import Ids
from synapse_sdk.formats.coco.owners import OwnerRuns, Owners
from synapse_sdk.formats.coco.record_list import BAD_JSON, RecordList

HARD_TEXT = st.text('a"\\{}[],: \n', max_size=6)
VALUES = st.recursive(
    st.none() | st.integers() | HARD_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HARD_TEXT, inner, max_size=3),
    max_leaves=12,
)
IDS = st.integers(-2, 9) | st.integers(2**63 - 1, 2**63 + 1) | st.sampled_from([1.0, 2.5, "1", "a"])


class Anything(Struct):
    """Any object."""


def cut(text: bytes, *stretch: float) -> RecordList:
    """Return the records of a list, or of a stretch of it."""
    records = RecordList(text, *stretch)
    for number, _ in enumerate(records.cut(Anything), 1):
        assert len(records) >= number
    return records


class Named(Struct):
    """A record for these tests."""

    name: str


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut lists at every chance."""
    monkeypatch.setattr(record_list, "BLOCK", 1)
    monkeypatch.setattr(record_list, "MOST_TRIES", 2)


@pytest.mark.usefixtures("small_blocks")
@given(st.lists(VALUES), st.sampled_from([None, 1]))
def test_any_list_is_cut_between_its_records(values: list[Any], indent: int | None) -> None:
    """Not within them: what looks like an end in a text, or is one of something within a record, is none."""
    records = cut(json.dumps(values, indent=indent).encode())

    assert [json.loads(records[number]) for number in range(len(records))] == values
    assert len(records) == len(values)


@given(st.lists(VALUES, max_size=5), st.data())
def test_whatever_is_between_records_is_none_of_them(values: list[Any], data: st.DataObject) -> None:
    """Some writers have the same between any two of them, and some do not."""
    blanks = st.sampled_from(["", " ", "\n  ", "\t\t"])
    text = "".join(
        f"{data.draw(blanks)}{',' if number else ''}{data.draw(blanks)}{json.dumps(value)}"
        for number, value in enumerate(values)
    )

    records = cut(f"[{text}{data.draw(blanks)}]".encode())

    assert [json.loads(records[number]) for number in range(len(records))] == values


@given(st.sampled_from([1, 16, 1 << 17]), st.lists(VALUES), st.data())
def test_records_are_had_together(block: int, values: list[Any], data: st.DataObject) -> None:
    """In any order, and across blocks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_list, "BLOCK", block)
        records = cut(json.dumps(values).encode())
    first, last = sorted(data.draw(st.integers(0, len(values))) for _ in range(2))
    some = data.draw(st.lists(st.integers(0, len(values) - 1), max_size=4)) if values else []

    assert json.loads(records.together(range(first, last))) == values[first:last]
    assert json.loads(records.together(some)) == [values[number] for number in some]


@pytest.mark.usefixtures("small_blocks")
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(max_size=3) | st.integers()))
def test_records_that_are_of_another_kind_are_told_by_their_place(names: list[str | int]) -> None:
    """One that is not as it should be does not cost the others of its block."""
    records = cut(json.dumps([{"name": name} for name in names]).encode())

    uncut = RecordList(json.dumps([{"name": name} for name in names]).encode())
    for found in records.decoded(Named), uncut.cut(Named):
        assert [each and each.name for each in found] == [name if isinstance(name, str) else None for name in names]


MARKS = st.lists(st.floats(0, 1), max_size=3).map(lambda inner: [0.0, *sorted(inner), 1.0])
PLAIN = st.dictionaries(st.sampled_from("abc"), st.integers() | HARD_TEXT.filter(lambda text: "}" not in text))


@given(st.sampled_from([1, 16, 1 << 17]), st.lists(VALUES), MARKS)
def test_stretches_are_together_the_list_unless_one_is_refused(
    block: int, values: list[Any], marks: list[float]
) -> None:
    """One that ends within a record is, even if it is only one of those before that begins so."""
    text = json.dumps(values).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_list, "BLOCK", block)
        try:
            found = [cut(text, begin, end).index for begin, end in pairwise(marks)]
        except BAD_JSON:
            return

    records = RecordList(text)
    for each in found:
        records.take_over(each)

    assert [json.loads(records[number]) for number in range(len(records))] == values
    assert json.loads(records.together(range(len(values)))) == values


@given(st.lists(PLAIN, min_size=1), MARKS)
def test_stretches_of_records_without_others_within_are_never_refused(
    values: list[dict[str, Any]], marks: list[float]
) -> None:
    """Nothing in them looks like their end."""
    text = json.dumps(values, indent=1).encode()

    found = [cut(text, begin, end).index for begin, end in pairwise(marks)]

    records = RecordList(text)
    for each in found:
        records.take_over(each)
    assert len(records) == len(values)


@given(st.lists(IDS | st.just([])))
def test_images_of_annotations_are_told_to_others(owners: list[Any]) -> None:
    """Whatever the ids of images are; those that follow each other are one."""
    annotations = RecordList(json.dumps([{"image_id": owner} for owner in owners]).encode())

    runs = msgspec.msgpack.decode(msgspec.msgpack.encode(OwnerRuns.of(annotations)), type=OwnerRuns)

    assert [id_ for id_, length in runs for _ in range(length)] == [None if each == [] else each for each in owners]


def test_many_records_are_in_blocks() -> None:
    """Each of which is looked at alone, so that memory does not grow with the list."""
    values = [{"id": number, "segments_info": [{"id": each} for each in range(number % 7)]} for number in range(9000)]

    records = cut(json.dumps(values).encode())

    assert [json.loads(records[number]) for number in range(len(records))] == values
    assert len(vars(records)["_firsts"]) > 3


@pytest.mark.parametrize("text", [b"{}", b"null", b"7", b'"["'])
def test_only_a_list_has_records(text: bytes) -> None:
    """Anything else is refused by what it is."""
    with pytest.raises(ValueError, match="Expected a list of records, found"):
        RecordList(text)


@given(st.lists(IDS | st.none()))
def test_ids_are_found_as_in_a_dictionary(ids: list[int | float | str | None]) -> None:
    """In any order, of any type, and the first of several that are equal."""
    known: dict[int | float | str, int] = {}
    for position, id_ in enumerate(ids):
        if id_ is not None:
            known.setdefault(id_, position)

    table = IdTable(ids)

    assert all(table.get(id_) == position for id_, position in known.items())
    assert table.get(77) == table.get("77") == -1
    first = {*known.values()}
    assert sorted(table.repeated) == [at for at, id_ in enumerate(ids) if id_ is not None and at not in first]


@given(st.lists(st.integers(0, 5), unique=True), st.lists(st.integers(0, 6) | st.just("x")))
def test_annotations_are_found_by_their_image(ids: list[int], owners: list[int | str]) -> None:
    """In the order of the file, whether that is the order of images or not."""
    annotations = RecordList(json.dumps([{"image_id": owner} for owner in owners] + [{}]).encode())

    found = Owners(annotations, IdTable(ids), len(ids))

    for position, id_ in enumerate(ids):
        assert [*found.of(position)] == [number for number, owner in enumerate(owners) if owner == id_]
    of_none = [number for number, owner in enumerate(owners) if owner not in ids]
    assert sorted(found.of_no_image) == [*of_none, len(owners)]


@given(st.lists(st.none() | st.integers(1, 600).map(str) | st.sampled_from(["0", "07", "x", "1" * 16])))
def test_numbers_are_given_out_once_and_the_lowest_free_one_first(wanted: list[str | None]) -> None:
    """Of those that are asked for, what is no number, or too long for one, gets none."""
    ids, taken = Ids(), set[int]()

    for each in wanted:
        if each is None:
            number = ids.next()
            assert number == next(free for free in range(1, len(taken) + 2) if free not in taken)
        else:
            number = ids.take(each)
            is_number = each.isdigit() and each[0] != "0" and len(each) < 16
            assert number == (int(each) if is_number and int(each) not in taken else 0)
        taken |= {number} - {0}
