"""Which ground truths a dataset has, and in which of its splits each is."""

import hashlib
import heapq
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from synapse_sdk.backend import Backend
from synapse_sdk.errors import ConfigurationError
from synapse_sdk.formats.splits import canonical_split, in_order
from synapse_sdk.plugins.actions.dataset.params import DatasetParams
from synapse_sdk.plugins.actions.export.naming import fit, safe_name
from synapse_sdk.plugins.actions.export.targets import ExportItem
from synapse_sdk.plugins.actions.export.targets.ground_truth import VERSION, GroundTruthHandler, VersionFilter

__all__ = ["Selection", "Survey"]

LAYOUT = 2
"""Counts up when what is written for the same ground truths changes: then no older download is taken for a new one."""
LONGEST = 60
"""Characters of the name of a dataset that the name of a folder has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What there is to download, after everything was looked at once."""

    count: int
    """How many ground truths there are."""
    splits: Mapping[str, int]
    """How many in each split, in the usual order; one without a name if there are no splits."""
    key: str
    """The same only for the same version, filters and ground truths, with the same files: hexadecimal."""

    @property
    def is_categorized(self) -> bool:
        """Whether the dataset has splits."""
        return self.splits.keys() != {""}


class Selection:
    """The ground truths that are asked for.

    Args:
        backend: Where they are.
        params: What is asked for.

    Raises:
        ConfigurationError: The version or a filter cannot be understood.
        RecordNotFoundError: There is no such version.
    """

    def __init__(self, backend: Backend, params: DatasetParams) -> None:
        self._handler = GroundTruthHandler(backend)
        self._is_categorized, self._has_files = params.is_categorized, params.save_original_file
        wanted = params.splits or {"": {}}
        self._filters: dict[str, VersionFilter] = {
            split: self._handler.validate_filter({VERSION: params.dataset, **params.filter, **which})
            for split, which in wanted.items()
        }
        self.filter = {split: {**params.filter, **which} for split, which in wanted.items()}
        """The filter of each split."""
        self.version = backend.ground_truths.version(next(iter(self._filters.values())).version_id)
        self.dataset = backend.ground_truths.dataset(self.version.dataset_id).name
        """The name of the dataset."""

    @property
    def name(self) -> str:
        """The version as people call it: `birds@2`."""
        return f"{self.dataset}@{self.version.number}"

    @property
    def folder_name(self) -> str:
        """What a folder with it may be called."""
        return fit(safe_name(self.dataset)[:LONGEST], f"@{self.version.number}")

    def items(self, after: int = 0) -> Iterator[ExportItem]:
        """Yield the ground truths behind an id, in order of their ids, with the split in the place of the category.

        Raises:
            ConfigurationError: One of them is in two splits.
            BackendError: They cannot be read.
        """
        streams = [self._stream(split, after) for split in self._filters]
        last: ExportItem | None = None
        for item in heapq.merge(*streams, key=itemgetter("id")) if len(streams) > 1 else streams[0]:
            if last is not None and last["id"] == item["id"]:
                splits = f"{last.get('category')!r} and {item.get('category')!r}"
                msg = f"Ground truth {item['id']} of {self.name!r} would be in two splits, {splits}"
                raise ConfigurationError(msg, fix="Narrow the filters of 'splits', so that each has its own")
            last = item
            yield item

    def survey(self) -> Survey:
        """Go through all ground truths once. Raises as `items`."""
        events, splits, found = hashlib.sha256(), Counter[str](), 0
        for item in self.items():
            events.update(self._described(item))
            splits[item.get("category", "")] += 1
            found += 1
        facts = [LAYOUT, int(self.version.id), self.name, self.filter, self._is_categorized, self._has_files]
        key = hashlib.sha256(_encoded([*facts, events.hexdigest()])).hexdigest()
        counted = sum(self._handler.get_results(which).count for which in self._filters.values())
        return Survey(
            count=max(counted, found),  # more than were found if data units were removed since
            splits={split: splits[split] for split in in_order(splits)},
            key=key,
        )

    def _stream(self, split: str, after: int) -> Iterator[ExportItem]:
        for item in self._handler.get_results(self._filters[split]).read(after):
            name = split or item.get("category", "")
            item["category"] = canonical_split(name) if self._is_categorized and name else ""
            yield item

    def _described(self, item: ExportItem) -> bytes:
        """Return what would make the dataset another one if it were different."""
        told = ("file_name_original", "is_primary", "url", "sha256", "size")
        files: dict[str, Any] = {}
        if self._has_files:
            files = {name: [file.get(each) for each in told] for name, file in item["files"].items()}
        names = {name: file["file_name_original"] for name, file in item["files"].items()}
        return _encoded([item["id"], item.get("category"), item["data"], files, names])


def _encoded(value: Any) -> bytes:  # noqa: ANN401  # JSON
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
