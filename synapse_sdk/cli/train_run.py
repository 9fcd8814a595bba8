"""Training for the command line: the same command goes on with a training that was interrupted."""

from typing import TYPE_CHECKING, Any

import click

from synapse_sdk.cli.params import check_params, read_params
from synapse_sdk.cli.repeated_run import RepeatedRun
from synapse_sdk.cli.run_request import PreparedRequest
from synapse_sdk.errors import ConfigurationError
from synapse_sdk.plugins.actions.train import BaseTrainAction
from synapse_sdk.plugins.discovery import find_plugin

if TYPE_CHECKING:
    from synapse_sdk.cli.session import Session

__all__ = ["params_of", "request_for", "run_training"]


def params_of(options: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of the action for the options of the command.

    Raises:
        BadParameter: Something cannot be understood.
        UsageError: Something is said twice.
    """
    name, _, version = (options["model"] or "").partition("@")
    named = {
        "path": options["path"],
        "dataset": options["dataset"],
        "name": name or None,
        "version": version or None,
        "checkpoint": options["checkpoint"],
        "storage": options["storage"],
    }
    said = {key: value for key, value in named.items() if value is not None}
    others = read_params(options["source"], options["assignments"])
    if twice := sorted(said.keys() & others.keys()):
        msg = f"--set and --params cannot have {twice[0]}, which an option of its own says"
        raise click.UsageError(msg)
    return {**others, **said}


def request_for(plugin: str, action: str, params: dict[str, Any]) -> PreparedRequest:
    """Return what is to be run, once the plugin is found and its action trains.

    Raises:
        PluginNotFoundError, ActionNotFoundError: There is no such plugin, or action.
        ConfigurationError: The action is none that trains.
        InvalidParamsError: The parameters do not fit; all that is wrong is named.
    """
    found = find_plugin(plugin)
    kind = found.action_class(action)
    if not issubclass(kind, BaseTrainAction):
        msg = f"Action {action!r} of plugin {plugin!r} does not train"
        raise ConfigurationError(msg, fix="Derive it from BaseTrainAction, or use synapse run")
    check_params(kind, params, plugin)
    return PreparedRequest(plugin=found.reference, action=action, params=params)


def run_training(request: PreparedRequest, session: "Session") -> int:
    """Train, or go on with the same training, and return the exit code.

    Raises:
        SynapseError: Something that is named does not exist, or the model is there already.
        LeaseHeldError: The same training is under way.
    """
    run = RepeatedRun(
        plugin=request.plugin, action=request.action, params=request.params, doing="is training the same model"
    )
    return run.start(session, lambda: _check_names(request, session))


def _check_names(request: PreparedRequest, session: "Session") -> None:
    """See whether what is named exists, before a run begins that could only fail."""
    from synapse_sdk.backend import open_backend  # noqa: PLC0415  # whoever goes on with a training needs none of it
    from synapse_sdk.plugins.actions.train.destination import check_names  # noqa: PLC0415

    kind = find_plugin(request.plugin).action_class(request.action)
    params = kind.validate_params(request.params)
    with open_backend(session.backend) as backend:
        check_names(backend, params, params.name or kind.action_name)
