#!/usr/bin/env python3
"""What starting costs: whole processes that import an engine or run its command line, ours beside its peers.

    python -m bench.startup [--quick]

Prints one JSON line a program: milliseconds over a bare Python (best of at most 15), modules loaded at its end, and
the peak of its resident memory. Programs take turns, so that load on the machine meets all alike; slow ones get fewer.
Peers are found in BENCH_VENVS (default .bench/venvs); `--quick` leaves them out.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

TURNS = 15
QUICK_TURNS = 5
FEWEST_TURNS = 3
PATIENCE = 6.0
"""Seconds after which a program gets no further turn, once it had the fewest."""

BIN = Path(sys.executable).parent
VENVS = Path(os.environ.get("BENCH_VENVS", Path(os.environ.get("BENCH_DIR", ".bench")) / "venvs")).absolute()
CORES = {
    "synapse": "import synapse_sdk.plugins.steps",
    "hamilton": "import hamilton.driver",
    "burr": "import burr.core",
    "luigi": "import luigi",
    "dagster": "import dagster",
    "prefect": "import prefect",
}
WITH_VERSION = {"synapse", "dagster", "prefect"}
"""Peers whose command line has `--version`; those of Hamilton and Burr need further packages, Luigi's has none."""

PROBE = """
import atexit, sys
def tell(argv=sys.argv):
    loaded = len(sys.modules)
    try:
        with open("/proc/self/status") as status:
            peak = next(line.split()[1] for line in status if line.startswith("VmHWM"))
    except OSError:
        peak = "0"  # not Linux
    with open(argv[1], "w") as out:
        out.write(f"{loaded} {peak}")
atexit.register(tell)
"""


@dataclass
class Program:
    """One process to start: Python with one line of code, or a script of its environment with arguments."""

    engine: str
    bin: Path
    code: str = ""
    script: str = ""
    seconds: list[float] = field(default_factory=list)

    @property
    def shown(self) -> str:
        """What is run, as a reader of the table knows it."""
        return self.script or self.code or "bare Python"

    def python(self) -> list[str]:
        """Return what runs a line of code; without -P the peer of our name would be imported from this checkout."""
        return [str(self.bin / "python"), "-P", "-c"]

    def command(self) -> list[str]:
        """Return what is timed."""
        if self.script:
            name, *arguments = self.script.split()
            return [str(self.bin / name), *arguments]
        return [*self.python(), self.code or "pass"]

    def wants_turn(self, turns: int) -> bool:
        """Say whether another turn is worth its time."""
        return len(self.seconds) < (FEWEST_TURNS if sum(self.seconds) > PATIENCE else turns)

    def take_turn(self) -> None:
        """Run it once."""
        begin = time.perf_counter()
        run(self.command())
        self.seconds.append(time.perf_counter() - begin)

    def probe(self) -> tuple[int, float]:
        """Run it once more under observation: the modules it loaded, and its peak of resident memory in MB."""
        work = self.code
        if self.script:
            name, *arguments = self.script.split()
            path = str(self.bin / name)
            work = f"sys.argv = {[path, *arguments]!r}\nexec(compile(open({path!r}).read(), {path!r}, 'exec'))"
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder, "probe")
            run([*self.python(), PROBE + work, str(out)])
            loaded, peak = out.read_text(encoding="utf-8").split()
        return int(loaded), int(peak) / 1024


def run(command: list[str]) -> None:
    """Run a process to its end; what it prints goes nowhere, a failure raises."""
    subprocess.run(
        command,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    )


ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {
    "DO_NOT_TRACK": "1",
    "DAGSTER_DISABLE_TELEMETRY": "1",
    "HAMILTON_TELEMETRY_ENABLED": "false",
    "BURR_TELEMETRY_ENABLED": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}


def ours() -> list[Program]:
    """Return what is ours, after the bare Python it is compared with."""
    programs = [Program("Python", BIN), Program("ours", BIN, code=CORES["synapse"])]
    return programs + [Program("ours", BIN, script=f"synapse {option}") for option in ("--version", "--help")]


def peers() -> list[Program]:
    """Return the peers that are installed."""
    programs = []
    for name, code in CORES.items():
        bin_ = VENVS / name / "bin"
        if not (bin_ / "python").exists():
            print(f"{name}: skipped, there is no {bin_}", file=sys.stderr)
            continue
        label = version_of(name)
        programs.append(Program(label, bin_, code=code))
        if name in WITH_VERSION:
            programs.append(Program(label, bin_, script=f"{name} --version"))
    return programs


def version_of(name: str) -> str:
    """Return a peer's name and version, as it was installed."""
    installed = VENVS / name / ".installed"
    return re.split(r"\s", installed.read_text(encoding="utf-8"))[0] if installed.exists() else name


def main() -> None:
    """Let all programs take turns, then print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"only ours, {QUICK_TURNS} turns")
    is_quick = parser.parse_args().quick
    programs = ours() if is_quick else ours() + peers()
    figures: list[dict[str, object]] = []
    alive: list[Program] = []
    for program in programs:
        try:
            loaded, peak = program.probe()  # also writes the bytecode: what is timed is not the first start ever
        except (subprocess.CalledProcessError, OSError) as error:
            said = (
                error.stderr.decode(errors="replace")[-300:] if isinstance(error, subprocess.CalledProcessError) else ""
            )
            print(f"{program.engine}, {program.shown}: skipped, {error} {said}", file=sys.stderr)
            continue
        alive.append(program)
        figures.append(
            {
                "engine": program.engine,
                "program": f"`{program.shown}`",
                "modules": loaded,
                "peak RSS MB": round(peak, 1),
            }
        )
    for _ in range(TURNS):
        for program in alive:
            if program.wants_turn(QUICK_TURNS if is_quick else TURNS):
                program.take_turn()
    bare = min(alive[0].seconds)
    for program, figure in zip(alive, figures, strict=True):
        best = min(program.seconds)
        print(json.dumps(figure | {"ms": round(best * 1e3, 1), "ms over bare": round((best - bare) * 1e3, 1)}))


if __name__ == "__main__":
    main()
