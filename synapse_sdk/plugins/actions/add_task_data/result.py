"""What comes of giving tasks their annotations."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from synapse_sdk.plugins.actions.add_task_data.params import AddTaskDataMethod
from synapse_sdk.plugins.actions.summaries import failure_lines
from synapse_sdk.reporting.text import plural

__all__ = ["AddTaskDataResult", "StrayAnnotations", "TaskFailure"]

MOST_SHOWN = 10
"""Strays that a summary names."""


class TaskFailure(BaseModel):
    """A task that has not got its annotations."""

    model_config = ConfigDict(frozen=True)

    task_id: int
    code: str
    """Why, as a stable word such as `NO_FILE`."""
    error: str
    """Why, for people."""


class StrayAnnotations(BaseModel):
    """Annotations of the file that no task has got."""

    model_config = ConfigDict(frozen=True)

    kind: str
    """`unmatched`, `ambiguous` or `unreadable`."""
    name: str
    """What they are called in the file."""
    words: str
    """What is known besides."""


class AddTaskDataResult(BaseModel):
    """What was done. `total_tasks = success_count + failed_count + skipped_count`, always."""

    model_config = ConfigDict(frozen=True)

    success: bool
    """Whether all annotations that there are have come to their tasks."""
    status: str
    """`succeeded`: every task that was not skipped has its annotations; `partial`: some have not."""
    message: str
    """The same as a sentence."""
    run: str
    """Id of the run."""
    method: AddTaskDataMethod
    total_tasks: int
    """Tasks that were wanted."""
    success_count: int
    """Tasks that have their annotations now."""
    failed_count: int
    skipped_count: int
    """Tasks for which there are no annotations, or that a hook did not want."""
    unmatched_count: int = 0
    """Annotations of the file that are about no task."""
    ambiguous_count: int = 0
    """Annotations of the file that may be for several tasks, or share one."""
    unreadable_count: int = 0
    """Annotations of the file that make no sense, image by image."""
    loss_count: int = 0
    """Single annotations that did not come through as they are; `losses.csv` beside the report has them."""
    failures: tuple[TaskFailure, ...] = ()
    """The first hundred; the report has all."""
    strays: tuple[StrayAnnotations, ...] = ()
    """Likewise."""
    report_path: str
    """`report.json`; `report.csv` beside it has a line for every task."""
    steps_executed: int
    steps_total: int

    @property
    def losses(self) -> int:
        """How much should be in tasks and is not."""
        strays = self.unmatched_count + self.ambiguous_count + self.unreadable_count
        return self.failed_count + strays + self.loss_count

    def summary_lines(self) -> Iterator[str]:
        """Yield the result as a few lines for people."""
        here = f"{Path.cwd()}{os.sep}"
        yield self.message
        if self.skipped_count:
            yield f"  skipped    {plural(self.skipped_count, 'task')} without annotations"
        for kind, count in self._stray_counts():
            yield f"  {kind:<10} {plural(count, 'image')} of the file:"
            named = [each for each in self.strays if each.kind == kind][:MOST_SHOWN]
            yield from (f"    {each.name}{f': {each.words}' if each.words else ''}" for each in named)
            if count > len(named):
                yield f"    and {count - len(named):,} more, which the report has"
        yield from failure_lines(self.failed_count, "task", [(str(e.task_id), e.error) for e in self.failures])
        if self.loss_count:
            yield f"  losses     {self.loss_count:,}, listed in losses.csv"
        yield f"  report     {self.report_path.removeprefix(here)}"

    def _stray_counts(self) -> Iterator[tuple[str, int]]:
        for kind in ("unmatched", "ambiguous", "unreadable"):
            if count := getattr(self, f"{kind}_count"):
                yield kind, count

    @model_validator(mode="after")
    def _check_that_none_is_lost(self) -> Self:
        parts = self.success_count + self.failed_count + self.skipped_count
        if self.total_tasks != parts:
            msg = f"{self.total_tasks} tasks, but {parts} accounted for"
            raise ValueError(msg)
        return self
