"""The migrations of the backend: each brings the tables from one version to the next, and none is ever changed."""

from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from synapse_sdk.backend.embedded.version import HEAD, VERSION_TABLE

__all__ = ["migrate"]


def migrate(connection: Connection) -> None:
    """Make the tables, or bring them up to date, in the transaction that the caller has begun."""
    script = ScriptDirectory(Path(__file__).parent)

    def steps(revision: Any, _context: object) -> Any:  # noqa: ANN401  # Alembic's own, without types
        return script._upgrade_revs(HEAD, revision)  # noqa: SLF001  # as Alembic's own `upgrade` command does

    with EnvironmentContext(Config(), script, fn=steps) as environment:
        environment.configure(connection=connection, version_table=VERSION_TABLE)
        environment.run_migrations()
