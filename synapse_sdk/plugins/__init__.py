"""Plugins: actions built from steps, and what finds and runs them."""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports

if TYPE_CHECKING:
    from synapse_sdk.plugins.action import BaseAction
    from synapse_sdk.plugins.context import RuntimeContext
    from synapse_sdk.plugins.runner import plan_plugin, run_action, run_plugin

__all__ = ["BaseAction", "RuntimeContext", "plan_plugin", "run_action", "run_plugin"]

__getattr__ = lazy_exports(
    __name__,
    {
        "BaseAction": "synapse_sdk.plugins.action",
        "RuntimeContext": "synapse_sdk.plugins.context",
        "plan_plugin": "synapse_sdk.plugins.runner",
        "run_action": "synapse_sdk.plugins.runner",
        "run_plugin": "synapse_sdk.plugins.runner",
    },
)
