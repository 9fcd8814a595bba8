"""What a user may set about giving tasks their annotations."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from synapse_sdk.backend import TaskFilter
from synapse_sdk.errors import ConfigurationError
from synapse_sdk.plugins.actions.dataset.params import Format
from synapse_sdk.plugins.actions.fields import OnError, Place, Reference, Text
from synapse_sdk.plugins.kinds import Names

__all__ = ["AddTaskDataMethod", "AddTaskDataParams"]


class AddTaskDataMethod(StrEnum):
    """Where annotations come from."""

    FILE = "file"
    """Files: one for all tasks, in any format of datasets, or one of each data unit."""
    INFERENCE = "inference"
    """A model, which is asked about the primary file of each data unit."""


def check_task_filters(given: dict[str, Any]) -> dict[str, Any]:
    """Refuse a filter that tasks do not have.

    Raises:
        ValueError: It has an unknown key, a value that does not fit, or names a project.
    """
    try:
        TaskFilter.parse(given)
    except ConfigurationError as error:
        raise ValueError(str(error)) from error
    if "project" in given:
        msg = "cannot have 'project', which is a parameter of its own"
        raise ValueError(msg)
    return given


class AddTaskDataParams(BaseModel):
    """Parameters for giving tasks their annotations. A subclass may add more."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Text = Field(default="add_task_data", description="What it is called in reports.")
    description: str | None = Field(default=None, description="What it is about, for reports.")
    project: Annotated[Reference, Names("project")] = Field(
        description="The project whose tasks get annotations, by id or name."
    )
    task_filters: Annotated[dict[str, Any], AfterValidator(check_task_filters)] = Field(
        default_factory=dict, description="Only tasks that fit."
    )
    method: AddTaskDataMethod = Field(
        default=AddTaskDataMethod.FILE, description="Where annotations come from: `file` or `inference`."
    )
    target_specification_name: Text | None = Field(
        default=None, description="The file specification of which each data unit has a file with its annotations."
    )
    file: Place | None = Field(
        default=None,
        validate_default=True,
        description="The annotations of all tasks: a dataset in any format, as a folder or a file.",
    )
    file_format: Format | None = Field(default=None, description="The format of `file`; by default it is found out.")
    model: Text | None = Field(
        default=None,
        validate_default=True,
        description="The model: an ONNX file (path or storage URL), a registered model (`NAME@VERSION`, or `NAME` for "
        "the newest), a service (`https://...`), an entry point in the group `synapse.models`, or a callable as "
        "`module:attribute`.",
    )
    pre_processor_params: dict[str, Any] = Field(
        default_factory=dict,
        description="What the model is told besides, for every task; to an ONNX model `confidence`, `iou`, "
        "`max_detections`, `classes` and `masks`.",
    )
    inference_batch_size: int = Field(
        default=8, ge=1, le=1024, description="Files that the model is asked about at a time."
    )
    on_error: OnError = Field(
        default=OnError.CONTINUE,
        description="Whether to `stop` or to `continue` after a task that cannot be annotated.",
    )
    batch_size: int = Field(default=200, ge=1, le=10_000, description="Tasks that are submitted at a time, at most.")
    download_max_workers: int = Field(
        default=16, ge=1, le=256, description="Files that are fetched at a time, at most; fewer where that is faster."
    )
    download_max_retries: int = Field(
        default=4, ge=0, le=20, description="Times that a file is tried again whose failure may pass."
    )

    @field_validator("file")
    @classmethod
    def _check_what_is_named(cls, file: str | None, info: ValidationInfo) -> str | None:
        """Refuse parameters that name no annotations, or two kinds of them."""
        method, specification = info.data.get("method"), info.data.get("target_specification_name")
        if "method" not in info.data or "target_specification_name" not in info.data:
            return file
        if method is AddTaskDataMethod.INFERENCE:
            if file is not None or specification is not None:
                msg = "and 'target_specification_name' are for the method 'file'"
                raise ValueError(msg)
            return None
        if file is None and specification is None:
            msg = "or 'target_specification_name' must say where the annotations are"
            raise ValueError(msg)
        if file is not None and specification is not None:
            msg = "and 'target_specification_name' cannot both say where the annotations are"
            raise ValueError(msg)
        return file

    @field_validator("model")
    @classmethod
    def _check_model(cls, model: str | None, info: ValidationInfo) -> str | None:
        """Refuse a method without what it needs, or with what it has no use for."""
        method = info.data.get("method")
        if method is AddTaskDataMethod.INFERENCE and model is None:
            msg = "must name the model that is asked"
            raise ValueError(msg)
        if method is AddTaskDataMethod.FILE and model is not None:
            msg = "is for the method 'inference'"
            raise ValueError(msg)
        return model
