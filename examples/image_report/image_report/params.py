"""What a user may set."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

__all__ = ["ImageReportParams"]


def refuse_blank(value: object) -> object:
    """Refuse a blank path, which would otherwise mean the current folder.

    Raises:
        ValueError: There is nothing but white space.
    """
    if isinstance(value, str) and not value.strip():
        msg = "must name a folder, but is blank; write '.' for the current folder"
        raise ValueError(msg)
    return value


def expand_home(folder: Path) -> Path:
    """Replace a leading `~` by the home folder.

    Raises:
        ValueError: It is the home of a user this machine does not know.
    """
    try:
        return folder.expanduser()
    except RuntimeError as error:
        raise ValueError(error) from error


Folder = Annotated[Path, BeforeValidator(refuse_blank), AfterValidator(expand_home)]
"""A folder's path; relative ones count from the current folder, a leading `~` is the home folder."""


class ImageReportParams(BaseModel):
    """Parameters of the `image_report` action."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input_dir: Folder = Field(
        description="Folder with the photos (.jpg, .jpeg, .png). Folders inside it are not looked into."
    )
    output_dir: Folder = Field(
        description="Folder for the smaller copies and the report; made if missing. Nothing in it is ever overwritten."
    )
    resize_width: int = Field(
        default=800, ge=1, le=10_000, description="Greatest width of a copy, in pixels. Smaller photos keep their size."
    )
    quality: int = Field(
        default=85, ge=1, le=95, description="JPEG quality of the copies: 95 looks best, lower values take less space."
    )
    max_megapixels: int = Field(
        default=100,
        ge=1,
        le=178,
        description="Photos with more pixels are refused unread, because a tiny file can unpack to fill the memory.",
    )
