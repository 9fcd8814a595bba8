"""Every example in README, CONTRIBUTING and docs/ runs, and prints what the page says it prints.

How a fenced block is read, from the top of a page to its end, all in one empty folder:

- `python` runs in this process; the blocks of a page share their names.
- `text title="Output"` is what the Python since the last such block prints.
- Any other title is the path of a file that the block is written to.
- `console` runs each line after `$ ` in a shell; the lines below it are what it prints. `...` stands for anything.
- `sh` is for commands that set up a machine or take long: they must exist, but are not run (`test_commands.py`).
"""

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from doctest import ELLIPSIS, OutputChecker
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    *(path for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md") if path.exists()),
    *sorted(
        {*(ROOT / "docs").rglob("*.md")} - {ROOT / "docs" / "STEP_IMPLEMENTATION_GUIDE.md"}
    ),  # has a test of its own
]
FENCE = re.compile(r"^```(?P<language>\w+)(?P<attributes>[^\n]*)\n(?P<content>.*?)^```$", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r'title="([^"]+)"')
DATA = {"json", "toml", "yaml"}
NOT_RUN = {"markdown", "mermaid", "sh", "text"}
END = "\x1e"  # an ASCII record separator: no command of ours prints one
DIFFERS = (
    (re.compile(r"\b\d+\.\d+ s\b"), "0.0 s"),
    (re.compile(r'(?<="elapsed": )[\d.e-]+'), "0.0"),
    (re.compile(r"\b[0-9a-f]{12}\b"), "0123456789ab"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00"), "2026-01-01T00:00:00+00:00"),
)
"""What differs from run to run: durations, run ids, instants."""


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block of a page."""

    page: Path
    line: int
    language: str
    title: str | None
    content: str


def blocks_of(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page in order."""
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        title = TITLE.search(found["attributes"])
        yield Block(page, line, found["language"], title[1] if title else None, found["content"])


class Reader:
    """Somebody who tries out a page."""

    def __init__(self) -> None:
        self._namespace: dict[str, object] = {"__name__": "page"}
        self._printed = ""

    def try_out(self, block: Block) -> None:
        """Do what the block asks for."""
        if block.title == "Output":
            check_output(block.content, self._printed, block)
            self._printed = ""
        elif block.title is not None:
            path = Path(block.title)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.content, encoding="utf-8")
        elif block.language == "python":
            self._run_python(block)
        elif block.language == "console":
            run_console(block)
        else:
            assert block.language in NOT_RUN | DATA, f"{where(block)}: no rule for {block.language!r} blocks"

    def finish(self, page: Path) -> None:
        """Complain about anything printed that the page does not show."""
        assert not self._printed, f"{page.name} shows no output for: {self._printed}"

    def _run_python(self, block: Block) -> None:
        stdout = io.StringIO()
        lines_above = "\n" * block.line  # a traceback then names the line of the page
        code = compile(lines_above + block.content, str(block.page), "exec", dont_inherit=True)
        with contextlib.redirect_stdout(stdout):
            exec(code, self._namespace)  # noqa: S102  # our own pages
        self._printed += stdout.getvalue()


def run_console(block: Block) -> None:
    """Run the commands of a block in one shell and compare what they print, errors included."""
    steps = [step for step in re.split(r"^\$ ", block.content, flags=re.MULTILINE) if step]
    commands = [step.partition("\n")[0] for step in steps]
    wanted = [step.partition("\n")[2] for step in steps]
    keep_status = f"last=$?; printf '{END}%s{END}' $last; (exit $last)"
    script = "\n".join(f"{command}\n{keep_status}" for command in commands)
    shell = shutil.which("sh")
    assert shell is not None
    ran = subprocess.run(
        [shell, "-c", script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    printed = ran.stdout.split(END)
    following = [*commands[1:], ""]
    for command, after, want, got, status in zip(
        commands, following, wanted, printed[::2], printed[1::2], strict=False
    ):
        if want:
            check_output(want, got, block, command)
        elif after != "echo $?":
            assert status == "0", f"{where(block)}: {command} exits with {status} and prints: {got}"


def check_output(want: str, got: str, block: Block, command: str = "") -> None:
    """Compare what a page shows with what is printed; `...` stands for anything."""
    want, got = comparable(want), comparable(got)
    if not OutputChecker().check_output(want + "\n", got + "\n", ELLIPSIS):
        assert got == want, f"{where(block)}: {command or 'the code above'} prints something else"


def comparable(text: str) -> str:
    """Return a text without what differs from run to run and from editor to editor."""
    text = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE).strip("\n")
    for pattern, fixed in DIFFERS:
        text = pattern.sub(fixed, text)
    return text


def where(block: Block) -> str:
    """Name a block so that an editor finds it."""
    return f"{block.page.relative_to(ROOT)}:{block.line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_example_of_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader who follows the page from top to bottom sees what the page shows."""
    for name in [name for name in os.environ if name.startswith(("PYTEST", "SYNAPSE"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path.with_name(f"{tmp_path.name}-data")))  # each reader's own
    for name, value in {"COLUMNS": "100", "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples", target_is_directory=True)
    reader = Reader()

    for block in blocks_of(page):
        reader.try_out(block)

    reader.finish(page)
