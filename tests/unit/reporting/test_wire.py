import json
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.errors import InvalidDocumentError
from synapse_sdk.plugins.steps import StepResult
from synapse_sdk.reporting.events import (
    Event,
    InterruptHeld,
    Logged,
    LogLevel,
    LogsShed,
    MetricsReported,
    ProgressReported,
    ProgressSaved,
    RollbackStarted,
    RunFinished,
    RunProgressed,
    RunStarted,
    RunStatus,
    StepFinished,
    StepRollbackStarted,
    StepRolledBack,
    StepStarted,
    UndoRecorded,
)
from synapse_sdk.reporting.wire import EVENT_TYPES, decode_event, encode_event, to_json

DATA = {"text": "고양이 \ud800 \0", "numbers": [1, -2.5, 2**63, 1e300], "nothing": None, "deep": {"a": [{}, [], True]}}
EVENTS: list[Event] = [
    RunStarted((("resize", 0.25), ("report", 0.75))),
    StepStarted("resize"),
    UndoRecorded("resize", DATA),
    ProgressSaved("resize", DATA),
    RunProgressed(25),
    RollbackStarted(("report", "resize"), "it failed"),
    StepRollbackStarted("resize"),
    StepRolledBack("resize", 0.5),
    StepRolledBack("resize", 0.5, "denied", "Traceback ..."),
    InterruptHeld(2, 1),
    RunFinished(RunStatus.ROLLED_BACK, 1.5, "it failed"),
    Logged("resized", DATA, LogLevel.SUCCESS, "a.jpg", "resize"),
    LogsShed(7),
    ProgressReported(None, 1, 2.5),
    MetricsReported("resize", DATA),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_arrives_as_it_was_sent(event: Event) -> None:
    """Through real JSON, with its types and its instant."""
    arrived = decode_event(json.loads(json.dumps(encode_event(event), allow_nan=False)))

    assert arrived == event
    assert arrived.occurred_at == event.occurred_at


def test_a_result_arrives_with_what_an_observer_may_read() -> None:
    """As a value that needs no step engine."""
    sent = StepFinished(
        "resize", StepResult(success=False, data=DATA, error="no", rollback_data={"undo_log": [DATA]}), 0.5
    )

    arrived: Any = decode_event(json.loads(json.dumps(encode_event(sent))))

    for name in ("success", "skipped", "error", "data", "rollback_data"):
        assert getattr(arrived.result, name) == getattr(sent.result, name)
    assert encode_event(arrived) == encode_event(sent)


def test_every_kind_of_event_is_covered() -> None:
    """An event that is added later must travel, too."""
    assert {type(event) for event in EVENTS} | {StepFinished} == set(EVENT_TYPES.values())


class Hostile:
    """Breaks when it is looked at."""

    def __repr__(self) -> str:
        msg = "no"
        raise RuntimeError(msg)


def test_what_json_cannot_hold_is_represented() -> None:
    """And never an exception."""
    cyclic: list[object] = [1]
    cyclic += [cyclic, cyclic]
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    values: dict[object, object] = {
        "path": Path("a/b"),
        "at": datetime(2024, 1, 2, tzinfo=UTC),
        "loss": float("nan"),
        "tags": {"b", "a"},
        "cyclic": cyclic,
        "level": LogLevel.INFO,
        "huge": 10**10_000,
        7: b"x",
    }

    arrived = json.loads(json.dumps(to_json({**values, "deep": deep, "hostile": Hostile()}), allow_nan=False))

    assert arrived["path"] == "a/b"
    assert arrived["at"] == "2024-01-02T00:00:00+00:00"
    assert arrived["loss"] == "NaN"
    assert sorted(arrived["tags"]) == ["a", "b"]
    assert arrived["cyclic"] == [1, "<contains itself>", "<contains itself>"]
    assert arrived["level"] == "info"
    assert isinstance(arrived["huge"], str)
    assert arrived["7"] == "x"
    assert "Hostile" in arrived["hostile"]
    del deep


def test_a_long_text_is_not_cut() -> None:
    """A result is data, not a log line."""
    assert to_json({"report": "x" * 300_000, "path": Path("a")}) == {"report": "x" * 300_000, "path": "a"}


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"type": "Nonsense"},
        {"type": "StepStarted"},
        {"type": "StepStarted", "step": "a", "more": 1},
        {"type": "RunFinished", "status": "odd", "elapsed": 1},
        {"type": "StepStarted", "step": "a", "occurred_at": "yesterday"},
        {"type": ["StepStarted"]},
    ],
)
def test_what_is_not_an_event_is_refused(data: dict[str, Any]) -> None:
    """With one error of ours, so that a reader can go on."""
    with pytest.raises(InvalidDocumentError):
        decode_event(data)


def test_all_fields_travel() -> None:
    """A field that is added later must not be lost."""
    for event in EVENTS:
        assert encode_event(event).keys() == {"type", *(field.name for field in fields(event))}
