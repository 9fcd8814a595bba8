"""Running an action: find it, check its parameters, execute it somewhere, check its result."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from synapse_sdk.errors import InvalidParamsError
from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.discovery import find_plugin

if TYPE_CHECKING:
    from synapse_sdk.executors import RunSpec
    from synapse_sdk.plugins.action import BaseAction
    from synapse_sdk.plugins.steps import Plan
    from synapse_sdk.reporting import Reporter
    from synapse_sdk.types import JsonValue

__all__ = ["plan_plugin", "run_action", "run_plugin", "run_spec"]


def run_plugin(  # what can be said about a run, all but three by name
    plugin: str | os.PathLike[str],
    action: str,
    params: Mapping[str, Any] | None = None,
    *,
    mode: str = "local",
    reporter: "Reporter | None" = None,
    env: Mapping[str, Any] | None = None,
    job_id: str | None = None,
    inject_failure: str | None = None,
) -> Any:  # noqa: ANN401  # an instance of the action's result model
    """Run an action of a plugin and return its result.

    Args:
        plugin: A folder with a `config.yaml`, the name of an installed plugin, or an importable module.
        action: Name of the action.
        params: Its parameters; the mapping is not changed.
        mode: Where it runs: `local` (this process) or `process` (a process of its own, whose death harms nobody else).
        reporter: Where logs, progress and metrics go; nothing is shown without one. The caller closes it.
        env: Settings that replace those of the same name in the process's environment, which in its turn replaces
            those of the plugin's manifest.
        job_id: Names the run in logs and reports; made up when absent.
        inject_failure: Name of a step after which the run is made to fail, to see what a rollback does.

    Returns:
        What the action returned, as its `result_model` wants it.

    Raises:
        PluginNotFoundError, ManifestError, PluginLoadError: The plugin cannot be found or read.
        ActionNotFoundError: It has no such action.
        InvalidParamsError: The parameters do not fit; nothing was started.
        StepFailedError: A step failed; everything done before was undone.
        InvalidResultError: The result does not fit its model.
        WorkerLostError: The process that ran the action died.
    """
    found = find_plugin(plugin)
    cls = found.action_class(action)
    if mode == "local":
        settings = {**found.env, **os.environ, **(env or {})} if found.env else env
        return run_action(cls, params, reporter=reporter, env=settings, job_id=job_id, inject_failure=inject_failure)
    from synapse_sdk.executors import RunSpec, open_executor  # noqa: PLC0415  # as above

    cls.validate_params(params or {})  # here already, so that a mistake costs no process
    spec = RunSpec(
        plugin=found.reference,
        action=action,
        params=_as_json(params or {}, action),
        env=dict(env or {}),
        job_id=job_id or new_job_id(),
        inject_failure=inject_failure,
    )
    return cls.validate_result(open_executor(mode).run(spec, reporter))


def run_action(  # as run_plugin
    action: "type[BaseAction[Any]]",
    params: Mapping[str, Any] | None = None,
    *,
    reporter: "Reporter | None" = None,
    env: Mapping[str, Any] | None = None,
    job_id: str | None = None,
    inject_failure: str | None = None,
) -> Any:  # noqa: ANN401  # an instance of the action's result model
    """Run an action class in this process; arguments, result and errors as for `run_plugin`.

    Example:
        >>> from synapse_sdk.plugins.action import BaseAction
        >>> class Double(BaseAction[dict[str, int]]):
        ...     def execute(self):
        ...         return 2 * self.params["n"]
        >>> run_action(Double, {"n": 21})
        42
    """
    ctx = RuntimeContext(env=merged_environment(env), job_id=job_id or new_job_id(), reporter=reporter)
    instance = action(action.validate_params(params or {}), ctx)
    instance.inject_failure = inject_failure
    if inject_failure is not None:
        instance.build_registry()  # an action without such a step is found out before anything runs
    return action.validate_result(instance.execute())


def run_spec(spec: "RunSpec", reporter: "Reporter | None") -> "JsonValue":
    """Run what a spec describes in this process and return the result as JSON data.

    What JSON cannot hold becomes text: a result must not fail a run that is already done.
    """
    from pydantic_core import to_jsonable_python  # noqa: PLC0415  # only workers come here

    result = run_plugin(
        spec.plugin,
        spec.action,
        spec.params,
        reporter=reporter,
        env=spec.env,
        job_id=spec.job_id,
        inject_failure=spec.inject_failure,
    )
    try:
        jsonable: JsonValue = to_jsonable_python(result, fallback=str, inf_nan_mode="null")
    except ValueError:  # it contains itself
        return repr(result)
    return jsonable


def plan_plugin(plugin: str | os.PathLike[str], action: str, params: Mapping[str, Any] | None = None) -> "Plan":
    """Return the steps that `run_plugin` would run with these parameters, without running any; raises as it does."""
    cls = find_plugin(plugin).action_class(action)
    return cls(cls.validate_params(params or {}), RuntimeContext()).plan()


def _as_json(params: Mapping[str, Any], action: str) -> Any:  # noqa: ANN401  # JSON data, as RunSpec wants it
    """Return parameters as they travel to another process."""
    from pydantic_core import PydanticSerializationError, to_jsonable_python  # noqa: PLC0415  # local runs do without

    try:
        return to_jsonable_python(dict(params))
    except (PydanticSerializationError, ValueError) as error:
        msg = f"The parameters of action {action!r} cannot be sent to another process"
        raise InvalidParamsError(
            msg, why=str(error), fix="Use mode='local', or give values that JSON can hold"
        ) from error


def merged_environment(env: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return the process's environment with replacements, or None when there are none and it can be read on use."""
    if not env:
        return None
    from synapse_sdk.plugins.environment import PluginEnvironment  # noqa: PLC0415  # most runs replace nothing

    return PluginEnvironment.from_environ().merge(env)


def new_job_id() -> str:
    """Return a name no other run has: 12 hexadecimal digits."""
    return os.urandom(6).hex()
