"""What the commands about runs have in common: the run, the journal, and what is added to a run."""

from collections.abc import Callable
from typing import Any

import click

from synapse_sdk.cli.commands import note_option
from synapse_sdk.cli.live_names import complete_run
from synapse_sdk.cli.placing import placing_again
from synapse_sdk.cli.session import Session
from synapse_sdk.errors import ConfigurationError
from synapse_sdk.settings import CHOICES

__all__ = ["FOLLOWING", "JOURNAL", "JSON", "RUN", "additions", "place"]

type Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

RUN = click.argument("name", metavar="RUN", shell_complete=complete_run)
JOURNAL = click.option(
    "--journal",
    metavar="URL",
    expose_value=False,
    callback=note_option,
    help="Where runs are recorded, a file or a URL.  [env: SYNAPSE_JOURNAL]",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

_LINES = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON: one event a line, and a line of type 'result' at the end."
)
_PROGRESS = click.option(
    "--progress", type=click.Choice(CHOICES["progress"]), help="Progress display.  [env: SYNAPSE_PROGRESS]"
)
_ADDITIONS = (
    click.option(
        "--params",
        "source",
        metavar="FILE|JSON",
        help="Parameters that replace those of the run: a file, JSON text, or - for standard input.",
    ),
    click.option(
        "--set",
        "assignments",
        metavar="NAME=VALUE",
        multiple=True,
        help="Set one parameter; secret ones have to be given again.",
    ),
    click.option(
        "--env", "env_pairs", metavar="NAME=VALUE", multiple=True, help="Set an environment setting for the plugin."
    ),
    placing_again,
    click.option("--force", is_flag=True, help="Go on although the steps of the action have changed."),
)


def FOLLOWING(command: Callable[..., Any]) -> Callable[..., Any]:  # noqa: N802  # used like the decorators above
    """Add how a run that happens is shown."""
    return _LINES(_PROGRESS(command))


def additions(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for what is not recorded, or is to be another."""
    for option in reversed(_ADDITIONS):
        command = option(command)
    return command


def place(session: Session) -> str:
    """Return where runs are recorded.

    Raises:
        ConfigurationError: Nowhere.
    """
    if session.journal is None:
        msg = "There is no journal: the settings say that runs are not recorded"
        fix = "Name it: --journal FILE, or SYNAPSE_JOURNAL=FILE"
        raise ConfigurationError(msg, fix=fix, place=str(session.settings.origins["journal"]))
    return session.journal


def note_display(session: Session, progress: str | None, *, as_json: bool) -> None:
    """Take note of how a run that happens is to be shown."""
    session.note_option("progress", progress or ("json" if as_json else None))
    session.wants_json = as_json or session.settings.progress == "json"
