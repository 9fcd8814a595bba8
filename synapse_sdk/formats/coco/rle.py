"""Run lengths as COCO writes them: numbers from and to text, and whether a text may be trusted.

The text has 5 bits of a number in a character (from `0` on), the lowest first; bit 6 says that more follow. From the
fourth run on it holds the difference to the run two before. (pycocotools, `rleFrString` in maskApi.c: it believes every
text, and reads and writes where it should not if that is wrong.)

`formats.run_lengths` does the same with numpy. That is several times faster for masks of thousands of runs, and several
times slower for those of a few dozen, which nearly all in COCO files are; and most conversions of these need no numpy.
"""

from collections.abc import Sequence
from itertools import accumulate
from operator import sub

__all__ = ["are_valid_runs", "area_of_counts", "compressed", "is_valid_counts", "runs_of"]

ZERO = 48
"""The character for 0."""
BITS = 5
LOWEST, SIGN, MORE = 0x1F, 0x10, 0x20
LAST = ZERO + MORE
"""Characters below it end a number."""
LONGEST = 7
"""Characters of the largest number."""
MOST_PIXELS = 2**31 - 1
"""Of an image with masks: what other readers can count."""
MOST_REMEMBERED = 20_000
"""Texts of numbers that are worked out once; nearly all numbers are small."""
ENDS, GOES_ON, IS_NONE = b".", b"+", b"?"
KINDS = b"".join(
    ENDS if ZERO <= each < LAST else GOES_ON if LAST <= each < LAST + MORE else IS_NONE for each in range(256)
)
"""For each byte, whether it ends a number, or more follow."""
TOO_LONG = GOES_ON * LONGEST


def is_valid_counts(counts: bytes, width: int, height: int) -> bool:
    """Whether a text holds the run lengths of all pixels of an image, so that it may be decoded.

    Takes linear time.

    Example:
        >>> is_valid_counts(b"05", 1, 5), is_valid_counts(b"06", 1, 5), is_valid_counts(b"so", 1, 5)
        (True, False, False)
    """
    try:
        return are_valid_runs(runs_of(counts), width, height)
    except ValueError:
        return False


def are_valid_runs(runs: Sequence[int], width: int, height: int) -> bool:
    """Whether run lengths are those of all pixels of an image."""
    is_image = width > 0 and height > 0 and width * height <= MOST_PIXELS
    return is_image and min(runs, default=-1) >= 0 and sum(runs) == width * height


def runs_of(counts: bytes) -> list[int]:
    """Return the lengths of the runs that a text holds, background first.

    Raises:
        ValueError: It holds something else.
    """
    kinds = counts.translate(KINDS)
    if kinds.endswith(GOES_ON) or TOO_LONG in kinds or IS_NONE in kinds:
        msg = "no run lengths as COCO writes them"
        raise ValueError(msg)
    values: list[int] = []
    value = place = 0
    for character in counts:
        if character >= LAST:
            value |= (character - LAST) << place
            place += BITS
        else:
            bits = character - ZERO
            value |= bits << place
            values.append(value - (MORE << place) if bits & SIGN else value)
            value = place = 0
    values[1::2] = accumulate(values[1::2])
    values[2::2] = accumulate(values[2::2])
    return values


def compressed(runs: Sequence[int]) -> bytes:
    """Return run lengths as the text that COCO writes for them.

    Example:
        >>> compressed([5, 3, 7, 4])
        b'5371'
    """
    values = [*runs[:3], *map(sub, runs[3:], runs[1:])]
    return b"".join(map(_TEXTS.__getitem__, values))


def area_of_counts(counts: bytes) -> int:
    """Return how many pixels an object has, by the run lengths of its mask."""
    return sum(runs_of(counts)[1::2])


class _Texts(dict[int, bytes]):
    """The texts of numbers."""

    def __missing__(self, value: int) -> bytes:
        text, rest = bytearray(), value
        while not -SIGN <= rest < SIGN:
            text.append(LAST + (rest & LOWEST))
            rest >>= BITS
        text.append(ZERO + (rest & LOWEST))
        if len(self) < MOST_REMEMBERED:
            self[value] = bytes(text)
        return bytes(text)


_TEXTS = _Texts()
