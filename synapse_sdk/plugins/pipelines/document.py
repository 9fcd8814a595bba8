"""A pipeline in a YAML document: found like a plugin that has one action."""

from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from synapse_sdk.documents import read_document
from synapse_sdk.errors import PipelineError
from synapse_sdk.extensions import near_name
from synapse_sdk.plugins.discovery.plugin import Origin, Plugin
from synapse_sdk.plugins.manifest import NAME_PATTERN, ActionEntry
from synapse_sdk.plugins.pipelines.part import Part
from synapse_sdk.plugins.pipelines.pipeline import ActionPipeline

__all__ = ["PipelineDocument", "PipelineEntry", "read_pipeline"]

MODULE = "pipeline"

type Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
type Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PipelineEntry(_Strict):
    """One action of a pipeline document."""

    action: Text
    """The name of a built-in action, or `plugin:action`; a plugin may be a folder beside the document."""
    name: Name | None = None
    """What it is called in the pipeline; by default what the action is called."""
    params: dict[str, Any] = Field(default_factory=dict)
    weight: float = Field(default=1.0, ge=0.0, le=1.0, strict=False)


class PipelineDocument(_Strict):
    """What a pipeline document says."""

    pipeline: Name
    """What the pipeline is called."""
    description: str = ""
    actions: list[PipelineEntry] = Field(min_length=1)


def read_pipeline(path: Path) -> Plugin:
    """Return the plugin that a pipeline document is; the code of its actions is not loaded yet.

    Raises:
        PipelineError: It does not fit; every problem is listed with its key.
        InvalidDocumentError: It cannot be read, or is not YAML.
    """
    data = read_document(path)
    try:
        document = PipelineDocument.model_validate(data)
    except ValidationError as error:
        raise _unfit(path, error) from error
    place = path.resolve()

    @cache
    def load(_name: str) -> ModuleType:
        parts = [
            Part(action=each.action, name=each.name or "", params=each.params, weight=each.weight)
            for each in document.actions
        ]
        pipeline = ActionPipeline(parts, name=document.pipeline, description=document.description, folder=place.parent)
        module = ModuleType(MODULE, document.description)
        vars(module)["Pipeline"] = pipeline.action
        return module

    return Plugin(
        code=document.pipeline,
        name=document.pipeline,
        version="0",
        description=document.description,
        origin=Origin.PIPELINE,
        reference=str(place),
        root=None,
        actions={document.pipeline: ActionEntry(entrypoint=f"{MODULE}:Pipeline", description=document.description)},
        import_module=load,
    )


def _unfit(path: Path, error: ValidationError) -> PipelineError:
    lines = [_problem(each) for each in error.errors(include_url=False, include_context=False)]
    msg = f"The pipeline {str(path)!r} does not fit"
    fix = "Correct the file"
    if len(lines) == 1:
        return PipelineError(msg, why=lines[0], fix=fix, path=str(path))
    return PipelineError("\n  ".join([f"{msg}; it has {len(lines)} problems:", *lines]), fix=fix, path=str(path))


def _problem(problem: Any) -> str:  # noqa: ANN401  # ErrorDetails
    loc = [each if isinstance(each, str) else f"[{each + 1}]" for each in problem["loc"]]
    key = ".".join(loc).replace(".[", "[") or "the whole"
    if problem["type"] == "extra_forbidden":
        known = PipelineDocument if len(loc) == 1 else PipelineEntry
        near = near_name(loc[-1], known.model_fields)
        return f"{key}: unknown key" + (f"; did you mean {near!r}?" if near else "")
    if problem["type"] == "missing":
        return f"{key}: missing"
    if problem["type"] in {"model_type", "model_attributes_type"}:
        return f"{key}: must be a mapping, found {problem['input']!r:.60}"
    return f"{key}: {problem['msg'].replace('Input should be', 'must be')}, found {problem['input']!r:.60}"
