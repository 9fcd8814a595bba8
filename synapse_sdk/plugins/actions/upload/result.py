"""What an upload gives back."""

import os
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from synapse_sdk.plugins.actions.summaries import failure_lines
from synapse_sdk.plugins.actions.upload.accounting import reason_and_words
from synapse_sdk.plugins.kinds import Names
from synapse_sdk.reporting.text import plural, size

__all__ = ["FileFailure", "MetadataCounts", "UnitCounts", "UploadResult", "listed"]

MOST_LISTED = 100
"""Files that a result names one by one."""


class FileFailure(BaseModel):
    """A file that is not in the collection, though it should be."""

    model_config = ConfigDict(frozen=True)

    file: str
    """Its path, as in the report."""
    code: str
    """Why, as a stable word such as `EMPTY_FILE`."""
    reason: str
    """Why, for people."""


def listed(files: Mapping[str, str]) -> tuple[FileFailure, ...]:
    """Return the first hundred of files that the context keeps with reason and words."""
    parts = ((file, *reason_and_words(told)) for file, told in islice(files.items(), MOST_LISTED))
    return tuple(FileFailure(file=file, code=code, reason=reason) for file, code, reason in parts)


class UnitCounts(BaseModel):
    """What became of the data units."""

    model_config = ConfigDict(frozen=True)

    created: int = 0
    duplicate: int = 0
    """The collection had them already, with the same files."""
    failed: int = 0


class MetadataCounts(BaseModel):
    """What became of a metadata sheet."""

    model_config = ConfigDict(frozen=True)

    rows: int = 0
    matched: int = 0
    """Rows that belong to a unit of this upload."""
    unmatched_rows: int = 0
    """Rows that name no file of this upload."""
    ambiguous_rows: int = 0
    """Rows that name files of several units, or that contradict another row about one; none of them is used."""
    units_updated: int = 0
    """Units that got metadata; those that the collection had before keep what they have."""
    units_without: int = 0
    """Units of this upload for which there is no row."""

    @property
    def summary(self) -> str:
        """The same in words."""
        words = [
            f"{self.matched:,} of {plural(self.rows, 'row')} matched, {plural(self.units_updated, 'unit')} updated"
        ]
        if self.unmatched_rows:
            words.append(f"{plural(self.unmatched_rows, 'row')} without a file")
        if self.ambiguous_rows:
            words.append(f"{plural(self.ambiguous_rows, 'row')} that could mean more than one thing")
        if self.units_without:
            words.append(f"{plural(self.units_without, 'unit')} without a row")
        return "; ".join(words)


class UploadResult(BaseModel):
    """Result of an upload. Every file is accounted for: `discovered = uploaded + duplicate + filtered + failed`."""

    model_config = ConfigDict(frozen=True)

    success: bool
    """Whether nothing was lost."""
    run: str
    collection: Annotated[str, Names("data collection")]
    storage: str
    discovered: int
    uploaded: int
    duplicate: int
    """Files whose content was there already; their units are complete all the same."""
    elsewhere: dict[str, int] = Field(default_factory=dict)
    """How many of the duplicates are in another storage than `storage`, with units from before: by its name."""
    filtered: int
    """Files that do not belong: ignored, excluded, in no specification's folder, or of a type that it does not take."""
    failed: int
    uploaded_bytes: int
    data_units: UnitCounts = Field(default_factory=UnitCounts)
    metadata: MetadataCounts | None = None
    """None without a sheet."""
    failures: tuple[FileFailure, ...] = ()
    """The first hundred failed files; the report has all."""
    report_path: str
    """`report.json`; `report.csv` beside it has a line for every file."""
    steps_executed: int
    steps_total: int

    @property
    def losses(self) -> int:
        """How many files should be in the collection and are not."""
        return self.failed

    def summary_lines(self) -> Iterator[str]:
        """Yield the result as a few lines for people.

        Example:
            >>> result = UploadResult(
            ...     success=True,
            ...     run="7f3a",
            ...     collection="birds",
            ...     storage="disk",
            ...     discovered=2,
            ...     uploaded=1,
            ...     duplicate=0,
            ...     filtered=1,
            ...     failed=0,
            ...     uploaded_bytes=5_000,
            ...     data_units=UnitCounts(created=1),
            ...     report_path="report.json",
            ...     steps_executed=6,
            ...     steps_total=7,
            ... )
            >>> for line in result.summary_lines():
            ...     print(line)
            1 new data unit in 'birds'
              uploaded   1 file (5 kB) to storage 'disk'
              filtered   1 file that does not belong in the collection
              report     report.json
        """
        units = self.data_units
        yield f"{plural(units.created, 'new data unit')} in {self.collection!r}"
        yield from (f"  {name:<9}  {text}" for name, text in self._parts() if text)
        yield from failure_lines(self.failed, "file", [(each.file, each.reason) for each in self.failures])
        here = f"{Path.cwd()}{os.sep}"
        yield f"  {'report':<9}  {self.report_path.removeprefix(here)}"

    def _parts(self) -> Iterator[tuple[str, str]]:
        yield "uploaded", f"{plural(self.uploaded, 'file')} ({size(self.uploaded_bytes)}) to storage {self.storage!r}"
        if self.duplicate:
            known = f", {plural(self.data_units.duplicate, 'unit')}" if self.data_units.duplicate else ""
            where = ", ".join(f"{count:,} in storage {name!r}" for name, count in sorted(self.elsewhere.items()))
            there = f"there already ({where})" if where else "there already"
            yield "duplicate", f"{plural(self.duplicate, 'file')}{known}: {there}, and not sent again"
        if self.filtered:
            belong = "that does not belong" if self.filtered == 1 else "that do not belong"
            yield "filtered", f"{plural(self.filtered, 'file')} {belong} in the collection"
        if self.metadata is not None:
            yield "metadata", self.metadata.summary

    @model_validator(mode="after")
    def _check_that_none_is_lost(self) -> Self:
        parts = self.uploaded + self.duplicate + self.filtered + self.failed
        if self.discovered != parts:
            msg = f"{self.discovered} files discovered, but {parts} accounted for"
            raise ValueError(msg)
        return self
