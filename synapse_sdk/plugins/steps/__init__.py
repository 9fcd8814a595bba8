"""The step engine: steps, the context they share, their registry, and the orchestrator that runs and undoes them.

Needs the standard library only.
"""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports
from synapse_sdk.plugins.steps.base import BaseStep, StepResult
from synapse_sdk.plugins.steps.context import BaseStepContext
from synapse_sdk.plugins.steps.orchestrator import Orchestrator
from synapse_sdk.plugins.steps.outcome import run_step
from synapse_sdk.plugins.steps.registry import StepRegistry
from synapse_sdk.plugins.steps.wrapper import StepWrapper

if TYPE_CHECKING:
    from synapse_sdk.plugins.steps.plan import Plan, PlannedStep
    from synapse_sdk.plugins.steps.rollback import RollbackError

__all__ = [
    "BaseStep",
    "BaseStepContext",
    "Orchestrator",
    "Plan",
    "PlannedStep",
    "RollbackError",
    "StepRegistry",
    "StepResult",
    "StepWrapper",
    "run_step",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "Plan": "synapse_sdk.plugins.steps.plan",
        "PlannedStep": "synapse_sdk.plugins.steps.plan",
        "RollbackError": "synapse_sdk.plugins.steps.rollback",
    },
)
