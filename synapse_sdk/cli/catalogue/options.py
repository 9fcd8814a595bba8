"""What the commands about a backend have in common: where it is, how it is listed, and who is asked."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import click

from synapse_sdk.cli.commands import note_option
from synapse_sdk.cli.session import Session

if TYPE_CHECKING:
    from synapse_sdk.backend import Backend
    from synapse_sdk.backend.paging import Numbered

__all__ = [
    "BACKEND",
    "JSON",
    "LISTING",
    "YES",
    "confirm_removal",
    "everything",
    "list_records",
    "opened",
    "remove_record",
    "show_list",
]

BACKEND = click.option(
    "--backend",
    metavar="URL",
    expose_value=False,
    callback=note_option,
    help="Where collections are kept, a file or a URL.  [env: SYNAPSE_BACKEND]",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
YES = click.option("-y", "--yes", is_flag=True, help="Do not ask.")
USUAL_LIMIT = 50


class Named(Protocol):
    """A record with a name."""

    @property
    def id(self) -> int:
        """Its id."""
        ...

    @property
    def name(self) -> str:
        """Its name."""
        ...


def LISTING(command: Callable[..., Any]) -> Callable[..., Any]:  # noqa: N802  # used like the decorators above
    """Add how much of a list is shown."""
    for option in (
        click.option("-q", "--quiet", is_flag=True, help="Print names only, or ids."),
        click.option("--all", "shows_all", is_flag=True, help="Show all, however many."),
        click.option(
            "--limit", type=click.IntRange(min=1), default=USUAL_LIMIT, show_default=True, help="Show so many at most."
        ),
    ):
        command = option(command)
    return command


@contextmanager
def opened(session: Session, *, as_json: bool = False) -> Iterator["Backend"]:
    """Open the backend that this call is about, for as long as a block takes."""
    from synapse_sdk.backend import open_backend  # noqa: PLC0415  # help needs none of it

    session.wants_json = as_json
    with open_backend(session.backend) as backend:
        yield backend


def everything[T: "Numbered"](read: Callable[[int, int], Sequence[T]], most: int | None, *, after: int = 0) -> list[T]:
    """Return the records that are shown, and one more, which says that there are more.

    Args:
        read: Takes the id behind which to begin, and how many to read.
        most: How many are shown; None for all.
        after: Id behind which to begin.
    """
    from synapse_sdk.backend.paging import every  # noqa: PLC0415  # help needs none of it

    return list(every(read, after=after, limit=None if most is None else most + 1))


def list_records[T: "Numbered"](  # what is listed, and how
    session: Session,
    kind: str,
    read: "Callable[[Backend], Callable[..., Sequence[T]]]",
    facts: "Callable[[T, Backend], dict[str, Any]]",
    *,
    limit: int,
    shows_all: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Print the records of a family.

    Args:
        session: This call.
        kind: What the records are, such as `collections`.
        read: Returns what lists them by `after` and `limit`.
        facts: Tells what a record has, in the order of the columns; must have a `name`.
        limit: How many are shown.
        shows_all: Whether all are shown instead.
        as_json: Whether a program reads it.
        quiet: Whether names are enough.
    """
    most = None if shows_all else limit
    with opened(session, as_json=as_json) as backend:
        lister = read(backend)
        found = everything(lambda after, size: lister(after=after, limit=size), most)
        show_list(found, most, lambda each: facts(each, backend), kind, as_json=as_json, quiet=quiet)


def remove_record[T: "Named"](
    session: Session,
    kind: str,
    name: str,
    calls: "Callable[[Backend], tuple[Callable[[str], T], Callable[[Any], None]]]",
    *,
    yes: bool,
    said: str = "Removed the {kind} {name!r}.",
) -> None:
    """Remove the record of a name, once the user has agreed.

    Args:
        session: This call.
        kind: What the record is, such as `collection`.
        name: Its name, or its id.
        calls: Returns what finds it by the name, and what removes it by its id.
        yes: Whether the user has agreed already.
        said: What is said when it is done.
    """
    with opened(session) as backend:
        get, remove = calls(backend)
        record = get(name)
        confirm_removal(kind, record.name, yes=yes)
        remove(record.id)
    click.echo(said.format(kind=kind, name=record.name), err=True)


def show_list[T](  # names of what the list is made of
    records: Sequence[T],
    limit: int | None,
    facts: Callable[[T], dict[str, Any]],
    kind: str,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """Print a list of records, of which there may be one more than is to be shown.

    Args:
        records: The records.
        limit: How many are shown; None for all.
        facts: Tells what a record has, in the order of the columns; must have a `name` or an `id`.
        kind: What the records are, such as `collections`.
        as_json: Whether a program reads it.
        quiet: Whether names are enough.
    """
    from synapse_sdk.cli.rendering import clean, echo_json, table, terminal_width, write  # noqa: PLC0415

    more = limit is not None and len(records) > limit
    rows = [facts(record) for record in records[:limit]]
    if as_json:
        echo_json({kind: rows, "more": more})
    elif quiet:
        for row in rows:
            write(sys.stdout, clean(str(row.get("name", row["id"]))))
    elif not rows:
        write(sys.stderr, f"There are no {kind} yet.")
    else:
        lines = [[_cell(value) for value in row.values()] for row in rows]
        write(sys.stdout, table(tuple(rows[0]), lines, width=terminal_width(sys.stdout)))
    if more and not as_json:
        write(sys.stderr, f"There are more than {limit}: --all, or --limit N.")


def confirm_removal(kind: str, name: str, *, yes: bool, question: str | None = None) -> None:
    """Have the user type the name of what is to be removed.

    Args:
        kind: What it is, such as `collection`.
        name: Its name.
        yes: Whether the user has agreed already.
        question: What is asked if there is more to say than that; it shows the name, too.

    Raises:
        UsageError: There is nobody to ask.
        Abort: Another name was typed.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        msg = f"{question or f'Remove the {kind} {name!r}?'} Without a terminal nobody can be asked: add --yes"
        raise click.UsageError(msg)
    hint = f"Type the name of the {kind} to remove it" if question is None else f"{question} Type {name} to do so"
    if click.prompt(hint, err=True) != name:
        raise click.Abort


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    return f"{value:,}" if isinstance(value, int) else str(value)
