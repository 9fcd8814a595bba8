"""Units whose keys a collection has already: that is found out before anything of them is sent."""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import batched

from synapse_sdk.backend import CollectionId
from synapse_sdk.plugins.actions.upload.context import UploadContext
from synapse_sdk.plugins.actions.upload.registering import ANSWERS
from synapse_sdk.plugins.actions.upload.sending import UnitJob
from synapse_sdk.retry import retry

__all__ = ["look_up"]

LOOKED_UP_AT_A_TIME = 250


def look_up(context: UploadContext, units: Iterable[UnitJob]) -> Iterator[UnitJob]:
    """Yield units in their order, each with the live unit of another run that has its key.

    What is missed, because it appears only later, is found out when units are registered.

    Raises:
        BackendError: The backend cannot be used.
    """
    find = partial(context.backend.data_units.with_keys, CollectionId(context.collection_id))
    for some in batched(units, LOOKED_UP_AT_A_TIME):
        found = retry(partial(find, [str(job.unit["key"]) for job in some]), ANSWERS)
        known = {unit.key: unit for unit in found if unit.run != context.run}
        for job in some:
            job.known = known.get(job.unit["key"])
            yield job
