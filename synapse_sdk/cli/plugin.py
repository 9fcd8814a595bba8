"""`synapse plugin`: make, list, show and check plugins."""

import importlib.util
import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from synapse_sdk.cli.commands import LateCommand, SynapseCommand, SynapseGroup
from synapse_sdk.cli.live_names import complete_action, complete_plugin
from synapse_sdk.cli.output import prints_to_stderr
from synapse_sdk.cli.rendering import clean, echo_json, hanging, table, terminal_width, write

if TYPE_CHECKING:
    from synapse_sdk.cli.plugin_facts import ActionFacts
    from synapse_sdk.plugins.discovery import Plugin

__all__ = ["list_plugins", "new", "plugin", "schema", "show", "validate"]

plugin = SynapseGroup(
    "plugin",
    help="Make, list, show and check plugins. PLUGIN is a folder with a config.yaml, an installed plugin, or a module.",
    sections={
        "Commands": {
            "new": LateCommand(
                "synapse_sdk.cli.plugin:new", "Write a plugin that runs at once, with a test.", ("create",)
            ),
            "list": LateCommand(
                "synapse_sdk.cli.plugin:list_plugins", "List the plugins that are installed or lie here."
            ),
            "show": LateCommand("synapse_sdk.cli.plugin:show", "Show a plugin's actions, their parameters and steps."),
            "schema": LateCommand("synapse_sdk.cli.plugin:schema", "Print the JSON Schema of an action's parameters."),
            "validate": LateCommand("synapse_sdk.cli.plugin:validate", "Check a plugin without running it."),
        }
    },
    examples=("synapse plugin new greeter", "synapse plugin show greeter", "synapse plugin validate greeter"),
)


@click.command(
    "new", cls=SynapseCommand, examples=("synapse plugin new greeter", "synapse plugin new thanks --dir plugins")
)
@click.argument("name")
@click.option(
    "--dir", "parent", default=".", metavar="FOLDER", help="Where to put the plugin's folder; by default here."
)
def new(name: str, parent: str) -> None:
    """Write a plugin NAME that runs at once, with a test. Nothing is overwritten."""
    from synapse_sdk.cli.scaffold import write_plugin  # noqa: PLC0415  # help needs none of it

    folder = write_plugin(name, Path(parent))
    count = sum(path.is_file() for path in folder.rglob("*"))
    # A bare name would mean an installed plugin first, if there is one of that name.
    shown = shlex.quote(os.path.relpath(folder))
    click.echo(f"Wrote {count} files to {folder}{os.sep}. Try:\n", err=True)
    click.echo(f"  synapse run {shown} greet --set name=Ada")
    click.echo(f"  python -m pytest {shown}")
    if importlib.util.find_spec("pytest") is None:
        click.echo("\nThe second needs pytest: pip install 'synapse-sdk[test]'", err=True)


@click.command("list", cls=SynapseCommand, examples=("synapse plugin list", "synapse plugin list --json"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_plugins(*, as_json: bool) -> None:
    """List the plugins that are installed, and those in folders of the current directory."""
    with prints_to_stderr():
        rows = [*_installed(), *_here()]
    if as_json:
        echo_json({"plugins": rows})
        return
    if not rows:
        click.echo("No plugin is installed, and none lies here. Make one: synapse plugin new NAME", err=True)
        return
    shown = [(row["reference"], row["version"] or "-", row["from"], _summary(row)) for row in rows]
    write(sys.stdout, table(("plugin", "version", "from", "actions"), shown, width=terminal_width(sys.stdout)))


@click.command(
    "show", cls=SynapseCommand, examples=("synapse plugin show greeter", "synapse plugin show greeter --json")
)
@click.argument("reference", metavar="PLUGIN", shell_complete=complete_plugin)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(reference: str, *, as_json: bool) -> None:
    """Show what PLUGIN is, and its actions with their parameters and steps."""
    from synapse_sdk.cli.plugin_facts import look_at  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.plugins.discovery import find_plugin  # noqa: PLC0415

    with prints_to_stderr():
        found = find_plugin(reference)
        actions = list(look_at(found))
    if as_json:
        echo_json({**_about(found), "actions": [_action_json(action) for action in actions]})
        return
    write(sys.stdout, f"{clean(found.name)}  {clean(found.version)}  ({found.origin}{_root(found)})")
    if found.description:
        write(sys.stdout, clean(found.description))
    for action in actions:
        write(sys.stdout, "\n" + "\n".join(_action_lines(reference, action)))


@click.command("schema", cls=SynapseCommand, examples=("synapse plugin schema greeter greet",))
@click.argument("reference", metavar="PLUGIN", shell_complete=complete_plugin)
@click.argument("action", shell_complete=complete_action)
def schema(reference: str, action: str) -> None:
    """Print the JSON Schema of the parameters of ACTION."""
    from synapse_sdk.plugins.discovery import find_plugin  # noqa: PLC0415  # help needs none of it

    with prints_to_stderr():
        document = find_plugin(reference).action_class(action).params_schema()
    write(sys.stdout, json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **document}, indent=2))


