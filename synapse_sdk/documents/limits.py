"""What no document may exceed, whatever its format, and the error that says so."""

import math
import re

from synapse_sdk.errors import InvalidDocumentError

__all__ = [
    "LONE_SURROGATE",
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_NODES",
    "check_text",
    "place",
    "refusal",
    "too_deep",
    "too_large",
    "unfit_number",
]

MAX_BYTES = 1024 * 1024
"""Size of a document, in bytes of UTF-8."""
MAX_DEPTH = 64
"""Lists and mappings within one another."""
MAX_NODES = 100_000
"""Values of a YAML document once every alias stands for what it repeats."""
MIN_INTEGER, MAX_INTEGER = -(2**63), 2**64 - 1

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half of a character, which no file or database can hold."""


def refusal(
    origin: str, why: str, fix: str, *, line: int | None = None, column: int | None = None
) -> InvalidDocumentError:
    """Return the error that says what is wrong with a document.

    Args:
        origin: Names the document, such as its path.
        why: What was found.
        fix: The way out.
        line: Line at which it was found, from 1.
        column: Column at which it was found, from 1.
    """
    why = why[:1].upper() + why[1:]
    if line is None:
        return InvalidDocumentError(f"Cannot read {origin!r}", why=why, fix=fix, document=origin)
    at = f"line {line}" if column is None else f"line {line}, column {column}"
    message = f"Cannot read {origin!r} ({at})"
    return InvalidDocumentError(message, why=why, fix=fix, document=origin, line=line, column=column)


def place(text: str, offset: int) -> dict[str, int]:
    """Return line and column, from 1, of an offset in a text, as arguments for `refusal`."""
    before = text[:offset]
    return {"line": before.count("\n") + 1, "column": offset - before.rfind("\n")}


def check_text(text: str, origin: str, max_bytes: int = MAX_BYTES) -> None:
    """Refuse a text that is too large or not text.

    Args:
        text: The document.
        origin: Names it, such as its path.
        max_bytes: Size that it may have, in bytes of UTF-8.

    Raises:
        InvalidDocumentError: It is.
    """
    half = LONE_SURROGATE.search(text)
    if half is not None:
        why = f"it holds U+{ord(half[0]):04X}, half of a character"
        raise refusal(origin, why, "Save it as UTF-8", **place(text, half.start()))
    size = len(text.encode())
    if size > max_bytes:
        raise too_large(origin, f"{size:,}", max_bytes)


def too_large(origin: str, size: str, max_bytes: int = MAX_BYTES) -> InvalidDocumentError:
    """Return the error for a document of this many bytes."""
    why = f"it has {size} bytes, and a document may have {max_bytes:,}"
    return refusal(origin, why, "Make it smaller, or name large data in it by path")


def too_deep(origin: str, **at: int) -> InvalidDocumentError:
    """Return the error for a document that is nested too deeply."""
    why = f"lists and mappings are nested more than {MAX_DEPTH} levels deep"
    return refusal(origin, why, "Make it flatter", **at)


def unfit_number(number: float, shown: str) -> str | None:
    """Say why JSON or a database could not hold a number, if so; `shown` is how the document writes it."""
    if isinstance(number, float) and not math.isfinite(number):
        return f"{shown:.40} is not a finite number"
    if isinstance(number, int) and not MIN_INTEGER <= number <= MAX_INTEGER:
        return f"the whole number {shown:.20}... has more than 64 bits"
    return None
