#!/usr/bin/env python3
"""Measure the engine beside its peers and its limits: `make bench`, with arguments `make bench ARGS="startup --quick"`.

Results go to .bench/results/SUITE-TIME.jsonl, quick ones to .bench/results/quick/. At the end the tables of the newest
are printed.
"""

import argparse
import json
import os
import platform
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BENCH_DIR = Path(os.environ.get("BENCH_DIR", ROOT / ".bench")).absolute()
ENVIRONMENT = os.environ | {"BENCH_DIR": str(BENCH_DIR), "BENCH_OURS_PYTHON": sys.executable, "PYTHON": sys.executable}
README = HERE / "README.md"
TARGETS = str(HERE / "targets.py")
BEGIN, END = "<!-- figures -->\n", "<!-- /figures -->"
SUITES = {
    "engine": "Step engine",
    "startup": "Start",
    "reporting": "Reporting",
    "durable": "Durable runs",
    "sheets": "Metadata sheets",
    "upload": "Upload",
}
QUICK_ENGINE = [
    "--only=ours,python-floor",
    "--max-steps=10000",
    "--cold-starts=1",
    "--quiet=0",  # do not wait for a quiet machine
]


def main() -> None:
    """Measure the suites that were asked for, by default all."""
    arguments = parse()
    if arguments.peers:
        call([str(HERE / "engine" / "setup_venvs.sh")])
        call([str(HERE / "upload_peers.sh")])
    suites = [suite for suite in SUITES if suite in arguments.suites] if arguments.suites else list(SUITES)
    results = BENCH_DIR / "results" / ("quick" if arguments.quick else "")
    results.mkdir(parents=True, exist_ok=True)
    for suite in suites:
        measure(suite, results / f"{suite}-{time.strftime('%Y%m%d-%H%M%S')}.jsonl", is_quick=arguments.quick)
    print(f"\n{figures(suites, results)}")
    if arguments.write:
        write(figures(list(SUITES), results))


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"{', '.join(SUITES)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="ours and the limit only, few rounds: under a minute")
    parser.add_argument("--peers", action="store_true", help="first install the peers, pinned, under .bench/venvs")
    parser.add_argument(
        "--write", action="store_true", help="put the newest figures of all suites into bench/README.md"
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.suites) - set(SUITES):
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    if arguments.quick and arguments.write:
        parser.error("quick figures are not worth writing down")
    return arguments


def measure(suite: str, out: Path, *, is_quick: bool) -> None:
    """Run one suite in processes of its own, and keep its JSON lines in `out`."""
    print(f"== {SUITES[suite]}", flush=True)
    begin = time.monotonic()
    if suite == "engine":
        call([sys.executable, str(HERE / "engine" / "run_all.py"), f"--out={out}", *(QUICK_ENGINE if is_quick else [])])
    else:
        lines = call(
            [sys.executable, "-m", f"bench.{suite}", *(["--quick"] if is_quick else [])], stdout=subprocess.PIPE
        )
        out.write_text(lines, encoding="utf-8")
    print(f"{suite}: {time.monotonic() - begin:.0f} s", flush=True)


def call(command: list[str], stdout: int | None = None) -> str:
    """Run a command of ours from the root of the project, and return what it printed, if that is asked for."""
    process = subprocess.run(command, check=False, cwd=ROOT, env=ENVIRONMENT, stdout=stdout, text=True)
    if process.returncode:
        sys.exit(f"failed with exit code {process.returncode}: {' '.join(command)}")
    return process.stdout or ""


def figures(suites: list[str], results: Path) -> str:
    """Return the tables of the newest results of these suites."""
    parts = [f"Machine: {machine()}.\n"]
    found = {suite: max(results.glob(f"{suite}-*.jsonl"), default=None) for suite in suites}
    if judged := [str(path) for path in found.values() if path is not None]:
        targets = call([sys.executable, TARGETS, *judged], stdout=subprocess.PIPE)
        parts.append(f"### Targets\n\n{targets or 'None for these suites.'}")
    for suite, newest in found.items():
        if newest is None:
            parts.append(f"### {SUITES[suite]}\n\nNot measured.\n")
            continue
        day = datetime.fromtimestamp(newest.stat().st_mtime, tz=UTC).date()
        text = engine_tables(newest) if suite == "engine" else tables(newest)
        parts.append(f"### {SUITES[suite]}\n\nMeasured on {day}.\n\n{text.strip()}\n")
    return "\n".join(parts)


def machine() -> str:
    """Say what the figures were measured on."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
    versions = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, {versions}"


def engine_tables(path: Path) -> str:
    """Return the engines' tables."""
    return call([sys.executable, str(HERE / "engine" / "report.py"), str(path)], stdout=subprocess.PIPE)


def tables(path: Path) -> str:
    """Return the tables of a suite's records: one, or one for each title that they give as `table`."""
    by_title: dict[str, list[dict[str, object]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        by_title.setdefault(record.pop("table", ""), []).append(record)
    parts = (f"#### {title}\n\n{table(records)}" if title else table(records) for title, records in by_title.items())
    return "\n\n".join(parts)


def table(records: list[dict[str, object]]) -> str:
    """Return one table of records whose keys are its heads."""
    heads = list(records[0])
    rule = ["---" if isinstance(records[0][head], str) else "--:" for head in heads]
    rows = [[shown(record[head]) for head in heads] for record in records]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, rule, *rows))


def shown(value: object) -> str:
    """Return a value as a table shows it."""
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def write(text: str) -> None:
    """Replace the figures in the README."""
    before, rest = README.read_text(encoding="utf-8").split(BEGIN)
    README.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    print(f"written to {README}")


if __name__ == "__main__":
    main()
