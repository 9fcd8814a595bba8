#!/usr/bin/env python3
"""One client of bench/storage.py at work: each operation in a process of its own, and checked.

    python -m bench.storage_turns CLIENT OPERATION SOURCE STORE INTO

does one operation here, and prints as JSON what it cost. That runs in the environments of the peers, too.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.cost import measured
from bench.storage_clients import Boto3, Client, Existing, Obstore, ObstoreDurable, Ours, S3fs, StandardLibrary
from bench.storage_commands import Rclone, S5cmd
from bench.stores import BENCH_DIR, ENVIRONMENT, PEERS, pieces_of

LOCAL: dict[str, type[Client]] = {
    "ours": Ours,
    "obstore": Obstore,
    "obstore, then sync": ObstoreDurable,
    "standard library": StandardLibrary,
    "rclone": Rclone,
    "synapse-sdk": Existing,
}
S3: dict[str, type[Client]] = {
    "ours": Ours,
    "obstore": Obstore,
    "boto3": Boto3,
    "s3fs": S3fs,
    "s5cmd": S5cmd,
    "rclone": Rclone,
    "synapse-sdk": Existing,
}
CLIENTS = {"local": LOCAL, "S3": S3}
EXISTING = BENCH_DIR / "venvs" / "storage-existing" / "bin" / "python"
COMMANDS = ("rclone", "s5cmd")
LIBRARIES = ("boto3", "s3fs")
TIMEOUT = 300.0
"""Seconds after which an operation is given up."""

type Cost = dict[str, float]
"""As `bench.cost.measured` returns it."""


class FailedError(Exception):
    """A client has not done what it was asked for."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a client puts its objects, and nobody else."""

    url: str
    """A folder, or a prefix in S3."""
    folder: Path
    """Where the objects can be seen as files, whatever the store."""


def python_of(client: str) -> Path:
    """Return the Python that has what a client needs."""
    if client == "synapse-sdk":
        return EXISTING
    return PEERS / "python" if client in LIBRARIES else Path(sys.executable)


def is_installed(client: str) -> bool:
    """Whether a client can be measured here."""
    return (PEERS / client).exists() if client in COMMANDS else python_of(client).exists()


def turns(client: str, operations: Sequence[str], source: Path, place: Place) -> Iterator[tuple[str, Cost]]:
    """Have a client do some operations, one after the other, and yield what each has cost; then clear away.

    Raises:
        FailedError: One has failed.
    """
    os.sync()  # what others have written is not to be written while this one is measured
    with tempfile.TemporaryDirectory(dir=BENCH_DIR) as into:
        try:
            for operation in operations:
                cost = do(client, operation, source, place.url, into)
                check(operation, source, place.folder, Path(into))
                yield operation, cost
        finally:
            shutil.rmtree(place.folder, ignore_errors=True)


def do(client: str, operation: str, source: Path, url: str, into: str) -> Cost:
    """Have a client do one operation in a process of its own.

    Raises:
        FailedError: It has failed, or not come to an end.
    """
    words = [str(python_of(client)), "-m", "bench.storage_turns", client, operation, str(source), url, into]
    try:
        ran = subprocess.run(words, check=False, capture_output=True, text=True, env=ENVIRONMENT, timeout=TIMEOUT)
    except subprocess.TimeoutExpired as error:
        msg = f"{operation}: not done after {TIMEOUT:.0f} s"
        raise FailedError(msg) from error
    if ran.returncode:
        lines = ran.stderr.strip().splitlines() or [f"exit code {ran.returncode}"]
        msg = f"{operation}: {lines[-1][:200]}"
        raise FailedError(msg)
    cost: Cost = json.loads(ran.stdout)
    return cost


def check(operation: str, source: Path, objects: Path, into: Path) -> None:
    """Look whether an operation has done what it should; a listing is checked where it was made.

    Raises:
        FailedError: It has not.
    """
    if operation in {"put", "download"}:
        compare(operation, source / "images", objects if operation == "put" else into)
    elif operation == "delete" and (left := sizes_in(objects)):
        msg = f"delete: {len(left)} objects are still there"
        raise FailedError(msg)


def compare(operation: str, source: Path, target: Path) -> None:
    """Compare the names and sizes of all files of two folders, and the digests of three.

    Raises:
        FailedError: They differ.
    """
    wanted, found = sizes_in(source), sizes_in(target)
    if found != wanted:
        is_, should = (f"{len(sizes)} files of {sum(sizes.values())} bytes" for sizes in (found, wanted))
        msg = f"{operation}: {is_} instead of {should}"
        raise FailedError(msg)
    names = sorted(wanted)
    for name in (names[0], names[len(names) // 2], names[-1]):
        if digest(source / name) != digest(target / name):
            msg = f"{operation}: {name} has other bytes"
            raise FailedError(msg)


def sizes_in(folder: Path) -> dict[str, int]:
    """Return the files of a folder with their sizes; none if there is no such folder."""
    if not folder.exists():
        return {}
    return {path.name: path.stat().st_size for path in folder.iterdir() if path.is_file()}


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    sha256 = hashlib.sha256()
    for piece in pieces_of(path):
        sha256.update(piece)
    return sha256.hexdigest()


def main() -> None:
    """Do one operation, and print what it cost."""
    name, operation, source, store, into = sys.argv[1:]
    client = (S3 if store.startswith("s3://") else LOCAL)[name](Path(source), store, Path(into))
    result: list[Any] = []
    cost = measured(lambda: result.append(getattr(client, operation)()))
    if operation == "list":
        sizes = sorted(result[0])
        wanted = sorted(path.stat().st_size for path in client.files)
        if sizes != wanted:
            sys.exit(f"{len(sizes)} objects of {sum(sizes)} bytes were listed, not {len(wanted)} of {sum(wanted)}")
    print(json.dumps(cost))


if __name__ == "__main__":
    main()
