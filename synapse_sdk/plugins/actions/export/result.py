"""What an export gives back."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from synapse_sdk.plugins.actions.summaries import failure_lines
from synapse_sdk.reporting.text import plural, size

__all__ = ["MOST_LISTED", "ExportResult", "ItemFailure"]

MOST_LISTED = 100
"""Failed items that a result names one by one."""


class ItemFailure(BaseModel):
    """An item that was not exported, or only in part."""

    model_config = ConfigDict(frozen=True)

    id: int | None
    """None where it is not known which one it was."""
    code: str
    """Why, as a stable word such as `NULL_DATA`."""
    reason: str
    """Why, for people."""

    @property
    def named(self) -> tuple[str, str]:
        """The id, as text, and the reason."""
        return "?" if self.id is None else str(self.id), self.reason


class ExportResult(BaseModel):
    """What an export has done. `total_count = exported_count + failed_count + skipped_count`, always."""

    model_config = ConfigDict(frozen=True)

    success: bool
    """Whether everything that was found was exported, or skipped on purpose."""
    run: str
    """Id of the run."""
    target: str
    total_count: int
    """Items that were found."""
    exported_count: int
    failed_count: int
    """Items that were not exported, or only in part."""
    skipped_count: int
    """Items that a hook did not want."""
    original_bytes: int
    """Bytes of the files that were saved besides the documents."""
    renamed_count: int
    """Files that could not keep their names; `filename_collisions.json` has them."""
    failures: tuple[ItemFailure, ...] = ()
    """The first hundred failed items; the report has all, with tracebacks."""
    output_path: str
    """Where the export is: a folder or a URL."""
    report_path: str
    """`report.json`; `report.csv` beside it has a line for every item."""
    steps_executed: int
    steps_total: int

    @property
    def losses(self) -> int:
        """How many items should be in the export and are not, or only in part."""
        return self.failed_count

    def summary_lines(self) -> Iterator[str]:
        """Yield the result as a few lines for people.

        Example:
            >>> result = ExportResult(
            ...     success=True,
            ...     run="7f3a",
            ...     target="task",
            ...     total_count=2,
            ...     exported_count=1,
            ...     failed_count=0,
            ...     skipped_count=1,
            ...     original_bytes=5_000,
            ...     renamed_count=0,
            ...     output_path="/exports/birds",
            ...     report_path="report.json",
            ...     steps_executed=6,
            ...     steps_total=6,
            ... )
            >>> for line in result.summary_lines():
            ...     print(line)
            1 item in /exports/birds
              skipped    1 item that a hook did not want
              originals  5 kB
              report     report.json
        """
        here = f"{Path.cwd()}{os.sep}"
        yield f"{plural(self.exported_count, 'item')} in {self.output_path.removeprefix(here)}"
        if self.skipped_count:
            yield f"  skipped    {plural(self.skipped_count, 'item')} that a hook did not want"
        if self.original_bytes:
            yield f"  originals  {size(self.original_bytes)}"
        if self.renamed_count:
            yield f"  renamed    {plural(self.renamed_count, 'file')}, listed in filename_collisions.json"
        yield from failure_lines(self.failed_count, "item", [each.named for each in self.failures])
        yield f"  report     {self.report_path.removeprefix(here)}"

    @model_validator(mode="after")
    def _check_that_none_is_lost(self) -> Self:
        parts = self.exported_count + self.failed_count + self.skipped_count
        if self.total_count != parts:
            msg = f"{self.total_count} items found, but {parts} accounted for"
            raise ValueError(msg)
        return self
