"""The ports of the backend: one for each family of records."""

from synapse_sdk.backend.ports.backend import Backend
from synapse_sdk.backend.ports.catalogue import Collections, DataFiles, DataUnits, Storages
from synapse_sdk.backend.ports.ground_truths import GroundTruths
from synapse_sdk.backend.ports.ingestion import Ingestion
from synapse_sdk.backend.ports.jobs import Jobs
from synapse_sdk.backend.ports.models import Models
from synapse_sdk.backend.ports.submissions import Submissions
from synapse_sdk.backend.ports.work import Assignments, Projects, Tasks

__all__ = [
    "Assignments",
    "Backend",
    "Collections",
    "DataFiles",
    "DataUnits",
    "GroundTruths",
    "Ingestion",
    "Jobs",
    "Models",
    "Projects",
    "Storages",
    "Submissions",
    "Tasks",
]
