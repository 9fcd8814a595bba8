"""The options that say where a run happens: in this process, in one of its own, or on a cluster."""

from collections.abc import Callable
from typing import Any

import click

from synapse_sdk.settings import CHOICES

__all__ = ["placing", "placing_again"]

type Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_MODES = click.Choice(CHOICES["mode"])
_CLUSTER: tuple[Decorator, ...] = (
    click.option(
        "--address",
        metavar="HOST:PORT",
        help="The Ray cluster, or auto; by default one is started here.  [env: RAY_ADDRESS]",
    ),
    click.option(
        "--num-cpus",
        metavar="NUMBER",
        type=click.FloatRange(min=0),
        help="CPUs that the cluster sets aside; by default 1.",
    ),
    click.option(
        "--num-gpus", metavar="NUMBER", type=click.FloatRange(min=0), help="GPUs that the cluster sets aside."
    ),
    click.option(
        "--pass-env", metavar="NAME", multiple=True, help="Hand this variable, such as a secret, to the cluster."
    ),
)


def placing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command that starts runs."""
    usual = "Run here, in a process of its own, or on a Ray cluster.  [env: SYNAPSE_MODE]"
    return _with(click.option("--on", "--mode", "mode", type=_MODES, help=usual), *_CLUSTER)(command)


def placing_again(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command that goes on with runs."""
    usual = "Where to run; by default where it ran before."
    return _with(click.option("--on", "--mode", "mode", type=_MODES, help=usual), *_CLUSTER)(command)


def _with(*options: Decorator) -> Decorator:
    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
