"""What the upload pays for reading and for walking, beside the least that can be paid; part of bench/storage.py."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from threading import Event

from bench.stores import BENCH_DIR, PIECE, WORKLOADS, make_files
from synapse_sdk.plugins.actions.upload.inventory import Rules, take_inventory
from synapse_sdk.plugins.actions.upload.sending import FileJob, UnitJob, read_file
from synapse_sdk.plugins.actions.upload.sources import FoundFile
from synapse_sdk.plugins.actions.upload.sources.folder import FolderSource

QUICK = {"300 x 50 KB": (300, 50_000)}
WALKED, QUICK_WALKED = 100_000, 10_000
IN_A_FOLDER = 500
MORE_ROUNDS = 2
"""Rounds here to one of the suite: these are short."""
IMAGES = "images"

type Cost = tuple[float, float]
"""Seconds, and processor seconds."""


def clock() -> Cost:
    """Return the time of day and of the processor."""
    return time.perf_counter(), time.process_time()


def took(work: Callable[[], object]) -> Cost:
    """Return what some work takes."""
    begin = clock()
    work()
    return since(begin)


def since(begin: Cost) -> Cost:
    """Return what has been taken since then."""
    end = clock()
    return end[0] - begin[0], end[1] - begin[1]


# Reading


def hash_in_memory(source: Path) -> Cost:
    """Take only the time of `hashlib.sha256` over the bytes of each file, not that of reading them."""
    seconds = processor = 0.0
    for path in sorted((source / IMAGES).iterdir()):
        content = path.read_bytes()
        begin = clock()
        hashlib.sha256(content).hexdigest()
        one = since(begin)
        seconds, processor = seconds + one[0], processor + one[1]
    return seconds, processor


def read_and_hash(source: Path) -> Cost:
    """Open each file, read it in pieces and hash it, and nothing else."""

    def work() -> None:
        for path in sorted((source / IMAGES).iterdir()):
            digest = hashlib.sha256()
            with path.open("rb", buffering=0) as file:
                while block := file.read(PIECE):
                    digest.update(block)
            digest.hexdigest()

    return took(work)


def our_reading(source: Path) -> Cost:
    """Read each file as the upload action does: checked before and after, a small one kept until it is sent."""
    folder = FolderSource(source / IMAGES)
    found = [file for file in folder.walk(depth=None) if isinstance(file, FoundFile)]

    def work() -> None:
        unit, stop = UnitJob({}), Event()
        for file in found:
            checked = (file.size, file.version)
            job = FileJob(unit, IMAGES, f"{IMAGES}/{file.path}", folder, file.path, checked)
            read_file(job, stop)
            assert job.sha256

    return took(work)


READERS: dict[str, Callable[[Path], Cost]] = {
    "hashlib.sha256 of what is in memory": hash_in_memory,
    "open, read, hashlib.sha256": read_and_hash,
    "ours: reading and hashing of the upload": our_reading,
}


# Walking


def make_tree(count: int) -> Path:
    """Return a folder whose `images/` has folders of small files; made once."""
    root = BENCH_DIR / "files" / f"tree-{count}"
    if root.exists():
        return root
    part = root.with_suffix(".part")
    for number in range(count // IN_A_FOLDER):
        folder = part / IMAGES / f"a{number % 10}" / f"b{number:04}"
        folder.mkdir(parents=True, exist_ok=True)
        for at in range(IN_A_FOLDER):
            (folder / f"img_{at:04}.jpg").write_bytes(b"x")
    return part.rename(root)


def scan(root: Path) -> int:
    """Walk with `os.scandir`, and ask for the size of each file."""
    count, folders = 0, [os.fspath(root)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            found = list(entries)
        folders += [entry.path for entry in found if entry.is_dir(follow_symlinks=False)]
        count += sum(entry.stat().st_size > 0 for entry in found if not entry.is_dir(follow_symlinks=False))
    return count


def walk(root: Path) -> int:
    """Walk as the source of an upload does: in order, links and what is no file refused, permissions looked at."""
    return sum(isinstance(found, FoundFile) for found in FolderSource(root).walk(depth=None))


def inventory(root: Path) -> int:
    """Make the whole inventory of an upload: walk, hold each file against the rules, sort."""
    rules = Rules(specifications=frozenset({IMAGES}))
    return len(take_inventory({"": (FolderSource(root), True)}, rules).paths)


WALKERS: dict[str, Callable[[Path], int]] = {
    "os.scandir, stat": scan,
    "ours: walk of the folder": walk,
    "ours: inventory of the upload": inventory,
}


def lines(*, is_quick: bool, rounds: int) -> Iterator[dict[str, object]]:
    """Measure everything in each round, and yield the best."""
    rounds *= MORE_ROUNDS
    for title, (count, size) in (QUICK if is_quick else WORKLOADS).items():
        source = make_files(count, size)
        read_and_hash(source)  # from now on the files are in the memory of the system
        found = interleaved({name: partial(read, source) for name, read in READERS.items()}, rounds)
        for name, seconds, costs in compared(found):
            line: dict[str, object] = {"table": "Reading and hashing, one thread", "files": title, "reader": name}
            yield line | costs | {"GB/s": round(count * size / seconds / 1e9, 2)}
    yield from walking(QUICK_WALKED if is_quick else WALKED, rounds)


def walking(count: int, rounds: int) -> Iterator[dict[str, object]]:
    """Yield what walking costs."""
    root = make_tree(count)
    assert all(work(root) == count for work in WALKERS.values())
    found = interleaved({name: partial(took, partial(work, root)) for name, work in WALKERS.items()}, rounds)
    for name, seconds, costs in compared(found):
        line: dict[str, object] = {"table": f"Walking over {count:,} files", "walker": name}
        yield line | costs | {"files a second": round(count / seconds)}


def interleaved(works: dict[str, Callable[[], Cost]], rounds: int) -> dict[str, list[Cost]]:
    """Do everything in each round."""
    found: dict[str, list[Cost]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            found[name].append(work())
    return found


def compared(found: dict[str, list[Cost]]) -> Iterator[tuple[str, float, dict[str, object]]]:
    """Yield the best seconds of each, and its figures beside those of the first, which is the limit."""
    limits = next(iter(found.values()))
    for name, costs in found.items():
        ratio = median(one[1] / limit[1] for one, limit in zip(costs, limits, strict=True))
        seconds, processor = (min(cost[at] for cost in costs) for at in (0, 1))
        figures: dict[str, object] = {"s": round(seconds, 3), "CPU s": round(processor, 3)}
        yield name, seconds, figures | {"x limit, CPU, median": round(ratio, 2)}
