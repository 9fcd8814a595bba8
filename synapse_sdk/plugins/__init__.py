"""Plugins: actions built from steps, and what finds and runs them."""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports

if TYPE_CHECKING:
    from synapse_sdk.plugins.action import BaseAction
    from synapse_sdk.plugins.checkpoint import handle
    from synapse_sdk.plugins.context import RuntimeContext
    from synapse_sdk.plugins.runner import plan_plugin, run_action, run_plugin
    from synapse_sdk.plugins.runs import cancel_run, resume_run, rollback_run

__all__ = [
    "BaseAction",
    "RuntimeContext",
    "cancel_run",
    "handle",
    "plan_plugin",
    "resume_run",
    "rollback_run",
    "run_action",
    "run_plugin",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "BaseAction": "synapse_sdk.plugins.action",
        "RuntimeContext": "synapse_sdk.plugins.context",
        "cancel_run": "synapse_sdk.plugins.runs",
        "handle": "synapse_sdk.plugins.checkpoint",
        "plan_plugin": "synapse_sdk.plugins.runner",
        "resume_run": "synapse_sdk.plugins.runs",
        "rollback_run": "synapse_sdk.plugins.runs",
        "run_action": "synapse_sdk.plugins.runner",
        "run_plugin": "synapse_sdk.plugins.runner",
    },
)
