"""The built-in action that makes tasks: each data unit of a project's collection gets one."""

from synapse_sdk.plugins.actions.create_tasks.action import CreateTasksAction
from synapse_sdk.plugins.actions.create_tasks.context import CreateTasksContext
from synapse_sdk.plugins.actions.create_tasks.params import CreateTasksParams
from synapse_sdk.plugins.actions.create_tasks.result import CreateTasksResult

__all__ = ["CreateTasksAction", "CreateTasksContext", "CreateTasksParams", "CreateTasksResult"]
