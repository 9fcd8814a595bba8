"""Standard streams: data on one, everything else on the other, whoever has closed them."""

import json
import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Shell

PATIENCE = 60.0
UNICODE = {"LANG": "C.UTF-8"}
CHATTY = """
import logging
import os
import subprocess
import sys

from synapse_sdk.plugins.action import action


@action()
def chat(params: dict, ctx) -> dict:
    print("from print")
    sys.stdout.write("from sys.stdout\\n")
    sys.__stdout__.write("from sys.__stdout__\\n")
    os.write(1, b"from a library in C\\n")
    subprocess.run(["echo", "from a child process"], check=True)
    return {"answer": 42}


@action()
def names(params: dict, ctx) -> list[str]:
    return ["고양이", os.fsdecode(b"caf\\xe9")]
"""
VOICES = {"from print", "from sys.stdout", "from sys.__stdout__", "from a library in C", "from a child process"}


@pytest.fixture
def chatty(write_plugin: Callable[..., None]) -> str:
    """A plugin that writes to standard output in every way there is."""
    write_plugin("chatty", CHATTY, {"chat": "code:chat", "names": "code:names"})
    return "chatty"


@pytest.mark.parametrize("mode", ["local", "process"])
def test_nothing_that_a_plugin_prints_gets_into_the_json(shell: "Shell", chatty: str, mode: str) -> None:
    """It goes to standard error, all of it."""
    outcome = shell.run("run", chatty, "chat", "--json", "--mode", mode)

    assert outcome.code == 0
    assert outcome.result["result"] == {"answer": 42}
    assert set(outcome.err.splitlines()) == VOICES


def test_people_get_the_result_alone_on_standard_output(shell: "Shell", chatty: str) -> None:
    """So that it can be piped into the next command."""
    outcome = shell.run("run", chatty, "chat")

    assert outcome.out == "answer  42\n"
    assert set(outcome.err.splitlines()) > VOICES


def test_a_reader_who_leaves_early_does_not_stop_the_run(shell: "Shell", slow_plugin: str) -> None:
    """As with `| head -1`: the run goes on to its end, and the exit code says that not all was read."""
    running = shell.start("run", slow_plugin, "slow", "--json")
    assert running.process.stdout is not None
    first = json.loads(running.process.stdout.readline())
    running.process.stdout.close()
    running.wait_for("the step runs")

    (shell.folder / "go-on").touch()
    ended = running.end()

    assert first["type"] == "run_started"
    assert ended.code == 141
    assert "Traceback" not in ended.err
    assert (shell.folder / "second").exists()


@pytest.mark.parametrize("command", ["synapse explain", "synapse --help", "synapse run chatty chat --progress none"])
@pytest.mark.usefixtures("chatty")
def test_a_reader_who_is_gone_already_is_no_news(shell: "Shell", command: str) -> None:
    """Exit code 141 and not a word, whatever was to be printed."""
    reading, writing = os.pipe()
    os.close(reading)
    words = shell.command_line(command)

    done = subprocess.run(
        words,
        cwd=shell.folder,
        env=shell.environ,
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=PATIENCE,
        check=False,
    )
    os.close(writing)

    assert done.returncode == 141
    assert b"rror" not in done.stderr


@pytest.mark.parametrize(
    "command", ["synapse explain", "synapse run chatty chat --progress none", "synapse run chatty chat --json"]
)
@pytest.mark.usefixtures("chatty")
def test_a_full_disk_below_standard_output_is_an_io_error(shell: "Shell", command: str) -> None:
    """Whoever redirects into a file learns that it is not whole."""
    with open("/dev/full", "wb") as full:  # noqa: PTH123  # a device
        done = subprocess.run(
            shell.command_line(command),
            cwd=shell.folder,
            env=shell.environ,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=PATIENCE,
            check=False,
        )

    assert done.returncode == 74
    assert b"No space left on device" in done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("mode", ["local", "process"])
def test_closed_streams_do_not_stop_a_run_or_spoil_its_files(shell: "Shell", closed: str, mode: str) -> None:
    """A file that a step opens must not become standard output."""
    shell.run("plugin", "new", "greeter")

    done = shell.run_program("sh", "-c", f"{shell.quoted('run', 'greeter', 'greet', '--mode', mode)} {closed}")

    assert done.code == 0
    assert (shell.folder / "greetings.txt").read_text(encoding="utf-8") == "Hello, world!\n"


def test_names_in_any_bytes_can_be_shown_on_any_terminal(shell: "Shell", chatty: str) -> None:
    """What the encoding does not have is escaped, and JSON stays JSON."""
    old = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

    assert shell.run("run", chatty, "names").out == "- 고양이\n- caf\\udce9\n"
    assert shell.run("run", chatty, "names", env=old).out == "- \\uace0\\uc591\\uc774\n- caf\\udce9\n"
    assert shell.run("run", chatty, "names", "--json", env=old).result["result"] == ["고양이", "caf\udce9"]


def test_parameters_can_come_through_a_pipe(shell: "Shell") -> None:
    """From another program."""
    shell.run("plugin", "new", "greeter")

    outcome = shell.run("run", "greeter", "greet", "--params", "-", "--progress", "none", stdin='{"name": "Ada"}')

    assert outcome == type(outcome)(0, "greeting  Hello, Ada!\nfile      greetings.txt\n", "")


def on_a_terminal(
    shell: "Shell", *args: str, keys: tuple[str, bytes] | None = None, environ: Mapping[str, str] = UNICODE
) -> tuple[int, str]:
    """Run a command on a terminal; press keys when a text appears. Returns exit code and what was shown."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(shell.folder)
        words = shell.command_line("synapse")
        os.execve(words[0], [*words, *args], {**shell.environ, "TERM": "xterm", **UNICODE, **environ})  # noqa: S606  # the child
    shown, deadline = b"", time.monotonic() + PATIENCE
    while select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))[0]:
        try:
            shown += os.read(terminal, 65536)
        except OSError:  # how Linux says that the other side is closed
            break
        if keys is not None and keys[0].encode() in shown:
            os.write(terminal, keys[1])
            keys = None
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), shown.decode()


def test_a_terminal_gets_a_bar(shell: "Shell", slow_plugin: str) -> None:
    """And is left as it was found: the cursor is visible again."""
    (shell.folder / "go-on").touch()

    code, shown = on_a_terminal(shell, "run", slow_plugin, "slow")

    assert code == 0
    assert "\x1b[" in shown
    assert "done  yes" in shown
    assert shown.rfind("\x1b[?25l") <= shown.rfind("\x1b[?25h")


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_without_colours_gets_none(shell: "Shell", slow_plugin: str, environ: dict[str, str]) -> None:
    """Whether the user or the terminal does not want them; errors neither."""
    _, shown = on_a_terminal(shell, "run", slow_plugin, "nothing", environ=environ)

    assert "error[SYN-E1105]" in shown
    assert not re.search(r"\x1b\[[\d;]*m", shown)


def test_ctrl_c_on_a_terminal_undoes_the_run(shell: "Shell", slow_plugin: str) -> None:
    """The terminal sends it to the whole group of processes."""
    code, shown = on_a_terminal(shell, "run", slow_plugin, "slow", "--mode", "process", keys=("the step runs", b"\x03"))

    assert code == 130
    assert "what the run had done is" in shown
    assert {path.name for path in shell.folder.iterdir()} == {"slow"}
