#!/usr/bin/env python3
"""Print results as Markdown tables: report.py [RESULTS.jsonl ...]      (default: the newest one in BENCH_DIR/results)

Several files are merged: each point is the best of all rounds, because load on the machine can only add. Ratios, not
absolute times, are what to quote: `x limit` divides by `python-floor limit-result`, measured at the nearest size.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

from _common import BENCH_DIR

SIZES = (10, 100, 1000, 10000)
LIMIT = ("python-floor", "limit-result")


def read(paths):
    """Best run of each (name, mode, steps), and cold starts by name."""
    best, cold = {}, defaultdict(list)
    for record in (json.loads(line) for path in paths for line in path.read_text().splitlines()):
        key = record["name"], record["mode"], record["steps"]
        if record["kind"] == "cold":
            if "error" not in record:
                cold[record["name"]].append(record)
        elif "error" in record:
            best.setdefault(key, record)
        elif record["us_per_step_min"] < best.get(key, {}).get("us_per_step_min", float("inf")):
            best[key] = record
    return best, cold


def number(value):
    if value is None:
        return "-"
    return f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2}f}"


def cell(record):
    if record is None:
        return "-"
    return record["error"] if "error" in record else number(record["us_per_step_min"])


def by_mode(best):
    """((name, mode), {steps: record}) in the order of measuring."""
    points = defaultdict(dict)
    for (name, mode, steps), record in best.items():
        points[name, mode][steps] = record
    return points.items()


def ratio(point, best):
    """How many times the limit this point costs, at the nearest size of the limit."""
    sizes = [steps for *key, steps in best if tuple(key) == LIMIT and "error" not in best[*LIMIT, steps]]
    if not sizes:
        return None
    nearest = min(sizes, key=lambda steps: abs(steps - point["steps"]))
    return point["us_per_step_min"] / best[*LIMIT, nearest]["us_per_step_min"]


def table(title, *columns, texts):
    """Print the head of a table whose first `texts` columns are text."""
    print(f"\n#### {title}\n\n| {' | '.join(columns)} |\n|{'---|' * texts}{'--:|' * (len(columns) - texts)}")


def print_steps(best):
    table("Wall time a step, µs", "engine", "mode", *map(str, SIZES), "100000", "CPU µs", "x limit", texts=2)
    for (name, mode), points in by_mode(best):
        if mode == "insert":
            continue
        good = [r for r in points.values() if "error" not in r]
        shown = max((r for r in good if r["steps"] <= 1000), key=lambda r: r["steps"], default=None)
        tail = [number(shown["cpu_us_per_step"]), number(ratio(shown, best))] if shown else ["-", "-"]
        print("|", " | ".join([name, mode, *(cell(points.get(s)) for s in (*SIZES, 100000)), *tail]), "|")
    print("\nCPU and `x limit` at 1000 steps, or the nearest size below.")


def print_insertions(best):
    found = [(name, points) for (name, mode), points in by_mode(best) if mode == "insert"]
    if found:
        table("Building a registry by `insert_after`, ms", "engine", "1000", "10000", texts=1)
    for name, points in found:
        cells = (points.get(size) for size in (1000, 10000))
        print(
            "|",
            " | ".join([name, *("-" if r is None else r.get("error") or number(r["build_s"] * 1e3) for r in cells)]),
            "|",
        )


def print_cold(cold):
    table(
        "Cold start: a whole process, import and one run of 10 steps",
        "engine",
        "version",
        "process s",
        "import s",
        "peak RSS MB",
        "first run s",
        texts=2,
    )
    for name, records in cold.items():
        r = min(records, key=lambda r: r["proc_wall_s"])
        print(
            f"| {name} | {r.get('version') or '-'} | {r['proc_wall_s']:.2f} | "
            f"{min(x['import_s'] for x in records):.3f} | {r['rss_peak_mb']:.0f} | "
            f"{min(x['run_s_first'] for x in records):.4f} |"
        )


def main():
    paths = [Path(a) for a in sys.argv[1:]] or sorted((BENCH_DIR / "results").glob("engine-*.jsonl"))[-1:]
    if not paths:
        sys.exit(f"no results in {BENCH_DIR / 'results'}: run run_all.py first")
    best, cold = read(paths)
    print_steps(best)
    print_insertions(best)
    if cold:
        print_cold(cold)


if __name__ == "__main__":
    main()
