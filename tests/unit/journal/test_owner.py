"""Whether a worker is still alive: said only when it is certain."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from synapse_sdk.journal import Owner, owner

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system does not tell")


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    """Another process."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def of(pid: int) -> Owner:
    """Return the owner that a process is."""
    return replace(Owner.here(), pid=pid, started=owner._started(pid)[0])  # noqa: SLF001  # as `here` has it


def test_this_process_lives() -> None:
    """And is the same each time it is asked, and after it was written down."""
    here = Owner.here()

    assert not here.is_dead()
    assert Owner.here() == here == Owner.from_text(here.to_text())
    assert str(here) == f"process {os.getpid()} on {here.host}"


def test_another_process_lives_until_it_is_waited_for_or_killed(sleeper: "subprocess.Popen[bytes]") -> None:
    """One that was killed is dead although nobody has waited for it yet."""
    other = of(sleeper.pid)
    assert not other.is_dead()

    sleeper.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert other.is_dead()

    sleeper.wait(timeout=30)
    assert other.is_dead()


def test_a_frozen_process_lives(sleeper: "subprocess.Popen[bytes]") -> None:
    """It may wake up."""
    sleeper.send_signal(signal.SIGSTOP)

    assert not of(sleeper.pid).is_dead()


def test_a_process_id_that_was_given_again_is_another_process() -> None:
    """Its start tells."""
    assert replace(Owner.here(), started="1").is_dead()


def test_a_machine_that_was_started_anew_has_none_of_its_old_processes() -> None:
    """Of another machine nobody here can tell."""
    before = replace(Owner.here(), boot="a-boot-before")

    assert before.is_dead()
    assert not replace(before, host="elsewhere").is_dead()


@pytest.mark.parametrize("unknown", [{"boot": ""}, {"namespace": ""}, {"namespace": "pid:[1]"}])
def test_what_cannot_be_told_is_not_said(unknown: dict[str, str]) -> None:
    """In another container the same number is another process."""
    assert not replace(Owner.here(), pid=2**22 + 1, **unknown).is_dead()


def test_a_process_that_is_hidden_from_us_lives(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the system hides the processes of others, only their absence is certain."""
    here, gone = Owner.here(), replace(Owner.here(), pid=2**22 + 1)
    namespace = tmp_path / "self" / "ns"
    namespace.mkdir(parents=True)
    (namespace / "pid").symlink_to(here.namespace)
    monkeypatch.setattr(owner, "PROC", tmp_path)

    assert not here.is_dead()
    assert gone.is_dead()
