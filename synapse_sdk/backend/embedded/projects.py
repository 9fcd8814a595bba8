"""Projects: work on the units of collections."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, exists, select, update

from synapse_sdk.backend.embedded.database import Database
from synapse_sdk.backend.embedded.statements import (
    check_name,
    create,
    find,
    lock_collections,
    not_found,
    one,
    refuse_taken,
)
from synapse_sdk.backend.embedded.tables import projects, tasks
from synapse_sdk.backend.records import CollectionId, Project, ProjectId
from synapse_sdk.clock import Clock
from synapse_sdk.errors import ConflictError
from synapse_sdk.types import JsonObject

__all__ = ["EmbeddedProjects"]


class EmbeddedProjects:
    """Implements the port `Projects`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def create(self, name: str, collection_id: CollectionId, *, configuration: JsonObject | None = None) -> Project:
        """Make a project."""
        check_name(name, "project")
        values: dict[str, Any] = {
            "name": name,
            "collection_id": collection_id,
            "configuration": configuration or {},
            "created_at": self._clock.now(),
        }
        with self._database.write() as connection:
            lock_collections(connection, [collection_id])
            refuse_taken(connection, projects, name, "project")
            return Project(id=ProjectId(create(connection, projects, **values)), **values)

    def get(self, reference: ProjectId | int | str) -> Project:
        """Return a project by id or name."""
        with self._database.read() as connection:
            return _project(find(connection, projects, reference, "project"))

    def list(self, *, after: int = 0, limit: int = 100) -> Sequence[Project]:
        """Return projects in order of their ids, those behind `after`."""
        statement = select(projects).where(projects.c.id > after).order_by(projects.c.id).limit(limit)
        with self._database.read() as connection:
            return [_project(row) for row in connection.execute(statement)]

    def configure(self, project_id: ProjectId, configuration: JsonObject) -> Project:
        """Replace the configuration of a project as a whole, and return the project."""
        change = update(projects).where(projects.c.id == project_id).values(configuration=configuration)
        with self._database.write() as connection:
            return _project(one(connection, change.returning(projects), project_id, "project"))

    def remove(self, project_id: ProjectId) -> None:
        """Remove a project."""
        with self._database.write() as connection:
            if connection.scalar(select(exists().where(tasks.c.project_id == project_id))):
                msg = f"The project {project_id} cannot be removed: it has tasks"
                raise ConflictError(msg, fix="Remove its tasks first", project=project_id)
            if not connection.execute(delete(projects).where(projects.c.id == project_id)).rowcount:
                raise not_found(project_id, "project")


def _project(row: Row[Any]) -> Project:
    return Project(
        id=row.id,
        name=row.name,
        collection_id=row.collection_id,
        configuration=row.configuration,
        created_at=row.created_at,
    )
