"""The backend in this process, as a whole."""

from typing import Self

from synapse_sdk.backend.embedded.assignments import EmbeddedAssignments
from synapse_sdk.backend.embedded.collections import EmbeddedCollections
from synapse_sdk.backend.embedded.data_files import EmbeddedDataFiles
from synapse_sdk.backend.embedded.data_units import EmbeddedDataUnits
from synapse_sdk.backend.embedded.database import Database, Place
from synapse_sdk.backend.embedded.ground_truths import EmbeddedGroundTruths
from synapse_sdk.backend.embedded.ingestion import EmbeddedIngestion
from synapse_sdk.backend.embedded.jobs import EmbeddedJobs
from synapse_sdk.backend.embedded.models import EmbeddedModels
from synapse_sdk.backend.embedded.projects import EmbeddedProjects
from synapse_sdk.backend.embedded.storages import EmbeddedStorages
from synapse_sdk.backend.embedded.submissions import EmbeddedSubmissions
from synapse_sdk.backend.embedded.tasks import EmbeddedTasks
from synapse_sdk.clock import SYSTEM_CLOCK, Clock

__all__ = ["EmbeddedBackend"]


class EmbeddedBackend:
    """Implements the port `Backend` on SQLite or PostgreSQL.

    All methods may be called from several threads at a time, and by several processes on one database.

    Args:
        place: Where the database is; it is made, or brought up to date, if need be.
        clock: Where the times of records come from.

    Raises:
        BackendError: It cannot be used; the message says why and what to do.
    """

    def __init__(self, place: Place, clock: Clock = SYSTEM_CLOCK) -> None:
        self._database = Database(place)
        self.url = place.url
        self.storages = EmbeddedStorages(self._database, clock)
        self.collections = EmbeddedCollections(self._database, clock)
        self.data_files = EmbeddedDataFiles(self._database)
        self.data_units = EmbeddedDataUnits(self._database)
        self.ingestion = EmbeddedIngestion(self._database, clock)
        self.projects = EmbeddedProjects(self._database, clock)
        self.tasks = EmbeddedTasks(self._database, clock)
        self.submissions = EmbeddedSubmissions(self._database)
        self.assignments = EmbeddedAssignments(self._database, clock)
        self.ground_truths = EmbeddedGroundTruths(self._database, clock)
        self.models = EmbeddedModels(self._database, clock)
        self.jobs = EmbeddedJobs(self._database, clock)

    def __repr__(self) -> str:
        """Return where it is."""
        return f"{type(self).__name__}({self.url!r})"

    def close(self) -> None:
        """Release connections; safe to call twice."""
        self._database.close()

    def __enter__(self) -> Self:
        """Use it for a while."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close it."""
        self.close()
