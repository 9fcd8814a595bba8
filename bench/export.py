#!/usr/bin/env python3
"""What exporting costs: items without their files, and files beside bare obstore and rclone.

    python -m bench.export [--quick] [--rounds N]

Prints one JSON line for each number of items: seconds, items a second, processor time of each item, the peak of
resident memory, and the seconds from the start of the process to the first document under its name. Then one for each
client that fetches 5,000 files, from a folder and from S3 (`rclone serve s3` on this machine): seconds, ratio to bare
obstore in the same rounds, processor time a file, and memory. Each measurement is a process of its own; documents and
files are counted, and the digests of some compared.
"""

import argparse
import hashlib
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from pathlib import Path
from statistics import median

from bench.cost import measured
from bench.stores import BENCH_DIR, IN_FLIGHT, PEERS, SLOW, in_process, make_files, served
from bench.upload import S3_CONFIG, command, make_project, obstore_of
from synapse_sdk.types import JsonObject

ITEMS, QUICK_ITEMS = (1_000, 10_000, 200_000), (1_000,)
FILES, QUICK_FILES = (5_000, 50_000), (300, 50_000)
ROUNDS, QUICK_ROUNDS = 2, 1
BOX: JsonObject = {
    "id": "box",
    "classification": {"class": "car"},
    "attrs": [],
    "data": {"x": 10.5, "y": 20.25, "width": 9.0, "height": 4},
}
DOCUMENT: JsonObject = {"images": {"image_1": {"bounding_box": [BOX] * 5}}, "classification": {"bounding_box": ["car"]}}
"""What every item has: five boxes."""
STARTED = time.time()


def make_items(count: int) -> Path:
    """Return a project with a backend of so many annotated tasks, whose files are nowhere; made once."""
    project = BENCH_DIR / "items" / f"{count}"
    if project.exists():
        return project
    from synapse_sdk.backend import FileSpecification, NewUnit, open_backend  # noqa: PLC0415  # not to be measured

    part = project.with_suffix(".part")
    (part / ".synapse").mkdir(parents=True)
    with open_backend(part / ".synapse" / "backend.db") as backend:
        collection = backend.collections.create("bench", specifications=[FileSpecification(name="images")])
        storage = backend.storages.create("nowhere", str(part / "nowhere"))
        for numbers in batched(range(count), 500):
            digests = [hashlib.sha256(str(number).encode()).hexdigest() for number in numbers]
            files = [(sha256, 50_000, f"bench/{sha256}") for sha256 in digests]
            found = backend.ingestion.reserve("bench", collection.id, storage.id, files)
            named = zip(numbers, found, strict=True)
            units = [NewUnit(key=f"{n:06}", files={"images": (each.file.id, f"{n:06}.jpg")}) for n, each in named]
            backend.ingestion.register("bench", collection.id, units, stored=[each.file.id for each in found])
        backend.ingestion.publish("bench")
    annotate(part)
    part.rename(project)
    return project


def annotate(folder: Path) -> None:
    """Make a project of all units of the collection `bench`, each with a document."""
    from synapse_sdk.backend import TaskFilter, open_backend  # noqa: PLC0415  # as above
    from synapse_sdk.backend.paging import every  # noqa: PLC0415  # as above

    with open_backend(folder / ".synapse" / "backend.db") as backend:
        collection = backend.collections.get("bench")
        project = backend.projects.create("bench", collection.id)
        units = every(lambda after, size: backend.data_units.list(collection.id, after=after, limit=size))
        backend.tasks.create(project.id, [unit.id for unit in units])
        which = TaskFilter(project=project.id)
        for task in every(lambda after, size: backend.tasks.list(which, after=after, limit=size)):
            backend.tasks.set_data(task.id, DOCUMENT, task.version)


