"""Converting a dataset in a run: where it goes, and how that is undone."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.failpoints import hit
from synapse_sdk.folders import missing_folders, remove_empty
from synapse_sdk.formats import ConversionReport, read_report
from synapse_sdk.formats.splits import SPLITS, canonical_split
from synapse_sdk.formats.staging import check_is_free, remove_staged, staging_of

__all__ = ["Target", "config_of", "has_splits", "undo_conversion"]

MOST_NUMBERS = 10_000
CONFIGS = ("dataset.yaml", "data.yaml", "annotations.json")
"""Files at the root of a dataset that tell a trainer all about it."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a run writes what it converts."""

    wanted: Path
    run: str
    is_numbered: bool = False
    """Whether another name is taken when this one is not free."""

    def finished(self) -> tuple[Path, ConversionReport] | None:
        """Return what this run has converted already, before its process died."""
        for path in self._names():
            report = read_report(path)
            if report is not None and report.options.get("run") == self.run:
                return path, report
            if not os.path.lexists(path):
                return None
        return None

    def free(self) -> Path:
        """Return the first place that is free.

        Raises:
            ConfigurationError: It is taken, and no other may be used.
        """
        for path in self._names():
            try:
                check_is_free(path)
            except ConfigurationError:
                continue
            return path
        check_is_free(self.wanted)
        return self.wanted

    def undo_entry(self, path: Path) -> dict[str, Any]:
        """Return what `undo_conversion` needs."""
        missing = [*map(str, missing_folders(path.parent))]
        return {"target": str(path), "run": self.run, "was_empty": path.is_dir(), "new_folders": missing}

    def _names(self) -> Iterator[Path]:
        yield self.wanted
        if self.is_numbered:
            yield from (self.wanted.with_name(f"{self.wanted.name}({number})") for number in range(1, MOST_NUMBERS))


def undo_conversion(entry: dict[str, Any]) -> None:
    """Remove what a run has converted, or begun to, as its undo entry tells; safe to repeat."""
    target = Path(entry["target"])
    remove_staged(target)
    report = read_report(target)
    if report is not None and report.options.get("run") == entry["run"]:
        hidden = staging_of(target)
        target.rename(hidden)  # so that nobody sees it vanish file by file
        shutil.rmtree(hidden)
    hit("dataset.removed")
    if entry["was_empty"] and not os.path.lexists(target):
        target.mkdir()
    remove_empty(entry["new_folders"])


def config_of(folder: Path) -> Path | None:
    """Return the file that tells a trainer all about a dataset; None in formats that have none."""
    return next((folder / name for name in CONFIGS if (folder / name).is_file()), None)


def has_splits(folder: Path) -> bool:
    """Whether a dataset has a folder for each of its splits."""
    with os.scandir(folder) as entries:
        return any(entry.is_dir() and canonical_split(entry.name) in SPLITS for entry in entries)
