"""Content on its way into a storage: counted, digested and compared with what was announced."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import cast

from synapse_sdk.errors import ConfigurationError, StorageIntegrityError
from synapse_sdk.storage.base import Content

__all__ = ["Digested", "Meter", "is_of_content", "span"]


class Digested:
    """Content in one piece with the digest that was worked out of it here, so that nobody has to do that again.

    Args:
        whole: The bytes, which nobody can change.

    Example:
        >>> content = Digested(b"meow")
        >>> len(content), content.sha256[:8]
        (4, '404cdd7b')
    """

    __slots__ = ("sha256", "whole")

    def __init__(self, whole: bytes) -> None:
        self.whole = whole
        self.sha256 = hashlib.sha256(whole).hexdigest()

    def __len__(self) -> int:
        return len(self.whole)

    def __iter__(self) -> Iterator[bytes]:
        """Yield it as the one piece that it is."""
        yield self.whole


class Meter:
    """Reads content once, from its first piece to its last, and knows its size and digest afterwards.

    Args:
        key: Where it is put, for errors.
        content: What is read.
        size: How many bytes there have to be, if that is known.
        sha256: The digest it has to have, if that is known.

    Raises:
        ConfigurationError: The content is in pieces, and its size is not announced.

    Example:
        >>> meter = Meter("cat.jpg", [b"me", b"ow"], size=4)
        >>> meter.join(), meter.size
        (b'meow', 4)
    """

    def __init__(self, key: str, content: Content, *, size: int | None = None, sha256: str | None = None) -> None:
        self.whole = _whole(content)
        """The content, if it is not in pieces."""
        if self.whole is None and size is None:
            msg = f"The content of {key!r} is in pieces, and how many bytes it has is not said"
            raise ConfigurationError(msg, fix="Give the size to put()", key=key)
        self._pieces: Iterable[bytes] = (self.whole,) if self.whole is not None else cast("Iterable[bytes]", content)
        self._key = key
        self._wanted_size, self._wanted_sha256 = size, sha256.lower() if sha256 is not None else None
        self._digest = hashlib.sha256()
        self._known_sha256 = content.sha256 if isinstance(content, Digested) else None
        self.size = 0
        """Bytes that were read."""
        self.failure: Exception | None = None
        """What reading it has raised."""

    @property
    def announced(self) -> int:
        """How many bytes there will be."""
        return self._wanted_size if self._wanted_size is not None else len(self.whole or b"")

    @property
    def announced_sha256(self) -> str | None:
        """The digest that it will have, if that is known."""
        return self._wanted_sha256

    @property
    def sha256(self) -> str:
        """The digest of what was read, in hexadecimal."""
        return self._digest.hexdigest() if self._known_sha256 is None else self._known_sha256

    def __iter__(self) -> Iterator[bytes]:
        """Yield the pieces, and in the end compare; only the first time.

        Raises:
            StorageIntegrityError: It has more bytes than announced, when that shows, or fewer, or another digest.
        """
        for piece in self._read():
            if self._known_sha256 is None:
                self._digest.update(piece)
            self.size += len(piece)
            if self._wanted_size is not None and self.size > self._wanted_size:
                self._refuse(f"It has {self.size} bytes or more, and {self._wanted_size} were announced")
            yield piece
        if self._wanted_size is not None and self.size != self._wanted_size:
            self._refuse(f"It has {self.size} bytes, and {self._wanted_size} were announced")
        if self._wanted_sha256 is not None and self.sha256 != self._wanted_sha256:
            self._refuse(f"Its SHA-256 is {self.sha256}, and {self._wanted_sha256} was announced")

    def _read(self) -> Iterator[bytes]:
        try:
            yield from self._pieces
        except Exception as error:
            self.failure = error
            raise

    def read_instead(self, pieces: Iterable[bytes]) -> None:
        """Read these pieces, which have to be what the content is; for storages that link files."""
        if self.whole is not None:
            self._wanted_size = len(self.whole) if self._wanted_size is None else self._wanted_size
            self._wanted_sha256 = self._wanted_sha256 or self._known_sha256 or hashlib.sha256(self.whole).hexdigest()
        self._pieces, self._known_sha256 = pieces, None

    def drain(self) -> None:
        """Read it to its end, only to know size and digest. Raises as iterating does."""
        for _ in self:
            pass

    def join(self) -> bytes:
        """Return it in one piece. Raises as iterating does."""
        pieces = [*self]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _refuse(self, why: str) -> None:
        msg = f"The content of {self._key!r} is not what was announced; nothing was stored"
        raise StorageIntegrityError(msg, why=why, fix="See whether its source has changed meanwhile", key=self._key)


def _whole(content: Content) -> bytes | None:
    if isinstance(content, Digested):
        return content.whole
    return bytes(content) if isinstance(content, (bytes, bytearray, memoryview)) else None


def is_of_content(error: BaseException, meter: Meter | None) -> bool:
    """Whether an error comes from reading the content, and so says nothing about the storage."""
    return meter is not None and error is meter.failure


def span(size: int, start: int, end: int | None) -> tuple[int, int]:
    """Return the first byte of a range and the one after its last, within an object of a size.

    Raises:
        ConfigurationError: One of them is negative.

    Example:
        >>> span(10, 4, None), span(10, 4, 99), span(10, 50, None)
        ((4, 10), (4, 10), (10, 10))
    """
    if start < 0 or (end is not None and end < 0):
        msg = f"A range from {start} to {end} is not one of bytes"
        raise ConfigurationError(msg, fix="Count from 0")
    last = size if end is None else min(end, size)
    return min(start, last), last
