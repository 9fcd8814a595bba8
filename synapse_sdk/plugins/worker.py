"""What a worker does with a spec that an executor hands it."""

from typing import TYPE_CHECKING, Any

from synapse_sdk.plugins.runner import run_plugin

if TYPE_CHECKING:
    from synapse_sdk.executors import RunSpec
    from synapse_sdk.reporting import Reporter
    from synapse_sdk.types import JsonValue

__all__ = ["run_spec"]


def run_spec(spec: "RunSpec", reporter: "Reporter | None") -> "JsonValue":
    """Run what a spec describes in this process and return the result as JSON data.

    What JSON cannot hold becomes text: a result must not fail a run that is already done.
    """
    from pydantic_core import to_jsonable_python  # noqa: PLC0415  # only workers come here

    result = _done(spec, reporter)
    try:
        jsonable: JsonValue = to_jsonable_python(result, fallback=str, inf_nan_mode="null")
    except ValueError:  # it contains itself
        return repr(result)
    return jsonable


def _done(spec: "RunSpec", reporter: "Reporter | None") -> Any:  # noqa: ANN401  # whatever the action returns
    """Do in this process what a spec asks for, and return what comes out."""
    if spec.task == "run":
        return run_plugin(
            spec.plugin,
            spec.action,
            spec.params,
            reporter=reporter,
            env=spec.env,
            job_id=spec.job_id,
            inject_failure=spec.inject_failure,
            journal=spec.journal or False,
        )
    from synapse_sdk.plugins.runs import resume_run, rollback_run  # noqa: PLC0415  # the journal's own

    options: dict[str, Any] = {"journal": spec.journal or True, "params": spec.params, "env": spec.env}
    options |= {"reporter": reporter, "mode": "local", "force": spec.accepts_changes}
    options |= {"plugin": spec.plugin, "directory": spec.directory}
    if spec.task == "resume":
        return resume_run(spec.job_id or "", **options)
    return rollback_run(spec.job_id or "", reason=spec.reason, **options)
