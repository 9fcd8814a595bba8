"""From TOML text to JSON data."""

import re
from datetime import date, time
from typing import Any

from synapse_sdk.documents.limits import MAX_DEPTH, check_text, place, refusal, too_deep, unfit_number
from synapse_sdk.types import JsonValue

__all__ = ["parse_toml"]

TOKEN = re.compile(r"""(?P<key>"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[\w-]+)|(?P<dot>\.)|[ \t]+|(?P<other>.)""", re.DOTALL)
FINDING_PLACE = re.compile(r" \(at line (?P<line>\d+), column (?P<column>\d+)\)$")


def parse_toml(text: str, origin: str) -> JsonValue:
    r"""Read a TOML document; dates and times become text (ISO 8601).

    Args:
        text: The document.
        origin: Names it in errors, such as its path.

    Raises:
        InvalidDocumentError: It is not TOML, is too large or too deep, or holds NaN, an infinite number or a whole
            number of more than 64 bits.

    Example:
        >>> parse_toml("[retry]\nattempts = 3", "synapse.toml")
        {'retry': {'attempts': 3}}
    """
    import tomllib  # noqa: PLC0415  # costs 20 ms that most runs do not need

    check_text(text, origin)
    _check_key_length(text, origin)
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = FINDING_PLACE.search(str(error))
        at = {name: int(number) for name, number in found.groupdict().items()} if found else {}
        raise refusal(origin, FINDING_PLACE.sub("", str(error)), "Correct the document", **at) from error
    except RecursionError as error:
        raise too_deep(origin) from error
    except ValueError as error:  # a whole number of thousands of digits
        raise refusal(origin, "a number has too many digits", "Put it in quotes") from error
    return _plain(table, origin, ())


def _check_key_length(text: str, origin: str) -> None:
    """Refuse keys such as `a.a.a.a` of thousands of parts, over which the reader would sit for minutes."""
    parts = 0
    if text.count(".") < MAX_DEPTH:
        return
    for token in TOKEN.finditer(text):
        if token["dot"]:
            parts += 1
            if parts > MAX_DEPTH:
                raise too_deep(origin, **place(text, token.start()))
        elif token["other"]:
            parts = 0


def _plain(value: Any, origin: str, path: tuple[str, ...]) -> JsonValue:  # noqa: ANN401  # what TOML can hold
    if len(path) > MAX_DEPTH:
        raise too_deep(origin)
    if isinstance(value, dict):
        return {key: _plain(item, origin, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, origin, (*path, str(index))) for index, item in enumerate(value)]
    if isinstance(value, date | time):  # a datetime is a date, too
        return value.isoformat()
    why = unfit_number(value, str(value)) if isinstance(value, int | float) else None
    if why is not None:
        raise refusal(origin, f"at {'.'.join(path)}, {why}", "Leave it out, or put it in quotes")
    plain: JsonValue = value
    return plain
