"""Every format can be read in portions: each process gets its items, and they are all there."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from synapse_sdk.formats import FormatOptions, LossLog, convert
from synapse_sdk.formats.portions import Portion
from synapse_sdk.formats.sources import open_datasets
from tests.unit.formats.yolo_datasets import ROW, SIZE, YAML, Content, make

NAMES = [f"{place}{number:02}" for place in ("", "park/") for number in range(12)]
FORMATS = ["coco", "dm_v1", "dm_v2", "imagefolder", "pascal", "yolo"]


class EveryOther(Portion):
    """Every second or third item."""

    is_divided = True

    def __init__(self, number: int, count: int) -> None:
        self._number, self._count = number, count
        self.asked: list[str] = []

    def takes(self, name: str) -> bool:
        """Whether it is the turn of this process."""
        self.asked.append(name)
        return len(self.asked) % self._count == self._number


def birds(folder: Path) -> Path:
    """Make a dataset in which every third image has no annotations."""
    files: dict[str, Content] = {f"images/{name}.jpg": SIZE for name in NAMES}
    files |= {f"labels/{name}.txt": ROW for number, name in enumerate(NAMES) if number % 3}
    return make(folder, {"dataset.yaml": YAML, **files})


def read(sources: Sequence[Path], portion: Portion) -> list[str]:
    """Return the names of the items of a portion, each with what is in it."""
    with LossLog() as losses:
        reader, _ = open_datasets(sources, None, FormatOptions(), losses)
        reader.divide(portion)
        found = [f"{item.name} {len(item.annotations)} {bool(item.path)}" for item in reader.items()]
        reader.close()
    return found


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("name", FORMATS)
def test_portions_are_the_whole(name: str, count: int, tmp_path: Path) -> None:
    """Each is asked about every item once, in their order, and yields what is its own."""
    if name == "imagefolder":
        make(tmp_path / "source", {f"bird/{name}.jpg": SIZE for name in NAMES})
    else:
        convert(birds(tmp_path / "birds"), tmp_path / "source", to=name)
    sources = [tmp_path / "source"]
    whole = read(sources, Portion())
    portions = [EveryOther(number, count) for number in range(count)]

    parts = [read(sources, portion) for portion in portions]

    assert [portion.asked for portion in portions] == [[each.split()[0] for each in whole]] * count
    assert sorted(each for part in parts for each in part) == sorted(whole)
    assert {len(part) for part in parts} <= {len(whole) // count, len(whole) // count + 1}


def test_datasets_that_are_merged_are_divided_together(tmp_path: Path) -> None:
    """An item that gets another name belongs to whom its own name does."""
    one, other = birds(tmp_path / "one"), birds(tmp_path / "other")
    convert(other, tmp_path / "third", to="coco")
    sources = [one, other, tmp_path / "third"]
    whole = read(sources, Portion())
    portions = [EveryOther(number, len(NAMES)) for number in range(len(NAMES))]

    parts = [read(sources, portion) for portion in portions]

    assert sorted(each for part in parts for each in part) == sorted(whole)
    assert all(len(part) == len(sources) for part in parts)
