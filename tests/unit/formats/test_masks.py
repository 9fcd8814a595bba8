import timeit
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

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


def drawn(*rows: str) -> npt.NDArray[np.bool_]:
    """Return pixels from rows of text, in which `#` is the object."""
    return np.array([[each == "#" for each in row] for row in rows])


def test_the_samples_of_dm_are_read() -> None:
    """Raw indices and runs that say the same are the same mask."""
    indices = mask_of_indices([5, 6, 7, 69, 70], 64, 48)

    assert indices == mask_of_runs([[5, 3], [69, 2]], 64, 48)
    assert mask_area(indices) == 5
    assert mask_bounds(indices) == Box(5.0, 0.0, 3.0, 2.0)
    assert runs_of_mask(indices) == [[5, 3], [69, 2]]


def test_order_and_repetition_of_indices_do_not_matter() -> None:
    """Pixels are a set."""
    assert mask_of_indices([3, 1, 2, 3], 4, 4) == mask_of_runs([[1, 3]], 4, 4)


def test_runs_reach_over_the_end_of_a_row() -> None:
    """DM counts through the image, and so may its runs."""
    mask = mask_of_runs([[2, 3]], 4, 2)

    assert (array_of_mask(mask) == drawn("..##", "#...")).all()
    assert runs_of_mask(mask) == [[2, 3]]


def test_runs_that_touch_are_one() -> None:
    """Nobody can see where one ends."""
    assert runs_of_mask(mask_of_runs([[6, 1], [2, 2], [4, 2]], 8, 2)) == [[2, 5]]


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        ([[0, 3], [2, 2]], r"runs \[0, 3\] and \[2, 2\] overlap"),
        ([[4, 2], [0, 5]], r"runs \[0, 5\] and \[4, 2\] overlap"),
        ([[0, 1], [14, 3]], r"run \[14, 3\] is not inside of 4 x 4 pixels, which are 0 to 15"),
        ([[-1, 3]], r"run \[-1, 3\]"),
        ([[3, 0]], r"run \[3, 0\]"),
        ([[3, -2]], r"run \[3, -2\]"),
        ([[16, 1]], r"run \[16, 1\]"),
        ([[0, 2**63 - 1]], "run"),
        ([[0, 2**64]], "whole numbers"),
        ([[1, 2], [3]], "whole numbers"),
        ([[1, 2, 3]], "pairs"),
        ([1, 2], "pairs"),
        ([[1.0, 2.0]], "whole numbers"),
        ([[True, True]], "whole numbers"),
        ([["1", "2"]], "whole numbers"),
        ([[None, 2]], "whole numbers"),
    ],
)
def test_runs_that_are_wrong_are_refused_by_name(runs: list[list[int]], words: str) -> None:
    """Data-formats section 5: a violation names what is wrong."""
    with pytest.raises(ValueError, match=words):
        mask_of_runs(runs, 4, 4)


@pytest.mark.parametrize(
    ("indices", "words"),
    [
        ([0, 16], "pixel 16 is outside of 4 x 4 pixels, which are 0 to 15"),
        ([-1], "pixel -1"),
        ([2**63], "whole numbers"),
        ([0.5], "whole numbers"),
        ([[1, 2]], "whole numbers"),
    ],
)
def test_indices_outside_of_the_image_are_refused_by_name(indices: list[int], words: str) -> None:
    """Data-formats section 5: a mask stays inside of its image."""
    with pytest.raises(ValueError, match=words):
        mask_of_indices(indices, 4, 4)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ([4, 4], "the runs of a mask with 16 pixels are 8 pixels long together"),
        ([8, 9], "the runs of a mask with 16 pixels are 17 pixels long together"),
        ([20, -4], "run 1 of a mask with 16 pixels is 20 pixels long"),
        ([4, -4, 16], "run 2 of a mask with 16 pixels is -4 pixels long"),
        ([2**62, 2**62, 2**62, 2**62, 16], "run 1"),
        ([], "0 pixels"),
        ([16.0], "whole numbers"),
        ([[16]], "whole numbers"),
        (["16"], "whole numbers"),
        ([2**70], "whole numbers"),
    ],
)
def test_counts_that_do_not_add_up_are_refused_by_name(counts: list[int], words: str) -> None:
    """What a mask of another size says would be read as noise."""
    with pytest.raises(ValueError, match=words):
        mask_of_counts(counts, 4, 4)


