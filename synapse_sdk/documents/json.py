"""From JSON text to JSON data, with everything refused that other readers take in two ways."""

import json
import re
from json import JSONDecodeError

from synapse_sdk.documents.limits import (
    LONE_SURROGATE,
    MAX_BYTES,
    MAX_DEPTH,
    check_text,
    place,
    refusal,
    too_deep,
    unfit_number,
)
from synapse_sdk.types import JsonValue

__all__ = ["parse_json"]

TOKEN = re.compile(
    r"""(?P<text>"[^"\\]*(?:\\.[^"\\]*)*")(?P<colon>\s*:)?   # a key has a colon behind it
      | (?P<open>[\[{]) | (?P<close>[\]}])
      | (?P<number>-?(?:\d[-+.\deE]*|NaN|Infinity))""",
    re.VERBOSE,
)
LONG_NUMBER = 25
"""Digits from which on a whole number is not worth converting: it is refused anyway."""


def parse_json(text: str, origin: str, *, max_bytes: int = MAX_BYTES) -> JsonValue:
    """Read a JSON document (RFC 8259).

    Args:
        text: The document.
        origin: Names it in errors, such as its path.
        max_bytes: Size that it may have, in bytes of UTF-8.

    Raises:
        InvalidDocumentError: It is not JSON, is too large or too deep, repeats a key, or holds NaN, Infinity, a whole
            number of more than 64 bits or half of a surrogate pair.

    Example:
        >>> parse_json('{"width": 800}', "--params")
        {'width': 800}
    """
    check_text(text, origin, max_bytes)
    try:
        data: JsonValue = json.loads(text, parse_int=lambda digits: 0 if len(digits) > LONG_NUMBER else int(digits))
    except JSONDecodeError as error:
        fix = "Write JSON: text in double quotes, no comma behind the last item, no comments"
        raise refusal(origin, error.msg, fix, line=error.lineno, column=error.colno) from error
    except RecursionError as error:
        raise too_deep(origin) from error
    _check(text, origin)
    return data


def _check(text: str, origin: str) -> None:
    """Go through the tokens of valid JSON, where every finding has a place."""
    keys: list[set[str]] = []
    for token in TOKEN.finditer(text):
        if token["open"]:
            keys.append(set())
            if len(keys) > MAX_DEPTH:
                raise too_deep(origin, **place(text, token.start()))
        elif token["close"]:
            keys.pop()
        else:
            problem = _number_problem(token["number"]) if token["number"] else _text_problem(token, keys)
            if problem is not None:
                why, fix = problem
                raise refusal(origin, why, fix, **place(text, token.start()))


def _number_problem(shown: str) -> tuple[str, str] | None:
    is_whole = shown.removeprefix("-").isdigit()
    why = unfit_number(int(shown[:LONG_NUMBER]) if is_whole else float(shown), shown)
    return None if why is None else (why, "Leave it out, write null, or put it in quotes")


def _text_problem(token: re.Match[str], keys: list[set[str]]) -> tuple[str, str] | None:
    """Look at a text, and if it is a key note that the innermost object has it."""
    text = json.loads(token["text"])
    half = LONE_SURROGATE.search(text)
    if half is not None:
        return f"a text holds \\u{ord(half[0]):04x}, half of a character", "Write both halves, or leave it out"
    if token["colon"] is not None:
        if text in keys[-1]:
            return f"key {text!r} appears twice", "Remove one of the two"
        keys[-1].add(text)
    return None
