"""`synapse train`: a plugin's training, from a dataset to a registered model."""

from typing import Any

import click

from synapse_sdk.cli.catalogue.options import BACKEND
from synapse_sdk.cli.commands import SynapseCommand
from synapse_sdk.cli.live_names import complete_model, complete_plugin, complete_storage
from synapse_sdk.cli.runs.options import FOLLOWING, JOURNAL
from synapse_sdk.cli.session import Session

__all__ = ["train"]


@click.command(
    "train",
    cls=SynapseCommand,
    examples=(
        "synapse train trainer --path numbers.json --dry-run",
        "synapse train trainer --path numbers.json --as mean@1 --set epochs=2",
        "synapse train trainer --path numbers.json --as mean@2 --from mean@1",
    ),
)
@click.argument("plugin", shell_complete=complete_plugin)
@click.option("--action", default="train", show_default=True, help="The action of the plugin.")
@click.option("--path", metavar="DIR|FILE", help="The dataset to learn from.")
@click.option("--dataset", metavar="NAME[@N]", help="The ground-truth dataset and version to learn from instead.")
@click.option(
    "--as", "model", metavar="NAME[@VERSION]", help="What the model is called; by default as the action and the run."
)
@click.option(
    "--from",
    "checkpoint",
    metavar="MODEL",
    shell_complete=complete_model,
    help="The model to begin with: NAME@VERSION, NAME for the newest, or an id.",
)
@click.option("--storage", metavar="NAME|URL", shell_complete=complete_storage, help="Where the model goes.")
@click.option(
    "--params", "source", metavar="FILE|JSON", help="Other parameters: a file, JSON text, or - for standard input."
)
@click.option(
    "--set",
    "assignments",
    metavar="NAME=VALUE",
    multiple=True,
    help="Set one parameter of the plugin, such as a hyperparameter; may be given again.",
)
@click.option("--dry-run", is_flag=True, help="Show the steps that would run, and run none.")
@BACKEND
@FOLLOWING
@JOURNAL
@click.pass_obj
def train(
    session: Session,
    /,
    *,
    plugin: str,
    action: str,
    dry_run: bool,
    as_json: bool,
    progress: str | None,
    **options: Any,  # noqa: ANN401  # those that become parameters
) -> int:
    """Train a model with PLUGIN, and register it: a folder, an installed plugin, or a module.

    The model is known to others when all is done; if it fails, or you press Ctrl-C, nothing is left. After a crash, the
    same command goes on from the last checkpoint. What a plugin takes says synapse plugin show PLUGIN.
    """
    from synapse_sdk.cli.repeated_run import used_backend  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.cli.run import show_plan  # noqa: PLC0415
    from synapse_sdk.cli.train_run import params_of, request_for, run_training  # noqa: PLC0415

    session.note_option("progress", progress or ("json" if as_json else None))
    session.wants_json = as_json or session.settings.progress == "json"
    request = request_for(plugin, action, params_of(options))
    with used_backend(session):
        if not dry_run:
            return run_training(request, session)
        show_plan(request, session)
    return 0
