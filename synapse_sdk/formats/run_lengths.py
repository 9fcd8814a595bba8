"""Run lengths of pixels: as numbers, as COCO's compressed text, and turned from along the columns to along the rows.

Nothing that is read here is trusted, and no code outside of numpy sees it. Importing this loads numpy; for masks that
are only passed on, `formats.coco.rle` has text and numbers without it.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = [
    "MOST_PIXELS",
    "Integers",
    "Pixels",
    "Runs",
    "counts_of_runs",
    "pixels_of_runs",
    "read_counts",
    "runs_of_counts",
    "runs_of_pixels",
    "turned",
    "write_counts",
]

type Integers = npt.NDArray[np.int64]
type Pixels = npt.NDArray[np.bool_]

MOST_PIXELS = 2**28
"""Of a part of an image that is held in memory pixel by pixel: 16,384 x 16,384."""
ZERO = 48
"""The character `0`, which stands for five bits that are zero at the end of a number."""
BITS = 5
"""Of a number in one character."""
SIGN = 0x10
MORE = 0x20
"""Says that the next character belongs to the same number."""
LAST = 0x3F
MOST_CHARACTERS = 12
"""Of one number, so that it fits into 64 bits; 7 are enough for any image."""
LONGER = np.array([1 << (BITS * characters - 1) for characters in range(1, MOST_CHARACTERS)])
"""The least numbers that need 2, 3, ... characters."""
TILE = 256
"""Lines of an image that are transposed at a time: few enough for the processor's cache."""


class Runs(NamedTuple):
    """Where runs of pixels begin and end, the end not included: in order, and not touching."""

    starts: Integers
    ends: Integers


def read_counts(text: bytes, pixels: int) -> Integers:
    """Return the run lengths that COCO's compressed text says: of background, of the object, and so on.

    The format: numbers of five bits a character, the least ones first, in two's complement; from the fourth on a number
    is the difference to the last but one.

    Raises:
        ValueError: It is no such text, or not about so many pixels.
    """
    digits = np.frombuffer(text, np.uint8) - np.uint8(ZERO)
    if not len(digits) or digits.max() > LAST:
        msg = "the counts of a mask are characters from '0' to 'o'"
        raise ValueError(msg)
    if digits[-1] & MORE:
        msg = "the counts of a mask end in the middle of a number"
        raise ValueError(msg)
    ends = np.flatnonzero(digits < MORE)
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts + 1
    if lengths.max() > MOST_CHARACTERS:
        msg = f"a number in the counts of a mask has {lengths.max()} characters, more than any image needs"
        raise ValueError(msg)
    places = np.arange(len(digits)) - np.repeat(starts, lengths)
    numbers = np.add.reduceat((digits & (MORE - 1)).astype(np.int64) << (BITS * places), starts)
    numbers -= ((digits[ends] & SIGN) > 0).astype(np.int64) << (BITS * lengths)
    if np.abs(numbers).max() <= pixels:  # else the sums below could overflow
        numbers[1::2] = np.cumsum(numbers[1::2])
        numbers[2::2] = np.cumsum(numbers[2::2])
    check_counts(numbers, pixels)
    return numbers


def check_counts(counts: Integers, pixels: int) -> None:
    """Check that run lengths are about so many pixels.

    Raises:
        ValueError: They are not; it says why.
    """
    wrong = np.flatnonzero((counts < 0) | (counts > pixels))
    if len(wrong):
        msg = f"run {wrong[0] + 1} of a mask with {pixels} pixels is {counts[wrong[0]]} pixels long"
        raise ValueError(msg)
    if counts.sum() != pixels:
        msg = f"the runs of a mask with {pixels} pixels are {counts.sum()} pixels long together"
        raise ValueError(msg)


def write_counts(counts: Integers) -> bytes:
    """Return run lengths as COCO's compressed text; see `read_counts`."""
    numbers = counts.copy()
    numbers[3:] -= counts[1:-2]
    magnitudes = numbers ^ (numbers >> 63)
    lengths = np.searchsorted(LONGER, magnitudes, side="right") + 1
    starts = np.cumsum(lengths) - lengths
    places = np.arange(lengths.sum()) - np.repeat(starts, lengths)
    digits = ((np.repeat(numbers, lengths) >> (BITS * places)) & (MORE - 1)) | MORE
    digits[starts + lengths - 1] &= MORE - 1
    return (digits + ZERO).astype(np.uint8).tobytes()


