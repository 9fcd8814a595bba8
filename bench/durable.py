#!/usr/bin/env python3
"""What it costs that a run survives its process, beside bare SQLite and beside engines that record their steps, too.

    python -m bench.durable [--quick]

Prints one JSON line for each line of its tables. Everything is read back from the disk and checked: a figure of a run
that did not record what it should is not printed. `--quick` leaves the peers out; so does a missing environment.
"""

import argparse
import json
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from bench.durable_calls import saved_progress, sizes, undo_records
from bench.durable_journal import (
    RUN,
    CountingStep,
    Figures,
    TimeTaken,
    in_memory,
    recorded,
    registry_of,
    scratch,
    state_of,
    timed,
)
from bench.durable_resume import resume_line, resumes
from synapse_sdk.journal import SqliteJournal
from synapse_sdk.journal.sqlite import Level

STEPS = 1_000
ROUNDS, QUICK_ROUNDS = 25, 3
FEWEST_ROUNDS = 7
PATIENCE, QUICK_PATIENCE = 45.0, 5.0
"""Seconds after which no further round is begun, once there were the fewest: on some disks a commit takes long."""
FEW = 50
"""More than the frames that a run has besides those of its steps."""
ENGINES = Path(__file__).resolve().parent / "engine"
PEERS = ENGINES / "durable.json"
LONGEST = 90.0
"""Seconds after which a peer is stopped and left out."""
SURVIVES = {"power": "power loss", "group": "kill; power loss after 0.1 s", "kill": "kill", "none": "nothing"}

type Frame = tuple[int, str, bytes]


