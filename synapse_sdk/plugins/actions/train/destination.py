"""Where a model will go, looked at before hours of work."""

from typing import TYPE_CHECKING

from synapse_sdk.errors import ConflictError, RecordNotFoundError
from synapse_sdk.plugins.actions.model_files import find_model
from synapse_sdk.plugins.actions.references import find_storage

if TYPE_CHECKING:
    from synapse_sdk.backend import Backend
    from synapse_sdk.plugins.actions.train.params import TrainParams

__all__ = ["check_names"]


def check_names(backend: "Backend", params: "TrainParams", name: str, run: str | None = None) -> None:
    """See whether what is named is there, and what is to be made is not.

    Args:
        backend: Where models and storages are known.
        params: The parameters.
        name: What the model is called.
        run: The run that is at work; a model of its own is no obstacle.

    Raises:
        ConflictError: There is a model of this name and version already.
        RecordNotFoundError: There is no such storage, or no such model to begin with.
    """
    find_storage(backend, params.storage)
    if params.checkpoint is not None:
        find_model(backend, params.checkpoint)
    if params.version is None:
        return
    try:
        known = backend.models.find(name, params.version)
    except RecordNotFoundError:
        return
    if known.run != run:
        msg = f"There is a model {name!r} of version {params.version!r} already"
        raise ConflictError(msg, fix="Choose another version", model=name)