def export_items(project: Path, target: Path) -> dict[str, float]:
    """Export the documents of a project, and return what that cost, and when the first one was there."""
    from synapse_sdk.plugins import run_action  # noqa: PLC0415  # measured
    from synapse_sdk.plugins.actions.export import DefaultExportAction  # noqa: PLC0415  # as above

    os.chdir(project)
    params = {"name": target.name, "storage": str(target.parent), "target": "task", "filter": {"project": "bench"}}
    first, done = [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.005) and not first[0]:
            if next(target.parent.glob(".*.partial/json/*"), None) is not None:
                first[0] = time.time()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        cost = measured(
            lambda: run_action(
                DefaultExportAction,
                params | {"save_original_file": False},
                journal=str(target.parent / "journal.db"),
            )
        )
    finally:
        done.set()
        watcher.join()
    return cost | {"first": (first[0] or time.time()) - STARTED}


def our_export(_store: str, project: Path, target: Path) -> None:
    """Export a project with its files."""
    from synapse_sdk.plugins import run_action  # noqa: PLC0415  # measured
    from synapse_sdk.plugins.actions.export import DefaultExportAction  # noqa: PLC0415  # as above

    os.chdir(project)
    params = {"name": target.name, "storage": str(target.parent), "target": "task", "filter": {"project": "bench"}}
    run_action(DefaultExportAction, params, journal=str(target.parent / "journal.db"))


def bare_obstore(store: str, _project: Path, target: Path) -> None:
    """Fetch all objects with obstore from threads, and write them."""
    import obstore  # noqa: PLC0415  # measured

    opened = obstore_of(store)
    target.mkdir()
    keys = [meta["path"] for page in obstore.list(opened) for meta in page]

    def fetch(key: str) -> None:
        with (target / key.rpartition("/")[2]).open("wb") as file:
            for piece in obstore.get(opened, key).stream():
                file.write(piece)

    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        list(pool.map(fetch, keys))


def bare_obstore_durable(store: str, project: Path, target: Path) -> None:
    """The same, and then wait until all of it is on the disk, as the export does."""
    bare_obstore(store, project, target)
    os.sync()


def copied(*words: str) -> Callable[[str, Path, Path], None]:
    """Return a client that is a command, which copies from the store."""
    ready = command(*words)

    def run(store: str, _project: Path, target: Path) -> None:
        ready(target, store, target)()

    return run


CLIENTS: dict[str, dict[str, Callable[[str, Path, Path], None]]] = {
    "local": {
        "synapse export": our_export,
        "obstore": bare_obstore,
        "obstore, then sync": bare_obstore_durable,
        "rclone copy": copied("rclone", "copy", "{target}", "{source}", "--config", "/dev/null"),
    },
    "S3": {
        "synapse export": our_export,
        "obstore": bare_obstore,
        "obstore, then sync": bare_obstore_durable,
        "rclone copy": copied("rclone", "copy", S3_CONFIG + "{path}", "{source}", "--config", "/dev/null"),
        "s5cmd": copied("s5cmd", "--endpoint-url", "{endpoint}", "cp", "{target}/*", "{source}/"),
    },
}


def check(target: Path, source: Path, count: int) -> None:
    """Make sure that the files are there, and that some are those of the source."""
    found = {path.name: path for path in target.rglob("*") if path.is_file()}
    by_digest = {hashlib.sha256(path.read_bytes()).digest() for path in list(found.values())}
    wanted = [hashlib.sha256(path.read_bytes()).digest() for path in sorted((source / "images").iterdir())]
    assert len(by_digest & set(wanted)) == count, f"{target} has {len(by_digest & set(wanted))} of {count} files"


def measure_items(count: int, rounds: int) -> None:
    """Measure exports of so many items, and print the best."""
    project, costs = make_items(count), list[dict[str, float]]()
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(dir=BENCH_DIR) as folder:
            target = Path(folder, "out")
            costs.append(in_process("export", "items", str(project), str(target)))
            documents = sum(1 for _ in os.scandir(target / "json"))
            assert documents == count, f"{documents} of {count} documents"
    best = {key: min(cost[key] for cost in costs) for key in costs[0]}
    line = {"table": "Items without their files", "items": count, "s": round(best["s"], 2)}
    line |= {"items a second": round(count / best["s"]), "CPU µs an item": round(best["cpu"] / count * 1e6)}
    line |= {"peak MB": round(best["peak"]), "s to the first document": round(best["first"], 2)}
    print(json.dumps(line), flush=True)


