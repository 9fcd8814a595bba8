"""What `synapse doctor` looks at about the backend: where it is, whether it can be used, and what is in it."""

import os
from collections.abc import Iterator
from pathlib import Path

from synapse_sdk.cli.finding import Finding, Health
from synapse_sdk.cli.session import Session

__all__ = ["check_backend"]

MOST = 1000
"""Records that are counted."""


def check_backend(session: Session) -> Iterator[Finding]:
    """Find out where collections are kept, and whether that can be used; one that is not there is not made."""
    from synapse_sdk.backend.open import default_backend, sqlite_path  # noqa: PLC0415  # only the doctor asks

    place = session.backend or str(default_backend())
    path = sqlite_path(place)
    if path is not None and not path.exists():
        yield _new(path)
    else:
        yield _present(place, path)


def _new(path: Path) -> Finding:
    folder = next(each for each in path.absolute().parents if each.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        fix = "Make the folder writable, or name another file (SYNAPSE_BACKEND)"
        return Finding("backend", Health.FAIL, f"{path} cannot be made in {folder}", fix)
    return Finding("backend", Health.OK, f"{path}, which the first collection will make")


def _present(place: str, path: Path | None) -> Finding:
    from synapse_sdk.backend import open_backend  # noqa: PLC0415  # as above
    from synapse_sdk.reporting.text import plural  # noqa: PLC0415

    with open_backend(place) as backend:
        shown = backend.url if path is None else str(path)
        found = len(backend.collections.list(limit=MOST))
        storages = len(backend.storages.list(limit=MOST))
    if path is not None and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        fix = "Make the file and its folder writable, or name another file (SYNAPSE_BACKEND)"
        return Finding("backend", Health.FAIL, f"{shown} cannot be written", fix)
    return Finding(
        "backend", Health.OK, f"{shown} with {plural(found, 'collection')} and {plural(storages, 'storage')}"
    )
