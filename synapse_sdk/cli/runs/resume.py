"""`synapse runs resume` and `synapse runs rollback`: going on with a run whose process died, forward or back."""

from typing import TYPE_CHECKING, Any

import click

from synapse_sdk.cli.commands import SynapseCommand
from synapse_sdk.cli.runs.options import FOLLOWING, JOURNAL, RUN, additions, note_display, place
from synapse_sdk.cli.session import Session

if TYPE_CHECKING:
    from synapse_sdk.cli.run_tasks import Additions

__all__ = ["given", "resume", "rollback"]


@click.command("resume", cls=SynapseCommand, examples=("synapse runs resume 7f3a",))
@RUN
@additions
@FOLLOWING
@JOURNAL
@click.pass_obj
def resume(session: Session, /, *, name: str, as_json: bool, progress: str | None, **options: Any) -> int:  # noqa: ANN401  # those of `additions`
    """Go on with RUN, whose process died. Steps that are done do not run again.

    Result, display and exit code are those of synapse run. A run that had failed or was stopped can only be undone,
    and is.
    """
    from synapse_sdk.cli.run_execution import execute  # noqa: PLC0415  # help executes nothing
    from synapse_sdk.cli.run_tasks import ResumeRun  # noqa: PLC0415
    from synapse_sdk.plugins import find_run  # noqa: PLC0415

    note_display(session, progress, as_json=as_json)
    return execute(ResumeRun(find_run(name, journal=place(session)), given(**options)), session)


@click.command("rollback", cls=SynapseCommand, examples=("synapse runs rollback 7f3a",))
@RUN
@additions
@FOLLOWING
@JOURNAL
@click.pass_obj
def rollback(session: Session, /, *, name: str, as_json: bool, progress: str | None, **options: Any) -> int:  # noqa: ANN401  # those of `additions`
    """Undo what RUN has done, whose process died, or finish a rollback that was cut short.

    Ends with 4 if something is left behind; the same command then tries again.
    """
    from synapse_sdk.cli.run_execution import execute  # noqa: PLC0415  # as above
    from synapse_sdk.cli.run_tasks import RollBackRun  # noqa: PLC0415
    from synapse_sdk.plugins import find_run  # noqa: PLC0415

    note_display(session, progress, as_json=as_json)
    return execute(RollBackRun(find_run(name, journal=place(session)), given(**options)), session)


def given(
    *,
    source: str | None,
    assignments: tuple[str, ...],
    env_pairs: tuple[str, ...],
    mode: str | None,
    force: bool,
    **place: Any,  # noqa: ANN401  # those of `placing_again`
) -> "Additions":
    """Return what the options of `additions` say."""
    from synapse_sdk.cli.params import parse_pairs, read_params  # noqa: PLC0415  # as above
    from synapse_sdk.cli.run_tasks import Additions  # noqa: PLC0415

    params, env = read_params(source, assignments), parse_pairs(env_pairs, "--env")
    return Additions(params=params, env=env, mode=mode, place=place, force=force)
