"""Work and what comes of it: tasks, assignments, ground truths, models, jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _ground_truth_datasets()
    _jobs()
    _ground_truth_versions()
    _models()
    _tasks()
    _assignments()
    _ground_truths()


def _ground_truth_datasets() -> None:
    op.create_table(
        "ground_truth_datasets",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="ground_truth_datasets_pk"),
        sa.UniqueConstraint("name", name="ground_truth_datasets_name_key"),
        sqlite_autoincrement=True,
    )


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("number", ID, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("params", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("progress", sa.Text(), nullable=False),
        sa.Column("metrics", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number", name="jobs_pk"),
        sa.UniqueConstraint("id", name="jobs_id_key"),
        sqlite_autoincrement=True,
    )


def _ground_truth_versions() -> None:
    op.create_table(
        "ground_truth_versions",
        sa.Column("id", ID, nullable=False),
        sa.Column("dataset_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["ground_truth_datasets.id"], name="ground_truth_versions_dataset_id_fk"
        ),
        sa.PrimaryKeyConstraint("id", name="ground_truth_versions_pk"),
        sa.UniqueConstraint("dataset_id", "number", name="ground_truth_versions_dataset_id_number_key"),
        sqlite_autoincrement=True,
    )


def _models() -> None:
    op.create_table(
        "models",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("storage_id", ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("configuration", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("run", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["storage_id"], ["storages.id"], name="models_storage_id_fk"),
        sa.PrimaryKeyConstraint("id", name="models_pk"),
        sa.UniqueConstraint("name", "version", name="models_name_version_key"),
        sa.UniqueConstraint("storage_id", "key", name="models_storage_id_key_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("models_run_index", "models", ["run"])


def _tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", ID, nullable=False),
        sa.Column("project_id", ID, nullable=False),
        sa.Column("unit_id", ID, nullable=False),
        sa.Column("data", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="tasks_project_id_fk"),
        sa.ForeignKeyConstraint(["unit_id"], ["data_units.id"], name="tasks_unit_id_fk"),
        sa.PrimaryKeyConstraint("id", name="tasks_pk"),
        sa.UniqueConstraint("project_id", "unit_id", name="tasks_project_id_unit_id_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("tasks_unit_id_index", "tasks", ["unit_id"])


def _assignments() -> None:
    op.create_table(
        "assignments",
        sa.Column("id", ID, nullable=False),
        sa.Column("task_id", ID, nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name="assignments_task_id_fk", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="assignments_pk"),
        sa.UniqueConstraint("task_id", "user", name="assignments_task_id_user_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("assignments_user_index", "assignments", ["user"])


def _ground_truths() -> None:
    op.create_table(
        "ground_truths",
        sa.Column("id", ID, nullable=False),
        sa.Column("version_id", ID, nullable=False),
        sa.Column("unit_id", ID, nullable=False),
        sa.Column("task_id", ID, nullable=True),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name="ground_truths_task_id_fk", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["unit_id"], ["data_units.id"], name="ground_truths_unit_id_fk"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["ground_truth_versions.id"], name="ground_truths_version_id_fk", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="ground_truths_pk"),
        sqlite_autoincrement=True,
    )
    op.create_index("ground_truths_task_id_index", "ground_truths", ["task_id"])
    op.create_index("ground_truths_unit_id_index", "ground_truths", ["unit_id"])
    op.create_index("ground_truths_version_id_index", "ground_truths", ["version_id"])
    # ### end Alembic commands ###