def main() -> None:
    """Measure everything in turn, and print lines as they come."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="without the peers, fewer steps and rounds")
    is_quick = parser.parse_args().quick
    others = [] if is_quick else peers()
    lines = chain(
        steps(STEPS, is_quick=is_quick, others=others),
        resumes(is_quick=is_quick),
        (resume_of(record) for record in others if record["mode"] == "resume"),
        sizes(is_quick=is_quick),
        saved_progress(is_quick=is_quick),
        undo_records(is_quick=is_quick),
    )
    for line in lines:
        print(json.dumps(line), flush=True)


# Steps


@dataclass
class Way:
    """One way to have steps, or as many bare commits, and what each round took."""

    engine: str
    mode: str
    level: str
    run: Callable[[], TimeTaken]
    rounds: list[TimeTaken] = field(default_factory=list)

    @property
    def walls(self) -> list[float]:
        """Seconds of each round."""
        return [each.wall for each in self.rounds]


def steps(count: int, *, is_quick: bool, others: list[dict[str, Any]]) -> Iterator[Figures]:
    """Measure a durable step, and in the same rounds what SQLite alone takes for the same bytes."""
    frames = frames_of(count)
    size = sum(len(text.encode()) + len(digest) for _, text, digest in frames)
    full = Way("bare SQLite", "WAL, FULL", "power", lambda: bare_commits(frames, "FULL"))
    normal = Way("bare SQLite", "WAL, NORMAL", "kill", lambda: bare_commits(frames, "NORMAL"))
    limits = {"power": full, "group": normal, "kill": normal}
    levels: tuple[Level, ...] = ("power", "group", "kill")
    ways = [full, normal, *(Way("ours", level, level, partial(durable_steps, count, level)) for level in levels)]
    ways.append(Way("ours", "no journal", "none", lambda: steps_in_memory(count)))
    take_rounds(ways, is_quick=is_quick)
    for way in ways:
        limit = limits.get(way.level)
        best, median = (each(way.walls) / count * 1e6 for each in (min, statistics.median))
        over = None if limit is None else best - min(limit.walls) / count * 1e6
        yield step_line(way.engine, way.mode, way.level, count) | {
            "bytes a step": None if way.level == "none" else size // count,
            "µs a step": round(best, 2),
            "median": round(median, 2),
            "CPU µs": round(min(each.cpu for each in way.rounds) / count * 1e6, 2),
            "x limit": None if limit is None else round(min(way.walls) / min(limit.walls), 2),
            "x limit, median": None if limit is None else round(median_ratio(way, limit), 2),
            "µs over limit": None if over is None else round(over, 1),
        }
    for record in others:
        if record["mode"] != "resume":
            yield step_of(record, min(limits[record["durable"]].walls) / count * 1e6)


def step_line(engine: str, mode: str, level: str, count: int) -> Figures:
    """Return what identifies a line of the first table."""
    return {
        "table": "A durable step that does nothing",
        "engine": engine,
        "mode": mode,
        "survives": SURVIVES[level],
        "steps": count,
    }


def take_rounds(ways: list[Way], *, is_quick: bool) -> None:
    """Let all take turns, so that load on the machine and the moods of the disk meet all alike."""
    most, fewest, patience = (QUICK_ROUNDS, 1, QUICK_PATIENCE) if is_quick else (ROUNDS, FEWEST_ROUNDS, PATIENCE)
    begin = time.monotonic()
    for number in range(most + 1):
        if number > fewest and time.monotonic() - begin > patience:
            return
        for way in ways:
            taken = way.run()
            if number:  # the first round only warms up
                way.rounds.append(taken)


def median_ratio(way: Way, limit: Way) -> float:
    """Return the median of the ratios within each round."""
    return statistics.median(one / other for one, other in zip(way.walls, limit.walls, strict=True))


def durable_steps(count: int, level: Level) -> TimeTaken:
    """Run steps in a journal of their own."""
    with scratch() as folder:
        path = folder / "journal.db"
        CountingStep.ran = 0
        with SqliteJournal(path, level=level) as journal:
            taken = recorded(journal, registry_of(CountingStep(number) for number in range(count)))
        check(path, count)
    return taken


def check(path: Path, count: int) -> None:
    """Make sure that each step ran once, and that the journal has what each returned."""
    assert CountingStep.ran == count
    results = [step.result or {} for step in state_of(path, count).steps.values()]
    assert [result["data"] for result in results] == [{"n": number} for number in range(count)]


def steps_in_memory(count: int) -> TimeTaken:
    """Run steps without a journal."""
    CountingStep.ran = 0
    taken = in_memory(registry_of(CountingStep(number) for number in range(count)))
    assert CountingStep.ran == count
    return taken


def frames_of(count: int) -> list[Frame]:
    """Return the frames that so many steps of ours leave."""
    with scratch() as folder, SqliteJournal(folder / "journal.db", level="kill") as journal:
        recorded(journal, registry_of(CountingStep(number) for number in range(count)))
        frames = [(frame.number, frame.text, frame.digest) for frame in journal.frames(RUN)]
    assert count < len(frames) < count + FEW
    return frames


def bare_commits(frames: list[Frame], synchronous: str) -> TimeTaken:
    """Write the same rows in as many transactions, with SQLite alone."""
    with scratch() as folder:
        connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("CREATE TABLE frame (id INTEGER PRIMARY KEY, text TEXT NOT NULL, digest BLOB NOT NULL)")
        with timed() as taken:
            for frame in frames:
                connection.execute("INSERT INTO frame VALUES (?, ?, ?)", frame)
        connection.close()
        connection = sqlite3.connect(folder / "bare.db")
        assert connection.execute("SELECT id, text, digest FROM frame ORDER BY id").fetchall() == frames
        connection.close()
    return taken


# Peers


def peers() -> list[dict[str, Any]]:
    """Measure the peers whose environments are there, and return a record of each mode that came to its end."""
    with scratch() as folder:
        out = folder / "peers.jsonl"
        options = [f"--engines={PEERS}", "--cold-starts=0", f"--limit={LONGEST}", f"--out={out}"]
        command = [sys.executable, str(ENGINES / "run_all.py"), *options]
        subprocess.run(command, check=True, stdout=sys.stderr)  # says what is left out, and why
        records = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    for record in records:
        if "error" in record:
            print(f"{shown(record)}: left out, {record['error']}: {record.get('stderr', '')[-300:]}", file=sys.stderr)
    return [record for record in records if "error" not in record]


def shown(record: dict[str, Any]) -> str:
    """Return how a table calls a peer."""
    return f"{record['name']}=={record['version']}" if record.get("version") else str(record["name"])


def step_of(record: dict[str, Any], limit: float) -> Figures:
    """Return a peer's line of the first table; `limit` is the µs that bare SQLite takes to be as safe."""
    assert record["verified"]
    best = record["us_per_step_min"]
    return step_line(shown(record), record["mode"], record["durable"], record["steps"]) | {
        "bytes a step": None,
        "µs a step": round(best, 2),
        "median": round(record["us_per_step_med"], 2),
        "CPU µs": round(record["cpu_us_per_step"], 2),
        "x limit": round(best / limit, 2),
        "x limit, median": None,
        "µs over limit": round(best - limit, 1),
    }


def resume_of(record: dict[str, Any]) -> Figures:
    """Return a peer's line of the table of resumed runs."""
    assert record["verified"]
    return resume_line(shown(record), record["steps"], record["resume_s"])


if __name__ == "__main__":
    main()
