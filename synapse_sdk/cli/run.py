"""`synapse run`: one action of a plugin, from the command line to its result."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from synapse_sdk.cli.commands import SynapseCommand
from synapse_sdk.cli.live_names import complete_action, complete_plugin
from synapse_sdk.cli.placing import placing
from synapse_sdk.cli.run_request import PreparedRequest, Request
from synapse_sdk.cli.session import Session
from synapse_sdk.settings import CHOICES

if TYPE_CHECKING:
    from synapse_sdk.plugins.steps import Plan

__all__ = ["run"]


@click.command(
    "run",
    cls=SynapseCommand,
    examples=(
        "synapse run greeter greet --set name=Ada",
        "synapse run greeter greet --dry-run",
        "synapse run greeter greet --inject-failure write_greeting",
        """synapse run greeter greet --params '{"name": "Ada"}' --json""",
        "synapse run greetings.yaml --set greet.name=Ada",
        "synapse run greeter greet --set name=Ada --on ray --address auto",
    ),
)
@click.argument("plugin", shell_complete=complete_plugin)
@click.argument("action", shell_complete=complete_action, required=False)
@click.option(
    "--params",
    "source",
    metavar="FILE|JSON",
    help="Parameters: a .yaml, .json or .toml file, JSON text, or - to read YAML or JSON from standard input.",
)
@click.option(
    "--set",
    "assignments",
    metavar="NAME=VALUE",
    multiple=True,
    help="Set one parameter, over --params. NAME may be dotted; VALUE is JSON, or else text.",
)
@click.option("--dry-run", is_flag=True, help="Show the steps that would run, and run none.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON: one event a line, and a line of type 'result' at the end."
)
@click.option("--progress", type=click.Choice(CHOICES["progress"]), help="Progress display.  [env: SYNAPSE_PROGRESS]")
@placing
@click.option("--journal", metavar="URL", help="Record the run there, a file or a URL.  [env: SYNAPSE_JOURNAL]")
@click.option("--no-journal", is_flag=True, help="Do not record the run; it can neither be resumed nor watched.")
@click.option("--inject-failure", metavar="STEP", help="Make the run fail after this step, to watch the rollback.")
@click.option(
    "--env", "env_pairs", metavar="NAME=VALUE", multiple=True, help="Set an environment setting for the plugin."
)
@click.pass_obj
def run(
    session: Session,
    /,
    *,
    dry_run: bool,
    as_json: bool,
    progress: str | None,
    mode: str | None,
    journal: str | None,
    no_journal: bool,
    plugin: str,
    action: str | None,
    **request: Any,  # noqa: ANN401  # the other fields of Request, as click found them
) -> int:
    """Run ACTION of PLUGIN: a folder, an installed plugin, or a module.

    A pipeline document, a .yaml file that lists actions, is run without ACTION;
    parameters of its actions begin with their names.

    The result goes to standard output, everything else to standard error. When a step fails, or you press Ctrl-C,
    what the run has done is undone. What happens is recorded, so that a run whose
    process dies can be resumed or rolled back: see synapse runs.
    """
    session.note_option("progress", progress or ("json" if as_json else None))
    session.note_option("mode", mode)
    if no_journal and journal is not None:
        msg = "--journal and --no-journal contradict each other"
        raise click.UsageError(msg)
    session.note_option("journal", "none" if no_journal else journal)
    session.wants_json = as_json or session.settings.progress == "json"
    asked = Request(plugin=plugin, action=action or only_action(plugin), **request)
    if not dry_run:
        from synapse_sdk.cli.run_execution import execute  # noqa: PLC0415  # help executes nothing
        from synapse_sdk.cli.run_tasks import StartRun  # noqa: PLC0415  # as above

        return execute(StartRun(asked), session)
    if asked.inject_failure is not None:
        msg = "--dry-run runs nothing that could fail; leave out --inject-failure"
        raise click.UsageError(msg)
    show_plan(asked, session)
    return 0


def only_action(plugin: str) -> str:
    """Return the action that is meant where none is named.

    Raises:
        MissingParameter: It is no pipeline document, so one has to be named.
        PipelineError, InvalidDocumentError: The document does not fit, or cannot be read.
    """
    from synapse_sdk.plugins.discovery import find_plugin, is_pipeline  # noqa: PLC0415  # help finds nothing

    if is_pipeline(Path(plugin)):
        return next(iter(find_plugin(plugin).actions))
    context = click.get_current_context()
    missing = next(each for each in context.command.params if each.name == "action")
    raise click.MissingParameter(ctx=context, param=missing, param_hint="'ACTION'")


def show_plan(request: Request | PreparedRequest, session: Session) -> None:
    """Print the steps that would run."""
    from synapse_sdk.cli.output import prints_to_stderr  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.cli.params import check_params  # noqa: PLC0415
    from synapse_sdk.cli.rendering import clean, echo_json, write  # noqa: PLC0415
    from synapse_sdk.plugins import plan_plugin  # noqa: PLC0415
    from synapse_sdk.plugins.discovery import find_plugin  # noqa: PLC0415

    with prints_to_stderr():
        action = find_plugin(request.plugin).action_class(request.action)
        check_params(action, request.params, request.plugin)
        plan = plan_plugin(request.plugin, request.action, request.params)
    # Of a pipeline: what its actions hand to one another.
    sources = action.sources(request.params) if hasattr(action, "sources") else []
    if session.wants_json:
        known = {"from": dict(sources)} if sources else {}
        echo_json({"plugin": request.plugin, "action": request.action, "steps": steps_of(plan), **known})
        return
    lines = str(plan).splitlines() if plan.steps else ["This action has no steps: it does its work in one piece."]
    lines += [f"    {param} is {result}" for param, result in sources]
    write(sys.stdout, "\n".join(clean(line) for line in lines))
    write(sys.stderr, "Nothing was run.")


def steps_of(plan: "Plan") -> list[dict[str, Any]]:
    """Return a plan's steps as JSON data."""
    return [
        {
            "step": step.name,
            "weight": step.weight,
            "share": step.share / 100,
            "skipped": step.skipped,
            "can_undo": step.undoes,
            "problem": step.problem,
        }
        for step in plan.steps
    ]
