"""Prefect 3: one flow that calls N tasks in sequence; logging and telemetry are off.

modes
  ephemeral  with no API address Prefect starts a temporary local server in the process: what a newcomer gets
  persist    the same, and each result is kept in a file, so that a later run of the flow would find it
  bare       task.fn() in a flow: what users fall back to
  rollback   tasks with on_rollback inside transaction(); the flow raises after N tasks
"""

import os
import shutil
from pathlib import Path

from _common import Bench

os.environ |= {
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLI_COLORS": "false",
    "PREFECT_LOGGING_SERVER_LEVEL": "CRITICAL",
}
bench = Bench("prefect", modes=("ephemeral", "persist", "bare", "rollback"), repeat=3, steps=100)
os.environ["PREFECT_HOME"] = os.path.join(bench.dir, "ph")
os.makedirs(os.environ["PREFECT_HOME"], exist_ok=True)
with bench.importing():
    from prefect import flow, task
    from prefect.cache_policies import NO_CACHE
    from prefect.transactions import transaction
bench.version_of("prefect")
ran = [0]
undone = []


is_kept = bench.mode == "persist"
results = Path(os.environ["PREFECT_HOME"], "storage")


@task(**({"persist_result": True} if is_kept else {"cache_policy": NO_CACHE}))
def step(i: int) -> int:
    ran[0] += 1
    return i


@step.on_rollback
def undo(txn):
    undone.append(txn.key)


@flow
def forward(n: int) -> int:
    return sum(step.fn(i) if bench.mode == "bare" else step(i) for i in range(n))


@flow
def fails_at_the_end(n: int):
    with transaction():
        for i in range(n):
            step(i)
        raise ValueError(n)


def run(n):
    ran[0] = 0
    undone.clear()
    if bench.mode != "rollback":
        return forward(n)
    try:
        fails_at_the_end(n)
    except ValueError:
        return n * (n - 1) // 2


def check(returned, obj, n):
    if bench.mode == "rollback":
        bench.note(rollbacks=len(undone))
    assert returned == n * (n - 1) // 2, returned
    assert ran[0] == n, ran
    if is_kept:
        assert sum(1 for _ in results.iterdir()) == n
        shutil.rmtree(results)


bench.measure(lambda n: n, run, check, durable="kill" if is_kept else "none")
bench.emit()
