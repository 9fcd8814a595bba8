"""What clients of storages are measured with: files to send, and stores on this machine to send them to."""

import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

BENCH_DIR = Path(os.environ.get("BENCH_DIR", Path(__file__).resolve().parents[1] / ".bench")).absolute()
PEERS = BENCH_DIR / "venvs" / "storage" / "bin"
"""Programs of the peers, and a Python that has their libraries; bench/storage_peers.sh installs them."""
WORKLOADS = {"5,000 x 50 KB": (5_000, 50_000), "8 x 64 MiB": (8, 64 << 20)}
"""Files and the bytes of each."""
IN_FLIGHT = 16
"""Requests at a time, where a client can be told how many."""
PIECE = 1 << 20
SLOW = 30.0
"""Seconds that a client may need for a workload and still be measured in every round."""
KEY, SECRET, REGION = "test", "testtest", "us-east-1"
LOGIN = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}
NO_OTHER_LOGIN = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
ENVIRONMENT = os.environ | LOGIN | NO_OTHER_LOGIN
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)


def in_process(module: str, *words: str, **variables: str) -> Any:  # noqa: ANN401  # JSON data
    """Have a module of this folder do one thing in a process of its own, and return what it prints last.

    Args:
        module: Such as `export`; it is run with `--one`.
        words: What it is to do.
        variables: Variables of its environment besides.
    """
    command = [sys.executable, "-m", f"bench.{module}", "--one", *words]
    ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT | variables)
    lines = ran.stdout.splitlines()
    return json.loads(lines[-1]) if lines else None


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where in S3 the objects go."""

    name: str
    prefix: str
    endpoint: str

    @classmethod
    def of(cls, url: str) -> Self:
        """Read `s3://BUCKET/PREFIX?endpoint=URL`."""
        place, _, query = url.removeprefix("s3://").partition("?")
        name, _, prefix = place.partition("/")
        return cls(name, prefix, query.removeprefix("endpoint="))


def make_files(count: int, size: int) -> Path:
    """Return a folder whose `images/` has files of random bytes, the same each time; made once."""
    folder = BENCH_DIR / "files" / f"{count}x{size}"
    if folder.exists():
        return folder
    chance = random.Random(1)  # noqa: S311  # nothing secret
    part = folder.with_suffix(".part") / "images"
    part.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (part / f"{number:05}.bin").write_bytes(chance.randbytes(size))
    part.parent.rename(folder)
    return folder


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve S3 from a folder, with a bucket `bench`, and yield the endpoint."""
    words = ["serve", "s3", "--auth-key", f"{KEY},{SECRET}", "--config", os.devnull]
    (folder / "bench").mkdir(parents=True)
    with listening([str(PEERS / "rclone"), *words, str(folder), "--addr", "127.0.0.1:{port}"]) as endpoint:
        yield endpoint


@contextmanager
def listening(command: Sequence[str]) -> Iterator[str]:
    """Run a server on a port of its own, which stands for `{port}` in its command, and yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [word.replace("{port}", str(port)) for word in command]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def wait_for(port: int) -> None:
    """Wait until somebody listens."""
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"nobody listens on port {port}")


def pieces_of(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file."""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
