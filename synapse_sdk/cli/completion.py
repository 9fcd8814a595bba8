"""`synapse completion`: what a shell needs to complete commands."""

import click

from synapse_sdk.cli.commands import SynapseCommand

__all__ = ["completion"]

HOME_OF_SCRIPT = {
    "bash": "~/.local/share/bash-completion/completions/synapse",
    "zsh": "a folder of $fpath, as _synapse",
    "fish": "~/.config/fish/completions/synapse.fish",
}


@click.command(
    "completion",
    cls=SynapseCommand,
    examples=("synapse completion bash", 'eval "$(synapse completion bash)"'),
    help="Print the completion script of a shell. Save it where the shell looks, or evaluate it in the shell's "
    "start-up file:\n\n\b\n" + "\n".join(f"  {shell:<5} {home}" for shell, home in HOME_OF_SCRIPT.items()),
)
@click.argument("shell", type=click.Choice(list(HOME_OF_SCRIPT)))
def completion(shell: str) -> None:
    """Print click's script for the shell."""
    from click.shell_completion import get_completion_class  # noqa: PLC0415  # help needs none of these

    from synapse_sdk.cli.main import COMPLETION_VARIABLE, root  # noqa: PLC0415  # it imports this module

    kind = get_completion_class(shell)
    if kind is None:  # click knows all three
        msg = f"There is no completion for {shell}"
        raise click.UsageError(msg)
    click.echo(kind(root, {}, "synapse", COMPLETION_VARIABLE).source())
