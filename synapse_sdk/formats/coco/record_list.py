"""One list of a COCO file, cut into records that are not decoded yet."""

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

import msgspec
from msgspec import Raw, Struct

__all__ = ["BAD_JSON", "ListIndex", "RecordList", "tried"]

BAD_JSON = (ValueError, RecursionError)
"""What msgspec raises for JSON that is malformed, not of the type, not UTF-8, or too deep."""
BLOCK = 128 * 1024
"""Bytes of a list that are cut at a time, or as many as a longer record has."""
MOST_TRIES = 8
"""Ends of a block that are tried before a block of twice the size is."""
BETWEEN = re.compile(rb"[\s,]*")
"""What is between records, before the first, and behind the last."""
BOUNDARY = re.compile(rb"\}(?=\s*,\s*\{)")
"""Where a record ends, unless it is something within a record that does."""
NEXT = re.compile(rb"\}\s*,\s*(?=\{)")
"""What is before every object but the first of a list. If it is there as often as that, it is nowhere else."""

_cut = msgspec.json.Decoder(list[Raw]).decode


class ListIndex(Struct, frozen=True):
    """Where the records of a list are, for another process. All are numbers, as they are in memory."""

    size: int
    """Of the list, in bytes."""
    begins: memoryview
    ends: memoryview
    firsts: memoryview
    starts: memoryview


