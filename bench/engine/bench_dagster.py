"""Dagster: a job of N chained ops, execute_in_process with an instance in memory."""

import os
import sys

from _common import Bench

os.environ |= {"DAGSTER_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
bench = Bench("dagster", modes=("ephemeral",), repeat=3)
sys.setrecursionlimit(10**5)
with bench.importing():
    import dagster as dg
bench.version_of("dagster")
ran = [0]
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dg.op(ins={"x": dg.In(int)}, out=dg.Out(int))
def step(x):
    ran[0] += 1
    return x + 1


@dg.op(out=dg.Out(int))
def first():
    ran[0] += 1
    return 0


instance = dg.DagsterInstance.ephemeral()


def build(n):
    ran[0] = 0

    @dg.job(executor_def=dg.in_process_executor, config=QUIET)
    def chain():
        value = first()
        for i in range(1, n):
            value = step.alias(f"s{i}")(value)

    return chain


def run(job):
    return job.execute_in_process(instance=instance)


def check(returned, job, n):
    assert returned.success, "failed"
    assert ran[0] == n, ran


bench.measure(build, run, check)
bench.emit()
