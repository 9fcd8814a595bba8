"""What the steps of an export share."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Any

from synapse_sdk.backend import Backend, open_backend
from synapse_sdk.folders import remove_tree
from synapse_sdk.plugins.actions.export.destinations import Destination, Place, destination_of
from synapse_sdk.plugins.actions.export.exporter import BaseExporter
from synapse_sdk.plugins.actions.export.items import ConvertedItems, ExportItems, encoded, identity_of
from synapse_sdk.plugins.actions.export.ledger import Ledger
from synapse_sdk.plugins.actions.export.params import ExportParams, WhenTaken
from synapse_sdk.plugins.actions.export.sources import BackendSources
from synapse_sdk.plugins.actions.export.staging import Staging
from synapse_sdk.plugins.actions.export.supply import Supply
from synapse_sdk.plugins.actions.export.targets import TARGETS, ExportItem, Results, TargetHandler
from synapse_sdk.plugins.actions.references import find_storage
from synapse_sdk.plugins.checkpoint import handle
from synapse_sdk.plugins.steps import BaseStepContext
from synapse_sdk.retry import RetryPolicy
from synapse_sdk.storage import Storage, open_storage

__all__ = ["ExportContext"]


@dataclass
class ExportContext(BaseStepContext):
    """Input, intermediate state and output of one export.

    There may be a million items: they are read from the backend, and from the run's own ledger, as they are gone
    through, and never kept.
    """

    # Input, set when the run starts.
    params: ExportParams = handle()
    run: str = ""
    backend_url: str | None = None
    """Where the backend is; None for the one that the settings name."""
    work_folder: str = ""
    """A folder of the run's own, for the ledger and for what is on its way elsewhere."""
    report_folder: str = ""
    make_exporter: Callable[["ExportContext"], BaseExporter] = handle()
    """Makes the exporter; the action's."""

    # Filled in by initialize.
    storage_url: str = ""
    storage_id: int | None = None
    """The record of the storage, if the backend knows it."""
    path_root: Path = field(default_factory=Path)
    """The folder of this machine in which the export's own is made."""
    unique_export_path: Path = field(default_factory=Path)
    """The folder of this machine in which the export is put together; hidden until it is complete."""
    output_paths: dict[str, Path] = field(default_factory=dict)
    """`json` and `origin_files`: the folders in there."""
    started_at: str = ""
    """When the export began: ISO 8601, UTC."""

    # Filled in by fetch_results.
    total_count: int = 0
    """How many items there are."""
    last_id: int | None = None
    """The id of the last of them; items behind it are new since they were counted."""

    # Filled in by prepare_export.
    export_params: dict[str, Any] = field(default_factory=dict)
    """What the exporter is told."""
    configuration: dict[str, Any] = field(default_factory=dict)
    """Of the project."""
    project_id: int | None = None
    has_chosen_items: bool = False
    """Whether a step has put other items in the place of those that were found."""

    # Filled in by convert_data, save_files and finalize.
    errors_json: list[list[str]] = field(default_factory=list)
    """Documents that could not be saved, with the reason: the first hundred."""
    errors_original: list[list[str]] = field(default_factory=list)
    """Likewise files."""
    missing_count: int = 0
    """Items that were counted, and that were not among those that were read."""
    exported_count: int = 0
    failed_count: int = 0
    skipped_count: int = 0
    original_bytes: int = 0
    failures: list[tuple[int, str, str]] = field(default_factory=list)
    """Id, reason and words of items that were not exported: the first hundred."""
    renamed_count: int = 0
    """Files that could not keep their names."""
    output_path: str = ""
    """Where the export will be, or is."""

    @cached_property
    def backend(self) -> Backend:
        """The backend; opened on use."""
        return open_backend(self.backend_url)

    def find_storage(self) -> None:
        """Fill `storage_url` and `storage_id` by what the parameters name.

        Raises:
            RecordNotFoundError: There is no such storage.
        """
        found = find_storage(self.backend, self.params.storage)
        if isinstance(found, str):
            self.storage_url = found
        elif found is not None:
            self.storage_url, self.storage_id = found.url, found.id

    @cached_property
    def storage(self) -> Storage:
        """Where the export goes; opened on use."""
        if self.storage_id is None:
            return open_storage(self.storage_url)
        record = self.backend.storages.get(self.storage_id)
        return open_storage(record.url, credentials=record.credentials)

    @property
    def destination(self) -> Destination:
        """What puts the export in its place."""
        params = self.params
        refuses = params.when_taken is WhenTaken.REFUSE
        place = Place(path=params.path, name=params.name, run=self.run, refuses=refuses)
        return destination_of(self.storage, place, Path(self.work_folder))

    @cached_property
    def ledger(self) -> Ledger:
        """What became of every item; opened on use."""
        return Ledger(Path(self.work_folder) / "export.db")

    @cached_property
    def handler(self) -> TargetHandler:
        """What finds the items."""
        return TARGETS.load(self.params.target)(self.backend)

    @cached_property
    def filters(self) -> Any:  # noqa: ANN401  # the handler's own
        """What the filter of the parameters means to the handler; looked up on use."""
        return self.handler.validate_filter(self.params.filter)

    @cached_property
    def results(self) -> Results:
        """What the handler has found; counted on use, read when it is gone through."""
        return self.handler.get_results(self.filters)

    @property
    def export_items(self) -> ExportItems:
        """The items that are exported. Assigning others writes them down, so that a resumed run has them, too."""
        return ExportItems(self.total_count, lambda: self.items_after(0, 0))

    @export_items.setter
    def export_items(self, items: Iterable[ExportItem]) -> None:
        self.total_count = self.ledger.choose((identity_of(item), encoded({**item})) for item in items)
        self.has_chosen_items = True
        if self.export_params:
            self.export_params["count"] = self.total_count

    @property
    def converted_items(self) -> ConvertedItems:
        """The converted items that are to be saved. Assigning others writes them down in their place."""
        return ConvertedItems(self.ledger, self.supply.advance)

    @converted_items.setter
    def converted_items(self, items: Iterable[dict[str, Any]]) -> None:
        self.converted_items.replace(items)

    @cached_property
    def exporter(self) -> BaseExporter:
        """What converts and saves items; made on use."""
        exporter = self.make_exporter(self)
        exporter.staging = self.staging
        return exporter

    @cached_property
    def supply(self) -> Supply:
        """What converts items as they are asked for."""
        return Supply(self)

    @cached_property
    def staging(self) -> Staging:
        """Writes into the folder in which the export is put together."""
        return Staging(self.unique_export_path)

    @property
    def goes_on(self) -> bool:
        """Whether the run goes on without items that cannot be exported."""
        return self.params.on_error == "continue"

    def items_after(self, number: int, identity: int) -> Iterator[ExportItem]:
        """Yield the items behind one, which is known by its place in the export and by its id."""
        if self.has_chosen_items:
            yield from (json.loads(content) for _, content in self.ledger.chosen(after=number))
        else:
            last = self.last_id
            yield from takewhile(lambda item: last is None or identity_of(item) <= last, self.results.read(identity))

    @property
    def retries(self) -> RetryPolicy:
        """How to try a file again whose failure may pass."""
        return RetryPolicy(max_attempts=self.params.download_max_retries + 1, delay=0.25, max_delay=10.0, jitter=0.5)

    @cached_property
    def sources(self) -> BackendSources:
        """Where the files of items are read from."""
        return BackendSources(self.backend, self.retries, allows_private=self.params.allow_private_urls)

    def remove_work_folder(self) -> None:
        """Remove the run's own folder, and the ledger with it; safe to repeat."""
        self._forget("supply", "exporter")
        self._close("ledger")
        remove_tree(self.work_folder)

    def close(self) -> None:
        """Release what was opened; it is opened again when it is needed again."""
        self._forget("supply", "exporter", "staging", "results", "filters", "handler")
        self._close("sources", "ledger", "storage", "backend")

    def _forget(self, *names: str) -> None:
        for name in names:
            self.__dict__.pop(name, None)

    def _close(self, *names: str) -> None:
        for opened in [self.__dict__.pop(name) for name in names if name in self.__dict__]:
            opened.close()
