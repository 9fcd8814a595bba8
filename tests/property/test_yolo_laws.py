"""What holds for YOLO datasets whatever is in them."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import astuple

from synapse_sdk.formats.losses import Outcome
from synapse_sdk.formats.model import Annotation, Box, Item
from tests.unit.formats.yolo_datasets import info_of, make, read, write

WIDTH, HEIGHT = 640, 480
NUMBERS = st.sampled_from(
    ["0", "1", "2", "0.5", "-1", "1e-3", "nan", "inf", "1e400", "x", "", "1_0", "\u00a0", ".", "2.0"]
)
LINES = st.lists(st.lists(NUMBERS, max_size=12).map(" ".join), max_size=6).map("\n".join)
TASKS = st.sampled_from(["task: detect", "task: segment", "task: obb", "kpt_shape: [1, 3]", "kpt_shape: [2, 2]"])
FRACTIONS = st.floats(0, 1)
BOXES = st.tuples(FRACTIONS, FRACTIONS, FRACTIONS, FRACTIONS)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@settings(deadline=None)  # the first example loads Pillow
@given(text=st.one_of(LINES.map(str.encode), st.binary(max_size=200)), task=TASKS)
def test_every_row_is_read_or_fails(text: bytes, task: str) -> None:
    """Whatever is in a label file: no crash, and no row is forgotten."""
    with tempfile.TemporaryDirectory() as folder:
        yaml = f"train: images\nval: images\nnames: [a, b, c]\n{task}\n"
        root = make(Path(folder), {"images/a.png": (8, 8), "labels/a.txt": text, "data.yaml": yaml})

        result = read(root)

    rows = [line for line in text.removeprefix(b"\xef\xbb\xbf").splitlines() if line.split()]
    assert len(result.items[0].annotations) + result.losses.annotations[Outcome.FAILED] == len(rows)


@settings(deadline=None)  # as above
@given(boxes=st.lists(BOXES, max_size=5))
def test_no_corner_moves_by_more_than_a_hundredth_of_a_pixel(boxes: list[tuple[float, float, float, float]]) -> None:
    """What is written is read again, but for what is nothing; no number written is outside of 0 to 1."""
    annotations = []
    for number, (x, y, across, down) in enumerate(boxes):
        left, top = x * WIDTH, y * HEIGHT
        box = Box(left, top, across * (WIDTH - left), down * (HEIGHT - top))
        annotations.append(Annotation(id=str(number), label="bee", box=box))
    item = Item(name="a.png", width=WIDTH, height=HEIGHT, annotations=annotations)
    with tempfile.TemporaryDirectory() as folder:
        root = make(Path(folder), {"images/a.png": (WIDTH, HEIGHT)})

        written = write(root, [item])
        result = read(root)

        assert all(0 <= value <= 1 for row in written.rows() for value in row)
    kept = [
        each.box for each in annotations if each.box and min(each.box.width / WIDTH, each.box.height / HEIGHT) > 1e-6
    ]
    found = [each.box for each in result.items[0].annotations if each.box]
    assert len(found) + written.losses.annotations[Outcome.DROPPED] == len(boxes)
    assert [astuple(box) for box in found if min(box.width / WIDTH, box.height / HEIGHT) > 1.5e-6] == [
        pytest.approx(astuple(box), abs=0.01) for box in kept if min(box.width / WIDTH, box.height / HEIGHT) > 1.5e-6
    ]


@settings(deadline=None)  # as above
@given(names=st.lists(NAMES, unique=True, max_size=6))
def test_class_names_come_back(names: list[str]) -> None:
    """C10: whatever they look like, to us and to other readers of YAML."""
    with tempfile.TemporaryDirectory() as folder:
        root = make(Path(folder), {"images/a.png": (8, 8)})

        written = write(root, [], info_of(names))

        assert written.yaml["names"] == names
        assert read(root).labels == names
