"""Taking out of a storage what a run has put and nobody needs; and only that."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from secrets import token_hex

from synapse_sdk.backend import DataFile, DataFileState
from synapse_sdk.errors import BackendUnavailableError, ObjectNotFoundError, SynapseError
from synapse_sdk.failpoints import hit
from synapse_sdk.plugins.actions.upload.context import UploadContext
from synapse_sdk.plugins.actions.upload.destination import Destination
from synapse_sdk.plugins.actions.upload.sending import FileJob, clear_leftovers, may_leave_parts
from synapse_sdk.retry import RetryPolicy, retry
from synapse_sdk.storage import Storage

__all__ = ["delete_unused", "disown_strange", "sweep_late"]

AT_A_TIME = 16
"""Objects that are looked at at a time."""
DELETED_AT_A_TIME = 5_000
"""Objects that are deleted before the backend hears of it: the more, the more of them are in one folder."""
PATIENCE = RetryPolicy(max_attempts=6, delay=0.25, max_delay=5.0, retry_on=BackendUnavailableError)


def delete_unused(context: UploadContext, run: str) -> int:
    """Delete the objects of a run that no unit needs, and return how many there were."""
    ingestion, storage, total = context.backend.ingestion, context.storage, 0
    while files := ingestion.to_delete(run, limit=DELETED_AT_A_TIME):
        storage.abort_unfinished_of([file.key for file in files if may_leave_parts(storage, file.size)])
        storage.delete([file.key for file in files])
        hit("upload.deleted")
        ingestion.finish_removal([file.id for file in files])
        total += len(files)
        context.set_progress(total, total + len(files), "objects_deleted")
    return total


def disown_strange(context: UploadContext, run: str, state: DataFileState | None = None) -> None:
    """See to what a run has reserved and not used, before it lets go of it.

    What an unfinished put has left is cleared away, also where another run has put the object meanwhile. And where
    there is an object of other content, which somebody else must have put, the run gives it up, so that it stays.

    Args:
        context: The upload.
        run: The run.
        state: Look only at files in this state.
    """
    ingestion, storage, after = context.backend.ingestion, context.storage, 0
    while files := ingestion.unused(run, state=state, after=after):
        with ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="upload") as pool:
            strange = [file for file in pool.map(partial(_strange, storage), files) if file is not None]
        if strange:
            ingestion.disown(run, [file.id for file in strange])
            context.log("objects_left", {"count": len(strange), "first": strange[0].key, "why": "not of this upload"})
        after = files[-1].id


def _strange(storage: Storage, file: DataFile) -> DataFile | None:
    """Clear away what is unfinished of a file, and return it if its object is none of ours."""
    clear_leftovers(storage, file.key, file.size)
    if file.state is not DataFileState.RESERVED:  # it was verified
        return None
    try:
        is_ours = storage.stat(file.key).size == file.size and storage.checksum(file.key) == file.sha256
    except ObjectNotFoundError:
        return None
    return None if is_ours else file


def sweep_late(context: UploadContext, to: Destination, jobs: Sequence[FileJob]) -> None:
    """Delete what was sent for a run that somebody else has withdrawn meanwhile, unless it is needed by now.

    The backend knows nothing of these objects any more. Under another name they are reserved and withdrawn like those
    of any run: whoever else needs one of them keeps it.
    """
    files = list({job.sha256: (job.sha256, job.size, to.key_of(job.sha256)) for job in jobs}.values())
    if not files:
        return
    late = f"{to.run}-late-{token_hex(4)}"
    try:
        retry(partial(to.ingestion.reserve, late, to.collection_id, to.storage_id, files), PATIENCE)
        disown_strange(context, late)
        to.ingestion.withdraw(late)
        delete_unused(context, late)
    except SynapseError as error:  # it must not hide why the run is somebody else's
        context.log("late_objects_left", {"count": len(files), "first": files[0][2], "why": str(error)})
