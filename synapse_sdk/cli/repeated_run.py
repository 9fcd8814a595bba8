"""Runs that a command starts, and that the same command goes on with when they were interrupted."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from synapse_sdk.cli.rendering import write
from synapse_sdk.cli.run_execution import execute
from synapse_sdk.cli.run_request import PreparedRequest
from synapse_sdk.cli.run_tasks import Additions, ResumeRun, RollBackRun, StartRun
from synapse_sdk.cli.session import Session
from synapse_sdk.errors import InvalidParamsError, LeaseHeldError
from synapse_sdk.journal.open import sqlite_path
from synapse_sdk.plugins import find_runs
from synapse_sdk.plugins.encoding import ValueCodec
from synapse_sdk.reporting.events import RunStatus

if TYPE_CHECKING:
    from synapse_sdk.plugins import RunReport
    from synapse_sdk.plugins.action import BaseAction

__all__ = ["PLUGIN", "RepeatedRun", "checked_params", "used_backend"]

PLUGIN = "synapse_sdk.plugins.actions"
BACKEND_VARIABLE = "SYNAPSE_BACKEND"
UNENDED = (RunStatus.PENDING, RunStatus.RUNNING, RunStatus.ROLLING_BACK, RunStatus.ROLLBACK_INCOMPLETE)


@contextmanager
def used_backend(session: Session) -> Iterator[None]:
    """Let the run, wherever it happens, use the backend that was named, until the end of the block."""
    before = os.environ.get(BACKEND_VARIABLE)
    if session.backend is not None:
        os.environ[BACKEND_VARIABLE] = session.backend
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(BACKEND_VARIABLE, None)
        else:
            os.environ[BACKEND_VARIABLE] = before


def checked_params(action: "type[BaseAction[Any]]", params: Mapping[str, Any]) -> Any:  # noqa: ANN401  # of the action
    """Return the parameters as the action's model wants them.

    Raises:
        InvalidParamsError: They do not fit; all that is wrong is named, and where it is said how they are written.
    """
    try:
        return action.validate_params(params)
    except InvalidParamsError as error:
        fix = f"See how it is written: synapse {action.action_name} --help"
        raise InvalidParamsError(error.message, problems=error.problems, fix=fix) from error


@dataclass(frozen=True, kw_only=True)
class RepeatedRun:
    """A run of an action, by default a built-in one, as a command describes it."""

    plugin: str = PLUGIN
    """The plugin, as it is recorded."""
    action: str
    params: Mapping[str, Any]
    tuning: Mapping[str, Any] = field(default_factory=dict)
    """Parameters that may differ from those of the run that is gone on with, and what they are when not given."""
    doing: str
    """What two of them would do at once, such as `is exporting to the same place`."""

    def start(self, session: Session, check: Callable[[], None]) -> int:
        """Run it, or go on with the same run, and return the exit code.

        Args:
            session: The command's.
            check: Raises if a new run could only fail.

        Raises:
            LeaseHeldError: The same run is under way.
        """
        earlier = self.earlier(session)
        start = StartRun(PreparedRequest(plugin=self.plugin, action=self.action, params=dict(self.params)))
        if earlier is None:
            check()
            return execute(start, session)
        if earlier.is_alive:
            msg = f"Run {earlier.id} {self.doing}"
            raise LeaseHeldError(msg, fix=f"Watch it: {session.command('runs', 'watch', earlier.id)}")
        if earlier.record.cancellation is None and earlier.record.status in {RunStatus.PENDING, RunStatus.RUNNING}:
            write(sys.stderr, f"Going on with run {earlier.id}, which was interrupted.")
            changed = {name: self.params.get(name, usual) for name, usual in self.tuning.items()}
            changed = {name: value for name, value in changed.items() if value is not None}
            return execute(ResumeRun(earlier.record, Additions(params=changed)), session)
        write(sys.stderr, f"First, what run {earlier.id} has left behind is undone.")
        code = execute(RollBackRun(earlier.record, Additions()), session, is_last=False)
        return code or execute(start, session)

    def earlier(self, session: Session) -> "RunReport | None":
        """Return a run without an end that does the same; None if there is none, or runs are not recorded."""
        if session.journal is None or ((file := sqlite_path(session.journal)) is not None and not file.exists()):
            return None
        wanted = (self.plugin, self.action, os.getcwd())  # noqa: PTH109  # it is recorded as text
        for report in find_runs(statuses=UNENDED, journal=session.journal):
            source = report.record.source
            if (source.plugin, source.action, source.directory) == wanted and self._is_same(source.params):
                return report
        return None

    def _is_same(self, recorded: str) -> bool:
        return self._without_tuning(ValueCodec().decode(recorded)) == self._without_tuning(self.params)

    def _without_tuning(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in params.items() if name not in self.tuning}
