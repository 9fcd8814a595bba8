"""What may be set about the annotating."""

from pydantic import Field

from synapse_sdk.plugins.actions import AddTaskDataParams
from synapse_sdk.plugins.actions.add_task_data import AddTaskDataMethod

__all__ = ["ReadDigitsParams"]


class ReadDigitsParams(AddTaskDataParams):
    """All that giving tasks their annotations takes, with other defaults, and what has to be read correctly."""

    method: AddTaskDataMethod = Field(default=AddTaskDataMethod.INFERENCE, description="Only a model reads digits.")
    model: str | None = Field(default="digits-onnx", validate_default=True, description="The model that reads them.")
    least_accuracy: float = Field(
        default=0.0, ge=0, le=1, description="The share that has to be read correctly, or else everything is undone."
    )
