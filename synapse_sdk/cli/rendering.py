"""How `synapse` writes to people and to programs."""

import json
import os
import re
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO, cast

import click

from synapse_sdk.cli.errors import CommandLineError
from synapse_sdk.cli.problem import Problem

if TYPE_CHECKING:
    from synapse_sdk.reporting.open import ColorChoice

__all__ = [
    "echo_json",
    "error_line",
    "hanging",
    "key_values",
    "problem_text",
    "table",
    "terminal_width",
    "uses_color",
    "write",
]

SCHEMA_VERSION = 1
"""Version of every document that `--json` prints; names are only added to it."""
PLACES = frozenset({"plugin", "action", "file", "path", "folder", "document", "place", "at"})
"""What an error's `where` names without saying what it is."""
INDENT = " " * 9
"""What stands under the name of a part of an error."""
FIGURE = re.compile(r"-?[\d,]*(?:\.\d+)?(?:x\d+)?")
"""What is aligned to the right: numbers, sizes of pictures, and nothing at all."""
NARROWEST, WIDEST = 40, 100
"""Columns between which text is laid out for a terminal."""


def uses_color(stream: TextIO, choice: str) -> bool:
    """Whether to colour what goes to the stream, as a reporter would decide."""
    from synapse_sdk.reporting.open import wants_color  # noqa: PLC0415  # help needs none of it

    return wants_color(cast("ColorChoice", choice), stream, os.environ)


def problem_text(problem: Problem, *, color: bool = False, width: int | None = None) -> str:
    """Return an error for people.

    Args:
        problem: What went wrong.
        color: Whether to emphasise.
        width: Columns to fit into; None leaves lines as long as they are, for logs.

    Example:
        >>> from synapse_sdk.cli.errors import ExitCode
        >>> problem = Problem(
        ...     code="SYN-E1101", message="Cannot read 'a.json'", exit_code=ExitCode.USAGE, why="it is empty"
        ... )
        >>> print(problem_text(problem))
        error[SYN-E1101]: Cannot read 'a.json'
          why    it is empty
          more   synapse explain SYN-E1101
    """
    head, *rest = problem.message.splitlines() or [""]
    label = f"error[{problem.code}]:"
    headline = "\n  ".join(_wrapped(f"{label} {clean(head)}", width, indent=2))
    lines = [headline.replace(label, click.style(label, fg="red", bold=True), 1) if color else headline]
    lines += [f"  | {clean(line)}" for line in rest]
    lines += [f"  - {clean(detail)}" for detail in problem.details]
    parts = {"where": _where(problem), "why": problem.why, "fix": problem.fix, "more": _more(problem)}
    for name, text in parts.items():
        if text:
            shown = f"{name:<5}"
            said = "\n".join(
                line for part in text.strip().splitlines() for line in _wrapped(clean(part.strip()), width)
            )
            lines.append(f"  {click.style(shown, bold=True) if color else shown}  " + said.replace("\n", "\n" + INDENT))
    return "\n".join(lines)


def _where(problem: Problem) -> str:
    where = dict(problem.where)
    spot = "".join(
        f":{number}" for number in (where.pop("line", None), where.pop("column", None)) if number is not None
    )
    if spot:
        place = next((name for name in ("file", "document", "path") if name in where), None)
        where |= {place: f"{where[place]}{spot}"} if place is not None else {"line": spot[1:]}
    words = [str(value) if name in PLACES else f"{name.replace('_', ' ')} {value}" for name, value in where.items()]
    if problem.run_id is not None:
        words.insert(sum(name in {"plugin", "action"} for name in where), f"run {problem.run_id}")
    return " · ".join(words)


def _more(problem: Problem) -> str:
    is_explained = problem.code.startswith("SYN-") and problem.code != CommandLineError.code
    words = [*([f"synapse explain {problem.code}"] if is_explained else []), *problem.more]
    if problem.has_traceback:
        words.append("add --debug to see the traceback")
    return " · ".join(words)


