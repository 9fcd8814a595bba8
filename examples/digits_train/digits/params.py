"""What may be set about the training."""

from pydantic import Field

from synapse_sdk.plugins.actions.train import TrainParams

__all__ = ["DigitParams"]


class DigitParams(TrainParams):
    """All that a training takes, and these."""

    epochs: int = Field(default=40, ge=1, le=10_000, description="Times that all images are looked at.")
    hidden: int = Field(default=64, ge=1, le=4096, description="Units of the hidden layer.")
    rate: float = Field(default=0.1, gt=0, description="The learning rate.")
    batch: int = Field(default=32, ge=1, description="Images that are looked at at a time.")
    seed: int = Field(default=7, ge=0, description="Of the first weights, and of the order of the images.")
    onnx: bool = Field(default=True, description="Whether to register the network as an ONNX file, too.")
