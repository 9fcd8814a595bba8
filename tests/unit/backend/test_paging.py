"""Reading records page by page."""

from dataclasses import dataclass

import pytest

from synapse_sdk.backend.paging import every


@dataclass(frozen=True)
class Record:
    """What has an id."""

    id: int


class Family:
    """Records 1 to `count`, and what was asked of them."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.asked: list[tuple[int, int]] = []

    def read(self, after: int, size: int) -> list[Record]:
        """Return a page."""
        self.asked.append((after, size))
        return [Record(number) for number in range(after + 1, min(after + size, self.count) + 1)]


@pytest.mark.parametrize(
    ("count", "asked"), [(0, [(0, 3)]), (2, [(0, 3)]), (3, [(0, 3), (3, 3)]), (4, [(0, 3), (3, 3)])]
)
def test_every_record_comes_once(count: int, asked: list[tuple[int, int]]) -> None:
    """A page that is not full is the last."""
    family = Family(count)

    assert [each.id for each in every(family.read, page=3)] == list(range(1, count + 1))
    assert family.asked == asked


def test_no_more_is_read_than_is_wanted() -> None:
    """A limit below a page is all that is asked for."""
    family = Family(10)

    assert [each.id for each in every(family.read, after=4, limit=2, page=3)] == [5, 6]
    assert [each.id for each in every(family.read, limit=5, page=3)] == [1, 2, 3, 4, 5]
    assert family.asked == [(4, 2), (0, 3), (3, 3)]