def terminal_width(stream: TextIO) -> int | None:
    """Return the columns of the terminal that a stream is; None if it is none, where lines stay as long as they are."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def hanging(text: str, width: int | None, indent: int) -> str:
    """Return a text that begins behind `indent` columns and goes on under its own beginning."""
    return ("\n" + " " * indent).join(_wrapped(clean(text), width, indent) or [""])


def _wrapped(text: str, width: int | None, indent: int = len(INDENT)) -> list[str]:
    if width is None:
        return [text]
    room = max(NARROWEST, min(width, WIDEST) - indent)
    return textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)


def clean(text: str) -> str:
    """Return a text without anything that could steer the terminal."""
    from synapse_sdk.reporting.text import clean as without_control  # noqa: PLC0415  # help needs none of it

    return without_control(text)


def write(stream: TextIO, text: str) -> None:
    """Write a line of text at once; what the stream's encoding does not have is escaped."""
    encoding = stream.encoding or "utf-8"
    stream.write(f"{text}\n".encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def echo_json(document: Mapping[str, Any]) -> None:
    """Print the one document that answers a query, with its `schema_version`."""
    unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    text = json.dumps({"schema_version": SCHEMA_VERSION, **document}, indent=2, ensure_ascii=not unicode, default=str)
    write(sys.stdout, text)


def error_line(problem: Problem) -> str:
    """Return an error as the one line of JSON that a program gets instead of its answer."""
    record = {"type": "result", "schema_version": SCHEMA_VERSION, "exit_code": int(problem.exit_code)}
    return json.dumps({**record, "error": problem.as_json()}, default=str)


def key_values(value: Any) -> str:  # noqa: ANN401  # JSON data
    """Return JSON data as indented lines that people can read.

    Example:
        >>> print(key_values({"done": 2, "failures": [{"file": "a.jpg", "reason": "broken"}]}))
        done      2
        failures
          - file    a.jpg
            reason  broken
    """
    return "\n".join(_lines(value))


def _lines(value: Any) -> Iterator[str]:  # noqa: ANN401  # JSON data
    if isinstance(value, dict) and value:
        width = max((_columns(clean(str(name))) for name in value), default=0)
        for name, item in value.items():
            label = _padded(clean(str(name)), width)
            if isinstance(item, (dict, list)) and item:
                yield label.rstrip()
                yield from (f"  {line}" for line in _lines(item))
            else:
                yield f"{label}  {_scalar(item)}"
    elif isinstance(value, list) and value:
        for item in value:
            for number, line in enumerate(_lines(item)):
                yield f"{'  ' if number else '- '}{line}"
    else:
        yield _scalar(value)


def _scalar(value: Any) -> str:  # noqa: ANN401  # JSON data without items
    if value is None or value in ("", [], {}):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else clean(str(value))


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, width: int | None = None) -> str:
    """Return rows as aligned columns under a heading, figures to the right; nothing is cut.

    Args:
        head: What stands above each column.
        rows: The cells of each line.
        width: Columns of the terminal in which the last column is to be broken; None leaves it as it is.

    Example:
        >>> print(table(("name", "size"), [("cat.jpg", "12"), ("고양이.png", "7")]))
        name        size
        cat.jpg       12
        고양이.png     7
    """
    lines = [tuple(clean(cell) for cell in row) for row in (head, *rows)]
    widths = [max(_columns(line[number]) for line in lines) for number in range(len(head))]
    right = [all(FIGURE.fullmatch(line[number]) for line in lines[1:]) for number in range(len(head))]
    indent = sum(widths[:-1]) + 2 * (len(head) - 1)
    if width is not None and sum(widths) + 2 * (len(head) - 1) > width:
        lines = [(*line[:-1], hanging(line[-1], width, indent)) for line in lines]
        widths[-1] = 0
    return "\n".join("  ".join(map(_padded, line, widths, right)).rstrip() for line in lines)


def _padded(text: str, width: int, right: bool = False) -> str:  # noqa: FBT001, FBT002  # used with map
    space = " " * (width - _columns(text))
    return space + text if right else text + space


def _columns(text: str) -> int:
    """Return how many columns of a terminal a text takes; East Asian characters take two."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) > 0 for char in text)