@pytest.mark.parametrize(
    ("text", "is_valid"),
    [
        (b"`0", True),  # 16, written as the reference implementation does
        (b"P1", False),  # 32
        (b"08`0", False),  # 0, 8, 16: more than there is
        (b"088", True),
        (b"0`0P", False),  # in the middle of a number
        (b"", False),
        (b"o", False),
        (b"O", False),  # below zero
        (b"/", False),
        (b"p", False),
        (b"\xff", False),
        (b"`\x000", False),
        ("`0".encode("utf-16"), False),
        (b"`PPPPPPPPPP0", True),  # 12 characters where 2 would do
        (b"`PPPPPPPPPPP0", False),
        (b"oooooooooooo0", False),
        (b"oooooooooooO", False),
        (b"ooooooooooooooooooooooooooooooooooooooooooooooo", False),
    ],
)
def test_compressed_counts_are_checked_before_they_are_used(text: bytes, *, is_valid: bool) -> None:
    """Characters, the end of each number, signs and the sum."""
    assert is_valid_counts(text, 4, 4) is is_valid


@pytest.mark.parametrize(("width", "height"), [(0, 4), (4, 0), (-4, -4), (2**31, 1), (2**16, 2**16)])
def test_a_mask_has_a_size_that_an_image_can_have(width: int, height: int) -> None:
    """Others read sizes as 32 bits."""
    assert not is_valid_counts(b"`0", width, height)
    with pytest.raises(ValueError, match="a mask has no"):
        mask_of_counts([16], width, height)
    with pytest.raises(ValueError, match="a mask has no"):
        mask_of_polygon(Polygon([]), width, height)


def test_hostile_counts_end_soon() -> None:
    """A megabyte of numbers takes what reading it takes, whatever it says: drawing it would take hours."""
    assert not is_valid_counts(b"o" * 2_000_000, 1000, 1000)
    assert not is_valid_counts(b"n" * 2_000_000, 1000, 1000)
    assert is_valid_counts(b"0" * 2_000_000 + b"`0", 4, 4)


def test_pixels_that_no_memory_holds_are_refused() -> None:
    """A few characters can say an image of two thousand million pixels."""
    mask = mask_of_counts([0, 40_000 * 40_000], 40_000, 40_000)

    assert mask_area(mask) == 1_600_000_000
    assert mask_bounds(mask) == Box(0.0, 0.0, 40_000.0, 40_000.0)
    for use in (array_of_mask, polygon_of_mask, runs_of_mask):
        with pytest.raises(ValueError, match="too large"):
            use(mask)


def test_a_small_object_in_a_large_image_is_no_matter() -> None:
    """Only the rows and columns of the object are ever held."""
    mask = mask_of_runs([[40_000 * 20_000 + 7, 3], [40_000 * 20_001 + 8, 1]], 40_000, 40_000)

    assert runs_of_mask(mask) == [[800_000_007, 3], [800_040_008, 1]]
    (ring,) = polygon_of_mask(mask).rings
    assert ring[0::2] == [7, 10, 10, 9, 9, 8, 8, 7]
    assert ring[1::2] == [20_000, 20_000, 20_001, 20_001, 20_002, 20_002, 20_001, 20_001]


def test_masks_without_pixels_are_masks() -> None:
    """An object may be hidden."""
    mask = mask_of_array(np.zeros((3, 5), np.bool_))

    assert mask == mask_of_runs([], 5, 3) == mask_of_indices([], 5, 3) == mask_of_counts([15], 5, 3)
    assert mask_area(mask) == 0
    assert mask_bounds(mask) is None
    assert polygon_of_mask(mask) == Polygon([], [])
    assert mask_within(mask, 2, 2) == mask_of_counts([4], 2, 2)
    assert runs_of_mask(mask) == []
    assert counts_of_mask(mask) == [15]


def test_arrays_of_numbers_are_masks() -> None:
    """Whatever is not 0 belongs to the object."""
    assert mask_of_array(np.array([[0, 255], [0, 1]], np.uint8)) == mask_of_counts([2, 2], 2, 2)
    assert mask_of_array([[0, 1], [0, 1]]) == mask_of_counts([2, 2], 2, 2)


@pytest.mark.parametrize("shape", [(4,), (4, 4, 3), (0, 4), (4, 0)])
def test_other_arrays_are_none(shape: tuple[int, ...]) -> None:
    """A picture has three dimensions, and is no mask."""
    with pytest.raises(ValueError, match="a mask"):
        mask_of_array(np.zeros(shape))


def test_outlines_have_parts_and_holes() -> None:
    """M1: an island in a hole is a part of its own, and a hole is not filled."""
    rows = ("########", "#......#", "#.####.#", "#.#..#.#", "#.####.#", "#......#", "########")

    polygon = polygon_of_mask(mask_of_array(drawn(*rows)))

    assert polygon.rings == [[0, 0, 8, 0, 8, 7, 0, 7], [2, 2, 6, 2, 6, 5, 2, 5]]
    assert polygon.holes == [[7, 1, 1, 1, 1, 6, 7, 6], [5, 3, 3, 3, 3, 4, 5, 4]]
    assert mask_of_polygon(polygon, 8, 7) == mask_of_array(drawn(*rows))


