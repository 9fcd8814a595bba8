"""What a user may set about a dataset that is downloaded or converted."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from synapse_sdk.backend import GroundTruthFilter
from synapse_sdk.errors import ConfigurationError, InvalidDatasetError
from synapse_sdk.extensions import one_of
from synapse_sdk.formats import FORMATS, BoundsPolicy, ConversionOptions, ExifPolicy, ImageTransfer
from synapse_sdk.formats.registry import ALIASES
from synapse_sdk.formats.splits import canonical_splits
from synapse_sdk.plugins.actions.export.params import check_name
from synapse_sdk.plugins.actions.fields import OnError, Reference, Text
from synapse_sdk.plugins.kinds import Names

__all__ = ["DatasetOperation", "DatasetParams"]


class DatasetOperation(StrEnum):
    """What becomes of a dataset."""

    DOWNLOAD = "download"
    """A version of ground truths becomes a folder with DM documents and the files that they are about."""
    CONVERT = "convert"
    """A dataset, downloaded first or in a folder already, becomes one of another format."""


def check_format(name: str) -> str:
    """Refuse a format that nothing is known of, and give one that has two names its own.

    Raises:
        ValueError: There is none of this name.
    """
    name = ALIASES.get(name, name)
    if name not in FORMATS:
        msg = f"there is no format {name!r}. {one_of(name, FORMATS.names())}"
        raise ValueError(msg)
    return name


def check_filter(given: dict[str, Any]) -> dict[str, Any]:
    """Refuse a filter that ground truths do not have.

    Raises:
        ValueError: It has an unknown key, or a value that does not fit.
    """
    try:
        GroundTruthFilter.parse(given)
    except ConfigurationError as error:
        raise ValueError(str(error)) from error
    return given


def check_splits(splits: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Refuse splits that cannot be folders, or of which two are one.

    Raises:
        ValueError: They are like that, or a filter does not fit.
    """
    for name, which in splits.items():
        try:
            check_name(name)
            check_filter(which)
        except ValueError as error:
            msg = f"{name}: {error}"
            raise ValueError(msg) from error
    try:
        return canonical_splits(splits, "splits")
    except InvalidDatasetError as error:
        raise ValueError(str(error)) from error


Format = Annotated[str, AfterValidator(check_format)]
Filter = Annotated[dict[str, Any], AfterValidator(check_filter)]


class DatasetParams(BaseModel):
    """Parameters of the dataset action. A subclass may add more."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    operation: DatasetOperation = Field(
        default=DatasetOperation.DOWNLOAD,
        description="`download`, ground truths into a folder, or `convert`, a dataset into another format.",
    )
    path: Annotated[Text, Names("dataset folder")] | None = Field(
        default=None, description="The dataset in a folder, or file, that is converted."
    )
    dataset: Reference | None = Field(
        default=None,
        validate_default=True,
        description="The version of a ground-truth dataset: its id, `NAME@NUMBER`, or `NAME` for the newest.",
    )
    output: Text | None = Field(
        default=None,
        description="The folder to write; must not exist, or be empty. By default one of the run's own: below "
        "`datasets/RUN` in the data folder, or beside `path` if that is converted.",
    )
    filter: Filter = Field(default_factory=dict, description="Only ground truths that fit.")
    splits: Annotated[dict[str, dict[str, Any]], AfterValidator(check_splits)] = Field(
        default_factory=dict,
        description="Name of a split to the filter of what is in it; by default the categories of the ground truths.",
    )
    is_categorized: bool = Field(
        default=True, description="Whether each split, or category, gets a folder of its own; else all is in one."
    )
    save_original_file: bool = Field(default=True, description="Whether to download the files of the items, too.")
    source_format: Format | None = Field(default=None, description="The format of `path`; by default it is found out.")
    target_format: Format = Field(default="yolo", description="The format to convert into.")
    task: Text | None = Field(
        default=None, description="What a YOLO dataset is for: detect, segment, pose, obb or classify."
    )
    images: ImageTransfer = Field(
        default=ImageTransfer.COPY,
        description="How images come into the output: `copy`, `hardlink`, `symlink`, or `none`.",
    )
    bounds: BoundsPolicy | None = Field(
        default=None, description="What to do about annotations over the edge: `clip`, `keep`, `drop` or `error`."
    )
    exif: ExifPolicy = Field(
        default=ExifPolicy.APPLY, description="Take images as shown, `apply`, or as stored, `ignore`."
    )
    voc_origin: int = Field(default=1, ge=0, le=1, description="The number of the first pixel in Pascal VOC files.")
    classes: tuple[Text, ...] = Field(default=(), description="Only these classes, numbered in this order.")
    class_order: Annotated[str, Field(pattern="^(source|name)$")] = Field(
        default="source", description="How classes are numbered: as the `source` has them, or by `name`."
    )
    strict: bool = Field(default=False, description="Whether the conversion fails if anything would be lost.")
    on_error: OnError = Field(
        default=OnError.CONTINUE,
        description="Whether to `stop` or to `continue` after an item that cannot be downloaded.",
    )
    max_failed: int | None = Field(
        default=None,
        ge=0,
        description="Items that may fail to be downloaded before the run fails; by default any number.",
    )
    download_max_workers: int = Field(
        default=32, ge=1, le=256, description="Files that are fetched at a time, at most; fewer where that is faster."
    )
    download_max_retries: int = Field(
        default=4, ge=0, le=20, description="Times that a file is tried again whose failure may pass."
    )
    allow_private_urls: bool = Field(
        default=False, description="Whether files of the web may lie in private networks and on this machine."
    )

    @property
    def options(self) -> ConversionOptions:
        """What was chosen about the conversion."""
        return ConversionOptions(
            task=self.task,
            images=self.images,
            bounds=self.bounds,
            exif=self.exif,
            voc_origin=self.voc_origin,
            classes=self.classes,
            class_order=self.class_order,
            strict=self.strict,
        )

    @field_validator("dataset")
    @classmethod
    def _check_what_is_named(cls, dataset: int | str | None, info: ValidationInfo) -> int | str | None:
        """Refuse parameters that name nothing to work on, or two things."""
        operation, path = info.data.get("operation"), info.data.get("path")
        if operation is DatasetOperation.DOWNLOAD and dataset is None:
            msg = "must name the version to download: an id, NAME@NUMBER, or NAME"
        elif operation is DatasetOperation.DOWNLOAD and path is not None:
            msg = "is downloaded into 'output'; 'path' is for a dataset that is converted"
        elif operation is DatasetOperation.CONVERT and "path" in info.data and (dataset is None) == (path is None):
            msg = "or 'path' must name what is converted" if path is None else "and 'path' cannot both be converted"
        else:
            return dataset
        raise ValueError(msg)

    @field_validator("output")
    @classmethod
    def _check_output(cls, output: str | None, info: ValidationInfo) -> str | None:
        """Refuse a place within the dataset that is converted, which is never written to."""
        path = info.data.get("path")
        if output is not None and path is not None:
            inside, outside = (Path(each).expanduser().absolute() for each in (output, path))
            if inside.is_relative_to(outside):
                msg = f"lies in the dataset {path!r}, which is only read"
                raise ValueError(msg)
        return output
