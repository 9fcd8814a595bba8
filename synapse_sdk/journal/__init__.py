"""The durable record of runs."""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports

if TYPE_CHECKING:
    from synapse_sdk.journal.base import Journal
    from synapse_sdk.journal.memory import MemoryJournal
    from synapse_sdk.journal.model import Cancellation, Frame, Lease, RunId, RunRecord, RunSource
    from synapse_sdk.journal.open import default_journal, open_journal
    from synapse_sdk.journal.owner import Owner
    from synapse_sdk.journal.sqlite import SqliteJournal
    from synapse_sdk.journal.state import RunState, StepState, read_state
    from synapse_sdk.journal.writer import RunWriter

__all__ = [
    "Cancellation",
    "Frame",
    "Journal",
    "Lease",
    "MemoryJournal",
    "Owner",
    "RunId",
    "RunRecord",
    "RunSource",
    "RunState",
    "RunWriter",
    "SqliteJournal",
    "StepState",
    "default_journal",
    "open_journal",
    "read_state",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "Cancellation": "synapse_sdk.journal.model",
        "Frame": "synapse_sdk.journal.model",
        "Journal": "synapse_sdk.journal.base",
        "Lease": "synapse_sdk.journal.model",
        "MemoryJournal": "synapse_sdk.journal.memory",
        "Owner": "synapse_sdk.journal.owner",
        "RunId": "synapse_sdk.journal.model",
        "RunRecord": "synapse_sdk.journal.model",
        "RunSource": "synapse_sdk.journal.model",
        "RunState": "synapse_sdk.journal.state",
        "RunWriter": "synapse_sdk.journal.writer",
        "SqliteJournal": "synapse_sdk.journal.sqlite",
        "StepState": "synapse_sdk.journal.state",
        "default_journal": "synapse_sdk.journal.open",
        "open_journal": "synapse_sdk.journal.open",
        "read_state": "synapse_sdk.journal.state",
    },
)