def test_pixels_that_touch_at_a_corner_are_two_parts() -> None:
    """The object is connected by edges, what is around it by corners, too."""
    polygon = polygon_of_mask(mask_of_array(drawn("#.", ".#")))

    assert polygon == Polygon([[0, 0, 1, 0, 1, 1, 0, 1], [1, 1, 2, 1, 2, 2, 1, 2]], [])


def test_holes_that_touch_at_a_corner_are_one() -> None:
    """The other side of the same rule."""
    polygon = polygon_of_mask(mask_of_array(drawn("####", "#.##", "##.#", "####")))

    assert len(polygon.rings) == 1
    assert polygon.holes == [[2, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 2, 2, 2]]


@pytest.mark.parametrize(
    ("ring", "rows"),
    [
        ([0.5, 0.5, 2.5, 0.5, 2.5, 2.5, 0.5, 2.5], ("##..", "##..", "....")),
        ([0, 0, 4, 0, 4, 3, 0, 3], ("####", "####", "####")),
        ([-9, -9, 99, -9, 99, 99, -9, 99], ("####", "####", "####")),
        ([0, 0, 4, 4, 4, 0], ("####", ".###", "..##")),
        ([0, 0, 4, 4, 0, 4], ("....", "#...", "##..")),
        ([0, 0, 4, 0, 0, 3, 4, 3], (".##.", "....", ".##.")),  # crosses itself
        ([1, 1, 3, 1], ("....", "....", "....")),
        ([1.5, 1.5], ("....", "....", "....")),
        ([], ("....", "....", "....")),
        ([1e308, 0, -1e308, 0, -1e308, 1e308, 1e308, 1e308], ("####", "####", "####")),
    ],
)
def test_pixels_are_inside_whose_centre_is(ring: list[float], rows: tuple[str, ...]) -> None:
    """On an edge, those on the left and above are."""
    assert (array_of_mask(mask_of_polygon(Polygon([ring]), 4, 3)) == drawn(*rows)).all()


def test_areas_that_share_an_edge_share_no_pixel() -> None:
    """However the edge runs, and in whichever direction either goes along it."""
    for at in range(200):
        x, y = 20 * np.cos(at), 20 * np.sin(at)
        edge = [10 - x, 10 - y, 10 + x, 10 + y]
        one, other = [*edge, 10 - y * 9, 10 + x * 9], [*edge[2:], *edge[:2], 10 + y * 9, 10 - x * 9]

        areas = [mask_area(mask_of_polygon(Polygon([ring]), 20, 20)) for ring in (one, other)]

        assert sum(areas) == 400


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_polygons_have_finite_coordinates(value: float) -> None:
    """Nobody knows where the others are."""
    with pytest.raises(ValueError, match="finite"):
        mask_of_polygon(Polygon([[0, 0, value, 4, 4, 4]]), 4, 4)


def test_a_ring_has_pairs_of_coordinates() -> None:
    """Two rings of odd length do not make up for each other."""
    with pytest.raises(ValueError, match="without its y"):
        mask_of_polygon(Polygon([[0, 0, 1], [1, 1, 0]]), 4, 4)


def test_an_outline_has_an_end() -> None:
    """Up and down a thousand times in an image of ten thousand rows is drawn by nobody."""
    with pytest.raises(ValueError, match="too long"):
        mask_of_polygon(Polygon([[0, 0, 1, 10_000] * 1000]), 10_000, 10_000)


def ellipse() -> npt.NDArray[np.bool_]:
    """Return ten megapixels with a large object."""
    ys, xs = np.ogrid[:2500, :4000]
    return ((ys - 1250) / 1200) ** 2 + ((xs - 2000) / 1900) ** 2 < 1


PIXELS = ellipse()
MASK = mask_of_array(PIXELS)
USES: dict[str, Callable[[], object]] = {
    "mask_of_array": lambda: mask_of_array(PIXELS),
    "array_of_mask": lambda: array_of_mask(MASK),
    "mask_of_runs": lambda: mask_of_runs(runs_of_mask(MASK), 4000, 2500),
    "mask_of_counts": lambda: mask_of_counts(counts_of_mask(MASK), 4000, 2500),
    "polygon_of_mask": lambda: polygon_of_mask(MASK),
    "mask_of_polygon": lambda: mask_of_polygon(Polygon([[0, 0, 4000, 0, 4000, 2500, 0, 2500]]), 4000, 2500),
}


@pytest.mark.parametrize("use", USES)
def test_ten_megapixels_take_no_time(use: str) -> None:
    """Defect 10: nothing goes through the pixels one by one, which Python needs many times as long for."""
    one_by_one = min(timeit.repeat(lambda: sum(1 for _ in range(PIXELS.size)), number=1, repeat=2))

    assert min(timeit.repeat(USES[use], number=1, repeat=5)) < one_by_one
    assert mask_area(MASK) == PIXELS.sum()


def test_masks_are_values() -> None:
    """Equal pixels, equal masks."""
    assert mask_of_runs([[1, 2]], 3, 1) == Mask(3, 1, b"12")
