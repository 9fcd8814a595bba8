"""What an export would do, without doing it."""

from pydantic import BaseModel, ConfigDict

from synapse_sdk.plugins.actions.export.context import ExportContext
from synapse_sdk.plugins.actions.export.params import ExportParams
from synapse_sdk.plugins.actions.export.target_format import check_target_format
from synapse_sdk.plugins.context import RuntimeContext

__all__ = ["ExportPreview", "check_filter", "check_place", "preview_export"]


class ExportPreview(BaseModel):
    """What an export would do. `total = fit + without_data`."""

    model_config = ConfigDict(frozen=True)

    target: str
    total: int
    """Items that were found."""
    fit: int
    """Items that have data, and go through the hooks."""
    without_data: int
    """Items that would fail, since nobody has annotated them."""
    files: int
    """Files of items that would be saved besides the documents."""
    file_bytes: int
    """What is known of how many bytes they have."""
    output_path: str
    """Where the export would be."""


def check_filter(params: ExportParams, backend_url: str | None = None) -> None:
    """See whether the filter can be understood and what it names exists, before a run begins that could only fail.

    Raises:
        ConfigurationError: It has an unknown key, lacks one, or has a value that does not fit.
        RecordNotFoundError: It names something that there is not.
    """
    context = ExportContext(RuntimeContext(), params=params, run="preview", backend_url=backend_url)
    try:
        _ = context.filters
    finally:
        context.close()


def check_place(params: ExportParams, backend_url: str | None = None) -> None:
    """See whether the storage exists and the name is free, before a run begins that could only fail.

    Raises:
        ConfigurationError, RecordNotFoundError: The storage or the format does not fit, or is not there.
        ObjectExistsError: The name is taken, and no other may be used.
        StorageError: The storage cannot be asked.
    """
    context = _context(params, backend_url)
    try:
        check_target_format(context)
        context.destination.expected()
    finally:
        context.close()


def preview_export(params: ExportParams, backend_url: str | None = None) -> ExportPreview:
    """Count what would be exported; nothing is changed, no hook is called and no file is fetched. Raises as the export.

    Example:
        >>> preview_export(ExportParams(name="cats", storage="./exports", target="task", filter={"project": 1}))
        Traceback (most recent call last):
        ...
        synapse_sdk.errors.RecordNotFoundError: There is no project 1...
    """
    context = _context(params, backend_url)
    total = without_data = files = file_bytes = 0
    try:
        for item in context.results.read(0):
            total += 1
            if item["data"] is None:
                without_data += 1
            elif params.save_original_file:
                files += len(item["files"])
                file_bytes += sum(file.get("size", 0) for file in item["files"].values())
        return ExportPreview(
            target=params.target,
            total=total,
            fit=total - without_data,
            without_data=without_data,
            files=files,
            file_bytes=file_bytes,
            output_path=context.destination.expected(),
        )
    finally:
        context.close()


def _context(params: ExportParams, backend_url: str | None) -> ExportContext:
    context = ExportContext(RuntimeContext(), params=params, run="preview", backend_url=backend_url)
    context.find_storage()
    return context
