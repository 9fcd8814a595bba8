"""Statements are put together once in a process, however many backends are opened in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import CacheStats

from synapse_sdk.backend import TaskFilter, open_backend

type Seen = list[tuple[str, CacheStats]]


@pytest.fixture
def seen() -> Iterator[Seen]:
    """The statements that are run, and whether they had been put together before."""
    found: Seen = []

    def listen(*args: Any) -> None:  # noqa: ANN401  # as SQLAlchemy calls it
        statement, context = args[2], args[4]
        if context.compiled is not None and not context.isddl:
            found.append((statement, context.cache_hit))

    event.listen(Engine, "before_cursor_execute", listen)
    yield found
    event.remove(Engine, "before_cursor_execute", listen)


def work(url: str | Path, name: str) -> list[str]:
    """Write into a backend, and return what is read from it."""
    with open_backend(url) as backend:
        collection = backend.collections.create(name)
        project = backend.projects.create(f"work on {name}", collection.id)
        assert not list(backend.tasks.list(TaskFilter(project=project.id)))
        return [backend.collections.get(name).name, backend.projects.get(f"work on {name}").name]


def test_another_backend_finds_the_statements_of_the_first(tmp_path: Path, seen: Seen) -> None:
    """Of which each has its own records, in a file as well as in memory."""
    work(tmp_path / "first.db", "birds")
    seen.clear()

    assert work(tmp_path / "second.db", "cats") == ["cats", "work on cats"]
    assert work("memory:", "dogs") == ["dogs", "work on dogs"]

    assert len(seen) > 10
    assert [statement for statement, hit in seen if hit is not CacheStats.CACHE_HIT] == []
