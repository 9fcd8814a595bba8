"""What a user may set."""

from pydantic import Field

from synapse_sdk.plugins.actions.export import ExportParams

__all__ = ["QaExportParams"]


class QaExportParams(ExportParams):
    """What may be set: all that an export takes, and this."""

    classes: tuple[str, ...] = Field(
        default=(),
        description="The labels that boxes may have. By default the `classes` of the project's configuration.",
    )
    min_side_px: float = Field(default=2, ge=0, description="Boxes with a shorter side, in pixels, are left out.")
    most_listed: int = Field(default=20, ge=1, le=1000, description="Boxes and items that the report lists, at most.")
