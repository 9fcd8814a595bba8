"""Every command that a page mentions exists, with its options; also where it is not run."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from synapse_sdk.cli.main import root

ROOT = Path(__file__).parents[2]
PAGES = sorted((*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")))
SHELL = re.compile(r"^```(?:sh|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:synapse|make) [^`]+)`")
PLACEHOLDERS = {"COMMAND", "...", "CODE"}


def commands_of(text: str) -> Iterator[str]:
    """Yield every command line that begins with `synapse` or `make`, from blocks and from the text."""
    for block in SHELL.findall(text):
        for line in block.splitlines():
            found = re.match(r"(?:\$ )?(?:\w+=\S+ )*((?:synapse|make)(?: .*)?)$", line)
            if found:
                yield found[1]
    yield from INLINE.findall(text)


def check_synapse(words: list[str]) -> None:
    """Walk from group to command, and look up each option there."""
    command: click.Command = root
    ctx = click.Context(root, info_name="synapse")
    known = {option for param in root.params for option in (*param.opts, "-h", "--help")}
    for word in words:
        name = word.partition("=")[0]
        if name.startswith("-") and name != "-":
            options = known | {option for param in command.params for option in param.opts}
            assert name in options, f"{ctx.command_path} has no option {name}"
        elif isinstance(command, click.Group) and word not in {*PLACEHOLDERS, "help"}:
            below = command.get_command(ctx, word)
            assert below is not None, f"{ctx.command_path} has no command {word}"
            command, ctx = below, click.Context(below, info_name=word, parent=ctx)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_of_a_page_exist(page: Path) -> None:
    """Nobody is sent after a command or an option that is not there."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))

    for line in commands_of(page.read_text(encoding="utf-8")):
        program, *words = shlex.split(re.split(r" \||[<>&]|2>", line)[0], comments=True)
        if program == "synapse":
            check_synapse(words)
        else:
            assert {word for word in words if "=" not in word} <= targets
