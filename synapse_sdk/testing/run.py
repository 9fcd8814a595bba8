"""Running an action in this process, with everything it reports kept in memory."""

from collections.abc import Mapping
from typing import Any

from synapse_sdk.plugins import BaseAction, run_action
from synapse_sdk.reporting import MemoryReporter

__all__ = ["run_in_memory"]


def run_in_memory(
    action: type[BaseAction[Any]],
    params: Mapping[str, Any] | None = None,
    *,
    env: Mapping[str, Any] | None = None,
    inject_failure: str | None = None,
    reporter: MemoryReporter | None = None,
) -> tuple[Any, MemoryReporter]:
    """Run an action as `synapse run` would and return its result, and a reporter that knows everything it said.

    Args:
        action: The action's class; `find_plugin(folder).action_class(name)` has it.
        params: Its parameters.
        env: Environment settings of the run.
        inject_failure: Name of a step after which the run is made to fail, to see what a rollback does.
        reporter: Where to keep what is reported, for a test that looks at it although the run fails.

    Raises:
        InvalidParamsError: The parameters do not fit.
        StepFailedError: A step failed; everything done before was undone.

    Example:
        >>> class Double(BaseAction[dict[str, int]]):
        ...     def execute(self):
        ...         self.ctx.log("doubling", {"n": self.params["n"]})
        ...         return 2 * self.params["n"]
        >>> result, reporter = run_in_memory(Double, {"n": 21})
        >>> result, reporter.logs
        (42, [('doubling', {'n': 21})])
    """
    memory = MemoryReporter() if reporter is None else reporter
    result = run_action(action, params, env=env, inject_failure=inject_failure, reporter=memory)
    return result, memory
