"""Whatever pixels a mask has, no way of writing them down changes one, and no text that is made up is believed."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_st
from pycocotools import mask as coco_masks

from synapse_sdk.formats.bridging import bridged
from synapse_sdk.formats.geometry import polygon_area
from synapse_sdk.formats.masks import (
    array_of_mask,
    counts_of_mask,
    is_valid_counts,
    mask_area,
    mask_bounds,
    mask_of_array,
    mask_of_counts,
    mask_of_indices,
    mask_of_polygon,
    mask_of_runs,
    mask_within,
    polygon_of_mask,
    runs_of_mask,
)
from synapse_sdk.formats.model import Box, Mask, Polygon

type Pixels = npt.NDArray[np.bool_]

SIDES = st.integers(1, 12)
PIXELS = st.tuples(SIDES, SIDES).flatmap(lambda shape: numpy_st.arrays(np.bool_, shape))
COORDINATES = st.one_of(st.integers(-4, 16), st.integers(-8, 32).map(lambda half: half / 2), st.floats(-4, 16))
RINGS = st.lists(st.tuples(COORDINATES, COORDINATES), min_size=3, max_size=7).map(
    lambda points: [value for point in points for value in point]
)
TEXTS = st.one_of(st.binary(max_size=12), st.text("0123456789PQRSTUVWXYZ_`abmno", max_size=8).map(str.encode))


def is_inside(x: float, y: float, ring: list[float]) -> bool:
    """Whether a point is inside a ring, said in another way: by the crossings on its left, one by one."""
    crossings = 0
    for at in range(0, len(ring), 2):
        (x1, y1), (x2, y2) = sorted(
            ((ring[at - 2], ring[at - 1]), (ring[at], ring[at + 1])), key=lambda point: point[1]
        )
        crossings += y1 <= y < y2 and x1 + (y - y1) / (y2 - y1) * (x2 - x1) <= x
    return crossings % 2 == 1


@given(pixels=PIXELS)
def test_masks_are_those_of_coco_itself(pixels: Pixels) -> None:
    """Text, area and bounds are what the reference implementation finds."""
    theirs = coco_masks.encode(np.asfortranarray(pixels, np.uint8))

    mask = mask_of_array(pixels)

    assert (mask.width, mask.height, mask.counts) == (pixels.shape[1], pixels.shape[0], theirs["counts"])
    assert mask_area(mask) == coco_masks.area(theirs)
    assert mask_bounds(mask) == (Box(*coco_masks.toBbox(theirs).tolist()) if pixels.any() else None)


@given(pixels=PIXELS)
def test_every_way_to_write_a_mask_gives_its_pixels_back(pixels: Pixels) -> None:
    """Arrays, counts, indices, runs and outlines are one thing."""
    height, width = pixels.shape
    mask = mask_of_array(pixels)

    assert (array_of_mask(mask) == pixels).all()
    assert mask_of_counts(counts_of_mask(mask), width, height) == mask
    assert mask_of_indices(np.flatnonzero(pixels).tolist(), width, height) == mask
    assert mask_of_runs(runs_of_mask(mask), width, height) == mask
    assert mask_of_polygon(polygon_of_mask(mask), width, height) == mask


@given(pixels=PIXELS)
def test_outlines_have_the_area_of_their_pixels(pixels: Pixels) -> None:
    """What is cut out of the parts is what is not there, and corners are only where an outline turns."""
    polygon = polygon_of_mask(mask_of_array(pixels))

    assert polygon_area(polygon) == pixels.sum()
    for ring in [*polygon.rings, *polygon.holes]:
        steps = [(ring[at] - ring[at - 2], ring[at + 1] - ring[at - 1]) for at in range(0, len(ring), 2)]
        assert all((x == 0) != (y == 0) for x, y in steps)
        assert all((x == 0) != (x2 == 0) for (x, _), (x2, _) in zip(steps, [*steps[1:], steps[0]], strict=True))


@given(pixels=PIXELS)
def test_one_ring_of_bridges_covers_what_its_parts_cover(pixels: Pixels) -> None:
    """Bridges have no width, and holes stay holes."""
    height, width = pixels.shape
    mask = mask_of_array(pixels)

    ring = bridged(polygon_of_mask(mask))

    assert mask_of_polygon(Polygon([ring] if ring else []), width, height) == mask


@given(pixels=PIXELS, width=SIDES, height=SIDES)
def test_masks_fit_another_size_by_being_cut(pixels: Pixels, width: int, height: int) -> None:
    """Pixels that the other size has, too, stay what they are."""
    expected = np.zeros((height, width), np.bool_)
    expected[: pixels.shape[0], : pixels.shape[1]] = pixels[:height, :width]

    assert mask_within(mask_of_array(pixels), width, height) == mask_of_array(expected)


@given(rings=st.lists(RINGS, max_size=3), holes=st.lists(RINGS, max_size=2), width=SIDES, height=SIDES)
def test_pixels_of_a_polygon_are_those_whose_centre_is_inside(
    rings: list[list[float]], holes: list[list[float]], width: int, height: int
) -> None:
    """Of more parts than holes, however they cross themselves or one another."""
    expected = [
        [
            sum(is_inside(x + 0.5, y + 0.5, ring) for ring in rings)
            > sum(is_inside(x + 0.5, y + 0.5, hole) for hole in holes)
            for x in range(width)
        ]
        for y in range(height)
    ]

    assert mask_of_polygon(Polygon(rings, holes), width, height) == mask_of_array(expected)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of the reference implementation
@given(text=TEXTS, width=SIDES, height=SIDES)
@example(text=b"0", width=1, height=1)
@example(text=b"01", width=1, height=1)
@example(text=b"24", width=3, height=2)
def test_counts_are_believed_if_they_add_up(text: bytes, width: int, height: int) -> None:
    """A text that is valid is read as the reference implementation reads it; any other is refused everywhere."""
    mask = Mask(width, height, text)

    if is_valid_counts(text, width, height):
        theirs = coco_masks.decode({"size": [height, width], "counts": text})
        assert (array_of_mask(mask) == theirs.astype(np.bool_)).all()
    else:
        for use in (array_of_mask, counts_of_mask, mask_area, mask_bounds, polygon_of_mask, runs_of_mask):
            with pytest.raises(ValueError, match="mask"):
                use(mask)


@given(counts=st.lists(st.integers(0, 40), min_size=1, max_size=12))
def test_counts_with_empty_runs_are_kept_and_mean_the_same(counts: list[int]) -> None:
    """Some programs write runs of no length between others."""
    total = sum(counts)
    if total:
        mask = mask_of_counts(counts, total, 1)

        assert counts_of_mask(mask) == counts
        assert array_of_mask(mask)[0].tolist() == [bool(n % 2) for n, count in enumerate(counts) for _ in range(count)]
        assert mask_of_runs(runs_of_mask(mask), total, 1) == mask_of_array(array_of_mask(mask))
