"""Exports at the same time into the same place: by one command or by two, under one name or under names like it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from unicodedata import normalize

import pytest

from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.actions.export import DefaultExportAction
from tests.faults.exporting import check_whole, contents_of, params_of, store
from tests.unit.executors.driving import process_state, wait_until
from tests.unit.plugins.actions.upload.world import World

PICTURES = {f"{number}.jpg": b"%d" % number for number in range(5)}
COMMAND = ("export", "task", "--project", "birds", "--out", "out/birds", "--journal", "journal.db")

type Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(world: World) -> Iterator[Start]:
    """Start `synapse` in the project; nothing is left running."""
    store(world, PICTURES)
    started: list[subprocess.Popen[str]] = []

    def run(*args: str, failpoints: str = "") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "synapse_sdk.cli", *COMMAND, *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=world.folder,
            env={**os.environ, "HOME": str(world.folder / "home"), "SYNAPSE_FAILPOINTS": failpoints},
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate(timeout=60)


def freeze(start: Start) -> subprocess.Popen[str]:
    """Start an export that stands still when its files are saved."""
    process = start(failpoints="export.saved=stop@1")
    wait_until(lambda: process.poll() is not None or process_state(process.pid) == "T", "it stands still")
    return process


def wake(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Let it go on; return its exit code and what it says."""
    process.send_signal(signal.SIGCONT)
    said = "".join(process.communicate(timeout=60))
    return process.returncode, said


def test_the_same_command_at_the_same_time_is_refused(world: World, start: Start) -> None:
    """75: it would be the same run; that one is not disturbed."""
    first = freeze(start)

    second = start()
    said = "".join(second.communicate(timeout=60))

    assert (second.returncode, "is exporting the same to the same place" in said) == (75, True), said
    assert wake(first)[0] == 0
    assert len(check_whole(contents_of(world.folder / "out" / "birds"))) == 2 * len(PICTURES)


def test_of_two_commands_for_one_place_the_first_to_finish_gets_it(world: World, start: Start) -> None:
    """The other fails, and takes nothing of the first with it."""
    slow = freeze(start)

    fast = start("--no-originals")
    said = "".join(fast.communicate(timeout=60))
    assert fast.returncode == 0, said
    before = contents_of(world.folder / "out")
    code, said = wake(slow)

    assert (code, "already" in said) == (1, True), said
    assert {path: before[path] for path in before if path.startswith("birds/")} == contents_of(world.folder / "out")
    assert [path.name for path in (world.folder / "out").iterdir()] == ["birds"]


def test_names_that_differ_by_case_or_form_are_exported_at_once(world: World) -> None:
    """X2: each is whole, and none is taken for another, also where they begin alike."""
    store(world, PICTURES)
    names = ["birds", "BIRDS", normalize("NFC", "세 마리"), normalize("NFD", "세 마리"), "birds(1)"]

    with ThreadPoolExecutor(len(names)) as pool:
        results = [*pool.map(lambda name: run_action(DefaultExportAction, params_of(world, name=name)), names)]

    assert [result.output_path for result in results] == [str(world.folder / "out" / name) for name in names]
    for name in names:
        assert len(check_whole(contents_of(world.folder / "out" / name))) == 2 * len(PICTURES)
