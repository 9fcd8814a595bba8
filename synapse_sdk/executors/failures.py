"""Errors as JSON data, so that what a worker raised can be raised again where it was started."""

import builtins
import contextlib
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, cast

from synapse_sdk.errors import ExecutorError, InvalidParamsError, StepFailedError, SynapseError
from synapse_sdk.reporting.text import as_text
from synapse_sdk.reporting.wire import decode_outcome, encode_outcome, to_json
from synapse_sdk.types import JsonValue

__all__ = ["RecordedRollbackError", "RecordedStep", "RemoteTraceback", "decode_failure", "encode_failure"]

DEEPEST_CAUSE = 8


@dataclass(frozen=True, slots=True)
class RecordedStep:
    """A step that ran elsewhere, as far as its error needs it."""

    name: str


@dataclass(frozen=True, slots=True)
class RecordedRollbackError:
    """One thing that could not be undone elsewhere; reads like the engine's `RollbackError`."""

    step: str
    error: BaseException
    traceback: str

    @property
    def text(self) -> str:
        """What the exception says, or its type's name if it says nothing."""
        return str(self.error) or type(self.error).__name__


class RemoteTraceback(Exception):  # noqa: N818  # it is no error, it shows one
    """The traceback of an error, as text from the process in which it was raised."""

    def __str__(self) -> str:
        """Return the traceback, set apart."""
        return f"in the worker process\n\n{self.args[0].rstrip()}\n"


def encode_failure(error: BaseException) -> dict[str, JsonValue]:
    """Return an error, with its causes, as JSON data for `decode_failure`; never raises."""
    return {**_encode(error, DEEPEST_CAUSE), "traceback": _traceback(error)}


def decode_failure(data: Mapping[str, Any]) -> Exception:
    """Return the error that `encode_failure` took apart.

    One of ours arrives as its class, known by its code, with everything it says. A built-in exception arrives as
    itself. A class that this process does not know becomes one of the same name and code, derived from the nearest that
    it does. The worker's traceback is at the end of the chain of causes.
    """
    error = _decode(data)
    last: BaseException = error
    while last.__cause__ is not None:
        last = last.__cause__
    last.__context__ = RemoteTraceback(data.get("traceback", ""))
    return error


def _encode(error: BaseException, causes_left: int) -> dict[str, JsonValue]:
    kinds = type(error).__mro__
    encoded: dict[str, JsonValue] = {
        "name": type(error).__name__,
        "module": type(error).__module__,
        "codes": [kind.code for kind in kinds if issubclass(kind, SynapseError) and "code" in vars(kind)],
        "built_in": next((kind.__name__ for kind in kinds if kind.__module__ == "builtins"), "Exception"),
        "message": error.message if isinstance(error, SynapseError) else as_text(error),
        "notes": to_json(getattr(error, "__notes__", [])),
    }
    if isinstance(error, SynapseError):
        encoded |= {"why": error.why, "fix": error.fix, "where": to_json(error.where), "transient": error.transient}
    else:
        encoded["arguments"] = _arguments(error)
    if isinstance(error, InvalidParamsError):
        encoded["problems"] = to_json(error.problems)
    if isinstance(error, StepFailedError):
        encoded |= {
            "step": error.step.name,
            "result": encode_outcome(error.result),
            "rollback_errors": [
                {"step": each.step, "error": _encode(each.error, 0), "traceback": each.traceback}
                for each in error.rollback_errors
            ],
        }
    if error.__cause__ is not None and causes_left:
        encoded["cause"] = _encode(error.__cause__, causes_left - 1)
    return encoded


def _arguments(error: BaseException) -> JsonValue:
    """Return what the exception was made with, if that is JSON data, so that it can be made again."""
    try:
        arguments = cast("tuple[object, ...]", error.__reduce__()[1])  # of an OSError these include the file's name
        scalars = all(isinstance(each, str | int | float | bool | None) for each in arguments)
        return to_json(arguments) if scalars else None
    except Exception:  # noqa: BLE001  # an exception of somebody else, which may do anything
        return None


def _traceback(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error))
    except Exception:  # noqa: BLE001  # as above
        return f"{type(error).__name__}: {as_text(error)}"


def _decode(data: Mapping[str, Any]) -> Exception:
    error = _made_as_synapse_error(data) if data["codes"] else _made_as_built_in(data)
    if data["notes"]:
        error.__notes__ = list(data["notes"])
    if "cause" in data:
        error.__cause__ = _decode(data["cause"])
    return error


def _made_as_synapse_error(data: Mapping[str, Any]) -> SynapseError:
    known = {cls.code: cls for cls in _subclasses(SynapseError) if "code" in vars(cls)}
    code = next(code for code in data["codes"] if code in known)  # the last one is SynapseError's own
    cls: type[SynapseError] = known[code]
    if cls.__name__ != data["name"]:
        cls = _named(data, cls, **({} if code == data["codes"][0] else {"code": data["codes"][0]}))
    error = cls.__new__(cls, data["message"])
    # Not the class's own __init__, whose arguments only the class knows.
    SynapseError.__init__(error, data["message"], why=data["why"], fix=data["fix"])
    error.where = dict(data["where"])
    if error.transient != data["transient"]:
        error.transient = data["transient"]
    if isinstance(error, InvalidParamsError):
        error.problems = tuple(data.get("problems", ()))
    if isinstance(error, StepFailedError):
        error.step = cast("Any", RecordedStep(data["step"]))
        error.result = cast("Any", decode_outcome(data["result"]))
        error.rollback_errors = cast("Any", tuple(_decode_rollback_error(each) for each in data["rollback_errors"]))
    return error


def _decode_rollback_error(data: Mapping[str, Any]) -> RecordedRollbackError:
    return RecordedRollbackError(data["step"], _decode(data["error"]), data["traceback"])


def _made_as_built_in(data: Mapping[str, Any]) -> Exception:
    base = getattr(builtins, data["built_in"], Exception)
    if not (isinstance(base, type) and issubclass(base, Exception)):  # such as a cancellation: the run is over anyway
        return ExecutorError(f"The action ended with {data['name']}: {data['message']}".removesuffix(": "))
    message = data["message"]
    own = [] if base.__name__ != data["name"] else [base]
    classes = (*own, _named(data, base, message), _named(data, Exception, message))
    for cls, arguments in product(classes, (data["arguments"] or (), (message,))):
        with contextlib.suppress(Exception):  # it wants other arguments than it shows
            error: Exception = cls(*arguments)
            if str(error) == message:
                return error
    return ExecutorError(message)


def _named(data: Mapping[str, Any], base: type[Exception], text: str | None = None, **members: str) -> Any:  # noqa: ANN401  # an unknown class
    """Return a class that stands for one this process does not have; with a text, that is what its errors say."""
    speaking = {} if text is None else {"__str__": lambda _self: text}
    return type(data["name"], (base,), {"__module__": data["module"], **members, **speaking})


def _subclasses(cls: type[SynapseError]) -> Iterator[type[SynapseError]]:
    yield cls
    for each in cls.__subclasses__():
        yield from _subclasses(each)
