"""Reading records page by page."""

from dataclasses import dataclass

import pytest

from synapse_sdk.backend.paging import every
from synapse_sdk.errors import InvalidPageError


@dataclass(frozen=True)
class Record:
    """What has an id."""

    id: int


class Family:
    """Records 1 to `count`, and what was asked of them."""

    def __init__(self, count: float) -> None:
        self.count = count
        self.asked: list[tuple[int, int]] = []

    def read(self, after: int, size: int) -> list[Record]:
        """Return a page."""
        self.asked.append((after, size))
        return [Record(number) for number in range(after + 1, int(min(after + size, self.count)) + 1)]


@pytest.mark.parametrize(
    ("count", "asked"), [(0, [(0, 3)]), (2, [(0, 3), (2, 3)]), (3, [(0, 3), (3, 3)]), (4, [(0, 3), (3, 3), (4, 3)])]
)
def test_every_record_comes_once(count: int, asked: list[tuple[int, int]]) -> None:
    """The end is a page without any: one that is not full may have been too large."""
    family = Family(count)

    assert [each.id for each in every(family.read, page=3)] == list(range(1, count + 1))
    assert family.asked == asked


def test_no_more_is_read_than_is_wanted() -> None:
    """A limit below a page is all that is asked for."""
    family = Family(10)

    assert [each.id for each in every(family.read, after=4, limit=2, page=3)] == [5, 6]
    assert [each.id for each in every(family.read, limit=5, page=3)] == [1, 2, 3, 4, 5]
    assert family.asked == [(4, 2), (0, 3), (3, 3)]


@pytest.mark.parametrize(
    ("page", "seen"),
    [
        ([Record(1), Record(2), Record(3)], [1, 2, 3]),
        ([Record(2), Record(1), Record(3)], [2]),
        ([Record(4), Record(4), Record(5)], [4]),
    ],
)
def test_a_list_that_repeats_is_refused(page: list[Record], seen: list[int]) -> None:
    """Whatever is asked for, such a reader gives the same page, or one that goes back: it would be read for ever."""
    read = list[int]()

    with pytest.raises(InvalidPageError, match="goes back: behind the id"):
        read.extend(each.id for each in every(lambda after, size: page, page=3))  # noqa: ARG005  # it heeds neither

    assert read == seen


def test_a_list_that_never_ends_is_refused_where_it_should_end() -> None:
    """Somebody who knows the last id sees the end, whatever the reader gives."""
    read = list[int]()

    with pytest.raises(InvalidPageError, match="behind the id 7 comes 8"):
        read.extend(each.id for each in every(Family(float("inf")).read, page=3, until=7))

    assert read == [1, 2, 3, 4, 5, 6, 7]
    assert [each.id for each in every(Family(7).read, page=3, until=7)] == read


def test_who_knows_the_last_id_asks_no_more_behind_it() -> None:
    """That page would have nothing."""
    family = Family(5)

    assert len([*every(family.read, page=3, until=5)]) == 5
    assert family.asked == [(0, 3), (3, 3)]
