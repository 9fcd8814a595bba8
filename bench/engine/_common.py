"""What every bench_*.py shares: command line, scratch folder, timing, one JSON line. Needs the standard library only.

    python bench_X.py --steps N --repeat R [--mode M] [--dir SCRATCH]

prints exactly one JSON line on stdout; whatever the measured engine prints goes to stderr. Use:

    bench = Bench("engine-name", modes=("a", "b"))
    with bench.importing():  # timed import
        import engine
    bench.version_of("distribution-name")
    bench.measure(build, run, check, durable="none")
    bench.emit()

build(n) -> obj         timed on its own: the cost of defining a workflow of n steps
run(obj) -> returned    timed: the number that counts
check(returned, obj, n) raises unless exactly n steps ran
"""

import argparse
import contextlib
import gc
import json
import os
import platform
import resource
import shutil
import statistics
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

STARTED = time.perf_counter()
BENCH_DIR = Path(os.environ.get("BENCH_DIR", ".bench")).absolute()
VENVS = Path(os.environ.get("BENCH_VENVS", BENCH_DIR / "venvs")).absolute()


class Bench:
    """One measurement in one process."""

    def __init__(self, engine, modes=("default",), steps=1000, repeat=5, extra=None):
        parser = argparse.ArgumentParser()
        parser.add_argument("--steps", type=int, default=steps)
        parser.add_argument("--repeat", type=int, default=repeat)
        parser.add_argument("--mode", default=modes[0], choices=list(modes))
        parser.add_argument("--dir", help="scratch folder (default: a fresh one under BENCH_DIR, removed afterwards)")
        parser.add_argument("--budget", type=float, default=20.0, help="stop repeating after this many seconds")
        for flag, options in (extra or {}).items():
            parser.add_argument(flag, **options)
        self.args = parser.parse_args()
        self.steps, self.repeat, self.mode = self.args.steps, self.args.repeat, self.args.mode
        self.owns_dir = self.args.dir is None
        if self.owns_dir:
            (BENCH_DIR / "tmp").mkdir(parents=True, exist_ok=True)
        self.dir = self.args.dir or tempfile.mkdtemp(prefix="engine_", dir=BENCH_DIR / "tmp")
        os.makedirs(self.dir, exist_ok=True)
        sys.stdout.flush()
        self._out = os.fdopen(os.dup(1), "w")  # the real stdout, for the JSON line
        os.dup2(2, 1)
        self.record = {
            "engine": engine,
            "version": None,
            "mode": self.mode,
            "durable": "none",
            "steps": self.steps,
            "python": platform.python_version(),
        }
        self._import_s = 0.0

    @contextlib.contextmanager
    def importing(self):
        """Time the imports inside the block; several blocks add up."""
        begin = time.perf_counter()
        yield
        self._import_s += time.perf_counter() - begin
        self.note(import_s=round(self._import_s, 4), rss_import_mb=peak_mb(resource.RUSAGE_SELF))

    def version_of(self, distribution):
        self.record["version"] = version(distribution)

    def note(self, **fields):
        self.record.update(fields)

    def measure(self, build, run, check, durable="none"):
        """Build, run and check up to `--repeat` times; wall and CPU of `run` are the best of them."""
        n, walls, cpus, builds = self.steps, [], [], []
        begin = time.perf_counter()
        while len(walls) < self.repeat and (not walls or time.perf_counter() - begin < self.args.budget):
            t = time.perf_counter()
            obj = build(n)
            builds.append(time.perf_counter() - t)
            gc.collect()
            cpu, t = cpu_seconds(), time.perf_counter()
            returned = run(obj)
            walls.append(time.perf_counter() - t)
            cpus.append(cpu_seconds() - cpu)
            check(returned, obj, n)
        micro = 1e6 / max(n, 1)
        self.note(
            durable=durable,
            repeat=len(walls),
            build_s=round(min(builds), 6),
            run_s_first=round(walls[0], 6),
            run_s_min=round(min(walls), 6),
            run_s_med=round(statistics.median(walls), 6),
            cpu_s_min=round(min(cpus), 6),
            us_per_step_min=round(min(walls) * micro, 4),
            us_per_step_med=round(statistics.median(walls) * micro, 4),
            cpu_us_per_step=round(min(cpus) * micro, 4),
            verified=True,
        )

    def print_line(self, fields):
        self._out.write(json.dumps(fields) + "\n")
        self._out.flush()

    def emit(self, hard_exit=False, **fields):
        """Print the record. `hard_exit` is for engines that leave threads behind which would hold the process."""
        self.note(**fields, rss_peak_mb=peak_mb(resource.RUSAGE_SELF))
        if child := peak_mb(resource.RUSAGE_CHILDREN):
            self.note(rss_child_peak_mb=child)
        self.note(script_s=round(time.perf_counter() - STARTED, 4), load1=os.getloadavg()[0])
        if self.owns_dir:
            shutil.rmtree(self.dir, ignore_errors=True)
        self.print_line(self.record)
        if hard_exit:
            sys.stderr.flush()
            os._exit(0)


def peak_mb(who):
    """Largest resident size so far (ru_maxrss is in KiB on Linux, in bytes on macOS)."""
    return round(resource.getrusage(who).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10), 1)


def cpu_seconds():
    """CPU seconds of this process (all threads) and its reaped children."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
