"""What a user may set about making tasks."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from synapse_sdk.plugins.actions.fields import Reference
from synapse_sdk.plugins.kinds import Names

__all__ = ["CreateTasksParams"]


class CreateTasksParams(BaseModel):
    """Parameters for making tasks. A subclass may add more."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    project: Annotated[Reference, Names("project")] = Field(description="The project that gets tasks, by id or name.")
    batch_size: int = Field(default=1000, ge=1, le=10_000, description="Tasks that are made at a time, at most.")
