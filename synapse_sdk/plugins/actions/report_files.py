"""Writing reports: whole or not at all, and as tables that no spreadsheet takes for formulas."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

__all__ = ["part_of", "write_table", "written_aside"]

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula to a spreadsheet, which a file's name must not become."""


@contextmanager
def written_aside(path: Path) -> Iterator[TextIO]:
    """Give a file to write into that gets its name, replacing what had it, when the block ends well."""
    part = part_of(path)
    with part.open("w", encoding="utf-8", newline="") as file:
        yield file
    part.replace(path)


def part_of(path: Path) -> Path:
    """Return what a file is called until it is whole."""
    return path.with_name(f".{path.name}.part")


def write_table(file: TextIO, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write rows as CSV (RFC 4180, with line feeds alone)."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in row] for row in rows)
