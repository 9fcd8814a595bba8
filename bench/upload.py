#!/usr/bin/env python3
"""What uploading costs: the upload action and its storages beside bare libraries and command-line peers.

    python -m bench.upload [--quick] [--rounds N]

Prints one JSON line for each client, workload and store: the best of several rounds in seconds, its ratio to bare
obstore in the same rounds, processor time of the client for each file, and the peak of its resident memory. Each
measurement is a process of its own that ends in the store; libraries are imported and have opened what they need before
the clock starts, commands start after that. A round measures every client, in turn, and who is slow is measured once.
S3 is served by `rclone serve s3` on this machine, the cheapest server there is, so that the client is
what is measured; it is left out where `bench/storage_peers.sh` has not installed it.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bench.cost import measured
from bench.stores import (
    BENCH_DIR,
    ENVIRONMENT,
    IN_FLIGHT,
    PEERS,
    SLOW,
    WORKLOADS,
    Bucket,
    make_files,
    pieces_of,
    served,
)

if TYPE_CHECKING:
    from obstore.store import LocalStore, S3Store

QUICK = {"300 x 50 KB": (300, 50_000)}
ROUNDS, QUICK_ROUNDS = 2, 1
WHOLE = 8 << 20
"""Bytes up to which our storage is given a file as a whole, as the action does."""

type Work = Callable[[], object]
type Client = Callable[[Path, str, Path], Work]


# Clients: each takes the folder with the files, the store's URL and a folder of its own, and gets ready: libraries are
# imported, and there is a collection. What it returns is measured, and ends with all files in the store. Commands have
# their start in that.


def upload_action(source: Path, store: str, work: Path) -> Work:
    """Run the upload action as a program does: journalled, verified, durable, into a collection."""
    from synapse_sdk.plugins import run_action  # noqa: PLC0415  # ready before it is measured
    from synapse_sdk.plugins.actions.upload import DefaultUploadAction  # noqa: PLC0415  # as above

    params, count = make_project(source, store, work), sum(1 for _ in (source / "images").iterdir())

    def run() -> None:
        result = run_action(DefaultUploadAction, params, journal=str(work / "journal.db"))
        assert result.uploaded == count

    return run


def upload_command(source: Path, store: str, work: Path) -> Work:
    """Run `synapse upload`, which does the same in a process of its own, and shows how far it is."""
    make_project(source, store, work)
    synapse = Path(sys.executable).with_name("synapse")
    words = [str(synapse), "upload", str(source), "--collection", "bench", "--storage", store]
    return partial(subprocess.run, words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_project(source: Path, store: str, work: Path) -> dict[str, str]:
    """Make a collection in a project of its own, go there, and return the parameters of an upload into it."""
    from synapse_sdk.backend import FileSpecification, open_backend  # noqa: PLC0415  # ready before it is measured

    (work / ".synapse").mkdir()
    os.chdir(work)
    with open_backend() as backend:
        backend.collections.create("bench", specifications=[FileSpecification(name="images")])
    return {"data_collection": "bench", "path": str(source), "storage": store}


def undo_upload(source: Path, store: str, work: Path) -> float:
    """Let an upload fail after its last file, and return the seconds that taking it back has taken."""
    from synapse_sdk.errors import StepFailedError  # noqa: PLC0415  # measured
    from synapse_sdk.plugins import run_action  # noqa: PLC0415  # as above
    from synapse_sdk.plugins.actions.upload import DefaultUploadAction  # noqa: PLC0415  # as above
    from synapse_sdk.reporting import MemoryReporter  # noqa: PLC0415  # as above
    from synapse_sdk.reporting.events import StepRolledBack  # noqa: PLC0415  # as above

    reporter, params = MemoryReporter(), make_project(source, store, work)
    try:
        run_action(
            DefaultUploadAction,
            params,
            journal=str(work / "journal.db"),
            reporter=reporter,
            inject_failure="upload_files",
        )
    except StepFailedError as error:
        assert not error.rollback_errors  # noqa: PT017  # a script, not a test
    undone = [event for event in reporter.events if isinstance(event, StepRolledBack) and event.step == "upload_files"]
    return undone[0].elapsed


def our_storage(source: Path, store: str, _work: Path) -> Work:
    """Put the files into our storage from threads: verified, create-only, made durable at the end."""
    from synapse_sdk.storage import open_storage  # noqa: PLC0415  # ready before it is measured

    opened = open_storage(store)

    def put(path: Path) -> None:
        size = path.stat().st_size
        opened.put(f"files/{path.name}", path.read_bytes() if size <= WHOLE else pieces_of(path), size=size)

    def run() -> None:
        with opened as storage, ThreadPoolExecutor(storage.in_flight) as pool:
            list(pool.map(put, sorted((source / "images").iterdir())))
            storage.flush()

    return run


def bare_obstore(source: Path, store: str, _work: Path) -> Work:
    """Put the files with obstore from threads, and nothing else."""
    import obstore  # noqa: PLC0415  # ready before it is measured

    opened = obstore_of(store)

    def put(path: Path) -> None:
        with path.open("rb") as file:
            obstore.put(opened, f"files/{path.name}", file)

    def run() -> None:
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            list(pool.map(put, sorted((source / "images").iterdir())))

    return run


def bare_obstore_durable(source: Path, store: str, work: Path) -> Work:
    """The same, and then wait until all of it is on the disk, as the upload action does."""
    put_all = bare_obstore(source, store, work)

    def run() -> None:
        put_all()
        os.sync()

    return run


def obstore_of(store: str) -> "LocalStore | S3Store":
    """Return the store of a folder or URL."""
    from obstore.store import LocalStore, S3Store  # noqa: PLC0415  # ready before it is measured

    if not store.startswith("s3://"):
        return LocalStore(store, mkdir=True)
    at = Bucket.of(store)
    return S3Store(at.name, prefix=at.prefix, endpoint=at.endpoint, client_options={"allow_http": True})


def plain_copy(source: Path, store: str, _work: Path) -> Work:
    """Copy the files one after the other."""

    def run() -> None:
        Path(store, "files").mkdir(parents=True)
        for path in sorted((source / "images").iterdir()):
            shutil.copyfile(path, Path(store, "files", path.name))

    return run


def boto3_threads(source: Path, store: str, _work: Path) -> Work:
    """Put the files with boto3 from threads, as most scripts do."""
    import boto3  # type: ignore[import-untyped]  # noqa: PLC0415  # ready before it is measured

    at = Bucket.of(store)
    client = boto3.client("s3", endpoint_url=at.endpoint)

    def put(path: Path) -> None:
        client.upload_file(str(path), at.name, f"{at.prefix}/files/{path.name}")

    def run() -> None:
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            list(pool.map(put, sorted((source / "images").iterdir())))

    return run


def command(*words: str) -> Client:
    """Return a client that is a command; {source}, {target} and {endpoint} stand for what it needs."""

    def client(source: Path, store: str, _work: Path) -> Work:
        place, _, query = store.partition("?")
        values = {"source": str(source / "images"), "target": place, "path": place.removeprefix("s3://")}
        values["endpoint"] = query.partition("endpoint=")[2].partition("&")[0]
        filled = [word.format(**values) for word in words]
        return partial(subprocess.run, [str(PEERS / filled[0]), *filled[1:]], check=True, stdout=subprocess.DEVNULL)

    return client


S3_CONFIG = ":s3,provider=Other,endpoint='{endpoint}',access_key_id=test,secret_access_key=testtest,region=us-east-1:"
LOCAL: dict[str, Client] = {
    "synapse upload action": upload_action,
    "synapse upload": upload_command,
    "our storage": our_storage,
    "obstore": bare_obstore,
    "obstore, then sync": bare_obstore_durable,
    "shutil.copyfile": plain_copy,
    "rclone copy": command("rclone", "copy", "{source}", "{target}/files", "--config", "/dev/null"),
}
S3: dict[str, Client] = {
    "synapse upload action": upload_action,
    "synapse upload": upload_command,
    "our storage": our_storage,
    "obstore": bare_obstore,
    "boto3, threads": boto3_threads,
    "s5cmd": command("s5cmd", "--endpoint-url", "{endpoint}", "cp", "{source}/*", "{target}/files/"),
    "rclone copy": command("rclone", "copy", "{source}", S3_CONFIG + "{path}/files", "--config", "/dev/null"),
}
CLIENTS = {"local": LOCAL, "S3": S3}
UNDO = "undo"


def measure(client: str, kind: str, source: Path, endpoint: str) -> dict[str, float]:
    """Run one client in a process of its own, into a store that is empty."""
    with tempfile.TemporaryDirectory(dir=BENCH_DIR) as folder:
        store = str(Path(folder, "store")) if kind == "local" else f"s3://bench/{Path(folder).name}?endpoint={endpoint}"
        work = Path(folder, "work")
        work.mkdir()
        words = [sys.executable, "-m", "bench.upload", "--one", client, kind, str(source), store, str(work)]
        ran = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
        found: dict[str, float] = json.loads(ran.stdout)
        return found


def measure_here(client: str, kind: str, source: str, store: str, work: str) -> None:
    """Run one client in this process, and print what it cost."""
    if client == UNDO:
        print(json.dumps({"s": undo_upload(Path(source), store, Path(work))}))
        return
    print(json.dumps(measured(CLIENTS[kind][client](Path(source), store, Path(work)))))


def main() -> None:
    """Measure every client in each round, and print the best."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"a small workload, {QUICK_ROUNDS} round")
    parser.add_argument("--rounds", type=int, metavar="N", help=f"how often to measure each client (default: {ROUNDS})")
    parser.add_argument("--one", nargs=5, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        measure_here(*arguments.one)
        return
    BENCH_DIR.mkdir(exist_ok=True)
    rounds = arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS)
    for name, (count, size) in (QUICK if arguments.quick else WORKLOADS).items():
        source = make_files(count, size)
        measure_all("local", name, source, count, rounds=rounds)
        if (PEERS / "rclone").exists():
            with tempfile.TemporaryDirectory(dir=BENCH_DIR) as folder, served(Path(folder, "served")) as endpoint:
                measure_all("S3", name, source, count, rounds=rounds, endpoint=endpoint)
        else:
            print("S3 is left out: bench/storage_peers.sh installs what serves it", file=sys.stderr)


