"""The ledger of tasks that get annotations: what was read for each, and what became of it."""

import json
from collections.abc import Iterable, Iterator, Sequence
from os.path import splitext

from synapse_sdk.plugins.actions.add_task_data.records import (
    Entry,
    Settlement,
    Stray,
    StrayKind,
    TaskName,
    TaskStage,
)
from synapse_sdk.plugins.actions.export.records import Failure
from synapse_sdk.plugins.actions.ledger_file import LedgerFile

__all__ = ["TaskLedger"]

SCHEMA = """
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY, unit INTEGER NOT NULL, version INTEGER NOT NULL,
    path TEXT NOT NULL, stem TEXT NOT NULL, base TEXT NOT NULL,
    stage TEXT NOT NULL, source TEXT NOT NULL DEFAULT '', content BLOB,
    reason TEXT NOT NULL DEFAULT '', words TEXT NOT NULL DEFAULT '', trace TEXT NOT NULL DEFAULT ''
);
CREATE INDEX tasks_by_stage ON tasks (stage, id);
CREATE INDEX tasks_by_stem ON tasks (stem);
CREATE INDEX tasks_by_base ON tasks (base);
CREATE TABLE strays (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, words TEXT NOT NULL)
"""
LISTED = "INSERT INTO tasks (id, unit, version, path, stem, base, stage) VALUES (?, ?, ?, ?, ?, ?, ?)"
LOADED = "UPDATE tasks SET stage = ?, source = ?, content = ? WHERE id = ?"
SETTLED = "UPDATE tasks SET stage = ?, content = ?, reason = ?, words = ?, trace = ? WHERE id = ?"
COLUMNS = "id, unit, version, path, stage, source, content, reason, words, trace"


class TaskLedger(LedgerFile):
    """Keeps account of the tasks of a run; used by one thread."""

    what = "the annotations"
    schema = SCHEMA

    def clear(self) -> None:
        """Forget everything."""
        with self.writing() as connection:
            connection.execute("DELETE FROM tasks")
            connection.execute("DELETE FROM strays")

    def add(self, tasks: Iterable[TaskName]) -> None:
        """Write down that tasks are wanted."""
        with self.writing() as connection:
            connection.executemany(LISTED, map(_row, tasks))

    def named(self, stems: Sequence[str], bases: Sequence[str]) -> list[Entry]:
        """Return the tasks whose primary file is called by one of these stems; if there is none, in any folder.

        Args:
            stems: Names without suffix, folders included.
            bases: Names without suffix and folders.
        """
        for column, names in (("stem", stems), ("base", bases)):
            statement = f"SELECT {COLUMNS} FROM tasks WHERE {column} IN (SELECT value FROM json_each(?))"  # noqa: S608
            with self.explained():
                rows = self.connection.execute(f"{statement} LIMIT 100", (json.dumps([*names]),)).fetchall()
            if rows:
                return [_entry(*row) for row in rows]
        return []

    def load(self, task_id: int, source: str, content: bytes | None) -> None:
        """Write down what was read for a task."""
        with self.writing() as connection:
            connection.execute(LOADED, (TaskStage.LOADED, source, content, task_id))

    def settle(self, settlements: Iterable[Settlement]) -> None:
        """Note what became of tasks; all or none."""
        with self.writing() as connection:
            connection.executemany(SETTLED, map(_values, settlements))

    def skip_listed(self, failure: Failure) -> None:
        """Note that there is nothing for the tasks that are no further than listed."""
        with self.writing() as connection:
            connection.execute(
                "UPDATE tasks SET stage = ?, reason = ?, words = ? WHERE stage = ?",
                (TaskStage.SKIPPED, failure.reason, failure.words, TaskStage.LISTED),
            )

    def count(self, *stages: TaskStage) -> int:
        """Return how many tasks there are, at these stages, or at any if none is given."""
        statement = "SELECT count(*) FROM tasks WHERE stage IN (SELECT value FROM json_each(?))"
        row = self.one(statement, _listed(stages))
        return 0 if row is None else int(row[0])

    def entries(self, *stages: TaskStage) -> Iterator[Entry]:
        """Yield tasks in order of their ids; at these stages, or at any if none is given.

        They may be settled meanwhile.
        """
        statement = (
            f"SELECT {COLUMNS} FROM tasks"  # noqa: S608  # names of columns
            " WHERE stage IN (SELECT value FROM json_each(?)) AND id > ? ORDER BY id LIMIT ?"
        )
        return (_entry(*row) for row in self.pages(statement, _listed(stages)))

    def stray(self, strays: Iterable[Stray]) -> None:
        """Note annotations that no task has."""
        with self.writing() as connection:
            rows = [(each.kind, each.name, each.words) for each in strays]
            connection.executemany("INSERT INTO strays (kind, name, words) VALUES (?, ?, ?)", rows)

    def strays(self, *kinds: StrayKind) -> Iterator[Stray]:
        """Yield them in their order; of these kinds, or of any if none is given."""
        statement = (
            "SELECT number, kind, name, words FROM strays"
            " WHERE kind IN (SELECT value FROM json_each(?)) AND number > ? ORDER BY number LIMIT ?"
        )
        wanted = json.dumps([str(kind) for kind in kinds or StrayKind])
        return (Stray(StrayKind(kind), name, words) for _, kind, name, words in self.pages(statement, wanted))

    def count_strays(self, kind: StrayKind) -> int:
        """Return how many there are of a kind."""
        row = self.one("SELECT count(*) FROM strays WHERE kind = ?", kind)
        return 0 if row is None else int(row[0])


def _row(task: TaskName) -> tuple[object, ...]:
    stem = splitext(task.path)[0]  # noqa: PTH122  # a name with slashes, not a path of the system
    return task.id, task.unit, task.version, task.path, stem, stem.rpartition("/")[2], TaskStage.LISTED


def _values(each: Settlement) -> tuple[object, ...]:
    failure = each.failure
    return each.stage, each.content, failure.reason, failure.words, failure.trace, each.id


def _entry(  # noqa: PLR0917  # the columns
    task_id: int,
    unit: int,
    version: int,
    path: str,
    stage: str,
    source: str,
    content: bytes | None,
    reason: str,
    words: str,
    trace: str,
) -> Entry:
    failure = Failure(reason=reason, words=words, trace=trace)
    return Entry(
        id=task_id,
        unit=unit,
        version=version,
        path=path,
        stage=TaskStage(stage),
        source=source,
        content=content,
        failure=failure,
    )


def _listed(stages: tuple[TaskStage, ...]) -> str:
    return json.dumps([str(stage) for stage in stages or TaskStage])
