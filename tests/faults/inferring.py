"""A model whose process is killed while it is at work, as by a system that has run out of memory."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synapse_sdk.inference import ModelInput

__all__ = ["FATAL", "dying"]

FATAL = "jay.png"
"""The image at which the process is killed, the first time."""


def dying(inputs: Sequence[ModelInput]) -> list[Any]:
    """Say of each image what it is called, and write down what was asked, a line for each batch."""
    with Path("asked.txt").open("a", encoding="utf-8") as file:
        file.write(" ".join(each.name for each in inputs) + "\n")
    mark = Path("killed")
    if any(each.name == FATAL for each in inputs) and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return [[{"label": each.name, "score": 1.0}] for each in inputs]