def measure_files(kind: str, count: int, size: int, *, rounds: int, endpoint: str = "") -> None:
    """Measure every client that fetches files from a kind of store, and print the best of each."""
    source = make_files(count, size)
    with tempfile.TemporaryDirectory(dir=BENCH_DIR) as folder:
        place = Path(folder)
        (place / "project").mkdir()
        store = str(place / "store") if kind == "local" else f"s3://bench/{place.name}?endpoint={endpoint}"
        upload(source, store, place / "project")
        programs = {"rclone", "s5cmd"}
        clients = [n for n in CLIENTS[kind] if n.split()[0] not in programs or (PEERS / n.split()[0]).exists()]
        found: dict[str, list[dict[str, float]]] = {name: [] for name in clients}
        for number in range(rounds):
            for name in [name for name in clients if sum(cost["s"] for cost in found[name]) < SLOW]:
                target = place / f"{number}-{clients.index(name)}"
                found[name].append(
                    in_process("export", "files", kind, name, store, str(place / "project"), str(target))
                )
                check(target, source, count)
    for name in clients:
        ratios = [one["s"] / bare["s"] for one, bare in zip(found[name], found["obstore"], strict=False)]
        best = {key: min(cost[key] for cost in found[name]) for key in found[name][0]}
        line: dict[str, object] = {"table": f"Export of {count:,} x {size // 1000} KB", "store": kind, "client": name}
        line |= {"rounds": len(found[name]), "s": round(best["s"], 2), "x obstore, median": round(median(ratios), 2)}
        line |= {"CPU ms a file": round(best["cpu"] / count * 1000, 2), "peak MB": round(best["peak"])}
        print(json.dumps(line), flush=True)


def upload(source: Path, store: str, project: Path) -> None:
    """Upload the files into the store of a project, and annotate them."""
    in_process("export", "upload", str(source), store, str(project))


def one(what: str, *words: str) -> None:
    """Do one thing in this process, and print what it cost."""
    if what == "upload":
        from synapse_sdk.plugins import run_action  # noqa: PLC0415  # not to be measured
        from synapse_sdk.plugins.actions.upload import DefaultUploadAction  # noqa: PLC0415  # as above

        source, store, project = words
        run_action(DefaultUploadAction, make_project(Path(source), store, Path(project)))
        annotate(Path(project))
        return
    if what == "items":
        print(json.dumps(export_items(Path(words[0]), Path(words[1]))))
        return
    kind, name, store, project, target = words
    print(json.dumps(measured(lambda: CLIENTS[kind][name](store, Path(project), Path(target)))))


def main() -> None:
    """Measure everything, and print the best of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"small workloads, {QUICK_ROUNDS} round")
    parser.add_argument("--rounds", type=int, metavar="N", help=f"how often to measure each (default: {ROUNDS})")
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        one(*arguments.one)
        return
    BENCH_DIR.mkdir(exist_ok=True)
    rounds = arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS)
    for items in QUICK_ITEMS if arguments.quick else ITEMS:
        measure_items(items, rounds)
    count, size = QUICK_FILES if arguments.quick else FILES
    measure_files("local", count, size, rounds=rounds)
    if (PEERS / "rclone").exists():
        with tempfile.TemporaryDirectory(dir=BENCH_DIR) as folder, served(Path(folder, "served")) as endpoint:
            measure_files("S3", count, size, rounds=rounds, endpoint=endpoint)
    else:
        print("S3 is left out: bench/storage_peers.sh installs what serves it", file=sys.stderr)


if __name__ == "__main__":
    main()
