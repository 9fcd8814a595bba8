"""What an upload would do, without doing it."""

import hashlib
import tempfile
from collections.abc import Sequence
from itertools import batched
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from synapse_sdk.backend import CollectionId, DataUnitState, Registration, StorageId
from synapse_sdk.plugins.actions.fields import OnError
from synapse_sdk.plugins.actions.references import find_storage
from synapse_sdk.plugins.actions.upload.accounting import FileRefusedError, told
from synapse_sdk.plugins.actions.upload.context import UploadContext
from synapse_sdk.plugins.actions.upload.known import look_up
from synapse_sdk.plugins.actions.upload.ledger import REFUSALS, ContextLedger
from synapse_sdk.plugins.actions.upload.params import UploadParams
from synapse_sdk.plugins.actions.upload.references import ask_storage, find_collection, find_project
from synapse_sdk.plugins.actions.upload.result import FileFailure, listed
from synapse_sdk.plugins.actions.upload.sending import FileJob, UnitJob
from synapse_sdk.plugins.actions.upload.sources import Source
from synapse_sdk.plugins.actions.upload.steps import (
    AnalyzeCollectionStep,
    GenerateDataUnitsStep,
    OrganizeFilesStep,
    ValidateFilesStep,
)
from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.steps import Orchestrator, StepRegistry
from synapse_sdk.storage import open_storage

__all__ = ["UploadPreview", "preview_upload"]

ASKED_AT_A_TIME = 500


class UploadPreview(BaseModel):
    """What an upload would do. `discovered = new + duplicate + filtered + failed`."""

    model_config = ConfigDict(frozen=True)

    collection: str
    storage: str
    discovered: int
    new: int
    """Files that would be sent."""
    new_bytes: int
    duplicate: int
    """Files whose content is there already, or occurs twice."""
    filtered: int
    failed: int
    """Files that would be refused; without on_error='continue' they fail the upload."""
    data_units: int
    metadata_sheet: str | None
    failures: tuple[FileFailure, ...]
    """The first hundred files that would be refused."""
    filtered_files: tuple[FileFailure, ...]
    """The first hundred files that do not belong in the collection."""


def preview_upload(params: UploadParams, *, going_on_with: str | None = None) -> UploadPreview:
    """Look at files, collection and storage, and return what an upload would do. Nothing is changed.

    Every file is read, because only its content tells whether it is there already.

    Args:
        params: Those of the upload.
        going_on_with: An interrupted run that the upload would go on with: the units that it brings in are no obstacle.

    Raises:
        ConfigurationError, RecordNotFoundError: As the upload itself, for what concerns more than single files.
        StepFailedError: For the same, in one of the steps.
    """
    with tempfile.TemporaryDirectory(prefix="synapse-preview-") as folder:
        looking = params.model_copy(update={"on_error": OnError.CONTINUE})  # to see everything there is to see
        context = UploadContext(RuntimeContext(), params=looking, run=going_on_with or "preview", work_folder=folder)
        try:
            return _preview(context)
        finally:
            context.close()


def _preview(context: UploadContext) -> UploadPreview:
    collection = find_collection(context.backend, context.params)
    context.collection_id = collection.id
    find_project(context.backend, context.params, collection)
    storage = _find_storage(context)
    registry = StepRegistry[UploadContext]()
    for step in (ValidateFilesStep(), AnalyzeCollectionStep(), OrganizeFilesStep(), GenerateDataUnitsStep()):
        registry.register(step)
    Orchestrator(registry, context).execute()
    new, new_bytes, duplicate = _count_new(context)
    return UploadPreview(
        collection=context.collection.name,
        storage=storage,
        discovered=new + duplicate + len(context.filtered_files) + len(context.failed_files),
        new=new,
        new_bytes=new_bytes,
        duplicate=duplicate,
        filtered=len(context.filtered_files),
        failed=len(context.failed_files),
        data_units=len(context.data_units),
        metadata_sheet=None if context.metadata_sheet is None else Path(context.metadata_sheet).name,
        failures=listed(context.failed_files),
        filtered_files=listed(context.filtered_files),
    )


def _find_storage(context: UploadContext) -> str:
    """Note the storage that would be used, if the backend knows it; see that it answers, and return its name."""
    found = find_storage(context.backend, context.params.storage)
    if found is None:
        return "local (would be made)"
    if isinstance(found, str):
        with open_storage(found) as storage:
            ask_storage(storage, context.collection.uid)
        return found
    context.storage_id = found.id
    ask_storage(context.storage, context.collection.uid)
    return found.name


def _count_new(context: UploadContext) -> tuple[int, int, int]:
    """Return how many files would be sent, with how many bytes, and how many would not have to be."""
    seen: set[str] = set()
    new = new_bytes = duplicate = 0
    for units in batched(look_up(context, ContextLedger(context).units()), ASKED_AT_A_TIME):
        _refuse_pending(context, units)
        files = [job for unit in units for job in _readable(context, unit)]
        duplicate += sum(job.unit.known is not None for job in files)
        asked = [job.sha256 for job in files if job.unit.known is None]
        seen |= context.backend.data_files.stored(
            CollectionId(context.collection_id), StorageId(context.storage_id), asked
        )
        for job in (job for job in files if job.unit.known is None):
            if job.sha256 in seen:
                duplicate += 1
            else:
                seen.add(job.sha256)
                new, new_bytes = new + 1, new_bytes + job.size
    return new, new_bytes, duplicate


def _refuse_pending(context: UploadContext, units: Sequence[UnitJob]) -> None:
    """Refuse units that another run brings in, which has not ended yet."""
    keys = [str(unit.unit["key"]) for unit in units if unit.known is None]
    staged = context.backend.data_units.with_keys(CollectionId(context.collection_id), keys, state=DataUnitState.STAGED)
    pending = {each.key for each in staged if each.run != context.run}
    reason, why = REFUSALS[Registration.PENDING]
    for unit in units:
        if unit.known is None and unit.unit["key"] in pending:
            context.failed_files |= {job.path: told(reason, why.format(unit.unit["key"])) for job in unit.files}
            unit.has_failed = True


def _readable(context: UploadContext, unit: UnitJob) -> list[FileJob]:
    """Read the files of a unit, and return those that are not refused."""
    if unit.has_failed:
        return []
    readable: list[FileJob] = []
    for job in unit.files:
        try:
            job.sha256, job.size = _digest(job.source, job.inside)
        except FileRefusedError as refusal:
            context.failed_files[job.path] = told(refusal.reason, refusal.words)
        else:
            readable.append(job)
    if unit.known is None or unit.is_known or len(readable) < len(unit.files):
        return readable
    reason, why = REFUSALS[Registration.CONFLICT]
    context.failed_files |= {job.path: told(reason, why.format(unit.unit["key"])) for job in readable}
    return []


def _digest(source: Source, inside: str) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with source.open(inside) as file:
        for piece in file.pieces():
            digest.update(piece)
            size += len(piece)
    return digest.hexdigest(), size
