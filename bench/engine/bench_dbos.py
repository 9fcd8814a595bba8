"""DBOS Transact: one workflow that calls N steps; always recorded, here in SQLite (rollback journal, synchronous=FULL).

modes
  sqlite  N steps
  resume  a child runs the workflow and kills itself in step N/2; a fresh process launches DBOS, which recovers it
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time

from _common import Bench

bench = Bench(
    "dbos", modes=("sqlite", "resume"), repeat=3, steps=300, extra={"--phase": {"help": "internal: die or go_on"}}
)
if sqlite3.sqlite_version_info < (3, 42):  # its migrations call unixepoch('subsec'), which older ones answer with null
    import pysqlite3

    sys.modules["sqlite3"] = sqlite3 = pysqlite3
bench.note(sqlite=sqlite3.sqlite_version)
with bench.importing():
    from dbos import DBOS, SetWorkflowID
bench.version_of("dbos")
n, phase = bench.steps, bench.args.phase
fatal_step = n // 2 if phase == "die" else None
ran, first_at = [0], []


@DBOS.step()
def step(i: int) -> int:
    if not first_at:
        first_at.append(time.monotonic())
    if i == fatal_step:
        os.kill(os.getpid(), signal.SIGKILL)
    ran[0] += 1
    return i


@DBOS.workflow()
def workflow(n: int) -> int:
    return sum(step(i) for i in range(n))


def launch():
    DBOS(
        config={
            "name": "bench",
            "system_database_url": "sqlite:///" + os.path.join(bench.dir, "dbos.sqlite"),
            "log_level": "CRITICAL",
            "application_version": "1",  # else a digest of the source, which decides what is recovered
            "executor_id": "local",
            "run_migrations": True,
        }
    )
    DBOS.launch()


def die():
    launch()
    with SetWorkflowID("bench"):
        workflow(n)


def go_on():
    """Print what happened when; launching is what starts the recovery, so it is the call."""
    called_at = time.monotonic()
    launch()
    returned = DBOS.retrieve_workflow("bench").get_result()
    at = {"call": called_at, "first step": first_at[0], "end": time.monotonic()}
    bench.print_line({"at": at, "ran": ran[0], "returned": returned})
    sys.stderr.flush()
    os._exit(0)  # its threads would hold the process


def resume():
    command = [sys.executable, __file__, f"--steps={n}", "--mode=resume", f"--dir={bench.dir}"]
    assert subprocess.run([*command, "--phase=die"], check=False, stdout=2).returncode == -signal.SIGKILL
    started_at = time.monotonic()
    told = json.loads(subprocess.run([*command, "--phase=go_on"], check=True, stdout=subprocess.PIPE).stdout)
    assert (told["ran"], told["returned"]) == (n - n // 2, n * (n - 1) // 2)
    at = {"start": started_at, **told["at"]}
    pairs = [
        ("start", "call"),
        ("call", "first step"),
        ("start", "first step"),
        ("call", "end"),
        ("start", "end"),
    ]
    seconds = {f"{a} to {b}": at[b] - at[a] for a, b in pairs}
    bench.emit(durable="power", resume_s=seconds, verified=True)


def run(n):
    ran[0] = 0
    return workflow(n)


def check(returned, obj, n):
    assert ran[0] == n, ran
    assert returned == n * (n - 1) // 2, returned
    recorded = len(DBOS.list_workflow_steps(DBOS.list_workflows(sort_desc=True, limit=1)[0].workflow_id))
    assert recorded == n, recorded


if phase:
    {"die": die, "go_on": go_on}[phase]()
elif bench.mode == "resume":
    resume()
else:
    launch()
    bench.measure(lambda n: n, run, check, durable="power")
    DBOS.destroy()
    bench.emit(hard_exit=True)
