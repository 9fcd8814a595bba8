"""Statements that SQLAlchemy has put together, kept for all backends of this process.

SQLAlchemy keeps them with the engine, and every backend that is opened has an engine of its own: a process that opens
one for every action of a pipeline would put the same statements together again and again.
"""

from typing import Any

from sqlalchemy import Compiled, Dialect
from sqlalchemy.util import LRUCache

__all__ = ["COMPILED_FOR_SQLITE"]

MOST = 500
"""Statements that are kept, of which those go first that were used least recently; as many as an engine keeps."""


class _Compiled(LRUCache[Any, Compiled]):
    """What SQLAlchemy takes for the option `compiled_cache`, for engines whose dialects are all the same.

    A statement is looked up by what it says and by the dialect, of which every engine has another object. What is left
    out of the key is the dialect, wherever it stands.
    """

    def get(self, key: Any, default: Any = None) -> Any:  # noqa: ANN401  # as in SQLAlchemy
        return super().get(_without_dialect(key), default)

    def __setitem__(self, key: Any, value: Compiled) -> None:  # noqa: ANN401  # as in SQLAlchemy
        super().__setitem__(_without_dialect(key), value)


def _without_dialect(key: Any) -> Any:  # noqa: ANN401  # as above
    return tuple(part for part in key if not isinstance(part, Dialect))


COMPILED_FOR_SQLITE = _Compiled(MOST)
"""Those for SQLite: the library in this process is the same for all files."""