class RecordList:
    """The records of a list, numbered from 0 as soon as it is cut. They stay in the file until somebody asks for them.

    A record takes 4 bytes, however long it is. Blocks of the list are cut one after the other, so that cutting takes no
    more than a block does.

    Args:
        text: The list, as sound JSON.
        begin: Where the stretch of the list begins whose records are wanted, as a fraction.
        end: Where it ends.

    Raises:
        ValueError: It is no list.
    """

    def __init__(self, text: Raw | bytes | memoryview, begin: float = 0, end: float = 1) -> None:
        self._text = memoryview(text)
        self._stretch = (begin, end)
        self._begins, self._ends = array("Q"), array("Q")
        """Where each block begins and ends: with its first and its last record."""
        self._firsts = array("Q")
        """The number of the first record of each block."""
        self._starts = array("I")
        """Where each record starts in its block."""
        if self._text[0] != ord("["):
            msg = f"Expected a list of records, found {bytes(self._text[:20]).decode(errors='replace')}"
            raise ValueError(msg)

    def cut[T: Struct](self, kind: type[T]) -> Iterator[T | None]:
        """Find out where records are, and yield all of them meanwhile, see `decoded`.

        Raises:
            ValueError: The stretch begins or ends within a record. If no stretch before it ends within a record, it
                does not begin within one.
        """
        decoder = _Decoder(kind)
        begin, last = map(self._mark, self._stretch)
        begin = _next_start(self._text, begin)
        while begin < last:
            records = self._cut_block(begin, last, decoder)
            yield from records
            begin = _next_start(self._text, self._ends[-1])

    def stretch(self, begin: float, end: float) -> "RecordList":
        """Return the records in a stretch of the list, which are not cut yet."""
        return RecordList(self._text, begin, end)

    def take_over(self, index: ListIndex) -> None:
        """Add records that another process has found behind all others.

        Raises:
            ValueError: The list is not the one that the other process has seen.
        """
        if index.size != len(self._text):
            msg = f"It has {len(self._text):,} bytes, and had {index.size:,} a moment ago"
            raise ValueError(msg)
        self._begins.frombytes(index.begins)
        self._ends.frombytes(index.ends)
        self._firsts.extend(map(len(self).__add__, index.firsts.cast("Q")))
        self._starts.frombytes(index.starts)

    @property
    def index(self) -> ListIndex:
        """Where its records are."""
        places = self._begins, self._ends, self._firsts, self._starts
        return ListIndex(len(self._text), *(memoryview(each).cast("B") for each in places))

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self._starts)

    def __getitem__(self, number: int) -> bytes:
        """Return the JSON of a record."""
        return self._piece(self._block_of(number), number, number)

    def together(self, numbers: Sequence[int]) -> bytes:
        """Return the JSON of a list of records."""
        # Records that follow each other are in one piece already, unless a block ends between them.
        if isinstance(numbers, range) and numbers and numbers.step == 1:
            first, last = numbers[0], numbers[-1]
            if (block := self._block_of(first)) == self._block_of(last):
                return b"[%b]" % self._piece(block, first, last)
        return b"[%b]" % b",".join([self[number] for number in numbers])

    def _block_of(self, number: int) -> int:
        return bisect_right(self._firsts, number) - 1

    def _piece(self, block: int, first: int, last: int) -> bytes:
        """Return what is in the file from one record of a block up to another one."""
        begin, end = self._begins[block], self._ends[block]
        # The first record of the next block starts at 0, the next one in this block does not.
        if last + 1 < len(self._starts) and (following := self._starts[last + 1]) > self._starts[last]:
            end = begin + following
        return bytes(self._text[begin + self._starts[first] : end]).rstrip(b" \t\r\n,")

    def decoded[T](self, kind: type[T]) -> Iterator[T | None]:
        """Yield all records as one kind of struct; None for each that is not."""
        decoder = _Decoder(kind)
        for block, first in enumerate(self._firsts):
            try:
                yield from decoder.decode_all(_as_list(self._text, self._begins[block], self._ends[block]))
            except BAD_JSON:
                after = self._firsts[block + 1] if block + 1 < len(self._firsts) else len(self)
                for number in range(first, after):
                    yield tried(decoder.decode, self[number])

    def close(self) -> None:
        """Let go of the file; there are no records any more."""
        self._starts = array("I")
        self._text.release()

    def _mark(self, fraction: float) -> int:
        """Return where the records before a fraction of the list end, unless something within a record does there."""
        last = len(self._text) - 1
        if not 0 < fraction < 1:
            return last if fraction else 1
        found = BOUNDARY.search(self._text, int(fraction * last))
        return last if found is None else found.end()

    def _cut_block[T](self, begin: int, end: int, decoder: "_Decoder[T]") -> Sequence[T | None]:
        """Add the records from a place on, as many as are a block, and return them."""
        size = BLOCK
        while True:
            tried, found = 0, BOUNDARY.search(self._text, min(begin + size, end), end)
            while found is not None and tried < MOST_TRIES:
                with suppress(*BAD_JSON):
                    return self._add(begin, found.end(), decoder)
                tried, found = tried + 1, BOUNDARY.search(self._text, found.end(), end)
            if found is None:
                return self._add(begin, end, decoder)
            size *= 2

    def _add[T](self, begin: int, end: int, decoder: "_Decoder[T]") -> Sequence[T | None]:
        """Add the records between two places, and return them.

        Raises:
            ValueError: The second place is within a record. What is sound JSON once the list is closed ends where a
                record does.
        """
        text = _as_list(self._text, begin, end)
        records: Sequence[T | None]
        try:
            records = decoder.decode_all(text)
            starts = [0, *(each.end() - 1 for each in NEXT.finditer(text))]
        except BAD_JSON:
            records, starts = [], []
        if len(starts) != len(records) or not records:
            cut = _cut(text)
            records, starts = [tried(decoder.decode, each) for each in cut], [*_starts_of(cut, text)]
        self._begins.append(begin)
        self._ends.append(end)
        self._firsts.append(len(self._starts))
        self._starts.extend(starts)
        return records


class _Decoder[T]:
    """Decodes records as one kind of struct."""

    def __init__(self, kind: type[T]) -> None:
        self.decode: Callable[[bytes | Raw], T] = msgspec.json.Decoder(kind).decode
        self.decode_all: Callable[[bytes], list[T]] = msgspec.json.Decoder(list[kind]).decode  # type: ignore[valid-type]


def _starts_of(records: Sequence[Raw], text: bytes) -> Iterator[int]:
    """Yield where each record of a list starts, counted from the first one."""
    place = 0
    for record in records:
        yield place
        place = _next_start(text, 1 + place + len(record)) - 1


def _next_start(text: memoryview | bytes, end: int) -> int:
    return BETWEEN.match(text, end).end()  # type: ignore[union-attr]  # it matches nothing, too


def _as_list(text: memoryview, begin: int, end: int) -> bytes:
    return b"".join((b"[", text[begin:end], b"]"))


def tried[T](decode: Callable[[bytes | Raw], T], record: bytes | Raw) -> T | None:
    """Return what becomes of a record; None if it is not as it should be."""
    try:
        return decode(record)
    except BAD_JSON:
        return None
