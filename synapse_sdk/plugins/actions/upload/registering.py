"""Registering units whose files are all in the storage, once these survive a loss of power."""

from collections.abc import Sequence
from functools import partial

from synapse_sdk.backend import DataFileId, NewUnit, RegisteredUnit
from synapse_sdk.clock import Clock
from synapse_sdk.failpoints import hit
from synapse_sdk.plugins.actions.upload.crew import Crew
from synapse_sdk.plugins.actions.upload.destination import Destination
from synapse_sdk.plugins.actions.upload.ledger import Ledger
from synapse_sdk.plugins.actions.upload.letterbox import Letterbox
from synapse_sdk.plugins.actions.upload.sending import FileJob, UnitJob
from synapse_sdk.retry import RetryPolicy, is_transient, retry

__all__ = ["ANSWERS", "Registrar"]

REGISTERED_AFTER = 1.0
"""Seconds after which units are registered that are there, even if they are few."""
ANSWERS = RetryPolicy(max_attempts=5, delay=0.25, max_delay=5.0, jitter=0.5, retry_on=is_transient)
"""How often the storage and the backend are asked again: what they are asked is safe to repeat."""


class Registrar:
    """Registers units, some at a time, and tells the ledger. While the disk is waited for, other files are sent.

    Args:
        to: Where they go.
        ledger: Told what the backend says of each unit.
        crew: Waits for the disk.
        letterbox: Where it says that the wait is over.
        batch: Units that are registered at a time, at most.
        clock: Where pauses come from.
    """

    def __init__(
        self, to: Destination, ledger: Ledger, crew: Crew, letterbox: Letterbox, *, batch: int, clock: Clock
    ) -> None:
        self._to, self._ledger, self._crew, self._letterbox = to, ledger, crew, letterbox
        self._batch, self._clock = batch, clock
        self.there: dict[int, FileJob] = {}
        """By data file: what was sent and what the backend does not know to be there."""
        self.is_flushing = False
        """Whether the storage is making files durable."""
        self._complete: list[UnitJob] = []
        self._registered_at = clock.monotonic()

    def add(self, unit: UnitJob) -> None:
        """Take in a unit whose files are all there."""
        self._complete.append(unit)

    def register(self, *, is_last: bool) -> None:
        """Register units if there are many, or it is time, or nothing else is waited for.

        Raises:
            SynapseError: The backend cannot be used, or the ledger ended it.
        """
        is_time = self._clock.monotonic() - self._registered_at >= REGISTERED_AFTER
        while self._complete and not self.is_flushing:
            if not (is_last or is_time or len(self._complete) >= self._batch):
                break
            units, self._complete = self._complete[: self._batch], self._complete[self._batch :]
            stored = sorted({job.file_id for unit in units for job in unit.files} & self.there.keys())
            if stored:
                self.is_flushing = True
                self._crew.do(partial(self._flush, units, stored), is_long=True)
            else:
                self._announce(units, stored)
        if is_time:
            self._registered_at = self._clock.monotonic()

    def _flush(self, units: list[UnitJob], stored: list[int]) -> None:
        failure: BaseException | None = None
        try:
            retry(self._to.storage.flush, ANSWERS, clock=self._clock)
        except BaseException as error:  # noqa: BLE001  # it belongs to the thread that decides
            failure = error
        self._letterbox.post(partial(self._note_flushed, units, stored, failure), is_urgent=True)

    def _note_flushed(self, units: list[UnitJob], stored: list[int], failure: BaseException | None) -> None:
        self.is_flushing = False
        if failure is not None:
            raise failure
        self._announce(units, stored)

    def _announce(self, units: list[UnitJob], stored: list[int]) -> None:
        found = retry(partial(self._ask, units, stored), ANSWERS, clock=self._clock)
        hit("upload.registered")
        for file_id in stored:
            del self.there[file_id]
        self._ledger.registered([(unit, each.outcome) for unit, each in zip(units, found, strict=True)])

    def _ask(self, units: list[UnitJob], stored: list[int]) -> Sequence[RegisteredUnit]:
        to = self._to
        new = [_new_unit(unit) for unit in units]
        return to.ingestion.register(to.run, to.collection_id, new, stored=map(DataFileId, stored))


def _new_unit(unit: UnitJob) -> NewUnit:
    files = {job.specification: (DataFileId(job.file_id), job.name) for job in unit.files}
    return NewUnit(key=str(unit.unit["key"]), files=files, meta=unit.unit["meta"])