def runs_of_counts(counts: Integers) -> Runs:
    """Return the runs of the object."""
    ends = np.cumsum(counts)
    return joined(ends[0 : len(ends) - 1 : 2], ends[1::2])


def counts_of_runs(runs: Runs, pixels: int) -> Integers:
    """Return run lengths as COCO has them: in turn of background and object, and first of background."""
    edges = np.empty(2 * len(runs.starts) + 2, np.int64)
    edges[0], edges[1:-1:2], edges[2:-1:2], edges[-1] = 0, runs.starts, runs.ends, pixels
    counts = np.diff(edges)
    return counts if counts[-1] or len(counts) == 1 else counts[:-1]


def joined(starts: Integers, ends: Integers) -> Runs:
    """Return runs that are in order without those that are empty, and with those that touch made into one."""
    if not (ends > starts).all():
        is_solid = ends > starts
        starts, ends = starts[is_solid], ends[is_solid]
    is_apart = starts[1:] != ends[:-1]
    if not is_apart.all():
        starts = np.concatenate((starts[:1], starts[1:][is_apart]))
        ends = np.concatenate((ends[:-1][is_apart], ends[-1:]))
    return Runs(starts, ends)


def pixels_of_runs(runs: Runs, line: int) -> tuple[Pixels, int, int]:
    """Return the pixels of runs along the lines of an image, from the first line to the last that has any.

    Args:
        runs: At least one.
        line: Pixels of a line.

    Returns:
        The lines, cut to where there are pixels of runs, and the first line and the place in it where they begin.

    Raises:
        ValueError: They are too many to be held in memory.
    """
    first, last = int(runs.starts[0]) // line, (int(runs.ends[-1]) - 1) // line
    check_area((last - first + 1) * line)
    edges = np.empty(2 * len(runs.starts) + 2, np.int64)
    edges[0], edges[1:-1:2], edges[2:-1:2], edges[-1] = first * line, runs.starts, runs.ends, (last + 1) * line
    pixels = np.repeat(np.arange(len(edges) - 1) % 2 > 0, np.diff(edges)).reshape(-1, line)
    befores, afters = runs.starts % line, (runs.ends - 1) % line
    if (runs.starts // line == (runs.ends - 1) // line).all():
        low, high = int(befores.min()), int(afters.max()) + 1
        return pixels[:, low:high], first, low
    return pixels, first, 0


def runs_of_pixels(pixels: Pixels, line: int, first: int, low: int) -> Runs:
    """Return the runs along lines; the reverse of `pixels_of_runs`."""
    count, length = pixels.shape
    padded = np.zeros(count * (length + 1) + 1, np.bool_)
    padded[1:].reshape(count, length + 1)[:, :length] = pixels
    changes = np.flatnonzero(padded[1:] != padded[:-1])
    lines, places = np.divmod(changes, length + 1)
    edges = (lines + first) * line + places + low
    return joined(edges[0::2], edges[1::2])


def turned(runs: Runs, line: int, lines: int) -> Runs:
    """Return runs along the lines of an image as runs across them: along the columns instead of the rows, or back.

    Args:
        runs: Along the lines.
        line: Pixels of a line.
        lines: How many there are.

    Raises:
        ValueError: The runs are over too many lines to be turned.
    """
    if not len(runs.starts):
        return runs
    pixels, first, low = pixels_of_runs(runs, line)
    return runs_of_pixels(transposed(pixels), lines, low, first)


def transposed(pixels: Pixels) -> Pixels:
    """Return pixels with rows for columns, laid out anew; by tiles, which is several times faster than at once."""
    height, width = pixels.shape
    found = np.empty((width, height), np.bool_)
    for row in range(0, height, TILE):
        found[:, row : row + TILE] = pixels[row : row + TILE].T
    return found


def check_area(pixels: int) -> None:
    """Check that so many pixels may be held in memory.

    Raises:
        ValueError: They are too many.
    """
    if pixels > MOST_PIXELS:
        msg = f"a mask over {pixels} pixels is too large; {MOST_PIXELS} can be held in memory"
        raise ValueError(msg)
