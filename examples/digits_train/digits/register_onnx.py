"""The step that registers the network a second time, as an ONNX file, under the name of the model with `-onnx`."""

from pathlib import Path

from digits.network import load
from digits.onnx_file import write_onnx
from synapse_sdk.plugins.actions.train import TrainContext
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["RegisterOnnxStep"]


class RegisterOnnxStep(BaseStep[TrainContext]):
    """Write the network as an ONNX file, announce that to the backend, and put it."""

    name = "register_onnx"
    progress_weight = 0.0

    def execute(self, context: TrainContext) -> StepResult:
        """Create a model beside the one that is uploaded next; it is registered when the run succeeds."""
        network, classes, side = load(Path(context.model_path))
        path = context.model_folder / "digits.onnx"
        write_onnx(path, network, classes, side)
        return StepResult(data=context.create_model(path, name=f"{context.name}-onnx"))

    def rollback(self, context: TrainContext, result: StepResult) -> None:
        """Delete the file and forget the model."""
        context.remove_models()
