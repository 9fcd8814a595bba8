"""Journals by their URL, and the one that is used when none is named."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from synapse_sdk.database_urls import file_of, scheme_of
from synapse_sdk.errors import ConfigurationError
from synapse_sdk.extensions import ExtensionPoint
from synapse_sdk.folders import data_folder

if TYPE_CHECKING:
    from synapse_sdk.journal.base import Journal

__all__ = ["JOURNALS", "default_journal", "open_journal", "sqlite_path"]

type Opener = Callable[..., "Journal"]
"""Takes a URL and `read_only`."""

JOURNALS = ExtensionPoint[Opener](
    "journal",
    "synapse.journals",
    {
        "memory": "synapse_sdk.journal.open:_open_memory",
        "sqlite": "synapse_sdk.journal.open:_open_sqlite",
        "postgresql": "synapse_sdk.journal.open:_open_postgres",
        "postgres": "synapse_sdk.journal.open:_open_postgres",
    },
)
"""What opens a journal, by the scheme of its URL."""

LEVELS = ("power", "group", "kill")


def open_journal(url: str | os.PathLike[str], *, read_only: bool = False) -> "Journal":
    """Open a journal.

    Args:
        url: A path, `sqlite:///FILE`, `postgresql://...` or `memory:`. A file may be followed by `?level=group` or
            `?level=kill` (see `SqliteJournal`).
        read_only: Only look, and make nothing.

    Raises:
        ConfigurationError: The URL cannot be understood.
        JournalError: The journal cannot be used.
    """
    text = os.fspath(url)
    scheme = scheme_of(text)
    return JOURNALS.load(scheme)(text, read_only=read_only) if scheme else _open_sqlite(text, read_only=read_only)


def sqlite_path(url: str) -> Path | None:
    """Return the file of an SQLite journal, whether it is there or not; None for a journal of another kind."""
    return file_of(url.partition("?")[0]) if scheme_of(url) in {"", "sqlite"} else None


def default_journal(directory: str | os.PathLike[str] | None = None, environ: Mapping[str, str] | None = None) -> Path:
    """Return the journal that is used when none is named: `journal.db` in the project's or the user's data folder."""
    return data_folder(directory, environ) / "journal.db"


def _open_memory(_url: str, *, read_only: bool) -> "Journal":  # noqa: ARG001  # a new one holds nothing to be kept
    from synapse_sdk.journal.memory import MemoryJournal  # noqa: PLC0415  # each store is loaded on use

    return MemoryJournal()


def _open_sqlite(url: str, *, read_only: bool) -> "Journal":
    from synapse_sdk.journal.sqlite import SqliteJournal  # noqa: PLC0415  # as above

    query = url.partition("?")[2]
    options = dict(parse_qsl(query, keep_blank_values=True))
    level = options.pop("level", "power")
    if options or level not in LEVELS:
        msg = f"The journal {url!r} has options that are not understood"
        raise ConfigurationError(msg, fix=f"The only one is ?level=, one of {', '.join(LEVELS)}")
    path = sqlite_path(url)
    if path is None:
        msg = f"The journal {url!r} names no file"
        raise ConfigurationError(msg, fix="Write sqlite:///path/to/journal.db, or just the path")
    return SqliteJournal(path, level=level, read_only=read_only)  # type: ignore[arg-type]  # it is one of them


def _open_postgres(url: str, *, read_only: bool) -> "Journal":
    from synapse_sdk.journal.postgres import PostgresJournal  # noqa: PLC0415  # as above

    return PostgresJournal(url, read_only=read_only)
