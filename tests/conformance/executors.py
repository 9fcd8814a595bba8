"""Every executor there is, for the suite that all have to pass."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.executors import RunSpec, open_executor
from synapse_sdk.reporting.base import Reporter
from tests.conformance.ray_cluster import RayCluster
from tests.unit.executors.driving import Driver

__all__ = ["ANYWHERE", "ELSEWHERE", "SELDOM_ON_RAY", "Run", "belonging_to", "drivers", "runner"]

type Run = Callable[..., Any]
"""Runs a spec, and tells a reporter if one is given."""

RAY = pytest.param("ray", marks=pytest.mark.ray)
ELSEWHERE = ("process", RAY)
"""Those with a worker process."""
ANYWHERE = ("local", *ELSEWHERE)
SELDOM_ON_RAY = ("process", pytest.param("ray", marks=[pytest.mark.ray, pytest.mark.full]))
"""As `ELSEWHERE`: what a run on Ray takes from the worker process as it is, and few samples of which are enough."""


def runner(mode: str, **options: object) -> Run:
    """Return what runs specs in this mode."""

    def run(spec: RunSpec, reporter: Reporter | None = None) -> Any:  # noqa: ANN401  # the JSON data that the test expects
        return open_executor(mode, **options).run(spec, reporter)

    return run


@contextmanager
def belonging_to(cluster: RayCluster) -> Iterator[None]:
    """Let this process and those it starts belong to a cluster, with a connection that all runs share."""
    from synapse_sdk.executors.ray.cluster import connected  # noqa: PLC0415  # slow, and few tests need it

    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        for name, value in cluster.environ.items():
            patch.setenv(name, value)
        if "ray" in sys.modules:  # it reads its variables once
            from ray._raylet import Config  # type: ignore[attr-defined]  # noqa: PLC0415  # compiled; as above

            Config.initialize("")
        stack.enter_context(connected(None))
        yield


@contextmanager
def drivers(scene: Path) -> Iterator[Callable[..., Driver]]:
    """Yield what starts drivers; what a failed test has left of them and their workers is killed in the end."""
    started: list[Driver] = []

    def start(executor: str, mode: str, **options: bool | int | str) -> Driver:
        started.append(Driver.start(scene, executor, mode, **options))  # type: ignore[arg-type]  # options of Popen only
        return started[-1]

    yield start
    for driver in started:
        was_running = driver.process.poll() is None
        driver.process.kill()
        driver.process.communicate(timeout=60)
        if was_running and driver.has("second"):
            with suppress(ProcessLookupError):
                os.kill(driver.worker, signal.SIGKILL)
