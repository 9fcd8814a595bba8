"""Backends by their URL, and the one that is used when none is named."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from synapse_sdk.database_urls import file_of, scheme_of
from synapse_sdk.errors import ConfigurationError
from synapse_sdk.extensions import ExtensionPoint
from synapse_sdk.folders import data_folder

if TYPE_CHECKING:
    from synapse_sdk.backend.ports import Backend

__all__ = ["BACKENDS", "chosen_backend", "default_backend", "open_backend", "sqlite_path"]

type Opener = Callable[[str], "Backend"]

BACKENDS = ExtensionPoint[Opener](
    "backend",
    "synapse.backends",
    {
        "memory": "synapse_sdk.backend.open:_open_memory",
        "sqlite": "synapse_sdk.backend.open:_open_sqlite",
        "postgresql": "synapse_sdk.backend.open:_open_postgres",
        "postgres": "synapse_sdk.backend.open:_open_postgres",
    },
)
"""What opens a backend, by the scheme of its URL."""


def open_backend(url: str | os.PathLike[str] | None = None) -> "Backend":
    """Open a backend, and make it if it is not there.

    Args:
        url: A path, `sqlite:///FILE`, `postgresql://...` or `memory:`; None stands for the setting `backend`, which
            by default is `backend.db` in the project's or the user's data folder.

    Raises:
        ConfigurationError: The URL cannot be understood.
        BackendError: The backend cannot be used.

    Example:
        >>> with open_backend("memory:") as backend:
        ...     birds = backend.collections.create("birds")
        ...     print(backend.collections.get("birds") == birds)
        True
    """
    text = _chosen() if url is None else os.fspath(url)
    scheme = scheme_of(text)
    return BACKENDS.load(scheme)(text) if scheme else _open_sqlite(text)


def default_backend(directory: str | os.PathLike[str] | None = None, environ: Mapping[str, str] | None = None) -> Path:
    """Return the backend that is used when none is named: `backend.db` in the project's or the user's data folder."""
    return data_folder(directory, environ) / "backend.db"


def chosen_backend() -> str | None:
    """Return the backend that `open_backend()` opens, so that a run can write it down and find it again from elsewhere.

    None if its URL has a password, which is written nowhere: then the settings have to name it again.
    """
    url = _chosen()
    path = sqlite_path(url)
    if path is not None:
        return str(path.expanduser().absolute())
    has_password = "@" in url and ":" in url.partition("://")[2].rpartition("@")[0]
    return None if has_password or "password=" in url else url


def sqlite_path(url: str) -> Path | None:
    """Return the file of an SQLite backend, whether it is there or not; None for a backend of another kind."""
    return file_of(url) if scheme_of(url) in {"", "sqlite"} else None


def _chosen() -> str:
    from synapse_sdk.settings import load_settings  # noqa: PLC0415  # a URL that is given needs no settings

    named = load_settings().backend
    return str(default_backend()) if named == "auto" else named


def _open_memory(_url: str) -> "Backend":
    from synapse_sdk.backend.embedded.backend import EmbeddedBackend  # noqa: PLC0415  # SQLAlchemy takes 0.2 s
    from synapse_sdk.backend.embedded.sqlite_file import SqliteMemory  # noqa: PLC0415

    return EmbeddedBackend(SqliteMemory())


def _open_sqlite(url: str) -> "Backend":
    from synapse_sdk.backend.embedded.backend import EmbeddedBackend  # noqa: PLC0415  # as above
    from synapse_sdk.backend.embedded.sqlite_file import SqliteFile  # noqa: PLC0415

    path = sqlite_path(url)
    if path is None or "?" in url:
        msg = f"The backend {url!r} " + ("names no file" if path is None else "has options, and there are none")
        raise ConfigurationError(msg, fix="Write sqlite:///path/to/backend.db, or just the path")
    return EmbeddedBackend(SqliteFile(path))


def _open_postgres(url: str) -> "Backend":
    from synapse_sdk.backend.embedded.backend import EmbeddedBackend  # noqa: PLC0415  # as above
    from synapse_sdk.backend.embedded.postgres_server import PostgresServer  # noqa: PLC0415

    return EmbeddedBackend(PostgresServer(url))
