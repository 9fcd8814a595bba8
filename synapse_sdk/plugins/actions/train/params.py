"""What a user may set about training a model."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from synapse_sdk.formats import ImageTransfer
from synapse_sdk.plugins.actions.dataset.params import Filter, Format, check_splits
from synapse_sdk.plugins.actions.fields import Reference, StorageReference, Text
from synapse_sdk.plugins.actions.train.trackers import check_tracker
from synapse_sdk.plugins.kinds import Names
from synapse_sdk.types import JsonObject

__all__ = ["TrainParams"]

MOST_CHARACTERS = 200


def check_model_name(name: str) -> str:
    """Refuse a name by which a model could not be found again.

    Raises:
        ValueError: It has an `@`, a slash or a control character, or is a number.
    """
    if name.isdecimal() or "@" in name or "/" in name or not name.isprintable() or len(name) > MOST_CHARACTERS:
        msg = f"must be up to {MOST_CHARACTERS} printable characters without '@' and '/', and no number"
        raise ValueError(msg)
    return name


def check_version(version: str) -> str:
    """Refuse a version that could not be written behind a name.

    Raises:
        ValueError: It has an `@`, a slash or a control character.
    """
    if "@" in version or "/" in version or not version.isprintable() or len(version) > MOST_CHARACTERS:
        msg = f"must be up to {MOST_CHARACTERS} printable characters without '@' and '/'"
        raise ValueError(msg)
    return version


class TrainParams(BaseModel):
    """Parameters of a training. A subclass adds its hyperparameters as fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[Text, AfterValidator(check_model_name)] | None = Field(
        default=None, description="What the model is called; by default as the action."
    )
    version: Annotated[Text, AfterValidator(check_version)] | None = Field(
        default=None, description="The version of the model; by default the id of the run."
    )
    description: str | None = Field(default=None, description="What the model is about, for listings.")
    path: Annotated[Text, Names("dataset folder")] | None = Field(
        default=None, description="The dataset to learn from, as a folder or file."
    )
    dataset: Reference | None = Field(
        default=None,
        description="The version of a ground-truth dataset to learn from: its id, `NAME@NUMBER`, or `NAME` for the "
        "newest.",
    )
    filter: Filter = Field(default_factory=dict, description="Only ground truths that fit.")
    splits: Annotated[dict[str, dict[str, Any]], AfterValidator(check_splits)] = Field(
        default_factory=dict,
        description="Name of a split to the filter of what is in it; by default the categories of the ground truths.",
    )
    max_failed: int | None = Field(
        default=None,
        ge=0,
        description="Items that may fail to be downloaded before the run fails; by default any number.",
    )
    source_format: Format | None = Field(default=None, description="The format of `path`; by default it is found out.")
    images: ImageTransfer = Field(
        default=ImageTransfer.COPY,
        description="How images come into a converted dataset: `copy`, `hardlink`, `symlink`, or `none`.",
    )
    checkpoint: Reference | None = Field(
        default=None, description="The model to begin with: its id, `NAME@VERSION`, or `NAME` for the newest."
    )
    storage: StorageReference | None = Field(
        default=None, description="Where the model goes: a storage by id or name, a path or URL; else the default one."
    )
    track: tuple[Annotated[str, AfterValidator(check_tracker)], ...] = Field(
        default=(),
        description="Where figures go as well: `tensorboard` or `tensorboard:FOLDER`, `mlflow` or `mlflow:URI`, or an "
        "entry point in the group `synapse.trackers`.",
    )
    hyperparameters: Annotated[tuple[dict[str, Any], ...], Field(max_length=1)] = Field(
        default=(), description="A list with one set of hyperparameters, which stand for fields of the same names."
    )

    @model_validator(mode="before")
    @classmethod
    def _lift_hyperparameters(cls, given: Any) -> Any:  # noqa: ANN401  # whatever was given
        """Give the fields what the set of hyperparameters says, unless they are given themselves."""
        sets = given.get("hyperparameters") if isinstance(given, dict) else None
        if not isinstance(sets, list | tuple) or len(sets) != 1 or not isinstance(sets[0], dict):
            return given
        return {**sets[0], **given}

    @field_validator("dataset")
    @classmethod
    def _check_that_one_is_named(cls, dataset: int | str | None, info: ValidationInfo) -> int | str | None:
        """Refuse two datasets."""
        if dataset is not None and info.data.get("path") is not None:
            msg = "and 'path' cannot both be learned from"
            raise ValueError(msg)
        return dataset

    @property
    def own(self) -> JsonObject:
        """What a subclass has added, as JSON data: the hyperparameters."""
        names = type(self).model_fields.keys() - TrainParams.model_fields.keys()
        return self.model_dump(mode="json", include=names)

    @property
    def folder(self) -> Path | None:
        """The dataset in a folder, as an absolute path; None without one."""
        return None if self.path is None else Path(self.path).expanduser().absolute()
