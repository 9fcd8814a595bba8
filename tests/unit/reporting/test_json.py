import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any, Never, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_sdk.plugins.steps import StepResult
from synapse_sdk.reporting import JsonReporter
from synapse_sdk.reporting.events import (
    Event,
    InterruptHeld,
    Logged,
    LogLevel,
    LogsShed,
    MetricsReported,
    ProgressSaved,
    RunStarted,
    StepFinished,
    UndoRecorded,
)
from synapse_sdk.reporting.json import DESCRIPTIONS
from synapse_sdk.reporting.jsonable import json_line
from synapse_sdk.testing.clock import FakeClock
from tests.unit.reporting.scenes import FAILURE, LEFTOVERS, show


def records(*events: Event) -> list[dict[str, Any]]:
    """Return what is written for these events, without the times."""
    stream = io.StringIO()
    reporter = JsonReporter(stream, clock=FakeClock())
    show(events, reporter)
    reporter.close()
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    for record in found:
        assert datetime.fromisoformat(record.pop("at")).utcoffset() == timedelta(0)
    return found


def test_a_run_has_stable_names() -> None:
    """What programs may rely on, from the first line to the last."""
    assert records(*FAILURE) == [
        {
            "type": "run_started",
            "schema_version": 1,
            "steps": [
                {"name": "discover", "share": 0.1},
                {"name": "resize", "share": 0.7},
                {"name": "report", "share": 0.2},
            ],
        },
        {"type": "step", "step": "discover", "status": "started"},
        {"type": "step", "step": "discover", "status": "succeeded", "elapsed": 0.5, "data": {}, "error": None},
        {"type": "progress", "percent": 10},
        {"type": "step", "step": "resize", "status": "started"},
        {"type": "progress", "category": "resize", "current": 12, "total": 12},
        {"type": "metrics", "category": "resize", "values": {"processed": 11, "failed": 1}},
        {
            "type": "step",
            "step": "resize",
            "status": "succeeded",
            "elapsed": 75.0,
            "data": {"processed": 11, "failed": 1},
            "error": None,
        },
        {"type": "progress", "percent": 80},
        {"type": "step", "step": "report", "status": "started"},
        {"type": "step", "step": "report", "status": "failed", "elapsed": 0.1, "data": {}, "error": "disk full"},
        {
            "type": "rollback",
            "status": "started",
            "steps": ["report", "resize"],
            "reason": "Step 'report' failed: disk full",
        },
        {"type": "rollback", "status": "undoing", "step": "report"},
        {
            "type": "rollback",
            "status": "undone",
            "step": "report",
            "elapsed": 0.1,
            "error": None,
            "traceback": None,
        },
        {"type": "rollback", "status": "undoing", "step": "resize"},
        {
            "type": "rollback",
            "status": "undone",
            "step": "resize",
            "elapsed": 2.0,
            "error": None,
            "traceback": None,
        },
        {
            "type": "run_finished",
            "status": "rolled_back",
            "elapsed": 80.0,
            "error": "Step 'report' failed: disk full",
        },
    ]


def test_other_events_have_stable_names() -> None:
    """Logs, undo entries, interrupts, skips, and what could not be undone."""
    skipped = StepFinished("check", StepResult(skipped=True), 0.0)
    shown = records(
        Logged("copied", {"n": 1}, LogLevel.WARNING, "a.jpg", "copy"),
        LogsShed(7),
        UndoRecorded("copy", {"path": "b.jpg"}),
        InterruptHeld(2, 1),
        skipped,
        ProgressSaved("copy", {"page": 3}),
    )

    assert [record["type"] for record in shown] == ["log", "log", "undo", "interrupt", "step"]
    assert shown[0]["schema_version"] == 1
    assert shown[0]["event"] == "copied"
    assert shown[1]["event"] == "logs_shed"
    assert shown[1]["data"] == {"count": 7}
    assert shown[2] == {"type": "undo", "step": "copy", "entry": {"path": "b.jpg"}}
    assert shown[3] == {"type": "interrupt", "presses": 2, "presses_left": 1}
    assert shown[4]["status"] == "skipped"
    assert [record.get("error") for record in records(*LEFTOVERS) if record.get("status") == "failed"] == [
        "disk full",
        "Permission denied",
    ]


def test_every_event_is_written_or_left_out_on_purpose() -> None:
    """A new event needs a decision here."""
    assert set(get_args(Event.__value__)) - set(DESCRIPTIONS) == {ProgressSaved}


