"""How times, figures and other people's words are written for a person to read."""

import unicodedata
from collections.abc import Iterator

from synapse_sdk.reporting.events import Logged, LogLevel

__all__ = ["clean", "duration", "figure", "log_lines", "pace", "plural", "size"]

LONGEST_VALUE = 8_000
"""Characters of one logged value that are shown; the rest is counted."""
CONTINUATION = "  | "
"""Begins every line after the first of a text that has several, so that none can pass for a line of ours."""
LEVEL_WORDS = {LogLevel.INFO: "", LogLevel.DEBUG: "debug: ", LogLevel.SUCCESS: "success: "}


def clean(text: object) -> str:
    r"""Return the text with everything that could steer a terminal, or hide what it says, written out.

    Escaped are control characters, newlines, ANSI sequences, bidirectional marks and lone surrogates; letters of all
    scripts stay as they are.

    Example:
        >>> clean("ca\x1b[31mt.jpg")
        'ca\\x1b[31mt.jpg'
    """
    words = as_text(text)
    if words.isprintable():
        return words
    return "".join(
        char if char.isprintable() or unicodedata.category(char) == "Zs" else escaped(char) for char in words
    )


def escaped(char: str) -> str:
    """Return the character as Python would write it in a string."""
    return char.encode("unicode_escape").decode("ascii")


def as_text(value: object) -> str:
    """Return `str(value)`, or the type's name for an object that cannot say what it is."""
    try:
        return value if isinstance(value, str) else str(value)
    except Exception:  # noqa: BLE001  # a broken __str__ must not take the line with it
        return f"<{type(value).__name__}>"


def duration(seconds: float) -> str:
    """Return a time span in the two units that matter: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 9.95:  # noqa: PLR2004  # what would be shown as 10.0
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004  # seconds of a minute
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:  # noqa: PLR2004  # minutes of an hour
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def figure(value: float) -> str:
    """Return a number as briefly as is still true: `12`, `1,234`, `0.25`."""
    if isinstance(value, int) or value.is_integer():
        return f"{int(value):,}"
    return f"{value:,.2f}"


def pace(rate: float) -> str:
    """Return a rate (a second) in the unit in which it is a readable number: `120/s`, `2.1/s`, `4.0/min`."""
    if rate >= 100:  # noqa: PLR2004  # decimals say nothing any more
        return f"{rate:,.0f}/s"
    return f"{rate:.1f}/s" if rate >= 1 else f"{rate * 60:.1f}/min"


def size(count: float) -> str:
    """Return a number of bytes in the decimal unit in which it is a readable number (IEC 80000-13).

    Example:
        >>> size(0), size(999), size(12_345), size(6_442_450_944)
        ('0 B', '999 B', '12.3 kB', '6.44 GB')
    """
    if count < 1000:  # noqa: PLR2004  # below, there is nothing to shorten
        return f"{count:.0f} B"
    value = float(count)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.5:  # noqa: PLR2004  # what would be shown as 1000
            return f"{value:.3g} {unit}"
    return f"{value / 1000:.3g} PB"


def plural(count: int, noun: str) -> str:
    """Return `1 step`, `2 steps`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def log_lines(line: Logged, *, tracebacks: bool = False) -> Iterator[str]:
    """Yield a log line for people: its level unless it is `info`, the message or the event word, the particulars.

    Values of several lines follow on lines of their own that begin with `CONTINUATION`. A value named `traceback` is
    for those who debug.
    """
    level = LEVEL_WORDS.get(line.level, f"{line.level}: ")
    if line.event == "message" and "message" in line.data:
        first, *more = lines_of(line.data["message"]) or [""]
        yield level + first
        yield from (CONTINUATION + part for part in more)
        return
    values = dict(line.data) | ({} if line.file is None else {"file": line.file})
    texts = {clean(name): as_text(value) for name, value in values.items() if tracebacks or name != "traceback"}
    short = {name: text for name, text in texts.items() if "\n" not in text}
    yield " ".join([level + clean(line.event), *(f"{name}={quoted(shortened(text))}" for name, text in short.items())])
    for name in (name for name in texts if name not in short):
        yield f"{CONTINUATION}{name}:"
        yield from (CONTINUATION + part for part in lines_of(texts[name]))


def lines_of(value: object) -> list[str]:
    """Return the lines of a text, each of them clean."""
    return [clean(line) for line in shortened(as_text(value)).rstrip("\n").split("\n")]


def shortened(text: str) -> str:
    """Return at most `LONGEST_VALUE` characters of a text, and how many are missing."""
    if len(text) <= LONGEST_VALUE:
        return text
    return f"{text[:LONGEST_VALUE]}... ({len(text) - LONGEST_VALUE:,} more characters)"


def quoted(text: str) -> str:
    """Return a clean text, in quotes if it would otherwise not be seen where it ends."""
    text = clean(text)
    if text and not any(char in text for char in ' "=,'):
        return text
    return '"' + text.replace('"', '\\"') + '"'
