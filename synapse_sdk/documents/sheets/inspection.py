"""Looking through the parts of an .xlsx file for what its reader does not tell: errors, lost formulas, stray cells."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from itertools import chain
from posixpath import join, normpath

from synapse_sdk.documents.sheets.parts import WORKBOOK, Parts

__all__ = ["MOST_LISTED", "Findings", "column_letters", "column_number", "inspect_parts"]

MOST_LISTED = 100
MOST_KEPT = 1024 * 1024
"""Bytes without the end of a cell that are kept in case it comes."""
RELATIONS = "xl/_rels/workbook.xml.rels"
SHEET = re.compile(r"<(?:\w+:)?sheet\s[^>]*>")
RELATION = re.compile(r"<(?:\w+:)?Relationship\s[^>]*>")
ATTRIBUTE = re.compile(r"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")

FAR = re.compile(
    rb"""r="([A-Z]{2,3}\d{1,7}|[A-Z]\d{6,7})"(?:[^>]*[^/>])?>"""
)  # begins with bytes that few places have: fast
"""A cell that holds something, beyond column Z or row 99,999."""
FAR_QUOTED = re.compile(FAR.pattern.replace(b'"', b"'"))
ERROR = re.compile(
    rb"""<(?:\w+:)?c\s[^>]*?\bt=["']e["'][^>]*>"""
    rb"""(?:<(?:\w+:)?f\b[^<]*(?:</(?:\w+:)?f>)?)?(?:<(?:\w+:)?v>([^<]*))?"""
)
"""A cell that shows an error, with its text."""
LOST = re.compile(
    rb"""<(?:\w+:)?c\b([^>]*)>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*[^/>]?>[^<]*</(?:\w+:)?f>)\s*"""
    rb"""(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"""
)
"""A cell with a formula and without a value."""
REFERENCE = re.compile(rb"""\sr=["']([A-Z]{1,3})(\d{1,7})["']""")
CELL_END = re.compile(rb"</(?:\w+:)?c>")


@dataclass(slots=True)
class Findings:
    """What is remarkable about one worksheet."""

    errors: list[tuple[str, int, str]] = field(default_factory=list)
    """Column letters, row and text of cells that show an error; the first hundred."""
    error_count: int = 0
    lost: list[tuple[str, int]] = field(default_factory=list)
    """Column letters and row of formulas whose value is not in the file; the first hundred."""
    lost_count: int = 0
    last_row: int = 99_999
    """No cell with a value is below it; not exact where it is small."""
    last_column: int = 26
    """No cell with a value is to the right of it; not exact where it is small."""


def inspect_parts(parts: Parts) -> list[Findings | None]:
    """Unpack every part once, which proves that they are sound and within the cap.

    Returns:
        What is remarkable about each worksheet, in the order of the workbook; None for one that was not found.

    Raises:
        InvalidSheetError: They are not.
    """
    found: dict[str, Findings] = {}
    texts = {WORKBOOK: "", RELATIONS: ""}
    for name, info in parts.infos.items():
        blocks = parts.blocks(info)
        if name.lower() in texts:
            texts[name.lower()] = b"".join(blocks).decode("utf-8", "replace")
        elif name.lower().startswith("xl/worksheets/") and name.lower().endswith(".xml"):
            found[name.lower()] = inspect_worksheet(blocks)
        else:
            for _ in blocks:
                pass
    return [found.get(target) for target in _targets(texts[WORKBOOK], texts[RELATIONS])]


def inspect_worksheet(blocks: Iterator[bytes]) -> Findings:
    """Look through one worksheet, a block at a time, cut at the ends of cells."""
    findings = Findings()
    kept = b""
    for block in blocks:
        text = kept + block
        end = max((found.end() for found in CELL_END.finditer(text, max(0, len(text) - 4096))), default=0)
        if not end and len(text) > MOST_KEPT:
            end = len(text)
        _look(text[:end], findings)
        kept = text[end:]
    _look(kept, findings)
    return findings


def _look(text: bytes, findings: Findings) -> None:
    far = chain(FAR.finditer(text), FAR_QUOTED.finditer(text) if b"r='" in text else ())
    for found in far:
        letters = found[1].rstrip(b"0123456789")
        findings.last_column = max(findings.last_column, column_number(letters.decode()))
        findings.last_row = max(findings.last_row, int(found[1][len(letters) :]))
    if b'"e"' in text or b"'e'" in text:
        for found in ERROR.finditer(text):
            findings.error_count += 1
            if len(findings.errors) < MOST_LISTED:
                shown = (found[1] or b"").decode("utf-8", "replace")[:20]
                findings.errors.append((*_place(found[0]), shown))
    if b"<f" in text or b":f" in text:
        for found in LOST.finditer(text):
            if b't="str"' in found[1]:  # a formula whose value is the empty text
                continue
            findings.lost_count += 1
            if len(findings.lost) < MOST_LISTED:
                findings.lost.append(_place(found[0]))


def _place(cell: bytes) -> tuple[str, int]:
    found = REFERENCE.search(cell)
    return (found[1].decode(), int(found[2])) if found else ("?", 0)


def column_number(letters: str) -> int:
    """Return the number of a column, from 1, by its letters.

    Example:
        >>> column_number("AB")
        28
    """
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def column_letters(number: int) -> str:
    """Return the letters of a column by its number, from 1.

    Example:
        >>> column_letters(28)
        'AB'
    """
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _targets(workbook: str, relations: str) -> list[str]:
    """Return the name of each worksheet's part, in the order of the workbook."""
    by_id = {}
    for found in RELATION.finditer(relations):
        relation = _attributes(found[0])
        by_id[relation.get("Id", "")] = relation.get("Target", "")
    ids = [_attributes(found[0]) for found in SHEET.finditer(workbook)]
    targets = (by_id.get(next((v for k, v in sheet.items() if k.endswith(":id")), ""), "") for sheet in ids)
    return [normpath(join("/xl", target)).lstrip("/").lower() for target in targets]


def _attributes(tag: str) -> dict[str, str]:
    return {found[1]: unescape(found[2] if found[2] is not None else found[3]) for found in ATTRIBUTE.finditer(tag)}
