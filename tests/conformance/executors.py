"""Every executor there is, for the suite that all have to pass."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.executors import RunSpec, open_executor
from synapse_sdk.reporting.base import Reporter
from tests.unit.executors.driving import Driver

__all__ = ["ANYWHERE", "ELSEWHERE", "SELDOM_ON_RAY", "Run", "drivers", "runner"]

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
