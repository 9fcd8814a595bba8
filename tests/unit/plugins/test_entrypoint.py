import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.executors import RunSpec
from synapse_sdk.executors.channel import read_messages
from tests.unit.executors.driving import PLUGIN, answer_spec, steps_spec


def said_by_worker(given: bytes, *, closed: bool = False) -> list[dict[str, Any]]:
    """Start a worker with this on its standard input, and return all it says."""
    reading_end, writing_end = os.pipe()
    command = [sys.executable, "-m", "synapse_sdk.plugins.entrypoint", str(writing_end)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[writing_end], stdout=2) as process:
        os.close(writing_end)
        assert process.stdin is not None
        process.stdin.write(given)
        process.stdin.flush()
        if closed:
            process.stdin.close()
        said = list(read_messages(reading_end, lambda: process.poll() is None))
    os.close(reading_end)
    assert process.returncode == 0
    return said


def lines(spec: RunSpec) -> bytes:
    """Return what a worker is given for a spec."""
    return f"{json.dumps(['/some/place', ''])}\n{spec.to_json()}\n".encode()


def test_a_worker_says_that_it_is_ready_then_all_events_then_the_outcome(tmp_path: Path) -> None:
    """In this order, and the outcome once."""
    said = said_by_worker(lines(steps_spec(tmp_path, "succeed")))

    assert said[0] == {"ready": True}
    assert all(list(message) == ["event"] for message in said[1:-1])
    assert said[1]["event"]["type"] == "RunStarted"
    assert said[-1] == {"outcome": {"result": {"success": True, "steps_executed": 2, "steps_total": 2}}}


def test_a_worker_takes_over_places_to_import_from() -> None:
    """But not the empty one, which is wherever it happens to be."""
    path = said_by_worker(lines(answer_spec("place")))[-1]["outcome"]["result"]["path"]

    assert path[-1] == "/some/place"


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (RunSpec(plugin="/no/such/folder", action="a"), "SYN-E1104"),
        (RunSpec(plugin=str(PLUGIN), action="a"), "SYN-E1105"),
        (RunSpec(plugin=str(PLUGIN), action="steps"), "SYN-E1103"),
    ],
)
def test_every_failure_is_an_outcome(spec: RunSpec, code: str) -> None:
    """Also before there is a run."""
    assert said_by_worker(lines(spec))[-1]["outcome"]["failure"]["codes"][0] == code


@pytest.mark.parametrize("given", [b"[]\nnonsense\n", b"nonsense\n{}\n", b"[]\n{}\n"])
def test_nonsense_is_an_outcome(given: bytes) -> None:
    """Nobody sends it, and nobody should have to guess."""
    assert "failure" in said_by_worker(given)[-1]["outcome"]


@pytest.mark.parametrize("given", [b"", b"[]\n", b"[]\n{"])
def test_a_worker_that_is_told_too_little_ends(given: bytes) -> None:
    """Whoever started it died meanwhile."""
    assert said_by_worker(given, closed=True)[-1] == {"outcome": {"exit": 143}}


def test_the_end_of_standard_input_undoes_the_run(tmp_path: Path) -> None:
    """It means that the other process is gone."""
    said = said_by_worker(lines(steps_spec(tmp_path, "wait")), closed=True)

    assert said[-1] == {"outcome": {"exit": 143}}
    assert not (tmp_path / "made").exists()
