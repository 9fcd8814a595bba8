"""The tables of the backend, as the newest migration leaves them (a test compares the two)."""

from collections.abc import Iterable

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from synapse_sdk.backend.embedded.columns import Instant, Json, Word
from synapse_sdk.backend.records import (
    AssignmentState,
    Category,
    DataFileState,
    DataUnitState,
    FileType,
    JobStatus,
    ModelState,
    TaskState,
    WithdrawalOutcome,
)

__all__ = [
    "METADATA",
    "assignments",
    "collections",
    "data_file_claims",
    "data_files",
    "data_unit_files",
    "data_units",
    "file_specifications",
    "ground_truth_datasets",
    "ground_truth_versions",
    "ground_truths",
    "ingestions",
    "jobs",
    "models",
    "projects",
    "storages",
    "task_submissions",
    "tasks",
]

METADATA = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_index",
        "fk": "%(table_name)s_%(column_0_N_name)s_fk",
    }
)

ID = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts only what is called INTEGER."""


def _table(name: str, *parts: Column[object] | PrimaryKeyConstraint | UniqueConstraint | Index) -> Table:
    """Return a table of records that have an id, which is never given to another one."""
    return Table(name, METADATA, Column("id", ID, primary_key=True), *parts, sqlite_autoincrement=True)


def _reference(name: str, target: str, *, on_delete: str | None = None, is_optional: bool = False) -> Column[object]:
    return Column(name, ID, ForeignKey(f"{target}.id", ondelete=on_delete), nullable=is_optional)


def _pair(name: str, columns: Iterable[Column[object]], *parts: Index | PrimaryKeyConstraint) -> Table:
    """Return a table of what belongs together; its rows are found by their columns alone."""
    return Table(name, METADATA, *columns, *parts, sqlite_with_rowid=False)


storages = _table(
    "storages",
    Column("name", Text, nullable=False, unique=True),
    Column("url", Text, nullable=False, unique=True),
    Column("credentials", Json, nullable=False),
    Column("is_default", Boolean, nullable=False, server_default=false()),
    Column("created_at", Instant, nullable=False),
)

collections = _table(
    "collections",
    Column("uid", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False, unique=True),
    Column("description", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

file_specifications = _pair(
    "file_specifications",
    (
        _reference("collection_id", "collections", on_delete="CASCADE"),
        Column("position", Integer, nullable=False),
        Column("name", Text, nullable=False),
        Column("file_type", Word(FileType), nullable=False),
        Column("is_required", Boolean, nullable=False),
        Column("is_primary", Boolean, nullable=False),
        Column("extensions", Json, nullable=False),
    ),
    PrimaryKeyConstraint("collection_id", "position"),
)

ingestions = Table(
    "ingestions",
    METADATA,
    Column("run", Text, primary_key=True),
    Column("is_withdrawn", Boolean, nullable=False, server_default=false()),
    sqlite_with_rowid=False,
)

data_files = _table(
    "data_files",
    _reference("collection_id", "collections"),
    _reference("storage_id", "storages"),
    Column("key", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("state", Word(DataFileState), nullable=False),
    Column("owner", Text, nullable=True),
    UniqueConstraint("collection_id", "storage_id", "sha256"),
    Index(None, "storage_id"),
    Index(None, "owner"),
)

data_file_claims = _pair(
    "data_file_claims",
    (_reference("file_id", "data_files", on_delete="CASCADE"), Column("run", Text, nullable=False)),
    PrimaryKeyConstraint("run", "file_id"),
    Index(None, "file_id"),
)

data_units = _table(
    "data_units",
    _reference("collection_id", "collections"),
    Column("key", Text, nullable=False),
    Column("meta", Json, nullable=False),
    Column("state", Word(DataUnitState), nullable=False),
    Column("run", Text, nullable=True),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("collection_id", "key"),
    Index(None, "run"),
)

data_unit_files = _pair(
    "data_unit_files",
    (
        _reference("unit_id", "data_units", on_delete="CASCADE"),
        Column("specification", Text, nullable=False),
        _reference("file_id", "data_files"),
        Column("name", Text, nullable=False),
    ),
    PrimaryKeyConstraint("unit_id", "specification"),
    Index(None, "file_id"),
)

projects = _table(
    "projects",
    Column("name", Text, nullable=False, unique=True),
    _reference("collection_id", "collections"),
    Column("configuration", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Index(None, "collection_id"),
)

tasks = _table(
    "tasks",
    _reference("project_id", "projects"),
    _reference("unit_id", "data_units"),
    Column("data", Json, nullable=True),
    Column("state", Word(TaskState), nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("project_id", "unit_id"),
    Index(None, "unit_id"),
)

task_submissions = _pair(
    "task_submissions",
    (
        Column("run", Text, nullable=False),
        Column("task_id", ID, nullable=False),  # refers to none: what was submitted to a task that is gone is told
        Column("version", Integer, nullable=False),
        Column("state", Word(TaskState), nullable=False),
        Column("data", Json, nullable=True),
        Column("withdrawn", Word(WithdrawalOutcome), nullable=True),
    ),
    PrimaryKeyConstraint("run", "task_id"),
)

assignments = _table(
    "assignments",
    _reference("task_id", "tasks", on_delete="CASCADE"),
    Column("user", Text, nullable=False),
    Column("data", Json, nullable=True),
    Column("state", Word(AssignmentState), nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("task_id", "user"),
    Index(None, "user"),
)

ground_truth_datasets = _table(
    "ground_truth_datasets",
    Column("name", Text, nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
)

ground_truth_versions = _table(
    "ground_truth_versions",
    _reference("dataset_id", "ground_truth_datasets"),
    Column("number", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("dataset_id", "number"),
)

ground_truths = _table(
    "ground_truths",
    _reference("version_id", "ground_truth_versions", on_delete="CASCADE"),
    _reference("unit_id", "data_units"),
    _reference("task_id", "tasks", on_delete="SET NULL", is_optional=True),
    Column("category", Word(Category), nullable=False),
    Column("data", Json, nullable=False),
    Index(None, "version_id"),
    Index(None, "unit_id"),
    Index(None, "task_id"),
)

models = _table(
    "models",
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    _reference("storage_id", "storages"),
    Column("key", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("configuration", Json, nullable=False),
    Column("state", Word(ModelState), nullable=False),
    Column("run", Text, nullable=True),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("name", "version"),
    UniqueConstraint("storage_id", "key"),
    Index(None, "run"),
)

jobs = Table(
    "jobs",
    METADATA,
    Column("number", ID, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("action", Text, nullable=False),
    Column("status", Word(JobStatus), nullable=False),
    Column("params", Json, nullable=False),
    Column("result", Json, nullable=True),
    Column("progress", Json, nullable=False),
    Column("metrics", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant, nullable=True),
    Column("ended_at", Instant, nullable=True),
    sqlite_autoincrement=True,
)
