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
sys.path.insert(0, str(ROOT))

from bench import figures  # noqa: E402  # found beside this script

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
    "storage": "Storages",
    "upload": "Upload",
    "export": "Export",
    "conversion": "Conversion",
    "cluster": "Ray cluster",
    "inference": "Annotating",
    "training": "Training",
}
PEERS = {
    "setup_venvs.sh": ("engine", "startup", "durable"),
    "storage_peers.sh": ("storage", "upload", "export"),
    "datasets/setup_venvs.sh": ("conversion",),
}
"""What installs the peers of which suites."""
WITH_ROUNDS = ("storage", "upload", "export", "conversion", "inference", "training")
"""Suites that take long enough for their rounds to be chosen."""
QUICK_ENGINE = [
    "--only=ours,python-floor",
    "--max-steps=10000",
    "--cold-starts=1",
    "--quiet=0",  # do not wait for a quiet machine
]


def main() -> None:
    """Measure the suites that were asked for, by default all."""
    arguments = parse()
    suites = [suite for suite in SUITES if suite in arguments.suites] if arguments.suites else list(SUITES)
    if arguments.peers:
        install_peers(suites)
    results = BENCH_DIR / "results" / ("quick" if arguments.quick else "")
    results.mkdir(parents=True, exist_ok=True)
    found = {suite: results / f"{suite}-{time.strftime('%Y%m%d-%H%M%S')}.jsonl" for suite in suites}
    for suite, out in found.items():
        options = ["--quick"] if arguments.quick else []
        options += [f"--rounds={arguments.rounds}"] if arguments.rounds and suite in WITH_ROUNDS else []
        measure(suite, out, options)
    titles, sections, targets = list(SUITES.values()), sections_of(found), targets_of(found)
    print(f"\n{figures.rendered(titles, sections, targets)}")
    if arguments.write:
        write(titles, sections, targets)


def install_peers(suites: list[str]) -> None:
    """Install the peers of these suites, where they are not installed yet."""
    for script, needed_by in PEERS.items():
        if any(suite in suites for suite in needed_by):
            call([str(HERE / script)])


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"{', '.join(SUITES)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="few rounds, small workloads: under a minute a suite")
    parser.add_argument("--rounds", type=int, metavar="N", help=f"how often to measure ({', '.join(WITH_ROUNDS)})")
    parser.add_argument("--peers", action="store_true", help="first install the peers, pinned, under .bench/venvs")
    parser.add_argument(
        "--write", action="store_true", help="put the figures into bench/README.md; those of other suites stay"
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.suites) - set(SUITES):
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    if arguments.quick and arguments.write:
        parser.error("quick figures are not worth writing down")
    return arguments


def measure(suite: str, out: Path, options: list[str]) -> None:
    """Run one suite in processes of its own, and keep its JSON lines in `out`."""
    print(f"== {SUITES[suite]}", flush=True)
    begin = time.monotonic()
    if suite == "engine":
        call([sys.executable, str(HERE / "engine" / "run_all.py"), f"--out={out}", *(QUICK_ENGINE if options else [])])
    else:
        lines = call([sys.executable, "-m", f"bench.{suite}", *options], stdout=subprocess.PIPE)
        out.write_text(lines, encoding="utf-8")
    print(f"{suite}: {time.monotonic() - begin:.0f} s", flush=True)


def call(command: list[str], stdout: int | None = None) -> str:
    """Run a command of ours from the root of the project, and return what it printed, if that is asked for."""
    process = subprocess.run(command, check=False, cwd=ROOT, env=ENVIRONMENT, stdout=stdout, text=True)
    if process.returncode:
        sys.exit(f"failed with exit code {process.returncode}: {' '.join(command)}")
    return process.stdout or ""


def sections_of(found: dict[str, Path]) -> dict[str, str]:
    """Return the tables of these results, by the titles of their suites."""
    sections = {}
    for suite, path in found.items():
        day = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC).date()
        text = engine_tables(path) if suite == "engine" else tables(path)
        sections[SUITES[suite]] = f"Measured on {day}. {machine()}.\n\n{text}"
    return sections


def targets_of(found: dict[str, Path]) -> list[str]:
    """Return the lines of the table of targets for these results."""
    lines = call([sys.executable, TARGETS, *map(str, found.values())], stdout=subprocess.PIPE).splitlines()
    return [f"| {SUITES[suite]} {rest}" for suite, _, rest in (line.partition(" ") for line in lines)]


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


def write(titles: list[str], sections: dict[str, str], targets: list[str]) -> None:
    """Put the figures into the README in place of those that these suites had."""
    before, rest = README.read_text(encoding="utf-8").split(BEGIN)
    old, _, after = rest.partition(END)
    text = figures.merged(old, titles, sections, targets)
    README.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
    print(f"written to {README}")


if __name__ == "__main__":
    main()
