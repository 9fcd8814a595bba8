#!/usr/bin/env python3
"""Run the measurements of engines.json in turn; append one JSON line a run to BENCH_DIR/results/engine-<time>.jsonl.

    run_all.py                                       everything
    run_all.py --only ours,synapse-sdk --max-steps 1000
    run_all.py --engines engines.json --engines more.json     several lists, same keys

"python" in a list is `this` (the interpreter of run_all.py), `ours` (BENCH_OURS_PYTHON, default .venv/bin/python) or
the name of an environment under BENCH_VENVS; what is not installed is skipped, and said so. A file lock keeps two
measurements from running at the same time. Each run gets a process group of its own and a hard time limit.
"""

import argparse
import contextlib
import fcntl
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from _common import BENCH_DIR, VENVS

HERE = Path(__file__).resolve().parent
OURS = Path(os.environ.get("BENCH_OURS_PYTHON", ".venv/bin/python")).absolute()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", action="append", type=Path, help="list of engines (default: engines.json)")
    parser.add_argument("--only", type=lambda text: text.split(","), help="names of engines, comma-separated")
    parser.add_argument("--modes", type=lambda text: text.split(","), help="modes, comma-separated")
    parser.add_argument("--min-steps", type=int, default=0)
    parser.add_argument("--max-steps", type=int, default=10**9)
    parser.add_argument("--repeat", type=int, help="instead of the repeats of the list")
    parser.add_argument("--limit", type=float, default=58, help="seconds until a run is stopped")
    parser.add_argument("--cold-starts", type=int, default=3, help="whole-process runs of 10 steps an engine")
    parser.add_argument(
        "--quiet", type=float, default=0.48, help="share of idle CPU to wait for before a run; 0 does not look"
    )
    parser.add_argument("--settle", type=float, default=3, help="wait at most this many seconds for it")
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


def main():
    args = arguments()
    BENCH_DIR.mkdir(parents=True, exist_ok=True)
    with open(BENCH_DIR / "engine.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        out = args.out or BENCH_DIR / "results" / f"engine-{time.strftime('%Y%m%d-%H%M%S')}.jsonl"
        out.parent.mkdir(parents=True, exist_ok=True)
        env = environment()
        lists = [json.loads(path.read_text()) for path in args.engines or [HERE / "engines.json"]]
        engines = [e for e in itertools.chain.from_iterable(lists) if not args.only or e["name"] in args.only]
        with open(out, "a") as file:
            for engine in engines:
                run_engine(engine, args, env, file)
        print(out)


def environment():
    """What every child sees; the folders are absolute because children run in this folder."""
    env = dict(os.environ, PYTHONHASHSEED="0", BENCH_DIR=str(BENCH_DIR), BENCH_VENVS=str(VENVS))
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # a cold start with warm bytecode is what users have
    return env


def run_engine(engine, args, env, file):
    python = {"this": Path(sys.executable), "ours": OURS}.get(
        engine["python"], VENVS / engine["python"] / "bin" / "python"
    )
    if not python.exists():
        print(f"{engine['name']}: skipped, there is no {python}")
        return
    for kind, mode, steps, repeat in jobs(engine, args):
        command = [
            python,
            engine["script"],
            *engine.get("args", []),
            f"--mode={mode}",
            f"--steps={steps}",
            f"--repeat={repeat}",
        ]
        record = run_one(command, args, env)
        record.update(
            name=engine["name"],
            group=engine["group"],
            kind=kind,
            mode=mode,
            steps=steps,
            at=time.strftime("%Y-%m-%dT%H:%M:%S"),
        )
        file.write(json.dumps(record) + "\n")
        file.flush()
        print(
            f"{engine['name']:14s} {kind:4s} {mode:22s} {steps:6d}  us/step {record.get('us_per_step_min', '-'):>10}  "
            f"process {record['proc_wall_s']:.2f} s  idle {record['idle_before']}  {record.get('error', '')}",
            flush=True,
        )


def jobs(engine, args):
    """(kind, mode, steps, repeat): cold starts first, then the measurements."""
    first = next(iter(engine["modes"]))
    if engine["group"] != "limit" and not args.modes:
        yield from [("cold", first, 10, 1)] * args.cold_starts
    for mode, sizes in engine["modes"].items():
        for steps in sizes:
            if args.min_steps <= steps <= args.max_steps and (not args.modes or mode in args.modes):
                yield (
                    "run",
                    mode,
                    steps,
                    args.repeat or (1 if steps >= 5000 and engine.get("slow") else engine["repeat"]),
                )


def run_one(command, args, env):
    idle = settle(args.quiet, args.settle)
    begin = time.perf_counter()
    child = subprocess.Popen(
        command, cwd=HERE, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    )
    try:
        out, err = child.communicate(timeout=args.limit)
        failure = f"exit {child.returncode}"
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGTERM)  # lets a script stop the server that it started
        time.sleep(1)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        out, err = child.communicate()
        failure = f"over {args.limit:.0f} s"
    wall = time.perf_counter() - begin
    try:
        record = json.loads(out.strip().splitlines()[-1])
    except (IndexError, ValueError):
        record = {"error": failure, "stderr": err[-1000:]}
    return record | {"proc_wall_s": round(wall, 4), "idle_before": idle}


def settle(wanted, patience):
    """Wait for a quiet second, but not for ever; returns how idle the last second was (0..1)."""
    begin = time.monotonic()
    while wanted > 0:
        idle = idle_share()
        if idle >= wanted or time.monotonic() - begin > patience:
            return round(idle, 2)
    return None


def idle_share(seconds=1.0):
    stat = Path("/proc/stat")
    if not stat.exists():  # not Linux: measure at once
        return 1.0

    def read():
        ticks = [int(word) for word in stat.read_text().split("\n", 1)[0].split()[1:9]]
        return ticks[3] + ticks[4], sum(ticks)

    idle, total = read()
    time.sleep(seconds)
    idle_after, total_after = read()
    return (idle_after - idle) / max(total_after - total, 1)


if __name__ == "__main__":
    main()
