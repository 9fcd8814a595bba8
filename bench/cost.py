"""What a piece of work costs the process that does it."""

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

MEGABYTES = 1024 if sys.platform == "linux" else 1024 * 1024
"""What `ru_maxrss` counts in, to a MB."""


def measured(work: Callable[[], object]) -> dict[str, float]:
    """Do some work; return its seconds `s`, the processor seconds `cpu` and the peak of resident memory `peak` in MB.

    Processes that it has started and waited for are in it. The peak is that of the whole life of this process.
    """
    before = processor_seconds()
    begin = time.perf_counter()
    work()
    seconds = time.perf_counter() - begin
    cpu = processor_seconds() - before
    own = own_peak(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTES)
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / MEGABYTES
    return {"s": seconds, "cpu": cpu, "peak": max(own, child)}


def processor_seconds() -> float:
    """Return what this process, and those that it has waited for, have used so far."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def own_peak(told: float) -> float:
    """Return the peak of this process in MB; what `getrusage` tells includes that of the one which started it."""
    status = Path("/proc/self/status")
    if not status.exists():
        return told
    lines = status.read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
