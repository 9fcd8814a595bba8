"""`synapse config`: settings, where they come from, and which profile is used."""

import os
import sys

import click

from synapse_sdk.cli.commands import LateCommand, SynapseCommand, SynapseGroup
from synapse_sdk.cli.rendering import echo_json, table, write
from synapse_sdk.cli.session import Session
from synapse_sdk.settings import SETTING_NAMES, use_profile

__all__ = ["config", "list_settings", "use"]

config = SynapseGroup(
    "config",
    help="Show settings and where they come from. A setting is taken from its flag, else its environment variable, "
    "else the project (synapse.toml, or [tool.synapse] in pyproject.toml), else your profile, else the default.",
    sections={
        "Commands": {
            "list": LateCommand("synapse_sdk.cli.config:list_settings", "Show every setting."),
            "use": LateCommand("synapse_sdk.cli.config:use", "Choose your profile."),
        }
    },
    examples=("synapse config list --show-origin", "synapse config use default"),
)


@click.command("list", cls=SynapseCommand, examples=("synapse config list", "synapse config list --show-origin --json"))
@click.option("--show-origin", is_flag=True, help="Show where each value comes from.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_settings(session: Session, /, *, show_origin: bool, as_json: bool) -> None:
    """Show every setting."""
    settings = session.settings
    values = {name: getattr(settings, name) for name in SETTING_NAMES}
    origins = {name: str(settings.origins[name]) for name in SETTING_NAMES}
    if as_json:
        echo_json({"settings": values} | ({"origins": origins} if show_origin else {}))
        return
    shown = {name: str(value).lower() for name, value in values.items()}
    if show_origin:
        write(sys.stdout, table(("setting", "value", "origin"), [(name, shown[name], origins[name]) for name in shown]))
    else:
        write(sys.stdout, table(("setting", "value"), list(shown.items())))


@click.command("use", cls=SynapseCommand, examples=("synapse config use default",))
@click.argument("profile")
def use(profile: str) -> None:
    """Use this PROFILE of your own settings from now on, where neither --profile nor SYNAPSE_PROFILE names another.

    Profiles are tables [profile.NAME] of ~/.config/synapse/config.toml; `default` is there even without one.
    """
    path = use_profile(profile)
    click.echo(f"Profile {profile!r} is in use from now on ({path}).", err=True)
    overruling = os.environ.get("SYNAPSE_PROFILE")
    if overruling and overruling != profile:
        click.echo(f"But SYNAPSE_PROFILE={overruling} overrules it here.", err=True)
