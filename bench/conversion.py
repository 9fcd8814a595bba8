#!/usr/bin/env python3
"""What converting datasets costs: ours beside other converters, and the least work that it can be.

    python -m bench.conversion [--quick] [--rounds N] [--sizes 1000,5000,20000] [--tools synapse,limit-orjson,...]

Ours is `synapse dataset convert`. Runs bench/datasets/bench_convert.py, which makes the data, starts every converter as
a process of its own, and counts what came out. Prints one JSON line a tool, conversion and size: the best wall and
processor time and the highest memory of all rounds; `x limit` is the median over the rounds of the time against that of
the limit in the same round, and `x limit, CPU` that of processor time. The limit is `limit-same` where it writes more
than `limit-orjson`: boxes around outlines, or images of masks, as ours does.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
BENCH_DIR = Path(os.environ.get("BENCH_DIR", HERE.parent / ".bench")).absolute()
TITLES = {
    "coco2yolo": "COCO to YOLO",
    "yolo2coco": "YOLO to COCO",
    "coco2voc": "COCO to Pascal VOC",
    "dm2yolo": "DM to YOLO",
    "dm2coco": "DM to COCO",
}
LIMITS = ("limit-same", "limit-orjson")
"""The first of them that was measured counts."""
FIGURES = ("s", "CPU s", "MB", "private MB", "images/s", "x limit", "x limit, CPU", "files", "rows")
SIZES = "1000,5000,20000"
ROUNDS = 3

type Run = dict[str, Any]


def main() -> None:
    """Measure, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="1,000 images, once")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--sizes", default=SIZES, help="numbers of images")
    parser.add_argument("--tools", default="all", help="by default all that are installed and not slow")
    arguments = parser.parse_args()
    sizes, rounds = ("1000", 1) if arguments.quick else (arguments.sizes, arguments.rounds)
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.jsonl"
        measure(arguments.tools, sizes, rounds, results)
        runs = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    for record in records_of(runs):
        print(json.dumps(record))


def measure(tools: str, sizes: str, rounds: int, results: Path) -> None:
    """Run the conversions."""
    environment = os.environ | {
        "BENCH_VENVS": str(BENCH_DIR / "venvs"),
        "BENCH_DATA": str(BENCH_DIR / "datasets"),
        "BENCH_RESULTS": str(results),
        "BENCH_SYNAPSE": str(Path(sys.executable).with_name("synapse")),
    }
    script = str(HERE / "datasets" / "bench_convert.py")
    options = ["--tool", tools, "--task", ",".join(TITLES), "--images", sizes, "--repeat", str(rounds)]
    python = BENCH_DIR / "venvs" / "limit" / "bin" / "python"
    subprocess.run([str(python), script, *options], check=True, env=environment, stdout=sys.stderr)


def records_of(runs: list[Run]) -> Iterator[Run]:
    """Yield a line for each tool, conversion and size."""
    by_line: defaultdict[tuple[str, int, str], list[Run]] = defaultdict(list)
    for run in runs:
        by_line[run["task"], run["images"], run["tool"]].append(run)
    for (task, images, tool), found in sorted(
        by_line.items(), key=lambda entry: (entry[0][1], [*TITLES].index(entry[0][0]))
    ):
        good = [run for run in found if run["rc"] == 0]
        table = {"table": f"{TITLES[task]}, {images:,} images", "tool": tool}
        if not good:
            yield {**table, **dict.fromkeys(FIGURES)}
            continue
        limits = next((by_line[task, images, name] for name in LIMITS if by_line[task, images, name]), [])
        yield {
            **table,
            "s": min(run["wall_s"] for run in good),
            "CPU s": min(run["cpu_s"] for run in good),
            "MB": max(run["peak_mb"] for run in good),
            "private MB": max(run["private_mb"] for run in good),
            "images/s": round(max(run["images_s"] for run in good)),
            "x limit": ratio(found, limits, "wall_s"),
            "x limit, CPU": ratio(found, limits, "cpu_s"),
            "files": good[-1].get("files"),
            "rows": good[-1].get("rows"),
        }


def ratio(runs: list[Run], limits: list[Run], figure: str) -> float | None:
    """Return the median over the rounds of a figure against that of the limit; None without the limit."""
    ratios = [one[figure] / limit[figure] for one, limit in zip(runs, limits, strict=False)]
    return round(statistics.median(ratios), 2) if ratios else None


if __name__ == "__main__":
    main()
