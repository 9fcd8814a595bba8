"""For authors of plugins: prove that a run that fails, or is killed, leaves nothing behind, and that it can go on."""

from typing import TYPE_CHECKING

from synapse_sdk.lazy import lazy_exports

if TYPE_CHECKING:
    from synapse_sdk.testing.clock import FakeClock
    from synapse_sdk.testing.crash_safety import CrashReport, assert_crash_safe
    from synapse_sdk.testing.fault_proxy import FaultProxy
    from synapse_sdk.testing.faults import (
        OK,
        Blackhole,
        CutDownload,
        CutUpload,
        Duplicate,
        Fault,
        Latency,
        LostReply,
        Ok,
        ProxiedRequest,
        Reset,
        Slow,
        Status,
    )
    from synapse_sdk.testing.run import run_in_memory
    from synapse_sdk.testing.trees import snapshot_tree

__all__ = [
    "OK",
    "Blackhole",
    "CrashReport",
    "CutDownload",
    "CutUpload",
    "Duplicate",
    "FakeClock",
    "Fault",
    "FaultProxy",
    "Latency",
    "LostReply",
    "Ok",
    "ProxiedRequest",
    "Reset",
    "Slow",
    "Status",
    "assert_crash_safe",
    "run_in_memory",
    "snapshot_tree",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "CrashReport": "synapse_sdk.testing.crash_safety",
        "FakeClock": "synapse_sdk.testing.clock",
        "FaultProxy": "synapse_sdk.testing.fault_proxy",
        "assert_crash_safe": "synapse_sdk.testing.crash_safety",
        "run_in_memory": "synapse_sdk.testing.run",
        "snapshot_tree": "synapse_sdk.testing.trees",
    }
    | dict.fromkeys(
        (
            "OK",
            "Blackhole",
            "CutDownload",
            "CutUpload",
            "Duplicate",
            "Fault",
            "Latency",
            "LostReply",
            "Ok",
            "ProxiedRequest",
            "Reset",
            "Slow",
            "Status",
        ),
        "synapse_sdk.testing.faults",
    ),
)
