"""What `synapse` is made of: commands whose help ends with examples, and groups that load them late."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["GLOBAL_OPTIONS", "LateCommand", "SynapseCommand", "SynapseGroup", "global_options", "note_option"]

GLOBAL_OPTIONS = ("debug", "color", "profile")
"""Options that every command takes, before or after its name; only the help of `synapse` itself lists them."""


def note_option(ctx: click.Context, param: click.Parameter, value: Any) -> None:  # noqa: ANN401  # flag or text
    """Hand an option on to the `Session` of this call, as a callback of click."""
    if param.name is not None:
        ctx.find_root().obj.note_option(param.name, value)


def global_options(*, hidden: bool) -> list[click.Parameter]:
    """Return the global options; what is given goes to the `Session` of this call."""
    color_help = "When to use colours.  [env: SYNAPSE_COLOR]"
    shared: dict[str, Any] = {"expose_value": False, "callback": note_option, "hidden": hidden, "default": None}
    return [
        click.Option(["--debug"], is_flag=True, help="Show tracebacks.  [env: SYNAPSE_DEBUG]", **shared),
        click.Option(["--color"], type=click.Choice(["auto", "always", "never"]), help=color_help, **shared),
        click.Option(["--profile"], metavar="NAME", help="Your profile to use.  [env: SYNAPSE_PROFILE]", **shared),
    ]


def _add_global_options(command: click.Command) -> None:
    """Add what every command takes, whether it is called below `synapse` or alone."""
    own = {param.name for param in command.params}
    command.params += [option for option in global_options(hidden=True) if option.name not in own]
    command.context_settings = {"help_option_names": ["-h", "--help"], **command.context_settings}


def _write_examples(formatter: click.HelpFormatter, examples: Sequence[str]) -> None:
    if examples:
        with formatter.section("Examples"):
            for example in examples:
                formatter.write(f"{'':>{formatter.current_indent}}{example}\n")


class SynapseCommand(click.Command):
    """A command whose help ends with examples that run as they stand.

    Args:
        examples: Command lines; a test runs them in order in a folder that has a plugin `greeter`, or makes it.
    """

    def __init__(self, *args: Any, examples: Sequence[str] = (), **attrs: Any) -> None:  # noqa: ANN401  # click's own
        super().__init__(*args, **attrs)
        self.examples = tuple(examples)
        _add_global_options(self)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        _write_examples(formatter, self.examples)


@dataclass(frozen=True, slots=True)
class LateCommand:
    """A command that is known by name and imported when it is given."""

    target: str
    """`module:attribute`."""
    help: str
    """Its line in the list of commands."""
    aliases: tuple[str, ...] = ()
    """Other names it answers to."""

    def load(self) -> click.Command:
        """Import the command."""
        module, _, attribute = self.target.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command


class SynapseGroup(click.Group):
    """A group of commands that are imported on use, with help texts that need no import.

    Args:
        sections: Heading to the commands under it, by name, in the order of the help.
        examples: Command lines, as for `SynapseCommand`.
    """

    def __init__(
        self,
        *args: Any,  # noqa: ANN401  # click's own
        sections: Mapping[str, Mapping[str, LateCommand]],
        examples: Sequence[str] = (),
        **attrs: Any,  # noqa: ANN401  # click's own
    ) -> None:
        super().__init__(*args, **{"invoke_without_command": True, "callback": _show_help, **attrs})
        self.examples = tuple(examples)
        self.sections = sections
        self.late = {name: command for section in sections.values() for name, command in section.items()}
        self._names = {alias: name for name, command in self.late.items() for alias in (name, *command.aliases)}
        _add_global_options(self)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, without their aliases."""
        return list(self.late)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command, which may be given by an alias; None if there is no such command."""
        name = self._names.get(cmd_name)
        return None if name is None else self.late[name].load()

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first argument names; a mistyped one is answered with the nearest."""
        given, *rest = args
        command = self.get_command(ctx, given)
        if command is None and not ctx.resilient_parsing:
            from difflib import get_close_matches  # noqa: PLC0415  # only on the way to an error

            near = get_close_matches(given, self._names, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(self.late)}."
            ctx.fail(f"No such command {given!r}. {hint}")
        return self._names.get(given), command, rest

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands under their headings, without importing any."""
        width = max(len(name) for name in self.late)
        for heading, commands in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl([(f"{name:<{width}}", command.help) for name, command in commands.items()])

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write commands first, then options."""
        self.format_commands(ctx, formatter)
        click.Command.format_options(self, ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        _write_examples(formatter, self.examples)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Complete the name of a command, without importing any, or an option."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415  # only shells ask

        names = [(name, command.help) for name, command in self.late.items() if name.startswith(incomplete)]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(CompletionItem(name, help=text) for name, text in names), *options]


@click.pass_context
def _show_help(ctx: click.Context) -> None:
    """Show the help of a group that was given without a command."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
