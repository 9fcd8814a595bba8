"""Looking through an .xls file for cells that show an error, which its reader gives back as blank."""

import struct
from collections.abc import Iterator

from synapse_sdk.documents.sheets.inspection import MOST_LISTED, Findings, column_letters

__all__ = ["inspect_legacy"]

END_OF_CHAIN = 0xFFFFFFFA
"""From here on a number of a sector is none."""
HEADER_SECTORS = 109
ENTRY = 128
ROOT, STREAM = 5, 2
NAMES = ("workbook", "book")
BOF, EOF, BOUNDSHEET, FORMULA, BOOLERR, FORMULA_OLD = 0x0809, 0x000A, 0x0085, 0x0006, 0x0205, 0x0406
RECORD = struct.Struct("<HH")
CELL = struct.Struct("<HH")
BOOLERR_SIZE, FORMULA_SIZE = 8, 14
ERROR_RESULT = 2
ERRORS = {0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A"}


def inspect_legacy(data: bytes) -> list[Findings | None]:
    """Return what is remarkable about each worksheet, in the order of the workbook; empty if that cannot be found."""
    try:
        stream = _workbook(data)
        begins = [struct.unpack_from("<L", record)[0] for kind, record in _records(stream, 0) if kind == BOUNDSHEET]
        return [_inspect(stream, begin) for begin in begins]
    except (struct.error, LookupError, ValueError):
        return []


def _inspect(stream: bytes, begin: int) -> Findings:
    findings = Findings()
    for kind, record in _records(stream, begin):
        code = None
        if kind == BOOLERR and len(record) >= BOOLERR_SIZE and record[7]:
            code = record[6]
        elif kind in {FORMULA, FORMULA_OLD} and len(record) >= FORMULA_SIZE and record[12:14] == b"\xff\xff":
            code = record[8] if record[6] == ERROR_RESULT else None
        if code is not None:
            row, column = CELL.unpack_from(record)
            findings.error_count += 1
            if len(findings.errors) < MOST_LISTED:
                findings.errors.append((column_letters(column + 1), row + 1, ERRORS.get(code, "")))
    return findings


def _records(stream: bytes, position: int) -> Iterator[tuple[int, bytes]]:
    """Yield the records from one beginning to its end, what is embedded in between included."""
    depth = 0
    while True:
        kind, size = RECORD.unpack_from(stream, position)
        position += RECORD.size
        yield kind, stream[position : position + size]
        position += size
        depth += (kind == BOF) - (kind == EOF)
        if depth <= 0:
            return


def _workbook(data: bytes) -> bytes:
    """Return the stream with the workbook out of a compound file [MS-CFB]."""
    sector = 1 << struct.unpack_from("<H", data, 30)[0]
    cutoff, mini_first = struct.unpack_from("<LL", data, 56)
    table = _table(data, sector)
    directory = _chain(data, table, struct.unpack_from("<L", data, 48)[0], sector, sector)
    entries = [directory[at : at + ENTRY] for at in range(0, len(directory), ENTRY)]
    root = next(entry for entry in entries if entry[66] == ROOT)
    for entry in entries:
        name = entry[: max(0, struct.unpack_from("<H", entry, 64)[0] - 2)].decode("utf-16-le", "replace")
        if entry[66] != STREAM or name.lower() not in NAMES:
            continue
        begin, size = struct.unpack_from("<LL", entry, 116)
        if size >= cutoff:
            return _chain(data, table, begin, sector, sector)[:size]
        small = _chain(data, table, struct.unpack_from("<L", root, 116)[0], sector, sector)
        mini = _numbers(_chain(data, table, mini_first, sector, sector))
        return _chain(small, mini, begin, 64, 0)[:size]
    raise LookupError(NAMES)


def _table(data: bytes, sector: int) -> list[int]:
    """Return which sector follows which."""
    numbers = list(struct.unpack_from(f"<{HEADER_SECTORS}L", data, 76))
    following, left = struct.unpack_from("<LL", data, 68)
    while following < END_OF_CHAIN and left:
        *more, following = _numbers(data[sector * (following + 1) : sector * (following + 2)])
        numbers += more
        left -= 1
    parts = (data[sector * (number + 1) : sector * (number + 2)] for number in numbers if number < END_OF_CHAIN)
    return _numbers(b"".join(parts))


def _chain(data: bytes, table: list[int], number: int, size: int, offset: int) -> bytes:
    """Return the sectors that follow upon one another from one on."""
    parts: list[bytes] = []
    while number < END_OF_CHAIN:
        if len(parts) > len(table):
            raise ValueError(number)
        parts.append(data[offset + number * size : offset + (number + 1) * size])
        number = table[number]
    return b"".join(parts)


def _numbers(data: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(data) // 4}L", data[: len(data) // 4 * 4]))
