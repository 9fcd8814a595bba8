"""What people and programs are shown."""

import io
import json
from typing import TYPE_CHECKING

import pytest

from synapse_sdk.cli.errors import ExitCode
from synapse_sdk.cli.problem import Problem
from synapse_sdk.cli.rendering import error_line, key_values, problem_text, table, write

if TYPE_CHECKING:
    from synapse_sdk.types import JsonValue

PROBLEM = Problem(
    code="SYN-E1201",
    message="Step 'write' failed: disk full",
    exit_code=ExitCode.IO,
    where={"plugin": "greeter", "action": "greet", "step": "write", "file": "a.txt", "line": 3},
    why="No space left on device",
    fix="Free some space",
    run_id="7f3a",
    details=["not undone: a.txt"],
    has_traceback=True,
)


def test_an_error_has_what_where_why_and_fix() -> None:
    """Always in the same order, under the same words."""
    assert problem_text(PROBLEM).splitlines() == [
        "error[SYN-E1201]: Step 'write' failed: disk full",
        "  - not undone: a.txt",
        "  where  greeter · greet · run 7f3a · step write · a.txt:3",
        "  why    No space left on device",
        "  fix    Free some space",
        "  more   synapse explain SYN-E1201 · add --debug to see the traceback",
    ]


def test_programs_get_the_same() -> None:
    """The names are those of the specification."""
    record = json.loads(error_line(PROBLEM))

    assert record["type"] == "result"
    assert record["exit_code"] == 74
    assert record["error"] == {
        "code": "SYN-E1201",
        "message": "Step 'write' failed: disk full",
        "where": {"plugin": "greeter", "action": "greet", "step": "write", "file": "a.txt", "line": 3},
        "why": "No space left on device",
        "fix": "Free some space",
        "run_id": "7f3a",
        "details": ["not undone: a.txt"],
    }


def test_a_terminal_gets_lines_that_fit() -> None:
    """Long parts go on under their own beginning; words stay whole."""
    long = Problem(code="X-1", message="word " * 30, exit_code=ExitCode.USAGE, why="reason " * 30)

    lines = problem_text(long, width=60).splitlines()

    assert max(map(len, lines)) <= 60
    assert lines[0].startswith("error[X-1]: word")
    assert all(line.startswith(("  word", "  why    reason", "         reason")) for line in lines[1:])


def test_colour_adds_no_words() -> None:
    """Colour is never the only sign."""
    import click  # noqa: PLC0415  # next to its use

    coloured = problem_text(PROBLEM, color=True)

    assert "\x1b[" in coloured
    assert click.unstyle(coloured) == problem_text(PROBLEM)


def test_what_a_plugin_says_cannot_steer_the_terminal() -> None:
    """Escape sequences are shown, not obeyed, and further lines cannot pass for ours."""
    evil = Problem(code="X-1", message="a\x1b[2J\nerror[X-2]: fake", exit_code=ExitCode.USAGE, why="b\x07")

    assert problem_text(evil).splitlines() == [r"error[X-1]: a\x1b[2J", "  | error[X-2]: fake", r"  why    b\x07"]


def test_a_result_is_shown_as_names_and_values() -> None:
    """Nested data is indented; nothing, empty and false are told apart from missing."""
    data: JsonValue = {"done": 1234, "ok": True, "none": None, "empty": [], "deep": {"list": [1, {"a": "b", "c": "d"}]}}

    assert key_values(data).splitlines() == [
        "done   1,234",
        "ok     yes",
        "none   -",
        "empty  -",
        "deep",
        "  list",
        "    - 1",
        "    - a  b",
        "      c  d",
    ]
    assert key_values(3) == "3"
    assert key_values([]) == "-"


def test_tables_line_up_whatever_the_script() -> None:
    """Korean letters are two columns wide."""
    assert table(("name", "bytes"), [("고양이.png", "1,000"), ("cat.png", "7")]).splitlines() == [
        "name        bytes",
        "고양이.png  1,000",
        "cat.png         7",
    ]


@pytest.mark.parametrize(("encoding", "shown"), [("utf-8", "고 \\udcff\n"), ("ascii", "\\uace0 \\udcff\n")])
def test_writing_never_fails_for_want_of_a_letter(encoding: str, shown: str) -> None:
    """A file name may hold anything, and a terminal may be old."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")

    write(stream, "고 \udcff")

    stream.seek(0)
    assert stream.read() == shown
