"""Writing reports: whole or not at all, and as tables that no spreadsheet takes for formulas."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

__all__ = ["part_of", "write_lists", "write_report", "write_table", "written_aside"]

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula to a spreadsheet, which a file's name must not become."""

_quoted = json.JSONEncoder(ensure_ascii=False).encode


@contextmanager
def written_aside(path: Path) -> Iterator[TextIO]:
    """Give a file to write into that gets its name, replacing what had it, when the block ends well."""
    part = part_of(path)
    with part.open("w", encoding="utf-8", newline="") as file:
        yield file
    part.replace(path)


def write_report(folder: str, report: Mapping[str, Any]) -> Path:
    """Write `report.json` into a folder, which is made if it is missing, and return where it is.

    Raises:
        OSError: It cannot be written.
    """
    path = Path(folder, "report.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_aside(path) as file:
        file.write(json.dumps(report, ensure_ascii=False, indent=2) + "\n")
    return path


def part_of(path: Path) -> Path:
    """Return what a file is called until it is whole."""
    return path.with_name(f".{path.name}.part")


def write_table(file: TextIO, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write rows as CSV (RFC 4180, with line feeds alone)."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in row] for row in rows)


def write_lists(
    path: Path, head: dict[str, Any], lists: Mapping[str, Iterable[Any]], *, even_if_empty: bool = False
) -> bool:
    """Write a JSON object whose lists may be longer than fits into memory; return whether there is anything in it."""
    begun = {name: iter(items) for name, items in lists.items()}
    firsts = {name: list(islice(items, 1)) for name, items in begun.items()}
    if not even_if_empty and not any(firsts.values()):
        return False
    with written_aside(path) as file:
        text = json.dumps(head, ensure_ascii=False, indent=2, allow_nan=False).removesuffix("}").rstrip()
        file.write(text)
        for number, name in enumerate(lists):
            file.write("," if head or number else "")
            _write_list(file, name, chain(firsts[name], begun[name]))
        file.write("\n}\n")
    return True


def _write_list(file: TextIO, name: str, items: Iterable[Any]) -> None:
    file.write(f"\n  {_quoted(name)}: [")
    separator = "\n    "
    for item in items:
        file.write(separator + _quoted(item))
        separator = ",\n    "
    file.write("\n  ]" if separator.startswith(",") else "]")
