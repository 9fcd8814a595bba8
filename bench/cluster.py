#!/usr/bin/env python3
"""What it costs to run an action on a Ray cluster: beside a bare task of Ray's, a process of its own, and no process.

    python -m bench.cluster [--quick]

Prints one JSON line a way of running: seconds for an action of one empty step, the best and the middle of the turns.
The cluster has one node, is started before, and is the same for all. The worker of an action is a process that imports
the package; that of a bare task is there already. Ways take turns, so that load on the machine meets all alike.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from synapse_sdk.executors.ray.cluster import connected  # noqa: E402  # found beside this folder
from synapse_sdk.plugins import run_plugin  # noqa: E402

ANSWER = 42
"""What all of them return."""
TURNS, QUICK_TURNS = 15, 3
MANIFEST = """
code: bench_ray
name: Bench
version: 1.0.0
actions:
  nothing:
    entrypoint: nothing:nothing
"""
CODE = """
from synapse_sdk.plugins.action import action

@action()
def nothing(params, ctx):
    return 42
"""


def write_plugin(folder: Path) -> Path:
    """Write a plugin whose action does nothing."""
    (folder / "config.yaml").write_text(MANIFEST)
    (folder / "nothing.py").write_text(CODE)
    return folder


def ways(ray: ModuleType, plugin: Path) -> dict[str, Callable[[], object]]:
    """Return what is compared, by its name."""
    bare = ray.remote(max_retries=0)(lambda: 42)
    actor = ray.remote(type("Bare", (), {"nothing": lambda _self: 42}))

    def by_an_actor() -> object:
        handle = actor.remote()
        try:
            return ray.get(handle.nothing.remote())
        finally:
            ray.kill(handle)

    def here(mode: str, *, journal: str | bool = False) -> Callable[[], object]:
        return lambda: run_plugin(plugin, "nothing", {}, mode=mode, journal=journal)

    return {
        "bare task": lambda: ray.get(bare.remote()),
        "bare actor": by_an_actor,
        "local": here("local"),
        "process": here("process"),
        "ray": here("ray"),
        "ray, recorded": here("ray", journal=str(plugin / "journal.db")),
    }


def measured(compared: dict[str, Callable[[], object]], turns: int) -> dict[str, list[float]]:
    """Return how many seconds each way took, by its name; a first turn that warms up is left out."""
    seconds: dict[str, list[float]] = {name: [] for name in compared}
    for _ in range(turns + 1):
        for name, do in compared.items():
            begin = time.perf_counter()
            answer = do()
            seconds[name].append(time.perf_counter() - begin)
            assert answer == ANSWER
    return {name: took[1:] for name, took in seconds.items()}


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer turns")
    turns = QUICK_TURNS if parser.parse_args().quick else TURNS
    with tempfile.TemporaryDirectory() as folder, connected(None) as ray:
        for name, took in measured(ways(ray, write_plugin(Path(folder))), turns).items():
            middle = round(statistics.median(took), 4)
            print(json.dumps({"way": name, "best s": round(min(took), 4), "median s": middle, "turns": turns}))


if __name__ == "__main__":
    main()
