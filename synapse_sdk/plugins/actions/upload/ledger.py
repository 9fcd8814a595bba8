"""Keeping account of a transfer: what became of each unit and file."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from time import monotonic
from typing import Protocol

from synapse_sdk.backend import Registration
from synapse_sdk.plugins.actions.upload.accounting import Reason, told
from synapse_sdk.plugins.actions.upload.context import UploadContext
from synapse_sdk.plugins.actions.upload.losses import describe_losses
from synapse_sdk.plugins.actions.upload.sending import SMALL, FileJob, UnitJob

__all__ = ["REFUSALS", "ContextLedger", "Ledger", "LossError"]

SHOWN_EVERY = 0.2
"""Seconds between two reports of progress."""
SAVED_EVERY = 1.0
"""Seconds between two savings of the account; what came after the last is looked up again, and not sent again."""
COST_OF_HASHING = 0.25
"""What a byte of a large file costs before it is sent, compared with sending it; small ones are hashed at once."""
COST_OF_A_FILE = 64 << 10
"""What a file costs besides its bytes, in bytes; so that the bar moves evenly with small files and with large ones."""


class Ledger(Protocol):
    """Keeps account of what becomes of units and files; called by the thread that runs the transfer."""

    def registered(self, units: Sequence[tuple[UnitJob, Registration]]) -> None:
        """Take note of units that the backend has, or refuses; may raise to end the transfer."""
        ...

    def failed(self, job: FileJob, reason: Reason, words: str) -> None:
        """Take note of a file that cannot be uploaded, and with it its unit; may raise to end the transfer.

        Of one unit several files may fail, one after the other.
        """
        ...

    def tick(self, under_way: int, hashed: int) -> None:
        """Take note that time passes.

        Args:
            under_way: Bytes of unfinished files that have been sent.
            hashed: Bytes of large files whose digests have been worked out, of all there were.
        """
        ...


class LossError(Exception):
    """Ends a transfer that shall not go on without a file."""


REFUSALS: Mapping[Registration, tuple[Reason, str]] = {
    Registration.CONFLICT: (Reason.UNIT_CONFLICT, "the collection has a unit {!r} with other files"),
    Registration.PENDING: (
        Reason.UNIT_PENDING,
        "another upload, which has not ended yet, brings in the unit {!r}; upload again when it has",
    ),
}
"""Why a unit is not registered, and what is said of its files."""


class ContextLedger:
    """Keeps account of a transfer in the context, shows how far it is, and saves that."""

    def __init__(self, context: UploadContext) -> None:
        self._context = context
        self._places = {path: number for number, path in enumerate(context.file_paths)}
        self._done = {*context.uploaded_files, *context.duplicate_files, *context.failed_files}
        paths = [path for unit in context.data_units for path in unit["files"].values()]
        self._files_total, self._files_done = len(paths), 0
        self._bytes_total, self._bytes_done = sum(self._size(path) for path in paths), 0
        self._large_total, self._large_passed = sum(self._large_size(path) for path in paths), 0
        self._hashed = 0
        self._shown_at = self._saved_at = 0.0
        self._failed: dict[str, str] = {}  # by this worker
        self._storages: dict[int, str] = {}

    def units(self) -> Iterator[UnitJob]:
        """Yield the units that are still to be brought in."""
        for unit in self._context.data_units:
            files: dict[str, str] = unit["files"]
            if any(path in self._done for path in files.values()):
                self._count_done(files.values())
                self._large_passed += sum(self._large_size(path) for path in files.values())
                continue
            job = UnitJob(unit)
            for specification, path in files.items():
                source, inside = self._context.locate(path)
                facts = self._facts(path)
                weight = SMALL if facts is None else min(facts[0], SMALL)
                job.files.append(FileJob(job, specification, path, source, inside, facts, weight))
            yield job

    def registered(self, units: Sequence[tuple[UnitJob, Registration]]) -> None:
        """Account for units that the backend has, or refuses."""
        context = self._context
        for job, outcome in units:
            if outcome in REFUSALS:
                reason, why = REFUSALS[outcome]
                self._fail_unit(job, reason, why.format(job.unit["key"]))
                continue
            self._count("created" if outcome is Registration.CREATED else "duplicate")
            self._note_where(job)
            for file in job.files:
                if file.is_sent:
                    context.uploaded_files.append(file.path)
                    context.uploaded_bytes += file.size
                else:
                    context.duplicate_files.append(file.path)
            self._count_done(file.path for file in job.files)
        now = monotonic()
        if now - self._saved_at >= SAVED_EVERY:
            self._saved_at = now
            context.save_progress(registered=len(context.uploaded_files) + len(context.duplicate_files))
        self._stop_if_failed()

    def failed(self, job: FileJob, reason: Reason, words: str) -> None:
        """Account for a file that cannot be uploaded, and for the others of its unit."""
        if job.path not in self._failed:  # else another file of its unit has failed before
            self._fail_unit(job.unit, Reason.INCOMPLETE_UNIT, f"{job.path} of its unit cannot be uploaded")
        self._failed[job.path] = self._context.failed_files[job.path] = told(reason, words)
        self._context.log("file_failed", {"file": job.path, "reason": str(reason), "why": words})
        self._stop_if_failed()

    def tick(self, under_way: int, hashed: int) -> None:
        """Show how far it is, now and then."""
        self._hashed = hashed
        now = monotonic()
        if now - self._shown_at >= SHOWN_EVERY:
            self._shown_at = now
            self.show(under_way)

    def show(self, under_way: int = 0) -> None:
        """Show how far it is, in files and bytes, and in bytes that are hashed where that takes time."""
        context, done = self._context, self._bytes_done + under_way
        hashed = min(self._hashed + self._large_passed, self._large_total)
        total = self._bytes_total + COST_OF_HASHING * self._large_total + COST_OF_A_FILE * self._files_total
        if total:
            context.scope.advance((done + COST_OF_HASHING * hashed + COST_OF_A_FILE * self._files_done) / total)
        if self._large_total:
            context.set_progress(hashed, self._large_total, "hashed_bytes")
        context.set_progress(self._files_done, self._files_total, "files")
        context.set_progress(min(done, self._bytes_total), self._bytes_total, "bytes")
        context.set_metrics(self.counts())

    def counts(self) -> dict[str, int]:
        """Return the figures so far."""
        context = self._context
        uploaded, duplicate = len(context.uploaded_files), len(context.duplicate_files)
        return {
            "stand_by": self._files_total - self._files_done,
            "success": uploaded,
            "skipped": duplicate,
            "failed": self._files_done - uploaded - duplicate,
            "bytes": context.uploaded_bytes,
        }

    def _fail_unit(self, job: UnitJob, reason: Reason, words: str) -> None:
        self._count("failed")
        for file in job.files:
            self._failed[file.path] = self._context.failed_files[file.path] = told(reason, words)
            self._large_passed += max(0, self._large_size(file.path) - file.hashed)
        self._count_done(file.path for file in job.files)

    def _note_where(self, job: UnitJob) -> None:
        """Count the files of a unit that is in another storage than the one that files are sent to."""
        for file in () if job.known is None else job.known.files.values():
            if file.storage_id != self._context.storage_id:
                name = self._storages.get(file.storage_id)
                if name is None:
                    name = self._storages[file.storage_id] = self._context.backend.storages.get(file.storage_id).name
                self._context.elsewhere[name] = self._context.elsewhere.get(name, 0) + 1

    def _count_done(self, paths: Iterable[str]) -> None:
        for path in paths:
            self._files_done += 1
            self._bytes_done += self._size(path)

    def _count(self, what: str) -> None:
        counts = self._context.unit_counts
        counts[what] = counts.get(what, 0) + 1

    def _size(self, path: str) -> int:
        facts = self._facts(path)
        return 0 if facts is None else facts[0]

    def _large_size(self, path: str) -> int:
        """Return the bytes of a file if it is one of those that are hashed before they are read again to be sent."""
        size = self._size(path)
        return size if size > SMALL else 0

    def _facts(self, path: str) -> tuple[int, int] | None:
        """Return size and version of a file when it was checked; None for one that a step has added since."""
        place = self._places.get(path)
        return None if place is None else (self._context.file_sizes[place], self._context.file_versions[place])

    def _stop_if_failed(self) -> None:
        if self._failed and not self._context.goes_on:
            raise LossError(describe_losses(self._failed))
