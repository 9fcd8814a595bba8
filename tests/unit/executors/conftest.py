import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.unit.executors.driving import Driver


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """The folder in which actions leave their signs."""
    folder = tmp_path / "scene"
    folder.mkdir()
    return folder


@pytest.fixture
def drive(scene: Path) -> Iterator[Callable[..., Driver]]:
    """Start drivers; what a failed test has left of them and their workers is killed in the end."""
    drivers = []

    def start(mode: str, **options: bool | int) -> Driver:
        drivers.append(Driver.start(scene, mode, **options))  # type: ignore[arg-type]  # options of Popen only
        return drivers[-1]

    yield start
    for driver in drivers:
        was_running = driver.process.poll() is None
        driver.process.kill()
        driver.process.communicate(timeout=60)
        if was_running and driver.has("second"):
            with suppress(ProcessLookupError):
                os.kill(driver.worker, signal.SIGKILL)
