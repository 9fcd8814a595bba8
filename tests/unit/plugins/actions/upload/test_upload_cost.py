"""What an upload of many small files costs, in things that can be counted."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from synapse_sdk.errors import StepFailedError
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.actions.upload import DefaultUploadAction
from synapse_sdk.plugins.actions.upload.ledger import ContextLedger
from tests.unit.plugins.actions.upload.world import World

FILES = 600
MOST_PARAMETERS = 12
"""Of a statement; lists and rows are one parameter each."""


@contextmanager
def statements() -> Iterator[list[int]]:
    """Yield how many parameters each statement has that is run meanwhile."""
    found: list[int] = []

    def note(_c: object, _cursor: object, _text: str, parameters: Any, _context: object, is_many: bool) -> None:  # noqa: ANN401, FBT001  # SQLAlchemy's own
        found.append(sum(map(len, parameters)) if is_many else len(parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.fixture
def small_files(world: World) -> World:
    """A world with many small files of different content."""
    for number in range(FILES):
        world.write(f"images/{number:03}.jpg", f"content {number}")
    return world


def test_the_backend_is_asked_about_many_files_at_a_time(small_files: World) -> None:
    """And what it is told of them is no parameter for each: that costs more than the database does."""
    with statements() as found:
        assert small_files.upload().uploaded == FILES

    assert max(found) <= MOST_PARAMETERS
    assert len(found) < FILES


def test_the_backend_is_asked_about_many_files_at_a_time_when_they_are_taken_back(small_files: World) -> None:
    """Units, claims and files go by lists as well."""
    params = small_files.params()

    with statements() as found, pytest.raises(StepFailedError):
        run_action(DefaultUploadAction, params, inject_failure="upload_files")

    assert small_files.objects() == set()
    assert max(found) <= MOST_PARAMETERS
    assert len(found) < FILES


def test_small_files_are_sent_many_at_a_time(small_files: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one thread sends them, it does not look at everything else after each of them."""
    rounds: list[int] = []

    class Counting(ContextLedger):
        def tick(self, under_way: int, hashed: int) -> None:
            rounds.append(hashed)
            super().tick(under_way, hashed)

    monkeypatch.setattr("synapse_sdk.plugins.actions.upload.steps.upload_files.ContextLedger", Counting)

    assert small_files.upload().uploaded == FILES

    assert len(rounds) < FILES / 5
