#!/usr/bin/env python3
"""What reading a metadata sheet costs: 100,000 rows of 12 columns, ours beside the libraries that could be used bare.

    python -m bench.sheets [--quick]

Prints one JSON line a reader: seconds from the file to all rows (best of 5 rounds), processor time of all its
processes, and the peak of the resident memory of the process that asks and of the one that it starts. Each measurement
is a process of its own; a round measures every reader, so that load on the machine meets all alike. The workbook has
its strings in one table, as Excel writes them.
"""

import argparse
import csv
import datetime as dt
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.sax.saxutils import escape

import openpyxl

from bench.cost import own_peak

ROWS = 100_000
ROUNDS = 5
QUICK_ROUNDS = 1
COLUMNS = ["filename", "label", "score", "count", "ok", "taken_at", "site", "note", "lat", "code", "opt", "tags"]
LABELS = ["고양이", "café", "cafe\u0301", "dog", "car"]
EPOCH = dt.datetime(1899, 12, 30, tzinfo=dt.UTC)
NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
SHEET, STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"

type Cell = str | float | dt.datetime | None


def rows() -> Iterator[list[Cell]]:
    """Yield rows of every type that such tables have; the same each time."""
    chance = random.Random(1)  # noqa: S311  # nothing secret
    yield [*COLUMNS]
    for i in range(ROWS):
        taken = EPOCH + dt.timedelta(days=46_000, minutes=i)
        first: list[Cell] = [
            f"img_{i:06d}.jpg",
            LABELS[i % 5],
            chance.random(),
            chance.randrange(1000),
            i % 2 == 0,
            taken,
        ]
        note, latitude = f"note number {i} with some text", round(chance.uniform(-90, 90), 6)
        optional = None if i % 3 else "x"
        yield [*first, f"site-{i % 37}", note, latitude, f"{i:08d}", optional, f"tag{i % 11}|tag{i % 7}"]


def write_workbook(path: Path) -> None:
    """Write the rows as a workbook, in the frame of one that openpyxl writes."""
    frame = path.with_name("frame.xlsx")
    book = openpyxl.Workbook()
    book.worksheets[0].cell(1, 1, dt.datetime(2026, 1, 1, 1)).number_format = "yyyy-mm-dd hh:mm"  # noqa: DTZ001  # as Excel
    book.save(frame)
    strings: dict[str, int] = {}
    lines = []
    for number, row in enumerate(rows(), start=1):
        cells = "".join(cell(f"{chr(65 + i)}{number}", value, strings) for i, value in enumerate(row))
        lines.append(f'<row r="{number}">{cells}</row>')
    table = "".join(f"<si><t>{escape(text)}</t></si>" for text in strings)
    with zipfile.ZipFile(frame) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        parts = {name: source.read(name).decode() for name in source.namelist()}
        parts[SHEET] = f"<worksheet {NAMESPACE}><sheetData>{''.join(lines)}</sheetData></worksheet>"
        if STRINGS not in parts:
            types, relations = "[Content_Types].xml", "xl/_rels/workbook.xml.rels"
            override = f'<Override PartName="/{STRINGS}" ContentType="{TYPE}"/></Types>'
            relation = f'<Relationship Id="strings" Type="{RELATION}" Target="/{STRINGS}"/></Relationships>'
            parts[types] = parts[types].replace("</Types>", override)
            parts[relations] = parts[relations].replace("</Relationships>", relation)
        parts[STRINGS] = f'<sst {NAMESPACE} count="{len(strings)}" uniqueCount="{len(strings)}">{table}</sst>'
        for name, content in parts.items():
            target.writestr(name, content)


def cell(reference: str, value: Cell, strings: dict[str, int]) -> str:
    """Return a cell as Excel writes it."""
    match value:
        case None:
            return ""
        case bool():
            return f'<c r="{reference}" t="b"><v>{int(value)}</v></c>'
        case str():
            return f'<c r="{reference}" t="s"><v>{strings.setdefault(value, len(strings))}</v></c>'
        case dt.datetime():
            return f'<c r="{reference}" s="1"><v>{(value - EPOCH) / dt.timedelta(days=1)!r}</v></c>'
        case _:
            return f'<c r="{reference}"><v>{value!r}</v></c>'


def write_csv(path: Path) -> None:
    """Write the rows as CSV."""
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file).writerows(rows())


def ours(path: str) -> int:
    """Read with this package."""
    from synapse_sdk.documents.sheets import read_sheet  # noqa: PLC0415  # measured

    with read_sheet(path) as sheet:
        return sum(1 for row in sheet if row.values)


def bare_calamine(path: str) -> int:
    """Read with python-calamine in this very process."""
    from python_calamine import CalamineWorkbook  # noqa: PLC0415  # measured

    return sum(1 for _ in CalamineWorkbook.from_path(path).get_sheet_by_index(0).iter_rows()) - 1


def bare_openpyxl(path: str) -> int:
    """Read with openpyxl in its read-only mode, without believing the stated dimension."""
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    sheet = book.worksheets[0]
    sheet.reset_dimensions()
    return sum(1 for _ in sheet.iter_rows(values_only=True)) - 1


def bare_csv(path: str) -> int:
    """Read with the standard library."""
    with Path(path).open(newline="", encoding="utf-8-sig") as file:
        return sum(1 for _ in csv.DictReader(file))


READERS: dict[str, tuple[Callable[[str], int], str]] = {
    "ours, .xlsx": (ours, "meta.xlsx"),
    "python-calamine, in the same process": (bare_calamine, "meta.xlsx"),
    "openpyxl, read-only": (bare_openpyxl, "meta.xlsx"),
    "ours, .csv": (ours, "meta.csv"),
    "csv.DictReader": (bare_csv, "meta.csv"),
}


def measure_here(name: str, folder: str) -> None:
    """Read once in this process, and print what it cost."""
    read, file = READERS[name]
    begin = time.perf_counter()
    assert read(str(Path(folder) / file)) == ROWS
    seconds = time.perf_counter() - begin
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    unit = 1024 if sys.platform == "linux" else 1024 * 1024
    cpu = sum(usage.ru_utime + usage.ru_stime for usage in (own, children))
    peaks = {"own": own_peak(own.ru_maxrss / unit), "child": children.ru_maxrss / unit}
    print(json.dumps({"seconds": seconds, "cpu": cpu, **peaks}))


def main() -> None:
    """Measure every reader in each round, and print the best."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} round")
    parser.add_argument("--one", nargs=2, metavar=("READER", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        measure_here(*arguments.one)
        return
    found: dict[str, list[dict[str, float]]] = {name: [] for name in READERS}
    with tempfile.TemporaryDirectory() as folder:
        write_workbook(Path(folder) / "meta.xlsx")
        write_csv(Path(folder) / "meta.csv")
        for _ in range(QUICK_ROUNDS if arguments.quick else ROUNDS):
            for name, results in found.items():
                command = [sys.executable, "-m", "bench.sheets", "--one", name, folder]
                ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                results.append(json.loads(ran.stdout))
    for name, results in found.items():
        best = {key: min(result[key] for result in results) for key in results[0]}
        line = {"reader": name, "rows": ROWS, "s": round(best["seconds"], 2), "CPU s": round(best["cpu"], 2)}
        print(json.dumps({**line, "peak MB": round(best["own"]), "child's peak MB": round(best["child"]) or None}))


if __name__ == "__main__":
    main()
