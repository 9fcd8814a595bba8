#!/usr/bin/env python3
"""What storages cost: ours beside bare obstore, boto3, s3fs, s5cmd, rclone and the existing implementation.

    python -m bench.storage [--quick] [--rounds N]

Prints one JSON line for each operation, workload, store and client: the best of its rounds in seconds, its ratio to
bare obstore in the same rounds, processor time of the client for each object, and the peak of its resident memory.
Each operation is a process of its own; a round measures every client, in turn, and who is slow is measured once. What
is in the store and what was downloaded is compared with the files. S3 is served by `rclone serve s3` on this machine.
Then come a store that is far away, and reading and walking beside their limits. The last lines say who was left out.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from bench import storage_distant, storage_limits
from bench.storage_turns import CLIENTS, Cost, FailedError, Place, is_installed, turns
from bench.stores import BENCH_DIR, PEERS, SLOW, WORKLOADS, make_files, served

QUICK = {"300 x 50 KB": (300, 50_000)}
ROUNDS, QUICK_ROUNDS = 2, 1
MANY = 100
"""Files from which on it is interesting how long it takes to list and delete them."""
NEEDED = ("ours", "obstore")
"""Clients without whose figures there is nothing to say."""
ONE_BY_ONE, FEWER = "synapse-sdk", 1_000
"""Takes minutes for all files in S3, one after the other, and so gets fewer; what counts is the time an object."""
NOT_INSTALLED = "not installed: bench/storage_peers.sh"
NO_FOLDERS = {"boto3": "knows no folders", "s3fs": "knows no folders", "s5cmd": "copies no folder into another"}


@dataclass(frozen=True, slots=True)
class Workload:
    """What all clients do."""

    title: str
    count: int
    size: int
    """Bytes of each file."""

    @property
    def source(self) -> Path:
        """Where the files are."""
        return make_files(self.count, self.size)

    @property
    def operations(self) -> Sequence[str]:
        """What is done with its files, in order."""
        return ("put", "list", "download", "delete") if self.count > MANY else ("put", "download")


class Comparison:
    """What one workload costs in one kind of store."""

    def __init__(self, kind: str, workload: Workload) -> None:
        self.kind, self.workload = kind, workload
        self.costs: list[dict[tuple[str, str], Cost]] = []
        """One for each round: by client and operation."""
        self.left_out: dict[str, str] = {} if kind == "S3" else dict(NO_FOLDERS)
        """Why, by client."""
        self.clients = [name for name in CLIENTS[kind] if is_installed(name)]
        missing = (name for name in CLIENTS[kind] if not is_installed(name))
        self.left_out |= dict.fromkeys(missing, NOT_INSTALLED)

    def work_of(self, client: str) -> Workload:
        """Return what a client is given to do."""
        is_limited = client == ONE_BY_ONE and self.kind == "S3"
        return replace(self.workload, count=min(self.workload.count, FEWER)) if is_limited else self.workload

    def run(self, rounds: int) -> None:
        """Measure every client in each round, except those that are slow or have failed."""
        with opened(self.kind) as place:
            for number in range(rounds):
                self.costs.append({})
                for client in [name for name in self.clients if name not in self.left_out and not self.is_slow(name)]:
                    self.take_turn(client, numbered(place, f"{number}-{self.clients.index(client)}"))

    def take_turn(self, client: str, place: Place) -> None:
        """Measure one client once."""
        work = self.work_of(client)
        operations = work.operations[:1] if client == "obstore, then sync" else work.operations
        try:
            for operation, cost in turns(client, operations, work.source, place):
                self.costs[-1][client, operation] = cost
        except FailedError as error:
            if client in NEEDED:
                sys.exit(f"{client}, {self.kind}, {self.workload.title}: {error}")
            self.left_out[client] = str(error)

    def is_slow(self, client: str) -> bool:
        """Whether a client has needed so long that once is enough."""
        if client in NEEDED:
            return False
        return sum(cost["s"] for found in self.costs for (name, _), cost in found.items() if name == client) > SLOW

    def lines(self, operation: str) -> Iterator[dict[str, object]]:
        """Yield what an operation has cost each client."""
        for client in self.clients:
            rounds = [found for found in self.costs if (client, operation) in found]
            if not rounds:
                continue
            count, whole = self.work_of(client).count, self.workload.count
            ratios = [found[client, operation]["s"] / found["obstore", operation]["s"] for found in rounds]
            best = {key: min(found[client, operation][key] for found in rounds) for key in ("s", "cpu", "peak")}
            line: dict[str, object] = {"table": f"{operation.capitalize()} of {self.workload.title}"}
            line |= {"store": self.kind, "client": client, "objects": count, "rounds": len(rounds)}
            line |= {"s": round(best["s"], 3), "x obstore, median": round(median(ratios) * whole / count, 2)}
            yield line | {"CPU ms an object": round(best["cpu"] / count * 1000, 3), "peak MB": round(best["peak"])}


@contextmanager
def opened(kind: str) -> Iterator[Place]:
    """Yield a place in a store of a kind, whose `{}` is to be filled."""
    with tempfile.TemporaryDirectory(dir=BENCH_DIR) as folder:
        if kind == "local":
            yield Place(f"{folder}/{{}}", Path(folder))
            return
        with served(Path(folder)) as endpoint:
            yield Place(f"s3://bench/{{}}?endpoint={endpoint}", Path(folder, "bench"))


def numbered(place: Place, name: str) -> Place:
    """Return a place of its own for a client."""
    return Place(place.url.format(name), place.folder / name)


def show(lines: Iterable[dict[str, object]]) -> None:
    """Print records as JSON."""
    for line in lines:
        print(json.dumps(line), flush=True)


def compare(workloads: dict[str, tuple[int, int]], rounds: int) -> list[dict[str, object]]:
    """Measure all clients in all stores, print their lines, and return those that say who was left out."""
    left_out: list[dict[str, object]] = []
    is_served = (PEERS / "rclone").exists()
    for title, (count, size) in workloads.items():
        workload = Workload(title, count, size)
        comparisons = [Comparison(kind, workload) for kind in CLIENTS if is_served or kind != "S3"]
        for comparison in comparisons:
            comparison.run(rounds)
            left_out += [left_out_of(comparison.kind, title, *each) for each in comparison.left_out.items()]
        if not is_served:
            left_out.append(left_out_of("S3", title, "all", f"rclone, which serves it, is {NOT_INSTALLED}"))
        for operation in workload.operations:
            show(line for comparison in comparisons for line in comparison.lines(operation))
    return left_out


def left_out_of(kind: str, files: str, client: str, why: str) -> dict[str, object]:
    """Return the line that says who was left out of what, and why."""
    return {"table": "Left out", "client": client, "store": kind, "files": files, "why": why.replace("|", "/")}


def main() -> None:
    """Measure everything, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"few small files, {QUICK_ROUNDS} round")
    parser.add_argument("--rounds", type=int, metavar="N", help=f"how often to measure each client (default: {ROUNDS})")
    arguments = parser.parse_args()
    rounds = arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS)
    BENCH_DIR.mkdir(exist_ok=True)
    left_out = compare(QUICK if arguments.quick else WORKLOADS, rounds)
    show(storage_distant.lines(is_quick=arguments.quick, rounds=rounds))
    show(storage_limits.lines(is_quick=arguments.quick, rounds=rounds))
    show(left_out)


if __name__ == "__main__":
    main()
