"""Detectors of the YOLO family: what they return becomes boxes in the image."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from synapse_sdk.errors import InvalidModelError, ModelOutputError
from synapse_sdk.inference import open_onnx
from synapse_sdk.inference.description import Head, ModelDescription, Resizing
from synapse_sdk.inference.detection import found_boxes
from synapse_sdk.inference.options import InferenceOptions
from synapse_sdk.inference.preprocessing import placed
from synapse_sdk.inference.suppression import suppressed
from tests.unit.inference.conftest import Ask
from tests.unit.inference.onnx_models import bright_box, constant, names_of

SIDE = 64
TWO = ModelDescription(task="detect", classes=("cat", "dog"))  # type: ignore[arg-type]  # text is taken as well
CAT, DOG = [32.0, 32.0, 20.0, 10.0], [33.0, 32.0, 20.0, 10.0]
"""Centre, width and height in the input; they overlap."""


@pytest.mark.parametrize("size", [(64, 64), (640, 480), (333, 1000), (50, 20), (1, 900), (4000, 30)])
@pytest.mark.parametrize("resize", ["letterbox", "stretch"])
def test_an_object_is_found_where_it_is(ask: Ask, size: tuple[int, int], resize: str) -> None:
    """To the pixel of the input, whatever the size of the image: the letterbox is undone as it was made."""
    box = (size[0] // 4, size[1] // 5, max(1, size[0] // 2), max(1, size[1] // 2))
    model = open_onnx(bright_box(metadata=names_of("cat", "dog")), "test", {"input": {"resize": resize}})

    (found,) = model([ask(size, box)])

    place = placed(*size, (SIDE, SIDE), Resizing(resize))
    slack = np.array([1 / place.scale_x, 1 / place.scale_y] * 2)
    ((label, edges),) = [(each["label"], _edges(each["box"])) for each in found]
    assert label == "cat"
    assert (np.abs(edges - _edges(box)) <= slack + 1e-3).all()
    assert (edges >= 0).all()
    assert (edges <= [*size, *size]).all()


@given(
    size=st.tuples(st.integers(1, 3000), st.integers(1, 3000)),
    shares=arrays(np.float64, 4, elements=st.floats(0, 1)),
    resize=st.sampled_from(Resizing),
)
def test_a_place_comes_back_exactly(size: tuple[int, int], shares: Any, resize: Resizing) -> None:  # noqa: ANN401  # an array
    """There and back is the same place, to a millionth of a pixel."""
    place = placed(*size, (SIDE, 2 * SIDE), resize)
    box = np.sort((shares * [*size, *size]).reshape(2, 2), axis=0).reshape(1, 4)

    there = box * np.array([place.scale_x, place.scale_y] * 2) + np.array([place.left, place.top] * 2)

    back = place.undone(there)
    assert np.abs(back - box).max() < 1e-6


@pytest.mark.parametrize(
    "output",
    [
        np.array([[*CAT, 0.9, 0.1], [*DOG, 0.2, 0.8], [*CAT, 0.1, 0.1]]).T,
        np.array([[*CAT, 1, 0.9, 0.1], [*DOG, 0.8, 0.2, 1], [*CAT, 0.1, 1, 1]]),
        np.array([[22, 27, 42, 37, 0.9, 0], [23, 27, 43, 37, 0.8, 1], [0, 0, 0, 0, 0, 0]]),
    ],
    ids=[*Head],
)
def test_every_head_says_the_same(ask: Ask, output: Any) -> None:  # noqa: ANN401  # an array
    """By the shape of its output alone; boxes of two classes may overlap."""
    model = open_onnx(constant([output], metadata=names_of("cat", "dog")), "test")

    (found,) = model([ask()])

    assert found == [
        {"label": "cat", "box": [22.0, 27.0, 20.0, 10.0], "score": 0.9},
        {"label": "dog", "box": [23.0, 27.0, 20.0, 10.0], "score": 0.8},
    ]


def test_params_say_what_counts(ask: Ask) -> None:
    """For each input anew."""
    output = np.array([[*CAT, 0.9, 0.1], [*DOG, 0.7, 0.1], [*CAT, 0.2, 0.6]]).T
    model = open_onnx(constant([output], metadata=names_of("cat", "dog")), "test")

    asked: tuple[dict[str, Any], ...] = (
        {},
        {"iou": 0.95},
        {"confidence": 0.65},
        {"classes": ["dog"]},
        {"max_detections": 1},
        {"confidence": 0.95},
    )
    found = model([ask(**params) for params in asked])

    assert [len(each) for each in found] == [2, 3, 1, 1, 1, 0]


@given(
    boxes=arrays(np.float64, st.tuples(st.integers(0, 30), st.just(4)), elements=st.integers(0, 20).map(float)),
    seed=st.integers(0, 1000),
    iou=st.sampled_from([0.0, 0.3, 0.5, 1.0]),
)
def test_suppression_is_the_plain_algorithm(boxes: Any, seed: int, iou: float) -> None:  # noqa: ANN401  # an array
    """One by one: a box stays if it overlaps none of its class that stays before it."""
    check_suppression(boxes, seed, iou)


def test_suppression_is_the_same_for_many_boxes() -> None:
    """They are compared in blocks."""
    check_suppression(np.random.default_rng(1).uniform(0, 60, (700, 4)), 1, 0.4)


def check_suppression(boxes: Any, seed: int, iou: float) -> None:  # noqa: ANN401  # an array
    """Compare with the plain algorithm."""
    boxes = np.sort(boxes.reshape(-1, 2, 2), axis=1).reshape(-1, 4)
    random = np.random.default_rng(seed)
    scores, classes = random.integers(0, 50, len(boxes)) / 50, random.integers(0, 2, len(boxes))

    kept: list[int] = []
    for each in sorted(range(len(boxes)), key=lambda number: -scores[number]):
        if all(classes[each] != classes[one] or _iou(boxes[each], boxes[one]) <= iou for one in kept):
            kept.append(each)

    assert suppressed(boxes, scores, classes, iou=iou, most=1000).tolist() == kept
    assert suppressed(boxes, scores, classes, iou=iou, most=3).tolist() == kept[:3]


def test_a_class_without_a_name_is_an_error() -> None:
    """Only a head that numbers classes can have one; the others are refused by their shape."""
    options = InferenceOptions.of(TWO, {})
    output = np.array([[0, 0, 5, 5, 0.9, 7]], np.float32)

    with pytest.raises(ModelOutputError, match="object of class 7, and its description names 2"):
        found_boxes(TWO, Head.END_TO_END, [output], placed(64, 64, (64, 64), Resizing.LETTERBOX), options)


def test_a_head_that_could_be_two_has_to_be_named(ask: Ask) -> None:
    """With one class, six numbers an object may be of YOLOv5, or of an end-to-end head."""
    output = np.array([[10, 10, 20, 20, 0.5, 0], [5, 5, 8, 8, 0.3, 0]])
    content = constant([output], metadata=names_of("cat", task=None))

    with pytest.raises(InvalidModelError, match="may be yolov5 or end_to_end"):
        open_onnx(content, "test")
    (found,) = open_onnx(content, "test", {"head": "end_to_end"})([ask()])

    assert [each["box"] for each in found] == [[10.0, 10.0, 10.0, 10.0], [5.0, 5.0, 3.0, 3.0]]


def test_objects_in_the_border_are_none(ask: Ask) -> None:
    """A letterbox has nothing in it, and what sticks out of the image is cut off."""
    output = np.array([[32, 2, 10, 4, 0.9, 0.1], [0, 32, 40, 8, 0.1, 0.9]]).T
    model = open_onnx(constant([output], metadata=names_of("cat", "dog")), "test")

    (found,) = model([ask((200, 100))])

    assert [(each["label"], each["box"]) for each in found] == [("dog", [0.0, 37.5, 62.5, 25.0])]


def _edges(box: Any) -> Any:  # noqa: ANN401  # four numbers, and an array of them
    return np.array([box[0], box[1], box[0] + box[2], box[1] + box[3]])


def _iou(one: Any, other: Any) -> float:  # noqa: ANN401  # arrays
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0) * max(height, 0)
    together = sum((each[2] - each[0]) * (each[3] - each[1]) for each in (one, other)) - shared
    return shared / together if together else 0.0
