"""What a user may set about an upload."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from synapse_sdk.plugins.actions.fields import OnError, Place, Reference, StorageReference, Text
from synapse_sdk.plugins.kinds import Names

__all__ = ["AssetParams", "UploadParams"]

MEGABYTE = 1_000_000


class AssetParams(BaseModel):
    """Where the files of one file specification are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Place = Field(description="A folder, a zip or tar archive, or the URL of a storage.")
    is_recursive: bool = Field(default=True, description="Whether to look into the folders inside it.")


class UploadParams(BaseModel):
    """Parameters of an upload. A subclass may add more."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Text = Field(default="upload", description="What the upload is called in reports.")
    description: str | None = Field(default=None, description="What it is about, for reports.")
    data_collection: Annotated[Reference, Names("data collection")] = Field(
        description="The collection to upload into, by id or name."
    )
    storage: StorageReference | None = Field(
        default=None,
        description="Where the files go: a storage by id, name or URL. By default the backend's own default.",
    )
    project: Reference | None = Field(default=None, description="A project of the collection, by id or name.")

    use_single_path: bool = Field(
        default=True,
        description="Whether all files are below `path`, in one folder for each file specification; else `assets`.",
    )
    path: Place | None = Field(
        default=None, description="Where the files are: a folder, a zip or tar archive, or the URL of a storage."
    )
    is_recursive: bool = Field(default=True, description="Whether to look into folders below those of `path`.")
    assets: dict[Text, AssetParams] | None = Field(
        default=None, description="Where the files are, by name of the file specification."
    )
    excel_metadata_path: Place | None = Field(
        default=None,
        description="A sheet (.xlsx, .xls, .csv) with metadata by file name. By default meta.xlsx, meta.xls or "
        "meta.csv in `path`, if there is one and it is not excluded.",
    )

    include: tuple[Text, ...] = Field(default=(), description="Only files whose path matches one of these patterns.")
    exclude: tuple[Text, ...] = Field(default=(), description="No files whose path matches one of these patterns.")
    max_file_size_mb: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="Files with more megabytes are refused."
    )
    on_error: OnError = Field(default=OnError.STOP, description="Whether to `stop` or to `continue` after a failure.")

    upload_max_workers: int = Field(
        default=64, ge=1, le=256, description="Files that are sent at a time, at most; fewer where that is faster."
    )
    upload_max_retries: int = Field(
        default=4, ge=0, le=20, description="Times that a file is tried again whose failure may pass."
    )
    creating_data_unit_batch_size: int = Field(
        default=200, ge=1, le=1000, description="Data units that are registered at a time, at most."
    )

    @model_validator(mode="after")
    def _check_where_the_files_are(self) -> Self:
        if self.use_single_path and self.path is None:
            msg = "path: is needed (or set use_single_path to false and give assets)"
            raise ValueError(msg)
        if self.use_single_path and self.assets is not None:
            msg = "assets: are not looked at while use_single_path is true; set it to false"
            raise ValueError(msg)
        if not self.use_single_path and not self.assets:
            msg = "assets: are needed where use_single_path is false: {specification: {path: ...}}"
            raise ValueError(msg)
        if not self.use_single_path and self.path is not None:
            msg = "path: is not looked at while use_single_path is false; leave it out"
            raise ValueError(msg)
        return self

    @property
    def max_file_bytes(self) -> int | None:
        """Files with more bytes are refused."""
        return None if self.max_file_size_mb is None else int(self.max_file_size_mb * MEGABYTE)
