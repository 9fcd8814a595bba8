#!/usr/bin/env python3
"""What it costs a training to say how far it is: epochs that report, and epochs that do not, in turn.

    python -m bench.training [--quick] [--rounds N]

A network of two layers learns from random numbers, in steps of some fifteen milliseconds of numpy, inside of an action
that is recorded in a journal. In every second epoch it says how far it is after each step, and reports two figures at
the end; in the others it does neither. A pair of epochs is a moment apart, so that what else the machine does meets
both. In between its weights are kept as a checkpoint, which appears whole and is synced, and written to a file, which
is neither.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from bench.stores import in_process
from bench.upload import make_project

if TYPE_CHECKING:
    from collections.abc import Callable

PAIRS, STEPS, QUICK_PAIRS = 10, 50, 2
ROUNDS, QUICK_ROUNDS = 3, 1
INPUTS, HIDDEN, CLASSES, BATCH, RATE = 784, 512, 10, 512, 0.01


class Network:
    """Two layers, and something that they can learn."""

    def __init__(self) -> None:
        import numpy as np  # noqa: PLC0415  # the process that starts the others does without

        random = np.random.default_rng(1)
        self.inputs = random.random((BATCH, INPUTS), np.float32)
        self.wanted = np.eye(CLASSES, dtype=np.float32)[random.integers(0, CLASSES, BATCH)]
        self.first = random.normal(0, 0.05, (INPUTS, HIDDEN)).astype(np.float32)
        self.second = random.normal(0, 0.05, (HIDDEN, CLASSES)).astype(np.float32)

    def step(self) -> float:
        """Learn once, and return the loss."""
        import numpy as np  # noqa: PLC0415  # as above

        hidden = np.maximum(self.inputs @ self.first, 0)
        scores = np.exp(hidden @ self.second)
        error = scores / scores.sum(axis=1, keepdims=True) - self.wanted
        behind = (error @ self.second.T) * (hidden > 0)
        self.second -= RATE / BATCH * hidden.T @ error
        self.first -= RATE / BATCH * self.inputs.T @ behind
        return float(np.square(error).mean())


def train(context: Any, pairs: int) -> dict[str, list[float]]:  # noqa: ANN401  # a TrainContext
    """Train, and return the seconds of each epoch, by kind, and those of each way to keep the weights."""
    import numpy as np  # noqa: PLC0415  # as above

    network, took = Network(), {"telling": list[float](), "silent": [], "checkpoint": [], "file": []}

    def telling(epoch: int) -> None:
        for step in range(STEPS):
            loss = network.step()
            context.set_progress(epoch * STEPS + step + 1, pairs * STEPS)
        context.report_metrics({"loss": loss, "rate": RATE}, epoch=epoch)

    def silent(_epoch: int) -> None:
        for _ in range(STEPS):
            network.step()

    def checkpoint(epoch: int) -> None:
        with context.new_checkpoint(epoch=epoch) as folder:
            np.savez(folder / "weights.npz", network.first, network.second)

    def file(_epoch: int) -> None:
        np.savez(context.model_folder / "weights.npz", network.first, network.second)

    for epoch in range(pairs):
        order: list[Callable[[int], None]] = [telling, silent] if epoch % 2 else [silent, telling]
        for do in (*order, checkpoint, file):
            begun = time.perf_counter()
            do(epoch)
            took[do.__name__].append(time.perf_counter() - begun)
    return took


def one(folder: Path, pairs: int) -> dict[str, list[float]]:
    """Train in this process."""
    from synapse_sdk.plugins import run_action  # noqa: PLC0415  # the process that starts the others does without
    from synapse_sdk.plugins.actions.train import BaseTrainAction, TrainContext, TrainParams  # noqa: PLC0415  # as above

    found: dict[str, list[float]] = {}

    class Learn(BaseTrainAction[TrainParams]):
        def train(self, context: TrainContext) -> Path:
            found.update(train(context, pairs))
            return context.model_folder / "weights.npz"

    project = folder / "project"
    project.mkdir()
    make_project(folder, str(folder / "store"), project)
    os.chdir(project)
    run_action(Learn, {"name": "bench", "storage": str(folder / "models")}, journal=str(project / "journal.db"))
    return found


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_PAIRS} pairs of epochs, {QUICK_ROUNDS} round")
    parser.add_argument("--rounds", type=int, metavar="N", help=f"how many processes train (default: {ROUNDS})")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(one(Path(folder), arguments.one)))
        return
    pairs = QUICK_PAIRS if arguments.quick else PAIRS
    rounds = arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS)
    # With one thread of numpy, so that what runs beside the loop is not in its way.
    runs = [in_process("training", str(pairs), OPENBLAS_NUM_THREADS="1") for _ in range(rounds)]
    took = {kind: [seconds for run in runs for seconds in run[kind]] for kind in runs[0]}
    ratios = [told / bare for told, bare in zip(took["telling"], took["silent"], strict=True)]
    line = {"way": "synapse train", "pairs of epochs": len(ratios), "steps an epoch": STEPS}
    line |= {"ms a step, bare": round(min(took["silent"]) / STEPS * 1000, 2)}
    line |= {"x bare, median": round(median(ratios), 4)}
    line |= {"ms a checkpoint": round(median(took["checkpoint"]) * 1000, 1)}
    line |= {"ms a file": round(median(took["file"]) * 1000, 1)}
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
