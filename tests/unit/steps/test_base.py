import copy
import pickle
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, StepResult
from tests.unit.steps.scripted import PlainStep, new_context

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_result_is_a_success_without_particulars_by_default() -> None:
    """`return StepResult()` is all a step needs to say."""
    result = StepResult()

    assert (result.success, result.error, result.skipped) == (True, None, False)
    assert (result.data, result.rollback_data) == ({}, {})


def test_a_result_has_the_fields_of_the_guide_in_their_order() -> None:
    """Positional arguments mean what they mean in the guide."""
    made_at = datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001  # the guide's field is local time without a zone

    result = StepResult(False, {"a": 1}, "boom", {"b": 2}, True, made_at)  # noqa: FBT003  # what the test is about

    names = [field.name for field in fields(StepResult)]
    assert names == ["success", "data", "error", "rollback_data", "skipped", "timestamp"]
    assert asdict(result) == {
        "success": False,
        "data": {"a": 1},
        "error": "boom",
        "rollback_data": {"b": 2},
        "skipped": True,
        "timestamp": made_at,
    }


def test_results_do_not_share_their_dictionaries() -> None:
    """What one step writes into its data does not show up in another's."""
    first, second = StepResult(), StepResult()

    first.data["files"] = 3
    first.rollback_data["path"] = "out"

    assert (second.data, second.rollback_data) == ({}, {})


def test_a_dictionary_read_once_is_the_one_written_to() -> None:
    """Fields that are made when first read stay the same object."""
    result = StepResult()

    assert result.data is result.data
    assert result.rollback_data is result.rollback_data
    assert result.timestamp is result.timestamp


def test_the_time_stamp_says_when_the_result_was_made() -> None:
    """Reading it late does not make it later; it is local time without a zone, as in the guide."""
    before = datetime.now()  # noqa: DTZ005  # local time, as the field
    result = StepResult()
    after = datetime.now()  # noqa: DTZ005  # as above

    margin = timedelta(microseconds=2)  # nanoseconds are rounded to microseconds
    assert before - margin <= result.timestamp <= after + margin
    assert result.timestamp.tzinfo is None


def test_results_with_equal_fields_are_equal() -> None:
    """A result is a value, whichever of its fields were read so far."""
    made_at = datetime(2026, 1, 2)  # noqa: DTZ001  # local time, as the field
    one, two = StepResult(timestamp=made_at), StepResult(timestamp=made_at)

    assert one.data == {}
    assert one == two
    assert one != StepResult(timestamp=made_at, data={"files": 3})
    assert repr(one) == repr(two)


def test_a_name_that_no_result_has_is_an_attribute_error() -> None:
    """Fields made on reading do not hide a misspelt name."""
    with pytest.raises(AttributeError, match="'StepResult' object has no attribute 'rollback_date'"):
        StepResult().rollback_date  # type: ignore[attr-defined]  # noqa: B018  # reading it is the test


def test_a_dataclass_may_extend_the_result() -> None:
    """A workflow may give its results fields of their own."""

    @dataclass
    class CountResult(StepResult):
        files: int = 0

    result = CountResult(files=3)

    assert (result.files, result.success, result.data, result.rollback_data) == (3, True, {}, {})
    assert isinstance(result.timestamp, datetime)


def test_an_undo_log_is_put_into_a_copy() -> None:
    """A step may return one and the same object again and again."""
    result = StepResult(data={"a": 1}, rollback_data={"b": 2})

    copy = result.with_undo_log([{"path": "x"}])

    assert copy.rollback_data == {"b": 2, "undo_log": [{"path": "x"}]}
    assert (copy.data, copy.success, copy.timestamp) == ({"a": 1}, True, result.timestamp)
    assert result.rollback_data == {"b": 2}


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, lambda result: pickle.loads(pickle.dumps(result))])  # noqa: S301  # our own
def test_a_result_can_be_copied_and_sent(clone: "Callable[[StepResult], StepResult]") -> None:
    """Also one of which nothing was read so far; it keeps its time stamp."""
    result = StepResult(error="boom")

    twin = clone(result)

    assert twin == result
    assert twin is not result


@pytest.mark.parametrize("missing", ["name", "progress_weight", "execute"])
def test_a_step_without_name_weight_or_execute_cannot_be_made(missing: str) -> None:
    """What every step must say is found out when it is made, not in the middle of a run."""
    members: dict[str, object] = {"name": "a", "progress_weight": 0.1, "execute": lambda *_: StepResult()}
    del members[missing]

    with pytest.raises(TypeError, match=missing):
        type("Incomplete", (BaseStep,), members)()


def test_a_step_that_overrides_nothing_runs_and_undoes_nothing() -> None:
    """`can_skip` and `rollback` are optional."""
    step, context = PlainStep(), new_context()
    undo: Callable[..., Any] = step.rollback

    assert step.can_skip(context) is False
    assert undo(context, StepResult()) is None


def test_name_and_weight_may_be_class_attributes() -> None:
    """The short form of the guide's progress weight guidelines works."""

    class Short(BaseStep[BaseStepContext]):
        name = "short"
        progress_weight = 0.05

        def execute(self, context: BaseStepContext) -> StepResult:
            return StepResult()

    assert (Short().name, Short().progress_weight) == ("short", 0.05)
