"""What the dataset action gives back."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, computed_field, model_validator

from synapse_sdk.plugins.actions.dataset.params import DatasetOperation
from synapse_sdk.plugins.actions.export.result import ItemFailure
from synapse_sdk.plugins.actions.summaries import failure_lines
from synapse_sdk.plugins.kinds import Names
from synapse_sdk.reporting.text import plural, size

__all__ = ["ConversionCounts", "DatasetResult", "DownloadCounts", "OutcomeCounts"]

MOST_SHOWN = 10
"""Failed items, or reasons for losses, that a summary names."""


class DownloadCounts(BaseModel):
    """What a download has done. `total = downloaded + failed`, always."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    dataset: str
    """The version: `birds@2`."""
    version_id: int
    total: int
    """Ground truths that fit the filters."""
    downloaded: int
    failed: int
    """They are not in the dataset, neither as document nor as file."""
    splits: dict[str, int]
    """How many of the total are in each split."""
    original_bytes: int
    """Of the files besides the documents."""
    renamed: int
    """Files that could not keep their names."""
    is_cached: bool
    """Whether it had been downloaded before, and was not again."""
    failures: tuple[ItemFailure, ...] = ()
    """The first hundred failed items; the report has all."""

    @model_validator(mode="after")
    def _check_that_none_is_lost(self) -> Self:
        if self.total != self.downloaded + self.failed:
            msg = f"{self.total} ground truths, but {self.downloaded + self.failed} accounted for"
            raise ValueError(msg)
        return self


class OutcomeCounts(BaseModel):
    """What became of items, or annotations. `seen = written + changed + dropped + failed`, always."""

    model_config = ConfigDict(frozen=True)

    seen: int
    written: int
    """As they are."""
    changed: int
    """With less or something else than the source says."""
    dropped: int
    failed: int
    """They could not be read."""
    left_out: int = 0
    """Not wanted, as the parameters say; not among those seen."""

    @model_validator(mode="after")
    def _check_that_none_is_lost(self) -> Self:
        parts = self.written + self.changed + self.dropped + self.failed
        if self.seen != parts:
            msg = f"{self.seen} seen, but {parts} accounted for"
            raise ValueError(msg)
        return self


class ConversionCounts(BaseModel):
    """What a conversion has done."""

    model_config = ConfigDict(frozen=True)

    source_format: str
    target_format: str
    items: OutcomeCounts
    annotations: OutcomeCounts
    losses: int
    """Lines of `losses.csv` that are about something lost."""
    reasons: tuple[dict[str, Any], ...] = ()
    """`code`, `reason` and `count` for each kind of loss."""


class DatasetResult(BaseModel):
    """What the dataset action has done."""

    model_config = ConfigDict(frozen=True)

    success: bool
    """Whether nothing has failed or was lost."""
    run: str
    """Id of the run."""
    operation: DatasetOperation
    path: Annotated[str, Names("dataset folder")]
    """The folder of the dataset."""
    format: str
    is_categorized: bool
    """Whether each split has a folder of its own."""
    count: int
    """Items in it."""
    config_path: str | None = None
    """The file that tells a trainer all about it, in formats that have one."""
    source_path: str | None = None
    """The dataset that it was made of."""
    download: DownloadCounts | None = None
    conversion: ConversionCounts | None = None
    report_path: str
    steps_executed: int
    steps_total: int

    @computed_field  # type: ignore[prop-decorator]  # as pydantic wants it
    @property
    def data_path(self) -> str:
        """What a trainer is given: the configuration, or the folder where there is none."""
        return self.config_path or self.path

    @property
    def losses(self) -> int:
        """How much should be in the dataset and is not, or not as it was."""
        failed = 0 if self.download is None else self.download.failed
        return failed + (0 if self.conversion is None else self.conversion.losses)

    def summary_lines(self) -> Iterator[str]:
        """Yield the result as a few lines for people."""
        here = f"{Path.cwd()}{os.sep}"
        yield f"{plural(self.count, 'item')} of {self.format} in {self.path.removeprefix(here)}"
        if self.download is not None:
            yield from _download_lines(self.download)
        if self.conversion is not None and self.conversion.losses:
            yield f"  losses     {self.conversion.losses:,}, listed in losses.csv:"
            reasons = self.conversion.reasons[:MOST_SHOWN]
            yield from (f"    {each['count']:,} x {each['code']}: {each['reason']}" for each in reasons)
        yield f"  report     {self.report_path.removeprefix(here)}"


def _download_lines(download: DownloadCounts) -> Iterator[str]:
    splits = ", ".join(f"{name} {count:,}" for name, count in download.splits.items() if name)
    yield f"  version    {download.dataset}{f' ({splits})' if splits else ''}"
    if download.is_cached:
        yield "  download   not needed: it was here already"
    elif download.original_bytes:
        yield f"  originals  {size(download.original_bytes)}"
    if download.renamed:
        yield f"  renamed    {plural(download.renamed, 'file')}"
    yield from failure_lines(download.failed, "item", [each.named for each in download.failures])
