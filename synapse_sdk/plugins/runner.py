"""Running an action: find it, check its parameters, execute it somewhere, check its result."""

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synapse_sdk.errors import InvalidParamsError
from synapse_sdk.interrupts import stop_on_signals
from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.discovery import find_plugin

if TYPE_CHECKING:
    from synapse_sdk.journal import Journal
    from synapse_sdk.plugins.action import BaseAction
    from synapse_sdk.plugins.durable import DurableRun
    from synapse_sdk.plugins.journalling import JournalChoice
    from synapse_sdk.plugins.steps import Plan, RollbackError
    from synapse_sdk.reporting import Reporter

__all__ = [
    "Undertaking",
    "execute_durably",
    "new_job_id",
    "placing",
    "plan_plugin",
    "run_action",
    "run_plugin",
    "undo_durably",
]


def run_plugin(  # what can be said about a run, all but three by name
    plugin: str | os.PathLike[str],
    action: str,
    params: Mapping[str, Any] | None = None,
    *,
    mode: str = "local",
    address: str | None = None,
    num_cpus: float | None = None,
    num_gpus: float | None = None,
    pass_env: Sequence[str] = (),
    reporter: "Reporter | None" = None,
    env: Mapping[str, Any] | None = None,
    job_id: str | None = None,
    inject_failure: str | None = None,
    journal: "JournalChoice" = True,
) -> Any:  # noqa: ANN401  # an instance of the action's result model
    """Run an action of a plugin and return its result.

    The run is recorded in a journal, so that it can be resumed or rolled back (`resume_run`, `rollback_run`, `synapse
    runs`) if its process dies. SIGTERM and SIGHUP, unless somebody else handles them, undo it and then end the process,
    also without a journal.

    Args:
        plugin: A folder with a `config.yaml`, the name of an installed plugin, or an importable module.
        action: Name of the action.
        params: Its parameters; the mapping is not changed.
        mode: Where it runs: `local` (this process), `process` (a process of its own, whose death harms nobody else) or
            `ray` (a node of a Ray cluster, see `RayExecutor`).
        address: The cluster: HOST:PORT, `auto` or `ray://HOST:PORT`; by default what RAY_ADDRESS says, or else one of
            one node, which is started here and ends with the run.
        num_cpus: CPUs that the cluster sets aside for the run; by default one.
        num_gpus: GPUs that it sets aside; by default none.
        pass_env: Names of environment variables of this process that the run gets on the cluster, too.
        reporter: Where logs, progress and metrics go; nothing is shown without one. The caller closes it.
        env: Settings that replace those of the same name in the process's environment, which in its turn replaces
            those of the plugin's manifest.
        job_id: Names the run in journal, logs and reports; made up when absent.
        inject_failure: Name of a step after which the run is made to fail, to see what a rollback does.
        journal: A journal, its URL or path; True for the one that the settings name, False for none.

    Returns:
        What the action returned, as its `result_model` wants it.

    Raises:
        PluginNotFoundError, ManifestError, PluginLoadError: The plugin cannot be found or read.
        ActionNotFoundError: It has no such action.
        InvalidParamsError: The parameters do not fit; nothing was started.
        StepFailedError: A step failed; everything done before was undone.
        InvalidResultError: The result does not fit its model.
        UnencodableValueError: The action's context has a field that cannot be written into the journal.
        RunCancelledError: Somebody cancelled the run; everything done was undone.
        JournalError: The journal cannot be used.
        WorkerLostError: The process that ran the action died.
        ClusterUnavailableError: The cluster cannot be reached.
        ConfigurationError: Something that was named cannot be had, such as a cluster without the package `ray`.
    """
    options = placing(address, num_cpus, num_gpus, pass_env)
    found = find_plugin(plugin)
    settings = {**found.env, **os.environ, **(env or {})} if found.env else env
    undertaking = Undertaking(
        action=found.action_class(action),
        name=action,
        params=params or {},
        run_id=job_id or new_job_id(),
        plugin=found.reference,
        env=env or {},
        settings=settings,
        reporter=reporter,
        inject_failure=inject_failure,
    )
    if mode == "local" and not options:
        return undertaking.run(journal)
    return undertaking.run_elsewhere(mode, options, journal)


def placing(
    address: str | None, num_cpus: float | None, num_gpus: float | None, pass_env: Sequence[str]
) -> dict[str, Any]:
    """Return what was said about the place of a run, as `open_executor` and the journal take it."""
    said = {"address": address, "num_cpus": num_cpus, "num_gpus": num_gpus, "pass_env": list(pass_env) or None}
    return {name: value for name, value in said.items() if value is not None}


