"""The catalogue: storages, collections, their files and units, what runs bring in, and projects."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _collections()
    _ingestions()
    _storages()
    _data_files()
    _data_units()
    _file_specifications()
    _projects()
    _data_file_claims()
    _data_unit_files()


def _collections() -> None:
    op.create_table(
        "collections",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="collections_pk"),
        sa.UniqueConstraint("name", name="collections_name_key"),
        sa.UniqueConstraint("uid", name="collections_uid_key"),
        sqlite_autoincrement=True,
    )


def _ingestions() -> None:
    op.create_table(
        "ingestions",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("is_withdrawn", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("run", name="ingestions_pk"),
        sqlite_with_rowid=False,
    )


def _storages() -> None:
    op.create_table(
        "storages",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("credentials", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="storages_pk"),
        sa.UniqueConstraint("name", name="storages_name_key"),
        sa.UniqueConstraint("url", name="storages_url_key"),
        sqlite_autoincrement=True,
    )


def _data_files() -> None:
    op.create_table(
        "data_files",
        sa.Column("id", ID, nullable=False),
        sa.Column("collection_id", ID, nullable=False),
        sa.Column("storage_id", ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["collection_id"], ["collections.id"], name="data_files_collection_id_fk"),
        sa.ForeignKeyConstraint(["storage_id"], ["storages.id"], name="data_files_storage_id_fk"),
        sa.PrimaryKeyConstraint("id", name="data_files_pk"),
        sa.UniqueConstraint(
            "collection_id", "storage_id", "sha256", name="data_files_collection_id_storage_id_sha256_key"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("data_files_owner_index", "data_files", ["owner"])
    op.create_index("data_files_storage_id_index", "data_files", ["storage_id"])


def _data_units() -> None:
    op.create_table(
        "data_units",
        sa.Column("id", ID, nullable=False),
        sa.Column("collection_id", ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("meta", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("run", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["collection_id"], ["collections.id"], name="data_units_collection_id_fk"),
        sa.PrimaryKeyConstraint("id", name="data_units_pk"),
        sa.UniqueConstraint("collection_id", "key", name="data_units_collection_id_key_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("data_units_run_index", "data_units", ["run"])


def _file_specifications() -> None:
    op.create_table(
        "file_specifications",
        sa.Column("collection_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("file_type", sa.Text(), nullable=False),
        sa.Column("is_required", sa.Boolean(), nullable=False),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("extensions", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name="file_specifications_collection_id_fk", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("collection_id", "position", name="file_specifications_pk"),
        sqlite_with_rowid=False,
    )


def _projects() -> None:
    op.create_table(
        "projects",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("collection_id", ID, nullable=False),
        sa.Column("configuration", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["collection_id"], ["collections.id"], name="projects_collection_id_fk"),
        sa.PrimaryKeyConstraint("id", name="projects_pk"),
        sa.UniqueConstraint("name", name="projects_name_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("projects_collection_id_index", "projects", ["collection_id"])


def _data_file_claims() -> None:
    op.create_table(
        "data_file_claims",
        sa.Column("file_id", ID, nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["data_files.id"], name="data_file_claims_file_id_fk", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "file_id", name="data_file_claims_pk"),
        sqlite_with_rowid=False,
    )
    op.create_index("data_file_claims_file_id_index", "data_file_claims", ["file_id"])


def _data_unit_files() -> None:
    op.create_table(
        "data_unit_files",
        sa.Column("unit_id", ID, nullable=False),
        sa.Column("specification", sa.Text(), nullable=False),
        sa.Column("file_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["data_files.id"], name="data_unit_files_file_id_fk"),
        sa.ForeignKeyConstraint(["unit_id"], ["data_units.id"], name="data_unit_files_unit_id_fk", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("unit_id", "specification", name="data_unit_files_pk"),
        sqlite_with_rowid=False,
    )
    op.create_index("data_unit_files_file_id_index", "data_unit_files", ["file_id"])
    # ### end Alembic commands ###
