"""Where logs, progress and metrics of a run go."""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports

if TYPE_CHECKING:
    from synapse_sdk.reporting.base import Reporter, RunObserver
    from synapse_sdk.reporting.memory import MemoryReporter

__all__ = ["MemoryReporter", "Reporter", "RunObserver"]

__getattr__ = lazy_exports(
    __name__,
    {
        "MemoryReporter": "synapse_sdk.reporting.memory",
        "Reporter": "synapse_sdk.reporting.base",
        "RunObserver": "synapse_sdk.reporting.base",
    },
)
