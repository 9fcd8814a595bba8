"""Where logs, progress and metrics of a run go."""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports

if TYPE_CHECKING:
    from synapse_sdk.reporting.background import BackgroundReporter
    from synapse_sdk.reporting.base import Reporter, RunObserver
    from synapse_sdk.reporting.console import ConsoleReporter
    from synapse_sdk.reporting.json import JsonReporter
    from synapse_sdk.reporting.memory import MemoryReporter
    from synapse_sdk.reporting.open import ColorChoice, ReporterKind, open_reporter
    from synapse_sdk.reporting.plain import ErrorReporter, PlainReporter
    from synapse_sdk.reporting.view import RunView

__all__ = [
    "BackgroundReporter",
    "ColorChoice",
    "ConsoleReporter",
    "ErrorReporter",
    "JsonReporter",
    "MemoryReporter",
    "PlainReporter",
    "Reporter",
    "ReporterKind",
    "RunObserver",
    "RunView",
    "open_reporter",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "BackgroundReporter": "synapse_sdk.reporting.background",
        "ColorChoice": "synapse_sdk.reporting.open",
        "ConsoleReporter": "synapse_sdk.reporting.console",
        "ErrorReporter": "synapse_sdk.reporting.plain",
        "JsonReporter": "synapse_sdk.reporting.json",
        "MemoryReporter": "synapse_sdk.reporting.memory",
        "PlainReporter": "synapse_sdk.reporting.plain",
        "Reporter": "synapse_sdk.reporting.base",
        "ReporterKind": "synapse_sdk.reporting.open",
        "RunObserver": "synapse_sdk.reporting.base",
        "RunView": "synapse_sdk.reporting.view",
        "open_reporter": "synapse_sdk.reporting.open",
    },
)
