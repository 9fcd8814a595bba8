"""The port of models."""

from collections.abc import Sequence
from typing import Protocol

from synapse_sdk.backend.records import Model, ModelFile, ModelId
from synapse_sdk.types import JsonObject

__all__ = ["Models"]


class Models(Protocol):
    """Trained models.

    The order is stage, put the object, register; a rollback deletes the object, then removes the model. Whatever may
    have been put is known here.
    """

    def stage(
        self, run: str, name: str, version: str, file: ModelFile, *, configuration: JsonObject | None = None
    ) -> Model:
        """Announce a model, before its object is put; a run that has announced the same one gets it again.

        Raises:
            ConflictError: There is one of this name and version, or its object is another model's.
        """
        ...

    def register(self, model_id: ModelId) -> Model:
        """Make a model that is stored and verified known to everybody; safe to repeat; raises RecordNotFoundError."""
        ...

    def get(self, model_id: ModelId) -> Model:
        """Return a model; raises RecordNotFoundError."""
        ...

    def find(self, name: str, version: str | None = None) -> Model:
        """Return a registered model by name and version; the newest for None.

        Raises:
            RecordNotFoundError: There is none; the message names the nearest.
        """
        ...

    def list(self, *, after: int = 0, limit: int = 100) -> Sequence[Model]:
        """Return registered models in order of their ids, those behind `after`."""
        ...

    def of_run(self, run: str) -> Sequence[Model]:
        """Return all models of a run, registered or not."""
        ...

    def remove(self, model_id: ModelId) -> None:
        """Forget a model, because its object is gone; safe to repeat."""
        ...
