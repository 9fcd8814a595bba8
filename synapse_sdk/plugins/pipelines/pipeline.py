"""Several actions as one durable run."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from synapse_sdk.errors import PipelineError
from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.pipelines.action import PipelineAction
from synapse_sdk.plugins.pipelines.part import AnyAction, Part, PipelinePart

__all__ = ["ActionPipeline"]


class ActionPipeline:
    """Several actions as one run: each gets results of those before it, and all are undone if one fails.

    A parameter that is not given gets the result that names the same (`Names`), and text such as
    `${upload.collection}` in a parameter stands for a result. What is not provided, or ambiguous, is found out before
    anything runs.

    `action` is the whole as an action like any other: `run_action(pipeline.action, params, journal=True)` records the
    run, `resume_run(run_id, action=pipeline.action)` goes on with it.

    Args:
        actions: The actions in order: classes, functions marked with `@action`, names of built-in actions,
            `plugin:action`, or a `Part` with more to say about one of them.
        name: What the pipeline is called.
        description: One sentence for listings.
        folder: Where plugins that are named by a relative path are looked for first.

    Example:
        >>> from synapse_sdk.plugins.action import action
        >>> @action()
        ... def count(params: dict, ctx) -> dict:
        ...     return {"files": 3}
        >>> @action()
        ... def tell(params: dict, ctx) -> str:
        ...     return f"{params['number']} files"
        >>> pipeline = ActionPipeline([count, Part(action=tell, params={"number": "${count.files}"})])
        >>> pipeline.execute().results["tell"]
        '3 files'

    Raises:
        PipelineError: There is no action, two have one name, or something is no action.
        PluginNotFoundError, ManifestError, PluginLoadError, ActionNotFoundError: A plugin or action is not there.
    """

    def __init__(
        self,
        actions: Sequence[Part | AnyAction],
        *,
        name: str = "pipeline",
        description: str = "",
        folder: Path | None = None,
    ) -> None:
        parts = tuple(PipelinePart.of(each, folder) for each in actions)
        _refuse(name, parts)
        body = {"action_name": name, "description": description, "parts": parts, "__doc__": description}
        self.action: type[PipelineAction] = type("Pipeline", (PipelineAction,), body)
        """The whole as an action."""

    def execute(
        self,
        params: Mapping[str, Any] | None = None,
        ctx: RuntimeContext | None = None,
        progress_callback: Callable[[int, int, str], object] | None = None,
    ) -> Any:  # noqa: ANN401  # a PipelineResult
        """Run all actions in this process, and return their results.

        Args:
            params: By the name of an action, parameters that replace those that the pipeline gives it.
            ctx: Reporter, logger, environment, clients of the run; without a journal in it, only this process can undo
                what was done.
            progress_callback: Called with number, count and name when an action begins.

        Raises:
            InvalidParamsError: Parameters do not fit, are missing, or are ambiguous; nothing has run.
            StepFailedError: An action failed; it and all before it were undone.
        """
        action = self.action(self.action.validate_params(params or {}), ctx or RuntimeContext())
        action.progress_callback = progress_callback
        return action.execute()


def _refuse(name: str, parts: Sequence[PipelinePart]) -> None:
    if not parts:
        msg = f"The pipeline {name!r} has no actions"
        raise PipelineError(msg, fix="Give it one or more")
    names = [part.name for part in parts]
    twice = sorted({each for each in names if names.count(each) > 1})
    if twice:
        msg = f"The pipeline {name!r} has two actions that are called {twice[0]!r}"
        raise PipelineError(msg, fix="Give one of them another name: Part(action=..., name=...)")
