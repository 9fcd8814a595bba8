"""The backend as a whole."""

from typing import Protocol, Self

from synapse_sdk.backend.ports.catalogue import Collections, DataFiles, DataUnits, Storages
from synapse_sdk.backend.ports.ground_truths import GroundTruths
from synapse_sdk.backend.ports.ingestion import Ingestion
from synapse_sdk.backend.ports.jobs import Jobs
from synapse_sdk.backend.ports.models import Models
from synapse_sdk.backend.ports.submissions import Submissions
from synapse_sdk.backend.ports.work import Assignments, Projects, Tasks

__all__ = ["Backend"]


class Backend(Protocol):
    """Everything the backend keeps; open one with `open_backend`."""

    url: str
    """Where it is, without anything secret."""

    @property
    def storages(self) -> Storages:
        """The storages it knows."""
        ...

    @property
    def collections(self) -> Collections:
        """Data collections."""
        ...

    @property
    def data_files(self) -> DataFiles:
        """Objects in storages."""
        ...

    @property
    def data_units(self) -> DataUnits:
        """Data units."""
        ...

    @property
    def ingestion(self) -> Ingestion:
        """What runs bring in."""
        ...

    @property
    def projects(self) -> Projects:
        """Projects."""
        ...

    @property
    def tasks(self) -> Tasks:
        """Tasks of projects."""
        ...

    @property
    def submissions(self) -> Submissions:
        """What runs submit to tasks, and can take back."""
        ...

    @property
    def assignments(self) -> Assignments:
        """Who does what of tasks."""
        ...

    @property
    def ground_truths(self) -> GroundTruths:
        """Ground truths."""
        ...

    @property
    def models(self) -> Models:
        """Trained models."""
        ...

    @property
    def jobs(self) -> Jobs:
        """What it was told about runs."""
        ...

    def close(self) -> None:
        """Release connections; safe to call twice."""
        ...

    def __enter__(self) -> Self:
        """Use it for a while."""
        ...

    def __exit__(self, *exc_info: object) -> None:
        """Close it."""
        ...
