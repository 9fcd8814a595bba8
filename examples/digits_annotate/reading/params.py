"""What may be set about the annotating."""

from pydantic import Field

from synapse_sdk.plugins.actions import AddTaskDataParams

__all__ = ["ReadDigitsParams"]


class ReadDigitsParams(AddTaskDataParams):
    """All that giving tasks their annotations takes, and this."""

    least_accuracy: float = Field(
        default=0.0, ge=0, le=1, description="The share that has to be read correctly, or else everything is undone."
    )
