"""`synapse explain`: what an error code stands for, from the error's own docstring."""

import inspect
import sys
from collections.abc import Iterator

import click

from synapse_sdk.cli.commands import SynapseCommand
from synapse_sdk.cli.errors import EXIT_CODES, CommandLineError, ExitCode
from synapse_sdk.cli.rendering import echo_json, hanging, table, terminal_width, write
from synapse_sdk.errors import SynapseError

__all__ = ["error_classes", "explain"]


@click.command("explain", cls=SynapseCommand, examples=("synapse explain", "synapse explain SYN-E1103"))
@click.argument("code", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def explain(*, code: str | None, as_json: bool) -> None:
    """Explain an error CODE; without one, list them all."""
    known = {error.code: error for error in error_classes()}
    if code is None:
        _list(known, as_json=as_json)
        return
    error = known.get(_full(code))
    if error is None:
        from difflib import get_close_matches  # noqa: PLC0415  # only on the way to an error

        near = get_close_matches(_full(code), known, 1)
        msg = f"There is no error code {code!r}"
        raise CommandLineError(msg, fix=f"Did you mean {near[0]!r}?" if near else "synapse explain lists them all")
    if as_json:
        echo_json(_as_json(error))
    else:
        paragraphs = [" ".join(paragraph.split()) for paragraph in _text(error).split("\n\n")]
        text = "\n\n".join(hanging(paragraph, terminal_width(sys.stdout), 0) for paragraph in paragraphs)
        write(sys.stdout, f"{error.code}  {error.__name__}  (exit code {_exit_code(error)})\n\n{text}")


def error_classes() -> Iterator[type[SynapseError]]:
    """Yield every error that has a code of its own, by code."""
    from synapse_sdk.plugins import environment  # noqa: F401, PLC0415  # has one, too

    found: dict[str, type[SynapseError]] = {}
    waiting: list[type[SynapseError]] = [SynapseError]
    while waiting:
        error = waiting.pop(0)
        waiting += error.__subclasses__()
        if error.__module__.startswith("synapse_sdk."):
            found.setdefault(error.code, error)
    yield from (found[code] for code in sorted(found))


def _full(code: str) -> str:
    """Return a code as it is written: `e1103` is short for `SYN-E1103`."""
    code = code.upper()
    return code if code.startswith("SYN-") else f"SYN-{code}"


def _list(known: dict[str, type[SynapseError]], *, as_json: bool) -> None:
    if as_json:
        echo_json({"errors": [_as_json(error) for error in known.values()]})
        return
    rows = [(error.code, str(int(_exit_code(error))), _text(error).partition("\n")[0]) for error in known.values()]
    write(sys.stdout, table(("code", "exit", "what it says"), rows, width=terminal_width(sys.stdout)))


def _as_json(error: type[SynapseError]) -> dict[str, object]:
    return {
        "code": error.code,
        "name": error.__name__,
        "exit_code": int(_exit_code(error)),
        "transient": error.transient,
        "text": _text(error),
    }


def _text(error: type[SynapseError]) -> str:
    return inspect.getdoc(error) or error.__name__


def _exit_code(error: type[SynapseError]) -> ExitCode:
    return next((code for kinds, code in EXIT_CODES if issubclass(error, kinds)), ExitCode.RUN_FAILED)