def run_action(  # as run_plugin
    action: "type[BaseAction[Any]]",
    params: Mapping[str, Any] | None = None,
    *,
    reporter: "Reporter | None" = None,
    env: Mapping[str, Any] | None = None,
    job_id: str | None = None,
    inject_failure: str | None = None,
    journal: "JournalChoice" = False,
) -> Any:  # noqa: ANN401  # an instance of the action's result model
    """Run an action class in this process; arguments, result and errors as for `run_plugin`.

    It is recorded only if a journal is given; `resume_run` then has to be given the class.

    Example:
        >>> from synapse_sdk.plugins.action import BaseAction
        >>> class Double(BaseAction[dict[str, int]]):
        ...     def execute(self):
        ...         return 2 * self.params["n"]
        >>> run_action(Double, {"n": 21})
        42
    """
    undertaking = Undertaking(
        action=action,
        params=params or {},
        run_id=job_id or new_job_id(),
        env=env or {},
        settings=env,
        reporter=reporter,
        inject_failure=inject_failure,
    )
    return undertaking.run(journal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Undertaking:
    """An action and all that its run needs to know."""

    action: "type[BaseAction[Any]]"
    name: str = ""
    """What the action is called in its plugin; by default what it calls itself."""
    params: Mapping[str, Any]
    run_id: str
    plugin: str = ""
    """What finds the plugin again; empty for a class that was handed over."""
    env: Mapping[str, Any]
    """The settings that were given for this run."""
    settings: Mapping[str, Any] | None
    """Those, and what else replaces the process's environment; None for nothing."""
    reporter: "Reporter | None" = None
    inject_failure: str | None = None

    def make(self) -> "BaseAction[Any]":
        """Return the action, ready to run; raises what can be known before anything is done."""
        ctx = RuntimeContext(env=merged_environment(self.settings), job_id=self.run_id, reporter=self.reporter)
        instance = self.action(self.action.validate_params(self.params), ctx)
        instance.inject_failure = self.inject_failure
        if self.inject_failure is not None:
            instance.build_registry()  # an action without such a step is found out before anything runs
        return instance

    def run(self, journal: "JournalChoice") -> Any:  # noqa: ANN401  # an instance of the action's result model
        """Run it in this process and return its result."""
        instance = self.make()
        if journal is False:
            return self._execute(instance)
        # None of this is paid for without a journal.
        from synapse_sdk.plugins.journalling import journalled, opened_journal  # noqa: PLC0415

        with opened_journal(journal) as opened:
            if opened is None:
                return self._execute(instance)
            self._record(opened, "local", {})
            with stop_on_signals(), journalled(opened, self.run_id) as durable:
                return execute_durably(instance, durable)

    def run_elsewhere(self, mode: str, options: Mapping[str, Any], journal: "JournalChoice") -> Any:  # noqa: ANN401  # as above
        """Have an executor's worker run it, and return its result."""
        from synapse_sdk.executors import RunSpec, open_executor  # noqa: PLC0415  # runs in this process do without

        self.action.validate_params(self.params)  # here already, so that a mistake costs no process
        executor, jsonable = open_executor(mode, **options), _as_json(self.params, self.name)
        url, bound, is_recorded = None, "", False
        sure_of_an_end: AbstractContextManager[None] = nullcontext()
        if journal is not False:
            from synapse_sdk.plugins.journalling import (  # noqa: PLC0415  # as above
                ends_unbegun,
                opened_journal,
                shared_journal_url,
                why_bound,
            )

            url = shared_journal_url(journal)  # before the run is created: it must not be left behind
            bound = why_bound(url)
            with opened_journal(journal) as opened:
                if opened is not None:
                    self._record(opened, mode, options)
                    is_recorded, sure_of_an_end = True, ends_unbegun(journal, self.run_id)
        spec = RunSpec(
            plugin=self.plugin,
            action=self.name,
            params=jsonable,
            env=dict(self.env),
            job_id=self.run_id,
            inject_failure=self.inject_failure,
            journal=url,
            task="resume" if is_recorded else "run",  # the worker takes up what is recorded already
            directory=os.getcwd(),  # noqa: PTH109  # as it is recorded
            bound=bound,
        )
        with stop_on_signals(), sure_of_an_end:  # what stops the caller stops the worker
            result = executor.run(spec, self.reporter)
        return self.action.validate_result(result)

    def _execute(self, instance: "BaseAction[Any]") -> Any:  # noqa: ANN401  # as above
        with stop_on_signals():
            return self.action.validate_result(instance.execute())

    def _record(self, journal: "Journal", mode: str, options: Mapping[str, Any]) -> None:
        """Note in the journal that it is about to be run."""
        from synapse_sdk.plugins.journalling import create_run  # noqa: PLC0415  # loaded by whoever comes here

        create_run(
            journal,
            self.run_id,
            self.action,
            self.params,
            name=self.name,
            plugin=self.plugin,
            mode=mode,
            options=options,
            env=self.env,
            inject_failure=self.inject_failure,
        )


def execute_durably(instance: "BaseAction[Any]", durable: "DurableRun") -> Any:  # noqa: ANN401  # as above
    """Execute an action whose run is recorded, and return its result."""
    shown = instance.ctx.reporter
    instance.ctx.journal, instance.ctx.reporter = durable, durable.reporter(shown)
    try:
        result = type(instance).validate_result(instance.execute())
        if not durable.has_ended:  # an action without steps: there was no other moment to say so
            durable.result = result
        return result
    finally:
        instance.ctx.journal, instance.ctx.reporter = None, shown


def undo_durably(
    instance: "BaseAction[Any]", durable: "DurableRun", reason: str, *, is_cancelled: bool = False
) -> "Sequence[RollbackError]":
    """Undo what an action has done whose run is recorded, and return what could not be undone."""
    durable.turn_back()
    if not durable.has_past:  # nothing was begun
        durable.end_unbegun(reason, is_cancelled=is_cancelled)
        return ()
    shown = instance.ctx.reporter
    instance.ctx.journal, instance.ctx.reporter = durable, durable.reporter(shown)
    try:
        return instance.rollback(reason, is_cancelled=is_cancelled)
    finally:
        instance.ctx.journal, instance.ctx.reporter = None, shown


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
