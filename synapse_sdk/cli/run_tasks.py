"""What commands do about a run while somebody watches: start it, go on with it, undo it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from synapse_sdk.cli.errors import CommandLineError, RollbackIncompleteError
from synapse_sdk.cli.params import check_params
from synapse_sdk.cli.run_failure import RunNames, raised_at
from synapse_sdk.cli.session import Session
from synapse_sdk.errors import StepNotFoundError
from synapse_sdk.plugins import resume_run, rollback_run, run_plugin
from synapse_sdk.plugins.discovery import find_plugin
from synapse_sdk.plugins.runner import new_job_id
from synapse_sdk.reporting.events import RunStatus

if TYPE_CHECKING:
    from synapse_sdk.cli.run_request import PreparedRequest, Request
    from synapse_sdk.journal import RunRecord
    from synapse_sdk.reporting import Reporter

__all__ = ["Additions", "ResumeRun", "RollBackRun", "StartRun", "Task"]


class Task(Protocol):
    """What is to be done about one run."""

    names: RunNames
    """What the run is called, as far as is known."""

    def do(self, session: Session, reporter: "Reporter") -> Any:  # noqa: ANN401  # what the command shows as its result
        """Do it and return what comes out; whatever it raises is how the run failed."""
        ...

    def status_after(self, result: Any, /) -> str:  # noqa: ANN401  # what `do` returned
        """Return where the run stands when `do` has returned."""
        ...


class StartRun:
    """Start a run."""

    def __init__(self, request: "Request | PreparedRequest") -> None:
        self.names = RunNames(
            plugin=request.plugin,
            action=request.action,
            run_id=new_job_id(),
            is_meant_to_fail=request.inject_failure is not None,
        )
        self._request = request

    def do(self, session: Session, reporter: "Reporter") -> Any:  # noqa: ANN401  # an instance of the action's result model
        """Find, check and run the action; raises as `run_plugin` does."""
        request = self._request
        env = request.env
        plugin = find_plugin(request.plugin)
        self.names = replace(self.names, root=plugin.root)
        check_params(plugin.action_class(request.action), request.params, request.plugin)
        try:
            return run_plugin(
                request.plugin,
                request.action,
                request.params,
                mode=session.settings.mode,
                **request.place,
                reporter=reporter,
                env=env,
                job_id=self.names.run_id,
                inject_failure=request.inject_failure,
                journal=session.journal or False,
            )
        except StepNotFoundError as error:
            if request.inject_failure is None or raised_at(error, plugin.root) is not None:
                raise  # the plugin's own mistake
            msg = f"Cannot inject a failure: {error.message[:1].lower()}{error.message[1:]}"
            raise CommandLineError(msg, why=error.why, fix=error.fix) from error

    def status_after(self, _result: object, /) -> str:
        """Return that it succeeded."""
        return RunStatus.SUCCEEDED


@dataclass(frozen=True, kw_only=True)
class Additions:
    """What the command line adds to what is recorded about a run."""

    params: Mapping[str, Any] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    mode: str | None = None
    place: Mapping[str, Any] = field(default_factory=dict)
    """What else is said about where it runs."""
    force: bool = False


class ResumeRun:
    """Go on with a run whose process died."""

    def __init__(self, run: "RunRecord", given: Additions) -> None:
        self.names = _names(run)
        self._given = given

    def do(self, session: Session, reporter: "Reporter") -> Any:  # noqa: ANN401  # an instance of the action's result model
        """Go on with it; raises as `resume_run` does."""
        return resume_run(self.names.run_id, **_options(self._given, session, reporter))

    def status_after(self, _result: object, /) -> str:
        """Return that it succeeded."""
        return RunStatus.SUCCEEDED


class RollBackRun:
    """Undo what a run has done whose process died."""

    def __init__(self, run: "RunRecord", given: Additions) -> None:
        self.names = _names(run)
        self._given = given

    def do(self, session: Session, reporter: "Reporter") -> Any:  # noqa: ANN401  # JSON data
        """Undo it and return how it stands.

        Raises:
            RollbackIncompleteError: Something is left behind.
            SynapseError: As `rollback_run`.
        """
        run = rollback_run(self.names.run_id, **_options(self._given, session, reporter))
        if run.status is RunStatus.ROLLBACK_INCOMPLETE:
            msg = f"The rollback of run {run.id} is incomplete"
            raise RollbackIncompleteError(msg)
        return {"run": run.id, "status": str(run.status)}

    def status_after(self, result: Any, /) -> str:  # noqa: ANN401  # as above
        """Return how it ended."""
        return str(result["status"])


def _names(run: "RunRecord") -> RunNames:
    source = run.source
    return RunNames(plugin=source.plugin, action=source.action, run_id=run.id, is_new=False)


def _options(given: Additions, session: Session, reporter: "Reporter") -> dict[str, Any]:
    return {
        "journal": session.journal or False,
        "params": given.params,
        "env": given.env,
        "reporter": reporter,
        "mode": given.mode,
        **given.place,
        "force": given.force,
    }
