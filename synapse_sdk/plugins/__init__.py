"""Plugins: actions built from steps, and what finds and runs them."""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports

if TYPE_CHECKING:
    from synapse_sdk.plugins.action import BaseAction
    from synapse_sdk.plugins.checkpoint import handle
    from synapse_sdk.plugins.context import RuntimeContext
    from synapse_sdk.plugins.run_report import (
        CollectedRuns,
        NextStep,
        RunReport,
        StepReport,
        collect_runs,
        describe_run,
        find_run,
        find_runs,
        follow_run,
    )
    from synapse_sdk.plugins.runner import plan_plugin, run_action, run_plugin
    from synapse_sdk.plugins.runs import cancel_run, resume_run, rollback_run

__all__ = [
    "BaseAction",
    "CollectedRuns",
    "NextStep",
    "RunReport",
    "RuntimeContext",
    "StepReport",
    "cancel_run",
    "collect_runs",
    "describe_run",
    "find_run",
    "find_runs",
    "follow_run",
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
        "CollectedRuns": "synapse_sdk.plugins.run_report",
        "NextStep": "synapse_sdk.plugins.run_report",
        "RunReport": "synapse_sdk.plugins.run_report",
        "RuntimeContext": "synapse_sdk.plugins.context",
        "StepReport": "synapse_sdk.plugins.run_report",
        "cancel_run": "synapse_sdk.plugins.runs",
        "collect_runs": "synapse_sdk.plugins.run_report",
        "describe_run": "synapse_sdk.plugins.run_report",
        "find_run": "synapse_sdk.plugins.run_report",
        "find_runs": "synapse_sdk.plugins.run_report",
        "follow_run": "synapse_sdk.plugins.run_report",
        "handle": "synapse_sdk.plugins.checkpoint",
        "plan_plugin": "synapse_sdk.plugins.runner",
        "resume_run": "synapse_sdk.plugins.runs",
        "rollback_run": "synapse_sdk.plugins.runs",
        "run_action": "synapse_sdk.plugins.runner",
        "run_plugin": "synapse_sdk.plugins.runner",
    },
)
