"""What a step is and what it returns."""

from abc import ABC, abstractmethod
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from time import time_ns
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from synapse_sdk.plugins.steps.context import BaseStepContext

__all__ = ["BaseStep", "StepResult"]


@dataclass(init=False)
class StepResult:
    """How one step ended.

    `data`, `rollback_data` and `timestamp` are made when they are first read, because most steps of a long workflow
    return nothing but success and pay for what they use only.
    """

    success: bool = True
    """Whether the step did its work."""
    data: dict[str, Any] = field(default_factory=dict)
    """What it has to show, for whoever reads the results."""
    error: str | None = None
    """Why it failed; None when it did not."""
    rollback_data: dict[str, Any] = field(default_factory=dict)
    """What `rollback` needs; `rollback_data["undo_log"]` holds the entries of `context.record_undo`, in order."""
    skipped: bool = False
    """Whether it was skipped instead of run."""
    timestamp: datetime = field(default_factory=datetime.now)
    """When the result was made, in local time without a zone; durable records keep aware UTC of their own."""

    def __init__(  # noqa: PLR0917  # the six fields, in the order that is public
        self,
        success: bool = True,  # noqa: FBT001, FBT002  # as above
        data: dict[str, Any] | None = None,
        error: str | None = None,
        rollback_data: dict[str, Any] | None = None,
        skipped: bool = False,  # noqa: FBT001, FBT002  # as above
        timestamp: datetime | None = None,
    ) -> None:
        if success is not True:
            self.success = success
        # What equals the class's default is not stored again: a plain success costs little more than its time stamp.
        if data is not None:
            self.data = data
        if error is not None:
            self.error = error
        if rollback_data is not None:
            self.rollback_data = rollback_data
        if skipped:
            self.skipped = skipped
        if timestamp is None:
            self._made_at_ns = time_ns()
        else:
            self.timestamp = timestamp

    def with_undo_log(self, entries: list[dict[str, Any]]) -> Self:
        """Return a copy whose `rollback_data["undo_log"]` holds these entries."""
        return self.with_fields(rollback_data={**self.rollback_data, "undo_log": entries})

    def with_fields(self, **fields: Any) -> Self:  # noqa: ANN401  # each field has its own type
        """Return a copy in which these fields have other values."""
        if type(self) is StepResult:
            result = object.__new__(type(self))  # a third of the time of `copy`
            vars(result).update(vars(self))
        else:
            result = copy(self)  # not dataclasses.replace: a subclass may have a constructor of its own
        vars(result).update(fields)
        return result

    if not TYPE_CHECKING:  # a type checker must go on refusing names that no result has

        def __getattr__(self, name: str) -> dict[str, Any] | datetime:
            """Make a field that nobody has set or read so far."""
            if name in {"data", "rollback_data"}:
                value = {}
            elif name == "timestamp":
                value = datetime.fromtimestamp(self._made_at_ns / 1e9)  # noqa: DTZ006  # local time, as documented
            else:
                msg = f"{type(self).__name__!r} object has no attribute {name!r}"
                raise AttributeError(msg)
            setattr(self, name, value)
            return value


class BaseStep[C: "BaseStepContext"](ABC):
    """One building block of a workflow: does its work, and knows how to undo it.

    Type parameter `C` is the workflow's own context class. `name` and `progress_weight` may be properties or plain
    class attributes. A step is a thin layer: it reads the context, calls plain functions, writes the context.

    Example:
        >>> class CountFiles(BaseStep):
        ...     name = "count_files"
        ...     progress_weight = 0.1
        ...
        ...     def execute(self, context):
        ...         return StepResult(data={"files": 3})
        >>> CountFiles().execute(None).data
        {'files': 3}
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of the step, unique in its workflow."""
        ...

    @property
    @abstractmethod
    def progress_weight(self) -> float:
        """Share of the whole work, 0.0 to 1.0; weights of a workflow need not sum to 1."""
        ...

    @abstractmethod
    def execute(self, context: C) -> "StepResult | Coroutine[Any, Any, StepResult]":
        """Do the work and say how it went.

        May be an `async def`. A step fails by returning `success=False` or by raising. Call `context.record_undo`
        before each effect that must be undone even if this step never returns.
        """
        ...

    def can_skip(self, context: C) -> bool:  # for subclasses
        """Whether there is nothing to do; True skips the step."""
        return False

    def rollback(self, context: C, result: StepResult) -> "Coroutine[Any, Any, None] | None":  # noqa: B027  # optional by design
        """Undo what `execute` did, after this or a later step failed.

        May be an `async def`. May be called twice, and after an `execute` that stopped half way: undoing what is not
        there is success. What cannot be undone is said by raising, or by adding to `context.errors` and going on;
        either makes the rollback count as incomplete.
        """
