"""The action: a model annotates, then a step of its own looks how well."""

from typing import Any

from reading.compare import CompareStep
from reading.params import ReadDigitsParams
from reading.result import ReadDigitsResult
from synapse_sdk.plugins.actions import AddTaskDataAction, AddTaskDataContext
from synapse_sdk.plugins.steps import StepRegistry

__all__ = ["ReadDigits"]


class ReadDigits(AddTaskDataAction[ReadDigitsParams]):
    """Annotate images of digits, and say how many were read correctly."""

    params_model = ReadDigitsParams
    result_model = ReadDigitsResult

    def setup_steps(self, registry: StepRegistry[AddTaskDataContext]) -> None:
        """Register the built-in steps, and the one that compares."""
        super().setup_steps(registry)
        registry.register(CompareStep(self.params.least_accuracy))

    def build_result(self, context: AddTaskDataContext, summary: dict[str, Any]) -> dict[str, Any]:
        """Say how well, besides."""
        return {**super().build_result(context, summary), **context.step_results[-1].data}
