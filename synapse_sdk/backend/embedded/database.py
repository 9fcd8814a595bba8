"""One database and its transactions, whichever technology it is of."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.pool import StaticPool

from synapse_sdk.backend.embedded.version import bring_up_to_date, is_up_to_date
from synapse_sdk.errors import BackendError, ConfigurationError, ConflictError, SynapseError

__all__ = ["Database", "Place"]


class Place(Protocol):
    """Where a database is: what differs between a file and a server."""

    url: str
    """Without anything secret."""
    name: str
    """What errors call it."""

    def engine(self) -> Engine:
        """Return an engine that opens connections on use."""
        ...

    def prepare(self, connection: Connection) -> None:
        """Wait for other processes that make or migrate the tables, then make a place for them; in a transaction."""
        ...

    def check(self, connection: Connection) -> None:
        """Refuse, before anything is changed, a database that is not ours to use."""
        ...

    def explained(self, error: Exception) -> BackendError:
        """Return the error of ours that says what one of the driver means."""
        ...


class Database:
    """Transactions on one database; may be used from several threads at a time.

    Args:
        place: Where it is.

    Raises:
        BackendError: It cannot be used; the message says why and what to do.
        BackendUnavailableError: It cannot be reached, or another process has kept it locked for too long.
        BackendVersionError: A newer version of this package has made it.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self.url, self.name = place.url, place.name
        with self._explained():
            self._engine = place.engine()
            self._writing = self._engine.execution_options(is_writing=True)
        # A database in memory is one connection: transactions take turns.
        self._is_single = isinstance(self._engine.pool, StaticPool)
        self._single: Connection | None = None
        self._turn: AbstractContextManager[object] = threading.RLock() if self._is_single else nullcontext()
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection on which everything is seen as it was at one moment, as far as the database can.

        It may be used by somebody who is about to write, to read what is to be written.
        """
        with self._explained(), self._turn:
            if self._single is not None:  # in memory, and this thread has the turn: to write
                yield self._single
                return
            with self._engine.begin() as connection:
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection whose changes are durable when the block ends, or undone if it raises."""
        with self._explained(), self._turn, self._writing.begin() as connection:
            self._single = connection if self._is_single else None
            try:
                yield connection
            finally:
                self._single = None

    def close(self) -> None:
        """Close all connections that are not in use; safe to call twice."""
        self._engine.dispose()

    def _open(self) -> None:
        with self._explained(), self._turn, self._engine.connect() as connection:
            self._place.check(connection)
            if is_up_to_date(connection, self.name):
                return
        with self.write() as connection:
            self._place.prepare(connection)
            self._place.check(connection)
            bring_up_to_date(connection, self.name)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError as error:
            msg = "The same records were changed by somebody else at this moment; nothing was done"
            raise ConflictError(msg, why=str(error.orig), fix="Try again") from error
        except SQLAlchemyError as error:
            cause = error.orig if isinstance(error, StatementError) else None
            if isinstance(cause, SynapseError):
                raise cause from error
            raise self._place.explained(cause if isinstance(cause, Exception) else error) from error
        except (UnicodeError, OverflowError) as error:
            msg = f"A value cannot be kept in the backend {self.name}"
            raise ConfigurationError(
                msg, why=str(error), fix="Use text in UTF-8 and whole numbers of 64 bits"
            ) from error
