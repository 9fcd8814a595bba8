import json
from typing import Any

import pytest

from synapse_sdk import errors
from synapse_sdk.errors import ConfigurationError, ExecutorError, InvalidParamsError, StepFailedError, SynapseError
from synapse_sdk.executors.failures import RemoteTraceback, decode_failure, encode_failure
from synapse_sdk.plugins.environment import PluginEnvironment
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, RollbackError, StepResult

OURS = [getattr(errors, name) for name in errors.__all__ if name != "StepFailedError"]


def carried(error: BaseException) -> Any:  # noqa: ANN401  # whatever it was
    """Raise an error, and return what arrives of it on the other side of real JSON."""
    with pytest.raises(type(error)) as caught:
        throw(error)
    return decode_failure(json.loads(json.dumps(encode_failure(caught.value), allow_nan=False)))


def throw(error: BaseException) -> None:
    """Raise an error, so that it has a traceback."""
    raise error


@pytest.mark.parametrize("cls", OURS, ids=lambda cls: cls.__name__)
def test_every_error_of_ours_arrives_as_its_class(cls: type[SynapseError]) -> None:
    """With everything it says."""
    sent = cls("It broke", why="it was thin", fix="Use a thicker one", file="a.jpg", line=3)
    sent.transient = not cls.transient
    sent.add_note("a note")

    arrived = carried(sent)

    assert type(arrived) is cls
    assert str(arrived) == str(sent)
    assert vars(arrived) == vars(sent)


def test_an_error_knows_where_it_came_from() -> None:
    """The worker's traceback ends the chain, whatever the causes are."""
    sent = ConfigurationError("No")
    sent.__cause__ = ValueError("deep")
    sent.__cause__.__cause__ = KeyError("deeper")

    arrived = carried(sent)

    causes = arrived.__cause__, arrived.__cause__.__cause__
    assert [(type(cause), str(cause)) for cause in causes] == [(ValueError, "deep"), (KeyError, "'deeper'")]
    assert isinstance(causes[1].__context__, RemoteTraceback)
    assert "raise error" in str(causes[1].__context__)
    assert carried(ConfigurationError("No")).__cause__ is None


def test_a_setting_that_is_missing_arrives() -> None:
    """An error of a module that is not in `errors`."""
    with pytest.raises(KeyError) as caught:
        PluginEnvironment({})["TOKEN"]

    arrived = carried(caught.value)

    assert type(arrived) is type(caught.value)
    assert "TOKEN" in str(arrived)


def unknown_error(base: type[Exception], **members: str) -> Any:  # noqa: ANN401  # a class made here
    """Return an error of a class that the other process does not have; its kin is gone before it arrives."""
    return type("OddError", (base,), {"__module__": "plugin.errors", **members})("No")


def test_an_unknown_error_of_a_plugin_keeps_name_and_code() -> None:
    """And derives from the nearest class that is known."""
    encoded = encode_failure(unknown_error(ConfigurationError, code="ODD-1"))
    arrived: Any = decode_failure(json.loads(json.dumps(encoded)))

    assert isinstance(arrived, ConfigurationError)
    assert (type(arrived).__name__, type(arrived).__module__, arrived.code) == ("OddError", "plugin.errors", "ODD-1")
    plain = carried(unknown_error(InvalidParamsError))
    assert (plain.code, plain.problems) == ("SYN-E1103", ())
    assert type(carried(InvalidParamsError("x", problems=["a: b"]))) is InvalidParamsError


class Awkward(Exception):  # noqa: N818  # awkward in this, too
    """An exception of somebody else, with a constructor of its own."""

    def __init__(self, first: int, *, second: object) -> None:
        super().__init__(first)
        self.second = second

    def __str__(self) -> str:
        return "awkward"


class Broken(Exception):  # noqa: N818  # as above
    """An exception that cannot say what it is."""

    def __str__(self) -> str:
        msg = "no"
        raise RuntimeError(msg)


@pytest.mark.parametrize(
    "sent",
    [
        ValueError("odd", 3),
        KeyError("x"),
        OSError(28, "No space left", "out.jpg"),
        PermissionError(13, "Permission denied"),
        ZeroDivisionError(),
        AssertionError("a\nb"),
        TimeoutError(),
        ModuleNotFoundError("No module named 'x'", name="x"),
    ],
    ids=repr,
)
def test_a_built_in_error_arrives_as_itself(sent: Exception) -> None:
    """With its arguments."""
    arrived = carried(sent)

    assert (type(arrived), str(arrived), arrived.args) == (type(sent), str(sent), sent.args)


@pytest.mark.parametrize(
    ("sent", "name", "kin", "text"),
    [
        (Awkward(1, second=object()), "Awkward", Exception, "awkward"),
        (UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"), "UnicodeDecodeError", Exception, "can't decode"),
        (ExceptionGroup("two", [ValueError("a"), OSError("b")]), "ExceptionGroup", Exception, "two (2 sub-exceptions)"),
        (json.JSONDecodeError("bad", "x", 0), "JSONDecodeError", ValueError, "bad: line 1"),
        (Broken(), "Broken", Exception, ""),
        (ValueError(object()), "ValueError", ValueError, "object"),
        (type("OddKeyError", (KeyError,), {})("odd"), "OddKeyError", KeyError, "'odd'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_any_other_error_keeps_name_and_text(sent: Exception, name: str, kin: type[Exception], text: str) -> None:
    """Encoding and decoding never fail."""
    arrived = carried(sent)

    assert type(arrived).__name__ == name
    assert isinstance(arrived, kin)
    assert text in str(arrived)


class Stop(BaseException):
    """Neither an error nor an interrupt."""


def test_what_is_no_exception_becomes_one() -> None:
    """Such as a cancellation: here, nothing was cancelled."""
    arrived = carried(Stop("now"))

    assert type(arrived) is ExecutorError
    assert "Stop: now" in str(arrived)


class Step(BaseStep[BaseStepContext]):
    """A step."""

    name = "resize"
    progress_weight = 1.0

    def execute(self, context: BaseStepContext) -> StepResult:
        """Do nothing."""
        return StepResult()


def test_a_failed_step_arrives_with_all_that_can_be_said() -> None:
    """Name of the step, result, and what could not be undone, once."""
    problem = RollbackError("discover", PermissionError(13, "denied"), "Traceback ...")
    result = StepResult(success=False, error="No", data={"done": 3}, rollback_data={"undo_log": [{"path": "a"}]})
    sent = StepFailedError("Step 'resize' failed: No", step=Step(), result=result, rollback_errors=[problem])

    arrived = carried(sent)

    assert type(arrived) is StepFailedError
    assert (str(arrived), arrived.step.name) == (str(sent), "resize")
    assert (arrived.result.success, arrived.result.error, arrived.result.data) == (False, "No", {"done": 3})
    assert arrived.result.rollback_data == {"undo_log": [{"path": "a"}]}
    (left,) = arrived.rollback_errors
    assert (left.step, left.text, left.traceback) == ("discover", problem.text, "Traceback ...")
    assert isinstance(left.error, PermissionError)
    assert arrived.__notes__ == sent.__notes__
