from typing import Never

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_sdk.reporting.events import Logged, LogLevel
from synapse_sdk.reporting.text import clean, duration, figure, log_lines, pace, plural


class Mute:
    """An object that cannot say what it is."""

    def __str__(self) -> Never:
        """Fail."""
        msg = "no words"
        raise ValueError(msg)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cat.jpg", "cat.jpg"),
        ("고양이 사진.png", "고양이 사진.png"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x1b[2J\x07\x9b", r"\x1b[2J\x07\x9b"),
        ("gpj\u202etac", r"gpj\u202etac"),
        ("line\u2028separator", r"line\u2028separator"),
        ("lone\udcff", r"lone\udcff"),
        ("no\u00a0break", "no\u00a0break"),
        (12, "12"),
        (Mute(), "<Mute>"),
    ],
)
def test_nothing_in_a_name_can_steer_a_terminal(text: object, shown: str) -> None:
    """Control characters, newlines, ANSI, bidirectional marks and surrogates are written out; letters are kept."""
    assert clean(text) == shown


@given(st.text())
def test_a_clean_text_is_one_printable_line(text: str) -> None:
    """Whatever comes in, what comes out can be printed and encoded."""
    shown = clean(text)

    assert len(shown.splitlines()) <= 1
    assert "\x1b" not in shown
    shown.encode()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-0.1, "0.0 s"),
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (200, "3 min 20 s"),
        (3599.9, "1 h 0 min"),
        (90_000, "25 h 0 min"),
    ],
)
def test_a_duration_has_the_units_that_matter(seconds: float, text: str) -> None:
    """No 60 s, no 60 min, no more than two units."""
    assert duration(seconds) == text


@pytest.mark.parametrize(("value", "text"), [(3, "3"), (1234567, "1,234,567"), (2.0, "2"), (0.25, "0.25")])
def test_a_figure_is_as_short_as_it_is_true(value: float, text: str) -> None:
    """Whole numbers have no decimals."""
    assert figure(value) == text


@pytest.mark.parametrize(("rate", "text"), [(1234.5, "1,234/s"), (2.06, "2.1/s"), (0.05, "3.0/min")])
def test_a_rate_has_the_unit_that_makes_it_readable(rate: float, text: str) -> None:
    """Slow work is counted by the minute."""
    assert pace(rate) == text


def test_one_step_two_steps() -> None:
    """Nouns agree."""
    assert (plural(1, "step"), plural(2000, "step")) == ("1 step", "2,000 steps")


def test_a_log_line_has_level_word_and_particulars() -> None:
    """Values that would blur into each other are quoted."""
    line = Logged("resize_failed", {"path": "a b.jpg", "tries": 3, "why": 'no "x"'}, LogLevel.WARNING, file="c.jpg")

    assert list(log_lines(line)) == [r'warning: resize_failed path="a b.jpg" tries=3 why="no \"x\"" file=c.jpg']


def test_a_message_is_shown_without_its_event_word() -> None:
    """What is said to a person reads as it was said."""
    assert list(log_lines(Logged("message", {"message": "hello there", "logger": "x"}))) == ["hello there"]


def test_no_text_can_pass_for_a_line_of_ours() -> None:
    """The second line of a text is marked."""
    forged = "ok\n[3/3] report: done in 0.1 s"

    assert list(log_lines(Logged("message", {"message": forged}))) == ["ok", "  | [3/3] report: done in 0.1 s"]
    assert list(log_lines(Logged("note", {"a": forged, "b": 1}))) == [
        "note b=1",
        "  | a:",
        "  | ok",
        "  | [3/3] report: done in 0.1 s",
    ]


def test_tracebacks_are_for_those_who_debug() -> None:
    """A value named traceback is left out unless asked for."""
    line = Logged("rollback_failed", {"step": "resize", "traceback": "Traceback:\n  boom\n"})

    assert list(log_lines(line)) == ["rollback_failed step=resize"]
    assert list(log_lines(line, tracebacks=True))[1:] == ["  | traceback:", "  | Traceback:", "  |   boom"]


def test_a_very_long_value_is_cut_and_counted() -> None:
    """One value cannot fill a log file."""
    (line,) = log_lines(Logged("message", {"message": "x" * 1_000_000}))

    assert line.endswith("... (992,000 more characters)")
    assert len(line) < 10_000
