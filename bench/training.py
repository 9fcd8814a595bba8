#!/usr/bin/env python3
"""What it costs a training to be one of ours: the same loop inside of `train`, and bare.

    python -m bench.training [--quick] [--rounds N]

A network of two layers learns from random numbers, in steps of some milliseconds of numpy. After each epoch its weights
are written to a file. Ours says how far it is after each step, and after each epoch reports two figures and keeps the
weights as a checkpoint, which appears whole and is synced; its run is recorded in a journal. The bare loop writes the
file, and does nothing else. Both take turns, each in a process of its own; what is compared is the loop itself, and for
ours the whole run is shown, too: what is imported, the journal, the model that is stored and registered.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from bench.stores import ENVIRONMENT
from bench.upload import make_project

EPOCHS, STEPS, QUICK_EPOCHS = 40, 100, 3
ROUNDS, QUICK_ROUNDS = 5, 1
INPUTS, HIDDEN, CLASSES, BATCH, RATE = 784, 512, 10, 128, 0.01


def learn(epochs: int, after_step: Callable[[int], object], after_epoch: Callable[[int, float, Any], object]) -> None:
    """Train; the same steps for everybody."""
    import numpy as np  # noqa: PLC0415  # the process that starts the others does without

    random = np.random.default_rng(1)
    inputs = random.random((BATCH, INPUTS), np.float32)
    wanted = np.eye(CLASSES, dtype=np.float32)[random.integers(0, CLASSES, BATCH)]
    first = random.normal(0, 0.05, (INPUTS, HIDDEN)).astype(np.float32)
    second = random.normal(0, 0.05, (HIDDEN, CLASSES)).astype(np.float32)
    for epoch in range(epochs):
        loss = 0.0
        for step in range(STEPS):
            hidden = np.maximum(inputs @ first, 0)
            scores = np.exp(hidden @ second)
            error = scores / scores.sum(axis=1, keepdims=True) - wanted
            loss = float(np.square(error).mean())
            behind = (error @ second.T) * (hidden > 0)
            second -= RATE / BATCH * hidden.T @ error
            first -= RATE / BATCH * inputs.T @ behind
            after_step(epoch * STEPS + step + 1)
        after_epoch(epoch, loss, (first, second))


def bare(folder: Path, epochs: int) -> dict[str, float]:
    """Train, and write the weights after each epoch."""
    import numpy as np  # noqa: PLC0415  # as above

    def save(_epoch: int, _loss: float, weights: Any) -> None:  # noqa: ANN401  # arrays
        np.savez(folder / "weights.npz", *weights)

    began = time.perf_counter()
    learn(epochs, lambda _step: None, save)
    seconds = time.perf_counter() - began
    return {"loop": seconds, "whole": seconds}


def ours(folder: Path, epochs: int) -> dict[str, float]:
    """Train as an action that is recorded."""
    import os  # noqa: PLC0415  # as above

    import numpy as np  # noqa: PLC0415  # as above

    from synapse_sdk.plugins import run_action  # noqa: PLC0415  # measured
    from synapse_sdk.plugins.actions.train import BaseTrainAction, TrainContext, TrainParams  # noqa: PLC0415  # as above

    loop: list[float] = []

    class Learn(BaseTrainAction[TrainParams]):
        def train(self, context: TrainContext) -> Path:
            def keep(epoch: int, loss: float, weights: Any) -> None:  # noqa: ANN401  # as above
                context.report_metrics({"loss": loss, "rate": RATE}, epoch=epoch)
                with context.new_checkpoint(epoch=epoch) as checkpoint:
                    np.savez(checkpoint / "weights.npz", *weights)

            began = time.perf_counter()
            learn(epochs, lambda step: context.set_progress(step, epochs * STEPS), keep)
            loop.append(time.perf_counter() - began)
            path = context.model_folder / "model.txt"
            path.write_text("learned")
            return path

    project = folder / "project"
    project.mkdir()
    make_project(folder, str(folder / "store"), project)
    os.chdir(project)
    began = time.perf_counter()
    run_action(Learn, {"name": "bench", "storage": str(folder / "models")}, journal=str(project / "journal.db"))
    return {"loop": loop[0], "whole": time.perf_counter() - began}


WAYS: dict[str, Callable[[Path, int], dict[str, float]]] = {"synapse train": ours, "bare loop": bare}


def in_process(way: str, epochs: int) -> dict[str, float]:
    """Measure something in a process of its own."""
    command = [sys.executable, "-m", "bench.training", "--one", way, str(epochs)]
    one_thread = ENVIRONMENT | {"OPENBLAS_NUM_THREADS": "1"}  # so that what runs beside the loop is not in its way
    ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=one_thread)
    found: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_EPOCHS} epochs, {QUICK_ROUNDS} round")
    parser.add_argument("--rounds", type=int, metavar="N", help=f"how often to measure each (default: {ROUNDS})")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        way, epochs = arguments.one
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(WAYS[way](Path(folder), int(epochs))))
        return
    epochs = QUICK_EPOCHS if arguments.quick else EPOCHS
    rounds = arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS)
    found = [{way: in_process(way, epochs) for way in WAYS} for _ in range(rounds)]
    for way in WAYS:
        ratios = [each[way]["loop"] / each["bare loop"]["loop"] for each in found]
        best = {what: min(each[way][what] for each in found) for what in ("loop", "whole")}
        line: dict[str, object] = {"table": f"Training, {epochs} epochs of {STEPS} steps", "way": way, "rounds": rounds}
        line |= {"ms a step": round(best["loop"] / epochs / STEPS * 1000, 3), "s": round(best["whole"], 2)}
        line |= {"x bare loop, median": round(median(ratios), 4)}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
