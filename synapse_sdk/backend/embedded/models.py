"""Trained models."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, and_, delete, or_, select, update

from synapse_sdk.backend.embedded.database import Database
from synapse_sdk.backend.embedded.statements import create, not_found, one
from synapse_sdk.backend.embedded.tables import models
from synapse_sdk.backend.records import Model, ModelFile, ModelId, ModelState
from synapse_sdk.clock import Clock
from synapse_sdk.errors import ConflictError
from synapse_sdk.extensions import one_of
from synapse_sdk.types import JsonObject

__all__ = ["EmbeddedModels"]


class EmbeddedModels:
    """Implements the port `Models`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def stage(
        self, run: str, name: str, version: str, file: ModelFile, *, configuration: JsonObject | None = None
    ) -> Model:
        """Announce a model, before its object is put; a run that has announced the same one gets it again."""
        same = and_(models.c.name == name, models.c.version == version)
        taken = or_(same, and_(models.c.storage_id == file.storage_id, models.c.key == file.key))
        with self._database.write() as connection:
            for row in connection.execute(select(models).where(taken)):
                known = _model(row)
                if (known.run, known.name, known.version, known.file) == (run, name, version, file):
                    return known
                msg = f"There is a model {known.name!r} of version {known.version!r} already, with another file"
                raise ConflictError(msg, fix="Choose another version", model=known.name)
            identity = create(
                connection,
                models,
                name=name,
                version=version,
                storage_id=file.storage_id,
                key=file.key,
                sha256=file.sha256,
                size=file.size,
                configuration=configuration or {},
                state=ModelState.STAGED,
                run=run,
                created_at=self._clock.now(),
            )
            return _model(connection.execute(select(models).where(models.c.id == identity)).one())

    def register(self, model_id: ModelId) -> Model:
        """Make a model that is stored and verified known to everybody."""
        change = update(models).where(models.c.id == model_id).values(state=ModelState.REGISTERED)
        with self._database.write() as connection:
            return _model(one(connection, change.returning(models), model_id, "model"))

    def get(self, model_id: ModelId) -> Model:
        """Return a model."""
        with self._database.read() as connection:
            return _model(one(connection, select(models).where(models.c.id == model_id), model_id, "model"))

    def find(self, name: str, version: str | None = None) -> Model:
        """Return a registered model by name and version; the newest for None."""
        is_registered = models.c.state == ModelState.REGISTERED
        statement = select(models).where(models.c.name == name, is_registered)
        if version is not None:
            statement = statement.where(models.c.version == version)
        with self._database.read() as connection:
            row = connection.execute(statement.order_by(models.c.id.desc()).limit(1)).one_or_none()
            if row is not None:
                return _model(row)
            known = connection.execute(select(models.c.name, models.c.version).where(is_registered)).all()
        versions = [each.version for each in known if each.name == name]
        if version is not None and versions:
            wanted = f"{name} {version}"
            raise not_found(wanted, "model", one_of(version, sorted(versions)))
        raise not_found(name, "model", one_of(name, sorted({each.name for each in known})))

    def list(self, *, after: int = 0, limit: int = 100) -> Sequence[Model]:
        """Return registered models in order of their ids, those behind `after`."""
        statement = select(models).where(models.c.state == ModelState.REGISTERED, models.c.id > after)
        with self._database.read() as connection:
            return [_model(row) for row in connection.execute(statement.order_by(models.c.id).limit(limit))]

    def of_run(self, run: str) -> Sequence[Model]:
        """Return all models of a run, registered or not."""
        with self._database.read() as connection:
            rows = connection.execute(select(models).where(models.c.run == run).order_by(models.c.id))
            return [_model(row) for row in rows]

    def remove(self, model_id: ModelId) -> None:
        """Forget a model, because its object is gone."""
        with self._database.write() as connection:
            connection.execute(delete(models).where(models.c.id == model_id))


def _model(row: Row[Any]) -> Model:
    return Model(
        id=row.id,
        name=row.name,
        version=row.version,
        file=ModelFile(storage_id=row.storage_id, key=row.key, sha256=row.sha256, size=row.size),
        configuration=row.configuration,
        state=row.state,
        run=row.run,
        created_at=row.created_at,
    )
