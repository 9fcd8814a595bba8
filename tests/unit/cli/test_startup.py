"""Starting up: what `synapse` does not load, because nobody should wait for it."""

import subprocess
import sys

import pytest

HEAVY = (
    "pydantic",
    "rich",
    "yaml",
    "PIL",
    "importlib.metadata",
    "asyncio",
    "tomllib",
    "synapse_sdk.plugins",
    "logging",
    "sqlalchemy",
)
REPORT = """
import sys
from synapse_sdk.cli.main import main
sys.argv = ["synapse", *{args!r}]
code = main()
print(code, *sorted(set(sys.modules) & set({heavy!r})), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "args",
    [
        ["--version"],
        ["--help"],
        ["-h"],
        [],
        ["run", "--help"],
        ["runs", "--help"],
        ["plugin", "--help"],
        ["demo", "-h"],
        ["collections", "--help"],
        ["storage", "create", "--help"],
    ],
)
def test_help_and_version_load_nothing_heavy(args: list[str]) -> None:
    """They answer at once because they load the parser and nothing else."""
    script = REPORT.format(args=args, heavy=HEAVY)

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)

    assert done.stderr.split() == ["0"]
    assert done.stdout.startswith(("synapse ", "Usage: synapse"))


def test_completing_a_command_loads_nothing_heavy() -> None:
    """A shell asks at every press of the tabulator."""
    script = REPORT.format(args=[], heavy=HEAVY)
    environ = {"_SYNAPSE_COMPLETE": "bash_complete", "COMP_WORDS": "synapse pl", "COMP_CWORD": "1"}

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True, env=environ
    )

    assert done.stderr.split() == ["0"]
    assert done.stdout.split() == ["plain,plugin"]


def test_the_version_is_that_of_the_package(capfd: pytest.CaptureFixture[str]) -> None:
    """`synapse --version` is what bug reports quote."""
    from synapse_sdk import __version__  # noqa: PLC0415  # next to what it is compared with
    from synapse_sdk.cli.main import run_command_line  # noqa: PLC0415  # as above

    assert run_command_line(["--version"]) == 0
    assert capfd.readouterr().out == f"synapse {__version__}\n"
