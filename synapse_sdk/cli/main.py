"""The entry point of `synapse`: parses, runs one command, and turns whatever happens into output and an exit code."""

import os
import sys
from collections.abc import Sequence

import click

from synapse_sdk import __version__
from synapse_sdk.cli.commands import LateCommand, SynapseGroup, global_options
from synapse_sdk.cli.session import Session

__all__ = ["main", "root", "run_command_line"]

COMPLETION_VARIABLE = "_SYNAPSE_COMPLETE"
"""Set by the shell when it asks for completions."""

SECTIONS = {
    "Data": {
        "upload": LateCommand("synapse_sdk.cli.upload:upload", "Bring files into a data collection."),
        "export": LateCommand("synapse_sdk.cli.export:export", "Write annotated data into a folder."),
        "collections": LateCommand(
            "synapse_sdk.cli.catalogue.collections:collections", "Make, show and remove collections.", ("collection",)
        ),
        "projects": LateCommand(
            "synapse_sdk.cli.catalogue.projects:projects", "Make, show and remove projects.", ("project",)
        ),
        "tasks": LateCommand("synapse_sdk.cli.catalogue.tasks:tasks", "Make, show and annotate tasks.", ("task",)),
        "datasets": LateCommand(
            "synapse_sdk.cli.catalogue.datasets:datasets", "Convert datasets; keep ground truths.", ("dataset",)
        ),
        "train": LateCommand("synapse_sdk.cli.train:train", "Train a model with a plugin, and register it."),
        "models": LateCommand(
            "synapse_sdk.cli.catalogue.models:models", "Show, download and remove trained models.", ("model",)
        ),
        "storages": LateCommand(
            "synapse_sdk.cli.catalogue.storages:storages", "Make storages known, and forget them.", ("storage",)
        ),
    },
    "Jobs": {
        "run": LateCommand("synapse_sdk.cli.run:run", "Run an action of a plugin."),
        "runs": LateCommand("synapse_sdk.cli.runs:runs", "List, watch, resume, roll back and cancel runs."),
        "demo": LateCommand("synapse_sdk.cli.demo:demo", "Watch a real job run, fail on purpose, and clean up."),
    },
    "Plugins": {
        "plugin": LateCommand("synapse_sdk.cli.plugin:plugin", "Make, list, show and check plugins.", ("plugins",)),
    },
    "Set-up and help": {
        "journal": LateCommand("synapse_sdk.cli.journal:journal", "Check, write out and repair the record of runs."),
        "doctor": LateCommand("synapse_sdk.cli.doctor:doctor", "Check that this machine is ready."),
        "config": LateCommand("synapse_sdk.cli.config:config", "Show settings and where they come from."),
        "completion": LateCommand("synapse_sdk.cli.completion:completion", "Print completion for a shell."),
        "explain": LateCommand("synapse_sdk.cli.explain:explain", "Explain an error code."),
    },
}


def _show_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001  # click's hook
    if value:
        click.echo(f"synapse {__version__}")
        ctx.exit()


VERSION_OPTION = click.Option(
    ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version."
)

root = SynapseGroup(
    "synapse",
    help="Run multi-step data jobs that finish, or leave nothing behind.",
    sections=SECTIONS,
    params=[*global_options(hidden=False), VERSION_OPTION],
    examples=("synapse plugin new greeter", "synapse run greeter greet --set name=Ada", "synapse doctor"),
)


def main() -> int:
    """Run the command line of this process and return its exit code."""
    _open_missing_streams()
    if COMPLETION_VARIABLE in os.environ:
        from click.shell_completion import shell_complete  # noqa: PLC0415  # only shells ask

        return shell_complete(
            root, {"obj": Session(())}, "synapse", COMPLETION_VARIABLE, os.environ[COMPLETION_VARIABLE]
        )
    return run_command_line(sys.argv[1:])


def run_command_line(args: Sequence[str], session: Session | None = None) -> int:
    """Run one command and return its exit code; nothing is raised, whatever happens.

    Args:
        args: The command line, without the name of the program.
        session: What another command hands on to this one.
    """
    if list(args[:1]) == ["help"]:
        args = [*args[1:], "--help"]
    session = session or Session(args)
    try:
        code = _invoke(args, session)
        sys.stdout.flush()
    except BaseException as error:  # noqa: BLE001  # the last stop: everything becomes an exit code here
        from synapse_sdk.cli.failure import report_failure  # noqa: PLC0415  # only on the way to an error

        return report_failure(error, session)
    return code


def _invoke(args: Sequence[str], session: Session) -> int:
    try:
        with root.make_context("synapse", list(args), obj=session) as ctx:
            return int(root.invoke(ctx) or 0)
    except click.exceptions.Exit as error:  # help and version end a command early
        return error.exit_code


def _open_missing_streams() -> None:
    """Open what the parent process has closed of standard input, output and error.

    Otherwise the first file that a run opens gets the number of standard output, and is printed into.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003  # the lowest free number: this one
            setattr(sys, name, os.fdopen(number, "r" if name == "stdin" else "w", encoding="utf-8", closefd=False))
