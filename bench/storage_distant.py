#!/usr/bin/env python3
"""What it costs that a store is far away: small files into one that answers after 40 ms.

    python -m bench.storage_distant CLIENT SOURCE ENDPOINT

Part of bench/storage.py; alone it is one client in a process of its own, which prints what it cost. How fast files go
is a matter of how many are under way. Ours takes as many as the upload action would: it begins with what the storage
advises, and takes more while that is faster.
"""

import hashlib
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from bench.cost import measured
from bench.storage_turns import Cost, python_of
from bench.stores import ENVIRONMENT, listening, make_files

DELAY_MS = 40
COUNT, QUICK_COUNT, SIZE = 1_000, 200, 50_000
MANY = 64
"""Threads of a script whose author knows that the store is far away; the action takes no more either."""
BATCHES = 8
"""How often ours puts all files before it is measured, at most, to find how many to send at a time."""
TIMED, BEFORE = "timed", "before"
"""Prefixes of what is measured and of what is not."""


class Adapting:
    """Our storage, with as many puts in flight as the upload action would have."""

    def __init__(self, endpoint: str) -> None:
        from synapse_sdk.plugins.actions.upload import UploadParams  # noqa: PLC0415  # not where the peers are
        from synapse_sdk.plugins.actions.upload.in_flight import InFlightLimit  # noqa: PLC0415  # as above
        from synapse_sdk.storage import open_storage  # noqa: PLC0415  # as above

        self.storage = open_storage(f"s3://bench?endpoint={endpoint}")
        most = UploadParams.model_fields["upload_max_workers"].default
        self.limit = InFlightLimit(start=self.storage.in_flight, most=most, now=time.monotonic())
        self.pool = ThreadPoolExecutor(most)

    def put_one(self, path: Path, prefix: str) -> None:
        """Put a file."""
        self.storage.put(f"{prefix}/{path.name}", path.read_bytes())

    def put_all(self, files: Sequence[Path], prefix: str) -> None:
        """Put all files, and go on finding how many to send at a time."""
        waiting, ended, under_way = list(reversed(files)), SimpleQueue[Future[None]](), 0
        while waiting or under_way:
            while waiting and under_way < self.limit.limit:
                self.pool.submit(self.put_one, waiting.pop(), prefix).add_done_callback(ended.put)
                under_way += 1
            ended.get().result()
            under_way -= 1
            self.limit.note_done(time.monotonic())

    def settle(self, files: Sequence[Path]) -> None:
        """Put files until their number in flight does not change any more."""
        for _ in range(BATCHES):
            before = self.limit.limit
            self.put_all(files, BEFORE)
            if self.limit.limit == before:
                return


def ours_from_the_start(files: Sequence[Path], endpoint: str) -> tuple[str, Cost]:
    """Ours, as an upload begins."""
    ours = Adapting(endpoint)
    first = ours.limit.limit
    cost = measured(lambda: ours.put_all(files, TIMED))
    return f"{first} to {ours.limit.limit}", cost


def ours_settled(files: Sequence[Path], endpoint: str) -> tuple[str, Cost]:
    """Ours, as an upload goes on."""
    ours = Adapting(endpoint)
    ours.settle(files)
    cost = measured(lambda: ours.put_all(files, TIMED))
    return str(ours.limit.limit), cost


def obstore_threads(files: Sequence[Path], endpoint: str) -> tuple[str, Cost]:
    """Bare obstore."""
    import obstore  # noqa: PLC0415  # as above
    from obstore.store import S3Store  # noqa: PLC0415  # as above

    store = S3Store("bench", endpoint=endpoint, client_options={"allow_http": True})
    return in_threads(lambda path: obstore.put(store, f"{TIMED}/{path.name}", path.read_bytes()), files)


def boto3_threads(files: Sequence[Path], endpoint: str) -> tuple[str, Cost]:
    """boto3, its pool of connections as large as that of threads."""
    import boto3  # type: ignore[import-untyped]  # noqa: PLC0415  # as above
    from botocore.config import Config  # type: ignore[import-untyped]  # noqa: PLC0415  # as above

    config = Config(max_pool_connections=MANY, s3={"addressing_style": "path"})
    s3 = boto3.client("s3", endpoint_url=endpoint, config=config)
    return in_threads(
        lambda path: s3.put_object(Bucket="bench", Key=f"{TIMED}/{path.name}", Body=path.read_bytes()), files
    )


def in_threads(put: Callable[[Path], object], files: Sequence[Path]) -> tuple[str, Cost]:
    """Put all files from threads."""
    with ThreadPoolExecutor(MANY) as pool:
        return str(MANY), measured(lambda: list(pool.map(put, files)))


CLIENTS: dict[str, Callable[[Sequence[Path], str], tuple[str, Cost]]] = {
    "ours, from the first file on": ours_from_the_start,
    "ours, once it has found how many": ours_settled,
    "obstore": obstore_threads,
    "boto3": boto3_threads,
}


def lines(*, is_quick: bool, rounds: int) -> Iterator[dict[str, object]]:
    """Measure every client in each round, and yield the best of each."""
    count = QUICK_COUNT if is_quick else COUNT
    source = make_files(count, SIZE)
    clients = [name for name in CLIENTS if python_of(name).exists()]
    found: dict[str, list[tuple[str, Cost]]] = {name: [] for name in clients}
    for _ in range(rounds):
        for name in clients:
            found[name].append(measure(name, source))
    for name, results in found.items():
        in_flight, best = min(results, key=lambda result: result[1]["s"])
        line: dict[str, object] = {"table": f"Put of {count:,} x 50 KB to a store {DELAY_MS} ms away", "client": name}
        line |= {"in flight": in_flight, "s": round(best["s"], 2), "objects a second": round(count / best["s"])}
        yield line | {"CPU ms an object": round(best["cpu"] / count * 1000, 3), "peak MB": round(best["peak"])}


def measure(client: str, source: Path) -> tuple[str, Cost]:
    """Measure a client in a process of its own, with a store of its own, and check what has arrived there."""
    with listening([sys.executable, "-m", "bench.latency_sink", "{port}", str(DELAY_MS)]) as endpoint:
        words = [str(python_of(client)), "-m", "bench.storage_distant", client, str(source), endpoint]
        ran = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
        with urllib.request.urlopen(f"{endpoint}/received") as answer:  # noqa: S310  # on this machine
            received = json.load(answer)
    assert received == expected(source), f"{client}: {received} was received"
    in_flight, cost = json.loads(ran.stdout)
    return in_flight, cost


def expected(source: Path) -> dict[str, object]:
    """Return what the store has to say after all files have come."""
    contents = {path.name: path.read_bytes() for path in sorted((source / "images").iterdir())}
    md5s = {name: hashlib.md5(content, usedforsecurity=False).hexdigest() for name, content in contents.items()}
    names = hashlib.sha256("".join(f"{name} {md5}\n" for name, md5 in md5s.items()).encode())
    sizes = sum(map(len, contents.values()))
    return {"objects": len(contents), "bytes": sizes, "digest": names.hexdigest()}


def main() -> None:
    """Measure one client in this process."""
    client, source, endpoint = sys.argv[1:]
    print(json.dumps(CLIENTS[client](sorted(Path(source, "images").iterdir()), endpoint)))


if __name__ == "__main__":
    main()
