"""Luigi: N chained tasks, local scheduler in this process, one worker.

modes
  memory  a task is complete when it is in a set
  target  each task writes a file: what a user of Luigi does
"""

import itertools
import os

from _common import Bench

bench = Bench("luigi", modes=("memory", "target"), repeat=3)
with bench.importing():
    import logging

    import luigi
bench.version_of("luigi")
logging.disable(logging.CRITICAL)
serial = itertools.count()
done = set()
ran = [0]


class Task(luigi.Task):
    i = luigi.IntParameter()
    run_no = luigi.IntParameter()

    def requires(self):
        return Task(i=self.i - 1, run_no=self.run_no) if self.i else []

    def complete(self):
        return (self.run_no, self.i) in done if bench.mode == "memory" else super().complete()

    def output(self):
        return luigi.LocalTarget(os.path.join(bench.dir, f"{self.run_no}_{self.i}"))

    def run(self):
        ran[0] += 1
        if bench.mode == "memory":
            done.add((self.run_no, self.i))
        else:
            with self.output().open("w") as file:
                file.write("ok")


def build(n):
    ran[0] = 0
    return Task(i=n - 1, run_no=next(serial))


def run(task):
    return luigi.build([task], local_scheduler=True, workers=1, log_level="CRITICAL", no_lock=True)


def check(returned, task, n):
    assert returned, "failed"
    assert ran[0] == n, ran


bench.measure(build, run, check, durable="none" if bench.mode == "memory" else "kill")
bench.emit()
