"""`synapse demo`: a real job on real photos that runs, fails on purpose, and cleans up after itself."""

import shutil
from pathlib import Path

import click

from synapse_sdk.cli.commands import SynapseCommand
from synapse_sdk.cli.session import Session

__all__ = ["demo"]


@click.command("demo", cls=SynapseCommand, examples=("synapse demo", "synapse demo --keep"))
@click.option("--keep", is_flag=True, help="Keep the folder synapse-demo/, to look at photos and report.")
@click.pass_obj
def demo(session: Session, /, *, keep: bool) -> int:
    """Watch a real job on real photos run, fail on purpose, and clean up.

    It plays in a new folder synapse-demo/ here and checks every claim it makes. It ends with 1 if one does not hold.
    """
    from synapse_sdk.cli.demo_folder import FOLDER, make_folder, seal_folder  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.cli.demo_story import DoesNotHoldError, Story  # noqa: PLC0415
    from synapse_sdk.interrupts import stop_on_signals  # noqa: PLC0415

    folder = Path.cwd() / FOLDER
    with stop_on_signals(over_others=True):
        make_folder(folder)
        story = Story(folder, session)
        try:
            story.tell()
            story.say_what_next(kept=keep)
            if keep:
                seal_folder(folder)
        except DoesNotHoldError as error:
            story.say(f"\nThis does not hold: {error}. The folder {FOLDER}/ is kept for you to look at.")
            keep = True
            return 1
        finally:
            if not keep:
                shutil.rmtree(folder)
    return 0
