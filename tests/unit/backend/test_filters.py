"""Filters, as documents and as texts of a command line."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from synapse_sdk.backend import (
    AssignmentFilter,
    AssignmentState,
    Category,
    GroundTruthFilter,
    TaskFilter,
    TaskId,
    TaskState,
)
from synapse_sdk.errors import ConfigurationError
from synapse_sdk.types import JsonObject

NINE = datetime(2026, 11, 28, 9, tzinfo=UTC)


def test_a_document_and_a_command_line_say_the_same() -> None:
    """Ids by commas or one by one, words, truth and instants: each as its key wants it."""
    texts = [
        "state=submitted",
        "has_data=true",
        "ids=1, 2",
        "ids=30",
        "id__lte=30",
        "created__gte=2026-11-28T18:00+09:00",
    ]

    document = TaskFilter.document(texts)

    assert document == {
        "state": "submitted",
        "has_data": True,
        "ids": [1, 2, 30],
        "id__lte": 30,
        "created__gte": "2026-11-28T18:00+09:00",
    }
    assert TaskFilter.parse(document) == TaskFilter(
        state=TaskState.SUBMITTED,
        has_data=True,
        ids=(TaskId(1), TaskId(2), TaskId(30)),
        id__lte=30,
        created__gte=NINE.astimezone(timezone(timedelta(hours=9))),
    )
    assert GroundTruthFilter.parse(GroundTruthFilter.document(["category=test", "tasks=3"])) == GroundTruthFilter(
        category=Category.TEST, tasks=(TaskId(3),)
    )
    assert AssignmentFilter.parse(AssignmentFilter.document(["user=a=b", "state=open"])) == AssignmentFilter(
        user="a=b", state=AssignmentState.OPEN
    )
    assert TaskFilter.document([]) == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("state", "'state' has no value. Write it as KEY=VALUE"),
        ("stat=open", r"no filter 'stat'. Did you mean 'state'\? Use one of: project, ids, "),
        ("state=opne", "'state' cannot be 'opne'. Use one of open, submitted"),
        ("has_data=1", "'has_data' cannot be '1'. Use true or false"),
        ("id__lt=1.5", "'id__lt' cannot be '1.5'. Use a whole number"),
        ("id__lt=٣", "'id__lt' cannot be '٣'. Use a whole number"),
        (f"id__lt={2**63}", "Use a whole number"),
        ("ids=1,,2", "'ids' cannot be '1,,2'. Use whole numbers"),
        ("ids=", "'ids' cannot be ''. Use whole numbers"),
        ("created__gt=2026-11-28", "'created__gt' cannot be '2026-11-28'. Use an instant with its offset from UTC"),
        ("created__gt=yesterday", "Use an instant"),
        (f"state={'x' * 10_000}", r"'x{99}\.\.\. \(10,002 characters\)"),
    ],
)
def test_a_text_that_does_not_fit_is_refused_with_what_fits(text: str, says: str) -> None:
    """The error names the key and the value, and is short."""
    with pytest.raises(ConfigurationError, match=says) as caught:
        TaskFilter.document([text])
    assert len(str(caught.value)) < 400


def test_a_key_with_one_value_is_given_once() -> None:
    """Which of two would be meant?"""
    with pytest.raises(ConfigurationError, match="'state' is given twice"):
        TaskFilter.document(["state=open", "state=submitted"])


@pytest.mark.parametrize(
    "document",
    [
        {"ids": "1"},
        {"ids": [1, True]},
        {"ids": [[1]]},
        {"id__gt": 1.0},
        {"state": ["open"]},
        {"created__lt": 1},
        {"created__lt": "2026-11-28T09:00:00"},
        {"user": 3},
    ],
)
def test_a_document_that_does_not_fit_is_refused(document: JsonObject) -> None:
    """A value of the wrong kind is not guessed at."""
    with pytest.raises(ConfigurationError, match=r"The filter '.*' cannot be"):
        AssignmentFilter.parse(document)


def test_an_instant_says_how_far_it_is_from_utc() -> None:
    """One that does not would mean something else on each machine."""
    with pytest.raises(ConfigurationError, match="'created__lt' cannot be '2026-11-28T09:00:00'"):
        TaskFilter(created__lt=NINE.replace(tzinfo=None))