def test_the_result_is_one_line_whose_own_names_do_not_disturb() -> None:
    """`type` and `at` are ours."""
    stream = io.StringIO()
    reporter = JsonReporter(stream, clock=FakeClock())
    reporter.show_result({"type": "x", "at": "y", "success": True, "path": PurePosixPath("/out")})
    reporter.close()

    assert json.loads(stream.getvalue()) == {
        "type": "result",
        "schema_version": 1,
        "at": "2025-01-01T00:00:00+00:00",
        "success": True,
        "path": "/out",
    }


def test_times_are_aware_and_in_utc() -> None:
    """Whatever zone an event was dated in."""
    stream = io.StringIO()
    reporter = JsonReporter(stream, clock=FakeClock())
    seoul = timezone(timedelta(hours=9))
    reporter.observe(RunStarted((), occurred_at=datetime(2025, 11, 24, 9, 30, tzinfo=seoul)))
    reporter.close()

    assert json.loads(stream.getvalue())["at"] == "2025-11-24T00:30:00+00:00"


class Colour(Enum):
    """An enum of no JSON type."""

    RED = ("r", 1)


@dataclass
class Point:
    """A dataclass."""

    x: int
    where: PurePosixPath


class Broken(Mapping[str, int]):
    """A mapping that cannot be read, and cannot say what it is."""

    def __getitem__(self, key: str) -> Never:
        """Fail."""
        raise RuntimeError(key)

    def __iter__(self) -> Iterator[str]:
        """Fail."""
        msg = "no keys"
        raise RuntimeError(msg)

    def __len__(self) -> int:
        """Return a lie."""
        return 1

    def __str__(self) -> str:
        """Fail."""
        msg = "no words"
        raise RuntimeError(msg)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (PurePosixPath("a/b"), "a/b"),
        (datetime(2025, 1, 2, 3, 4, tzinfo=UTC), "2025-01-02T03:04:00+00:00"),
        (date(2025, 1, 2), "2025-01-02"),
        (b"caf\xc3\xa9\xff", "café\\xff"),
        (b"x" * 2_000, "x" * 1_000 + "... (2,000 bytes)"),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset({"b", "a"}), ["a", "b"]),
        ((1, (2, {3})), [1, [2, [3]]]),
        (Decimal("1.10"), "1.10"),
        (Fraction(1, 4), 0.25),
        (math.nan, "NaN"),
        ([math.inf, -math.inf], ["Infinity", "-Infinity"]),
        (Colour.RED, ["r", 1]),
        (Point(1, PurePosixPath("p")), {"x": 1, "where": "p"}),
        ({1: "a", (2, 3): "b", None: "c", False: "d"}, {"1": "a", "[2, 3]": "b", "null": "c", "false": "d"}),
        ({PurePosixPath("k"): math.nan}, {"k": "NaN"}),
        (range(3), "range(0, 3)"),
        (1 + 2j, "(1+2j)"),
        ([10**5_000], ["<int>"]),
        ("\ud800 lone", "\ud800 lone"),
        (Broken(), "<Broken>"),
        (int, "<class 'int'>"),
    ],
)
def test_what_json_cannot_hold_is_represented(value: object, expected: object) -> None:
    """By what comes closest."""
    line = json_line({"value": value})

    assert line.isascii()
    assert json.loads(line, parse_constant=pytest.fail) == {"value": expected}


def test_a_cycle_ends() -> None:
    """What contains itself is cut off."""
    loop: list[object] = [1]
    loop.append({"again": loop})

    assert json.loads(json_line({"loop": loop}))["loop"][1]["again"][0] == 1


def test_depth_beyond_reason_is_cut_off() -> None:
    """The interpreter's stack is not the limit."""
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]

    assert "<list>" in json_line({"deep": deep})


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text()
        | st.binary()
        | st.datetimes()
        | st.complex_numbers(),
        lambda inner: (
            st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text() | st.integers() | st.binary(), inner)
        ),
        max_leaves=20,
    )
)
def test_any_value_becomes_one_line_of_valid_json(value: object) -> None:
    """Never an exception, never a second line, never NaN."""
    line = json_line({"value": value})

    assert line.endswith("\n")
    assert len(line.splitlines()) == 1
    json.loads(line, parse_constant=pytest.fail)


def test_figures_that_are_being_changed_do_not_break_the_line() -> None:
    """The run may touch a mapping while it is written."""

    class Restless(dict[str, int]):
        """A dict that grows while it is looked at."""

        def items(self) -> Any:  # noqa: ANN401  # a view of the items
            """Grow once, then behave."""
            for key, value in super().items():
                self.setdefault("more", 1)
                yield key, value

    stream = io.StringIO()
    reporter = JsonReporter(stream, clock=FakeClock())
    reporter.observe(MetricsReported("a", Restless(one=1, two=2)))
    reporter.close()

    assert json.loads(stream.getvalue())["category"] == "a"
