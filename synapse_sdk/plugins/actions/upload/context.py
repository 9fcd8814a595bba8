"""What the steps of an upload share."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from synapse_sdk.backend import Backend, DataCollection, FileSpecification, Project, StorageRecord, open_backend
from synapse_sdk.errors import ConfigurationError
from synapse_sdk.plugins.actions.upload.params import UploadParams
from synapse_sdk.plugins.actions.upload.sources import Source, open_source
from synapse_sdk.plugins.checkpoint import handle
from synapse_sdk.plugins.steps import BaseStepContext
from synapse_sdk.storage import Storage, open_storage

__all__ = ["UploadContext"]


@dataclass
class UploadContext(BaseStepContext):
    """Input, intermediate state and output of one upload.

    Files are known by paths that begin with the name of their file specification, such as `images/2024/cat.jpg`,
    wherever they lie; `locate` finds them. There may be a million of them: what is kept of each is text and numbers.
    """

    # Input, set when the run starts.
    params: UploadParams = handle()
    run: str = ""
    """Under this name the backend knows what the run has brought in."""
    backend_url: str | None = None
    """Where the backend is; None for the one that the settings name."""
    work_folder: str = ""
    """A folder of the run's own, made when it is needed; archives are unpacked there."""
    report_folder: str = ""

    # Filled in by initialize.
    collection_id: int = 0
    storage_id: int = 0
    has_refused_probe: bool = False
    """Whether the storage did not let anything be put: then there is nothing in it to take back."""
    project_id: int | None = None

    # Filled in by validate_files.
    found_count: int = 0
    """How many files were found, fit or not."""
    roots: dict[str, str] = field(default_factory=dict)
    """Name of the file specification to the place of its files; `""` for a place with all of them."""
    file_paths: list[str] = field(default_factory=list)
    """The files that can be uploaded, sorted."""
    file_sizes: list[int] = field(default_factory=list)
    """Bytes of each."""
    file_versions: list[int] = field(default_factory=list)
    """What changes when the file does, for each; as `FoundFile.version`."""
    metadata_sheet: str | None = None
    """The sheet with metadata, as a path of this machine."""
    started_at: str = ""
    """When the files were looked at: ISO 8601, UTC."""

    # Filled in by analyze_collection.
    specifications: list[FileSpecification] = field(default_factory=list)
    """What units of the collection consist of."""

    # Filled in by organize_files.
    unpacked: dict[str, str] = field(default_factory=dict)
    """For roots that are archives, the folder into which they were unpacked."""
    organized_files: dict[str, dict[str, str]] = field(default_factory=dict)
    """Unit key to name of the file specification to path."""

    # Filled in by generate_data_units.
    data_units: list[dict[str, Any]] = field(default_factory=list)
    """The units to register: `{"key": ..., "files": {specification: path}, "meta": {...}}`."""
    added_count: int = 0
    """How many files other steps have added to those that were found."""

    # Filled in on the way, and by upload_files.
    filtered_files: dict[str, str] = field(default_factory=dict)
    """Path to why the file does not belong in the collection."""
    failed_files: dict[str, str] = field(default_factory=dict)
    """Path to why the file is not in the collection, though it should be."""
    uploaded_files: list[str] = field(default_factory=list)
    """Files that were sent."""
    duplicate_files: list[str] = field(default_factory=list)
    """Files whose content was there already."""
    elsewhere: dict[str, int] = field(default_factory=dict)
    """Of these, how many are in another storage than this upload's: by the name of the storage."""
    uploaded_bytes: int = 0
    unit_counts: dict[str, int] = field(default_factory=dict)
    """Units by what became of them: created, duplicate, failed."""

    # Filled in by process_metadata.
    metadata_counts: dict[str, int] = field(default_factory=dict)
    unmatched_rows: list[str] = field(default_factory=list)
    """Rows that are not used, with the reason."""
    metadata_notes: list[str] = field(default_factory=list)
    """What is remarkable about the sheet, such as cells that were left out."""

    @property
    def discovered(self) -> int:
        """How many files there are; each of them has to come to an end that is told."""
        return self.found_count + self.added_count

    @cached_property
    def backend(self) -> Backend:
        """The backend; opened on use."""
        return open_backend(self.backend_url)

    @cached_property
    def storage(self) -> Storage:
        """Where the files go; opened on use."""
        record = self.storage_record
        return open_storage(record.url, credentials=record.credentials)

    @property
    def storage_record(self) -> StorageRecord:
        """What the backend knows of the storage."""
        self.require(self.storage_id, step="initialize")
        return self.backend.storages.get(self.storage_id)

    @cached_property
    def collection(self) -> DataCollection:
        """The collection to upload into."""
        self.require(self.collection_id, step="initialize")
        return self.backend.collections.get(self.collection_id)

    @cached_property
    def project(self) -> Project | None:
        """The project that was named, if one was."""
        return None if self.project_id is None else self.backend.projects.get(self.project_id)

    @staticmethod
    def require(prepared: object, *, step: str) -> None:
        """Refuse to go on without what a step before should have put here.

        Raises:
            ConfigurationError: It is empty.
        """
        if not prepared:
            msg = f"The step {step!r} has not run, and this one needs what it puts into the context"
            fix = "Begin setup_steps with super().setup_steps(registry), or register that step, too"
            raise ConfigurationError(msg, fix=fix)

    @property
    def goes_on(self) -> bool:
        """Whether the run goes on without files that cannot be uploaded."""
        return self.params.on_error == "continue"

    def locate(self, path: str) -> tuple[Source, str]:
        """Return the source of a file, and its path there; an absolute path is a file of this machine."""
        if path.startswith("/"):
            if "/" not in self._sources:
                self._sources["/"] = open_source("/")
            return self._sources["/"], path[1:]
        name, _, rest = path.partition("/")
        root, inside = (name, rest) if name in self.roots else ("", path)
        return self.source(root), inside

    def source(self, root: str) -> Source:
        """Return a source by the name of its root; an archive that was unpacked is the folder with its files."""
        source = self._sources.get(root)
        if source is None:
            source = self._sources[root] = open_source(self.unpacked.get(root, self.roots[root]))
        return source

    def forget_source(self, root: str) -> None:
        """Close a source, because its files are elsewhere now."""
        if root in self._sources:
            self._sources.pop(root).close()

    @cached_property
    def _sources(self) -> dict[str, Source]:
        return {}

    def close(self) -> None:
        """Release what was opened; it is opened again when it is needed again."""
        for source in self._sources.values():
            source.close()
        self._sources.clear()
        for name in ("storage", "backend"):
            opened = self.__dict__.pop(name, None)
            if opened is not None:
                opened.close()

    def outcomes(self) -> Iterator[tuple[str, str, str]]:
        """Yield path, outcome and reason of every file that was found and is accounted for so far."""
        yield from ((path, "uploaded", "") for path in self.uploaded_files)
        yield from ((path, "duplicate", "") for path in self.duplicate_files)
        yield from ((path, "filtered", why) for path, why in self.filtered_files.items())
        yield from ((path, "failed", why) for path, why in self.failed_files.items())
