"""Content in parts: how large they are, and what S3 calls the whole."""

import hashlib
from collections.abc import Iterable, Iterator

__all__ = ["PartsDigest", "part_size", "parts_in_flight"]

LEAST = 8 << 20
MOST_PARTS = 10_000
IN_FLIGHT = 40 << 20
"""Bytes of one object that are sent at a time; one more part is being filled meanwhile."""
MOST_AT_ONCE = 4


def part_size(size: int) -> int:
    """Return how many bytes a part of an object of this size has, in whole MiB.

    Example:
        >>> part_size(20 << 20) >> 20, part_size(5 << 40) >> 20
        (8, 525)
    """
    needed = -(-size // MOST_PARTS)
    return max(LEAST, -(-needed >> 20) << 20)


def parts_in_flight(size: int) -> int:
    """Return how many parts of this size are sent at a time.

    Example:
        >>> parts_in_flight(8 << 20), parts_in_flight(525 << 20)
        (4, 1)
    """
    return max(1, min(MOST_AT_ONCE, IN_FLIGHT // size))


class PartsDigest:
    """The ETag that S3 gives an object of several parts: the MD5 of their MD5s, and how many they are.

    Args:
        size: Bytes of each part but the last.

    Example:
        >>> digest = PartsDigest(4)
        >>> b"".join(digest.reading([b"meo", b"w meow"]))
        b'meow meow'
        >>> digest.etag[-2:]
        '-3'
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._done: list[bytes] = []
        self._open = hashlib.md5(usedforsecurity=False)
        self._room = size

    def reading(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the pieces."""
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                now, rest = rest[: self._room], rest[self._room :]
                self._open.update(now)
                self._room -= len(now)
                if not self._room:
                    self._close_part()
            yield piece
        if self._room < self._size or not self._done:
            self._close_part()

    def _close_part(self) -> None:
        self._done.append(self._open.digest())
        self._open = hashlib.md5(usedforsecurity=False)
        self._room = self._size

    @property
    def etag(self) -> str:
        """Without quotes."""
        return f"{hashlib.md5(b''.join(self._done), usedforsecurity=False).hexdigest()}-{len(self._done)}"
