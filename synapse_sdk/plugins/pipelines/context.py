"""What the actions of a pipeline share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from synapse_sdk.plugins.checkpoint import handle
from synapse_sdk.plugins.pipelines.wiring import Wiring
from synapse_sdk.plugins.steps import BaseStepContext

__all__ = ["PipelineContext"]


@dataclass
class PipelineContext(BaseStepContext):
    """Input and intermediate state of one pipeline."""

    wiring: Wiring = handle()
    """What each action is given."""
    on_begin: Callable[[str], object] = handle(default=str)
    """Told the name of each action that begins."""
    run: str = ""
    results: dict[str, Any] = field(default_factory=dict)
    """Results of the actions that are done, as JSON data, by the names of these."""
