#!/usr/bin/env python3
"""What reporting costs a step: 100,000 calls of `set_progress`, without a reporter and with two.

    python -m bench.reporting [--quick]

Prints one JSON line a reporter. `ns a call` is what the step waits; `extra s` is what the whole run takes longer than
without a reporter, closing it included. Best of 7 rounds; a round measures every reporter, so that load on the machine
meets all alike.
"""

import argparse
import gc
import json
import os
import time
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from synapse_sdk.plugins import RuntimeContext
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, Orchestrator, StepRegistry, StepResult
from synapse_sdk.reporting import MemoryReporter, Reporter, open_reporter

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = 100_000
ROUNDS = 7
QUICK_ROUNDS = 3

type Opened = AbstractContextManager[Reporter | None]


class Chatty(BaseStep[BaseStepContext]):
    """Reports after each of its items, and times only that."""

    name = "chatty"
    progress_weight = 1.0
    seconds = 0.0

    def execute(self, context: BaseStepContext) -> StepResult:
        """Report, 100,000 times."""
        begin = time.perf_counter()
        for done in range(1, CALLS + 1):
            context.set_progress(done, CALLS)
        self.seconds = time.perf_counter() - begin
        return StepResult()


def measure(reporter: Opened) -> tuple[float, float]:
    """Return the seconds of the calls, and of the run with opening and closing the reporter."""
    step = Chatty()
    registry = StepRegistry[BaseStepContext]()
    registry.register(step)
    gc.collect()
    begin = time.perf_counter()
    with reporter as opened:
        context = BaseStepContext(RuntimeContext(reporter=opened))
        summary = Orchestrator(registry, context).execute()
    seconds = time.perf_counter() - begin
    assert summary["steps_executed"] == 1
    if isinstance(opened, MemoryReporter):
        assert opened.progress == {step.name: (CALLS, CALLS)}
    return step.seconds, seconds


def main() -> None:
    """Measure every reporter in each round, and print the best."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds")
    rounds = QUICK_ROUNDS if parser.parse_args().quick else ROUNDS
    with Path(os.devnull).open("w", encoding="utf-8") as devnull:
        reporters: dict[str, Callable[[], Opened]] = {
            "no reporter": nullcontext,
            "MemoryReporter": lambda: nullcontext(MemoryReporter()),
            'open_reporter("plain") to /dev/null': partial(open_reporter, "plain", stream=devnull),
        }
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in reporters}
        for _ in range(rounds):
            for name, opener in reporters.items():
                times[name].append(measure(opener()))
    alone = min(total for _, total in times["no reporter"])
    for name, both in times.items():
        calls, total = min(calls for calls, _ in both), min(total for _, total in both)
        print(
            json.dumps({"reporter": name, "ns a call": round(calls / CALLS * 1e9), "extra s": round(total - alone, 4)})
        )


if __name__ == "__main__":
    main()
