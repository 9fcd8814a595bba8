"""The step of the action that makes tasks."""

from synapse_sdk.plugins.actions.create_tasks.steps.create_tasks import CreateTasksStep

__all__ = ["CreateTasksStep"]