@click.command("validate", cls=SynapseCommand, examples=("synapse plugin validate greeter",))
@click.argument("reference", metavar="PLUGIN", shell_complete=complete_plugin)
def validate(reference: str) -> None:
    """Check PLUGIN without running it: manifest, code, models, steps. All problems are listed at once."""
    from synapse_sdk.cli.errors import InvalidPluginError  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.cli.plugin_facts import look_at  # noqa: PLC0415
    from synapse_sdk.plugins.discovery import find_plugin  # noqa: PLC0415

    with prints_to_stderr():
        found = find_plugin(reference)
        actions = list(look_at(found))
    problems = [f"{action.name}: {problem}" for action in actions for problem in action.problems]
    if not found.actions:
        problems.append("it has no actions")
    if problems:
        msg = f"{len(problems)} problem{'s'[: len(problems) > 1]} in plugin {found.code!r}"
        raise InvalidPluginError(
            msg, problems=problems, fix="Correct what is listed", folder=found.root or found.reference
        )
    counts = [f"{action.name}: {len(action.steps)} steps" for action in actions]
    write(sys.stdout, f"Plugin {found.code!r} is fine ({', '.join(counts)}).")


def _installed() -> list[dict[str, Any]]:
    from synapse_sdk.plugins.discovery import installed_plugins  # noqa: PLC0415  # help needs none of it

    rows = []
    for each in installed_plugins():
        about = _about(each.plugin) if each.plugin is not None else {"code": each.name, "version": "", "actions": []}
        problem = None if each.error is None else str(each.error)
        rows.append({**about, "reference": each.name, "from": f"package {each.package}", "problem": problem})
    return rows


def _here() -> list[dict[str, Any]]:
    from synapse_sdk.cli.plugin_facts import plugins_here  # noqa: PLC0415  # help needs none of it

    return [
        {**_about(found), "reference": f"./{found.root.name}", "from": "this folder", "problem": None}
        for found in plugins_here()
        if found.root is not None
    ]


def _about(found: "Plugin") -> dict[str, Any]:
    return {
        "code": found.code,
        "name": found.name,
        "version": found.version,
        "description": found.description,
        "origin": found.origin,
        "root": None if found.root is None else str(found.root),
        "actions": list(found.actions),
    }


def _summary(row: dict[str, Any]) -> str:
    return f"cannot be used: {row['problem']}" if row["problem"] else ", ".join(row["actions"]) or "none"


def _root(found: "Plugin") -> str:
    return "" if found.root is None else f" {found.root}"


def _action_json(action: "ActionFacts") -> dict[str, Any]:
    return {
        "name": action.name,
        "description": action.description,
        "schema": action.schema,
        "steps": [{"step": step.name, "weight": step.progress_weight} for step in action.steps],
        "problems": list(action.problems),
    }


def _action_lines(reference: str, action: "ActionFacts") -> list[str]:
    from synapse_sdk.cli.plugin_facts import parameters  # noqa: PLC0415  # loaded by now

    width = terminal_width(sys.stdout)
    lines = [f"{action.name}  {hanging(action.description, width, len(action.name) + 2)}".rstrip()]
    if action.steps:
        lines.append(f"  steps  {hanging(' -> '.join(step.name for step in action.steps), width, 9)}")
    rows, missing = [], []
    for each in parameters(action.schema):
        default = "required" if each.is_required else json.dumps(each.default, ensure_ascii=False, default=str)
        rows.append((each.name, each.kind, default, each.description))
        missing += [f"--set {each.name}=..."] if each.is_required else []
    if rows:
        lines += [
            f"  {line}"
            for line in table(("parameter", "type", "default", ""), rows, width=width and width - 2).splitlines()
        ]
    lines += [f"  problem: {clean(problem)}" for problem in action.problems]
    if not action.problems:
        lines.append("  " + " ".join(["run it: synapse run", shlex.quote(reference), action.name, *missing]))
    return lines