def measure_all(kind: str, workload: str, source: Path, count: int, *, rounds: int, endpoint: str = "") -> None:
    """Measure all clients of a kind of store, and print a line for each."""
    clients = [
        name for name in CLIENTS[kind] if (PEERS / name.split()[0]).exists() or name.split()[0] not in PEER_NAMES
    ]
    found: dict[str, list[dict[str, float]]] = {name: [] for name in clients}
    for _ in range(rounds):
        for name in [name for name in clients if sum(one["s"] for one in found[name]) < SLOW]:
            found[name].append(measure(name, kind, source, endpoint))
    for name in clients:
        ratios = [one["s"] / bare["s"] for one, bare in zip(found[name], found["obstore"], strict=False)]
        best = {key: min(result[key] for result in found[name]) for key in ("s", "cpu", "peak")}
        line = {"table": f"Upload of {workload}", "store": kind, "client": name, "rounds": len(found[name])}
        line |= {"s": round(best["s"], 2), "x obstore, median": round(median(ratios), 2)}
        line |= {"CPU ms a file": round(best["cpu"] / count * 1000, 2), "peak MB": round(best["peak"])}
        print(json.dumps(line), flush=True)
    if count > LARGE_COUNT:
        seconds = min(measure(UNDO, kind, source, endpoint)["s"] for _ in range(rounds))
        line = {"table": "Taking an upload back", "store": kind, "objects": count, "s": round(seconds, 2)}
        print(json.dumps(line), flush=True)


PEER_NAMES = {"rclone", "s5cmd"}
LARGE_COUNT = 100
"""Objects from which on it is interesting how long it takes to delete them."""


if __name__ == "__main__":
    main()
