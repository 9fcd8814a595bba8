"""Finding which row of a sheet belongs to which file: by whole names, never by parts of them, and never by guessing."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from unicodedata import normalize

from synapse_sdk.documents.sheets.sheet import SheetRow

__all__ = ["AmbiguousMatch", "MatchReport", "SheetIndex"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AmbiguousMatch:
    """Rows and files of which nobody can say which belong together; none of them is matched."""

    rows: tuple[SheetRow, ...]
    """One row or more."""
    names: tuple[str, ...]
    """One file or more, as they were given."""

    @property
    def text(self) -> str:
        """The problem as a sentence."""
        rows = ", ".join(f"row {row.number:,} ({row.file_name!r})" for row in self.rows[:5])
        names = ", ".join(repr(name) for name in self.names[:5])
        return f"It is not clear which belong together: {rows}; {names}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchReport:
    """Which row belongs to which file. Every row and every file is in exactly one of the four."""

    matched: dict[str, SheetRow] = field(default_factory=dict)
    """File, as it was given, to its row."""
    unmatched_rows: tuple[SheetRow, ...] = ()
    """Rows whose file is not there."""
    unmatched_names: tuple[str, ...] = ()
    """Files of which the sheet does not speak."""
    ambiguous: tuple[AmbiguousMatch, ...] = ()
    """Two rows for one file, or two files for one row, with all that hangs together through them."""


class SheetIndex:
    """The rows of a sheet by what they call their files.

    A row belongs to a file when its file name is the file's path, or the end of it from a folder on, with or without
    the file's ending: `cats/1.jpg`, `1.jpg`, `cats/1` and `1` all mean `photos/cats/1.jpg`, and `1.jpg` never means
    `21.jpg`. The most telling way wins: a whole path before the end of one, a name with its ending before one without.
    Names are compared in Unicode form NFC, with `/` for a backslash, and with regard to case.

    Args:
        rows: The rows, which are kept.

    Example:
        >>> from synapse_sdk.documents.sheets import SheetIndex, SheetRow
        >>> row = SheetRow(number=2, file_name="1.jpg", values={"label": "cat"})
        >>> report = SheetIndex([row]).match(["photos/1.jpg", "photos/21.jpg"])
        >>> list(report.matched), report.unmatched_names
        (['photos/1.jpg'], ('photos/21.jpg',))
    """

    def __init__(self, rows: Iterable[SheetRow]) -> None:
        self._rows = list(rows)
        self._by_key: dict[str, list[int]] = {}
        for position, row in enumerate(self._rows):
            self._by_key.setdefault(_key(row.file_name), []).append(position)

    def match(self, names: Iterable[str], *, group: Callable[[str], Hashable] | None = None) -> MatchReport:
        """Match the rows to files; the cost grows with the number of rows plus that of files.

        Args:
            names: Paths of files, relative to whatever the sheet's author had in mind. One that is given twice counts
                once.
            group: Says which files belong together, such as those of one data unit: a row may mean several files if
                they are of one group. By default each file stands alone.
        """
        names = list(dict.fromkeys(names))
        names_of = self._candidates(names)
        matched: dict[str, SheetRow] = {}
        ambiguous: list[AmbiguousMatch] = []
        used: set[int] = set()
        for keys, found in _connected(names_of):
            used.update(found)
            rows = tuple(self._rows[row] for row in sorted(row for key in keys for row in self._by_key[key]))
            paths = tuple(names[name] for name in sorted(found))
            is_one = len(paths) == 1 or (group is not None and len({group(path) for path in paths}) == 1)
            if len(rows) == 1 and is_one:
                matched.update(dict.fromkeys(paths, rows[0]))
            else:
                ambiguous.append(AmbiguousMatch(rows=rows, names=paths))
        return MatchReport(
            matched=matched,
            unmatched_rows=tuple(row for row in self._rows if _key(row.file_name) not in names_of),
            unmatched_names=tuple(name for position, name in enumerate(names) if position not in used),
            ambiguous=tuple(ambiguous),
        )

    def _candidates(self, names: list[str]) -> dict[str, list[int]]:
        """Return for each key of rows the positions of the names that it means in the most telling way, if any.

        By key and not by row: a thousand rows of one name and a thousand files of that name are not a million pairs.
        """
        best: dict[str, tuple[int, list[int]]] = {}
        for name, path in enumerate(names):
            for rank, key in _ways(_key(path)):
                if key not in self._by_key:
                    continue
                known = best.get(key)
                if known is None or rank < known[0]:
                    best[key] = (rank, [name])
                elif rank == known[0]:
                    known[1].append(name)
        return {key: found for key, (_, found) in best.items()}


def _key(name: str) -> str:
    """Return a name as it is compared."""
    return normalize("NFC", name).replace("\\", "/").removeprefix("./")


def _ways(path: str) -> Iterator[tuple[int, str]]:
    """Yield all ways to name a path, the most telling first, with their rank."""
    folder, _, name = path.rpartition("/")
    stem, dot, _ = name.rpartition(".")
    yield 0, path
    for end in _ends(path):
        yield 1, end
    if dot and stem:
        short = f"{folder}/{stem}" if folder else stem
        yield 2, short
        for end in _ends(short):
            yield 3, end


def _ends(path: str) -> Iterator[str]:
    """Yield what is left of a path when one folder after another is taken off its beginning."""
    _, slash, rest = path.partition("/")
    while slash:
        yield rest
        _, slash, rest = rest.partition("/")


def _connected(names_of: dict[str, list[int]]) -> Iterator[tuple[list[str], list[int]]]:
    """Yield the keys and names that hang together."""
    keys_of: dict[int, list[str]] = {}
    for key, names in names_of.items():
        for name in names:
            keys_of.setdefault(name, []).append(key)
    left = set(names_of)
    for first in names_of:
        waiting = [first] if first in left else []
        keys: list[str] = []
        found: list[int] = []
        left.difference_update(waiting)
        while waiting:
            keys.append(waiting.pop())
            news = [name for name in names_of[keys[-1]] if name in keys_of]
            more = {key for name in news for key in keys_of.pop(name)} & left
            left -= more
            found += news
            waiting += more
        if keys:
            yield keys, found
