"""Actions that say in a report what became of everything, whether their run succeeds or is undone."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from synapse_sdk.backend import chosen_backend
from synapse_sdk.errors import LeaseLostError
from synapse_sdk.folders import data_folder
from synapse_sdk.plugins.action import BaseAction
from synapse_sdk.plugins.runner import new_job_id
from synapse_sdk.reporting.events import RunStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synapse_sdk.plugins.steps import RollbackError

__all__ = ["ReportedAction", "ReportedContext", "undone_status"]


class ReportedContext(Protocol):
    """What the steps of such an action share; a step context has the method `log` anyway."""

    started_at: str
    """When there began to be something to report; empty before."""
    report_folder: str
    errors: list[str]
    """What could not be undone."""

    def log(self, event: str, data: dict[str, Any], /) -> None:
        """Say that something happened."""
        ...

    def close(self) -> None:
        """Release what was opened."""
        ...


class ReportedAction[P, C: ReportedContext](BaseAction[P], ABC):
    """Writes a report when its run has failed or was rolled back; closes its context in any case."""

    _context: C | None = None

    def facts_of_run(self) -> dict[str, Any]:
        """Return what the context of every such action is told: the run, and where things of its own are."""
        run = str(self.ctx.job_id or new_job_id())
        folder = data_folder() / "runs" / run
        return {
            "runtime_ctx": self.ctx,
            "params": self.params,
            "run": run,
            "backend_url": chosen_backend(),
            "work_folder": str(folder / "work"),
            "report_folder": str(folder),
        }

    @abstractmethod
    def report_undone(self, context: C) -> Path:
        """Write the report of a run that was undone, see `undone_status`, and return where it is."""

    def clean_up(self, context: C) -> None:
        """Remove what is of no use once a run is undone; by default there is nothing."""

    def run_steps(self) -> Any:  # noqa: ANN401  # an instance of the result model, which a subclass may replace
        """Run the steps and return the result; raises as `BaseAction.run_steps`.

        When the run fails, the report says so.
        """
        try:
            return super().run_steps()
        except LeaseLostError:
            raise  # the run is another worker's, and so is its report
        except BaseException:
            self._note_undone()
            raise
        finally:
            self._close()

    def rollback(self, reason: str, *, is_cancelled: bool = False) -> "Sequence[RollbackError]":
        """Undo what the run has done so far, as its journal tells."""
        try:
            errors = super().rollback(reason, is_cancelled=is_cancelled)
            self._note_undone()
            return errors
        finally:
            self._close()

    def _note_undone(self) -> None:
        context = self._context
        if context is None:
            return
        if context.started_at:  # else it failed before there was anything to report
            try:
                path = self.report_undone(context)
            except OSError as error:  # a report must not hide why the run failed
                context.log("report_failed", {"folder": context.report_folder, "error": str(error)})
            else:
                context.log("report_written", {"path": str(path)})
        self.clean_up(context)

    def _close(self) -> None:
        if self._context is not None:
            self._context.close()


def undone_status(context: ReportedContext) -> RunStatus:
    """Return what a report is to say of a run that was undone, as far as that was possible."""
    return RunStatus.ROLLBACK_INCOMPLETE if context.errors else RunStatus.ROLLED_BACK
