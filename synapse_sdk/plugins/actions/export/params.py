"""What a user may set about an export."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from synapse_sdk.extensions import one_of
from synapse_sdk.plugins.actions.export.naming import LONGEST
from synapse_sdk.plugins.actions.export.targets import TARGETS
from synapse_sdk.plugins.actions.fields import OnError, StorageReference, Text
from synapse_sdk.plugins.actions.names import CONTROLS

__all__ = ["ExportParams", "TargetFormat", "WhenTaken"]

RESERVED = (
    "name",
    "count",
    "save_original_file",
    "project_id",
    "configuration",
    "self",
    "ctx",
    "export_items",
    "path_root",
)
"""What an exporter is told in any case; `extra_params` cannot change it."""


class TargetFormat(StrEnum):
    """How documents are written."""

    DM = "dm"
    """As they are: DM documents, one a file."""
    COCO = "coco"
    """As they are, and once more as a COCO dataset; likewise below."""
    YOLO = "yolo"
    PASCAL = "pascal"
    IMAGEFOLDER = "imagefolder"


class WhenTaken(StrEnum):
    """What to do when there is something under the name of the export already."""

    NUMBER = "number"
    """Take the next free of `NAME(1)`, `NAME(2)` and so on."""
    REFUSE = "refuse"
    """Fail."""


def check_target(name: str) -> str:
    """Refuse a target that nothing is known of.

    Raises:
        ValueError: It is not one of those that there are.
    """
    if name not in TARGETS:
        msg = f"there is no target {name!r}. {one_of(name, TARGETS.names())}"
        raise ValueError(msg)
    return name


def check_name(name: str) -> str:
    """Refuse a name that cannot be that of a folder.

    Raises:
        ValueError: It has a slash or a control character, is `.` or `..`, or too long for a file system.
    """
    if name in {".", ".."} or CONTROLS.search(name) or "/" in name:
        msg = "must be the name of one folder, without slashes and control characters"
        raise ValueError(msg)
    if len(name.encode()) > LONGEST:
        msg = f"must have {LONGEST} bytes at most, as names of folders do; it has {len(name.encode())}"
        raise ValueError(msg)
    return name


def check_path(path: str) -> str:
    """Refuse a path that would leave the storage.

    Raises:
        ValueError: One of its parts is empty, `.` or `..`, or it has a control character.
    """
    if path and (CONTROLS.search(path) or not {"", ".", ".."}.isdisjoint(path.split("/"))):
        msg = "must be folders with slashes in between, such as exports/2026, and none of them empty, . or .."
        raise ValueError(msg)
    return path


def check_extras(extras: dict[str, Any]) -> dict[str, Any]:
    """Refuse extra parameters that would hide what the exporter is told in any case.

    Raises:
        ValueError: One is called like that.
    """
    if taken := sorted(extras.keys() & set(RESERVED)):
        msg = f"cannot have {', '.join(taken)}: every exporter is told that anyway"
        raise ValueError(msg)
    return extras


class ExportParams(BaseModel):
    """Parameters of an export. A subclass may add more."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[Text, AfterValidator(check_name)] = Field(description="The folder that the export will be.")
    description: str | None = Field(default=None, description="What it is about, for the manifest.")
    storage: StorageReference = Field(
        description="Where the export goes: a folder or the URL of a storage, or a storage's id or name."
    )
    path: Annotated[str, AfterValidator(check_path)] = Field(
        default="", description="The folder of the storage in which the export's own is made."
    )
    when_taken: WhenTaken = Field(
        default=WhenTaken.NUMBER,
        description="What to do when the name is taken: `number`, take NAME(1) and so on, or `refuse`.",
    )
    target: Annotated[str, AfterValidator(check_target)] = Field(
        description="What is exported: `task`, `assignment` or `ground_truth`."
    )
    filter: dict[str, Any] = Field(
        default_factory=dict,
        description="Which of them: `project` for tasks and assignments, `ground_truth_dataset_version` for ground "
        "truths, and more keys that narrow it.",
    )
    target_format: TargetFormat = Field(
        default=TargetFormat.DM,
        description="How documents are written: `dm`, as they are, or as well in a folder of the export that is called "
        "after its format, `coco`, `yolo`, `pascal` or `imagefolder`.",
    )
    save_original_file: bool = Field(default=True, description="Whether to save the files of the items, too.")
    extra_params: Annotated[dict[str, Any], AfterValidator(check_extras)] = Field(
        default_factory=dict, description="What else the exporter is told."
    )
    on_error: OnError = Field(
        default=OnError.CONTINUE,
        description="Whether to `stop` or to `continue` after an item that cannot be exported.",
    )
    download_max_workers: int = Field(
        default=32, ge=1, le=256, description="Files that are fetched at a time, at most; fewer where that is faster."
    )
    download_max_retries: int = Field(
        default=4, ge=0, le=20, description="Times that a file is tried again whose failure may pass."
    )
    allow_private_urls: bool = Field(
        default=False,
        description="Whether files of the web may lie in private networks and on this machine, such as on a server of "
        "one's own.",
    )
