"""Models that find the pixels of objects."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from synapse_sdk.formats.masks import array_of_mask, mask_of_polygon
from synapse_sdk.formats.model import Mask, Polygon
from synapse_sdk.inference import open_onnx
from synapse_sdk.inference.description import Resizing
from synapse_sdk.inference.preprocessing import placed
from synapse_sdk.inference.segmentation import mask_in_box
from tests.unit.inference.conftest import Ask
from tests.unit.inference.onnx_models import constant, names_of

SIDE, COARSE = 64, 16


def disc() -> Any:  # noqa: ANN401  # an array
    """Return a field that is above 0 in a disc around the middle."""
    places = np.arange(COARSE) + 0.5 - COARSE / 2
    return 5.0 - np.hypot(places[:, np.newaxis], places)


def segmenter(head: str = "yolov8") -> bytes:
    """Return a model that finds a disc as class 1 of two: its second shared mask is that disc."""
    shared = np.stack([-np.ones((COARSE, COARSE)), disc()])
    box = [32, 32, 60, 60] if head == "yolov8" else [2, 2, 62, 62]
    row = [*box, 0.1, 0.9, 0.5, 2.0] if head == "yolov8" else [*box, 0.9, 1, 0.5, 2.0]
    rows = np.array([row, np.zeros(8)])
    more = {} if head == "yolov8" else {"args": "{'nms': True}"}
    output = rows.T if head == "yolov8" else rows
    return constant([output, shared], metadata=names_of("cat", "dog", task="segment", **more))


@pytest.mark.parametrize("head", ["yolov8", "end_to_end"])
def test_the_pixels_of_an_object_come_back_in_the_image(ask: Ask, head: str) -> None:
    """A disc in the input is an ellipse in a stretched image, as large as it should be."""
    model = open_onnx(segmenter(head), "test", {"input": {"resize": "stretch"}})

    (found,) = model([ask((200, 100))])

    assert [each["label"] for each in found] == ["dog"]
    pixels = array_of_mask(_mask(found[0]["mask"]))
    radius = (5.0 - 0.25) * SIDE / COARSE  # 2 * value - 0.5 is above 0 up to there
    ellipse = np.pi * radius * 200 / SIDE * radius * 100 / SIDE
    assert pixels.shape == (100, 200)
    assert pixels.sum() == pytest.approx(ellipse, rel=0.02)
    assert (pixels == pixels[::-1]).all()
    assert (pixels == pixels[:, ::-1]).all()


def test_outlines_are_of_the_same_pixels(ask: Ask) -> None:
    """A polygon instead of a mask says the same."""
    model = open_onnx(segmenter(), "test")

    (mask,), (polygon,) = model([ask((90, 70)), ask((90, 70), masks="polygon")])

    again = mask_of_polygon(Polygon(polygon["polygon"], polygon["holes"]), 90, 70)
    assert again == _mask(mask["mask"])


@pytest.mark.parametrize("size", [(64, 64), (100, 300), (1500, 700), (9, 9)])
@pytest.mark.parametrize("resize", [Resizing.LETTERBOX, Resizing.STRETCH])
def test_masks_are_those_of_a_plain_interpolation(size: tuple[int, int], resize: Resizing) -> None:
    """Pillow interpolates the same field; only pixels whose value is almost 0 may differ."""
    values = np.random.default_rng(3).normal(size=(COARSE, COARSE)).astype(np.float32)
    place = placed(*size, (SIDE, SIDE), resize)

    found = array_of_mask(mask_in_box(values, [0, 0, *size], place, (SIDE, SIDE)))

    share = COARSE / SIDE
    corners = [place.left, place.top, place.left + size[0] * place.scale_x, place.top + size[1] * place.scale_y]
    wide = np.pad(values, 1, mode="edge")  # Pillow does not look beyond the edges
    area = tuple(edge * share + 1 for edge in corners)
    plain = np.asarray(
        Image.fromarray(wide).transform(
            size,
            Image.Transform.AFFINE,
            ((area[2] - area[0]) / size[0], 0, area[0], 0, (area[3] - area[1]) / size[1], area[1]),
            Image.Resampling.BILINEAR,
        )
    )
    sure = np.abs(plain) > 0.05
    assert sure.mean() > 0.8
    assert (found == (plain > 0))[sure].mean() > 0.999


def test_pixels_outside_of_the_box_are_none() -> None:
    """A mask is cut at its box: pixels whose centres are inside."""
    mask = mask_in_box(
        np.ones((COARSE, COARSE), np.float32),
        [10.4, 20.6, 30.6, 20.9],
        placed(64, 64, (64, 64), Resizing.LETTERBOX),
        (64, 64),
    )

    assert array_of_mask(mask).sum() == 0


def _mask(found: Any) -> Mask:  # noqa: ANN401  # what a model says
    return Mask(found["size"][1], found["size"][0], found["counts"].encode())
