"""What a plugin may change about an export: the hooks that every item goes through."""

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from synapse_sdk.plugins.actions.export.targets.base import ExportItem, ItemFile
from synapse_sdk.types import JsonObject

if TYPE_CHECKING:
    from synapse_sdk.plugins.actions.export.originals import Originals
    from synapse_sdk.plugins.actions.export.staging import Staging
    from synapse_sdk.plugins.context import RuntimeContext

__all__ = ["BaseExporter", "ConvertedItem", "ErrorList", "ExportStatus", "primary_file"]

type ErrorList = list[list[str]]
"""Name of a file and what is the matter with it, for each that could not be saved."""


class ExportStatus(StrEnum):
    """What became of a file of an item."""

    SUCCESS = "success"
    FAILED = "failed"
    STAND_BY = "stand_by"
    """Nothing was to be done."""


class ConvertedItem(TypedDict):
    """What the hooks that save get: an item after `after_convert`, and what its files are to be called."""

    id: int
    data: JsonObject
    files: dict[str, ItemFile]
    number: int
    """Its place in the export, from 1."""
    json_name: str
    """What its document is called."""
    file_paths: dict[str, str]
    """By name of the file specification, where the file goes, below the export's folder."""


class BaseExporter:
    """Converts and saves items; a subclass overrides what it wants otherwise.

    Each item goes through `before_convert`, `convert_data` and `after_convert`, in the step `convert_data`, and through
    `process_file_saving` in the step `save_files`. A hook that raises, or returns something else than it should, fails
    its item, and the run goes on with the others (`on_error`). All hooks are called by one thread, item after item;
    between the two steps items rest in a file, as JSON.

    Args:
        ctx: The services of the run.
        export_items: The items, which may be gone through as often as need be.
        path_root: The folder in which the export's own is made.
        **params: `name`, `count`, `save_original_file`, `project_id`, `configuration` (of the project), and what the
            parameter `extra_params` has.

    Example:
        >>> class OnlyLabels(BaseExporter):
        ...     def convert_data(self, data):
        ...         return {**data, "data": {"labels": sorted(data["data"].get("classes", ()))}}
    """

    staging: "Staging"
    originals: "Originals"

    def __init__(
        self,
        ctx: "RuntimeContext",
        export_items: Iterable[ExportItem],
        path_root: Path,
        **params: Any,  # noqa: ANN401  # as a plugin wants them
    ) -> None:
        self.ctx = ctx
        self.export_items = export_items
        self.path_root = path_root
        self.params: Mapping[str, Any] = params

    # For each item, in the step convert_data

    def before_convert(self, data: Any) -> Any:  # noqa: ANN401  # an ExportItem, or what a subclass makes of it
        """Prepare an item."""
        return data

    def convert_data(self, data: Any) -> Any:  # noqa: ANN401  # as above
        """Convert an item: return a dictionary with at least `data`, which becomes the document, and `files`."""
        return data

    def after_convert(self, data: Any) -> Any:  # noqa: ANN401  # as above
        """Finish an item."""
        return data

    def get_original_file_name(self, files: Mapping[str, ItemFile]) -> str | None:
        """Return what the primary file of an item is called, and with it the item; None if it has none."""
        primary = primary_file(files)
        return None if primary is None else files[primary]["file_name_original"]

    # For each item, in the step save_files

    def process_file_saving(
        self, result: ConvertedItem, base_path: Path, errors_json: ErrorList, errors_original: ErrorList
    ) -> bool:
        """Save an item's files and its document, and return whether all of them are saved.

        Args:
            result: The item.
            base_path: The folder of the export.
            errors_json: Where to add `[name, error]` if the document cannot be saved.
            errors_original: Where to add it for files.
        """
        original = ExportStatus.STAND_BY
        if self.params["save_original_file"]:
            original = self.save_original_file(result, base_path / "origin_files", errors_original)
        document = self.save_as_json(result, base_path / "json", errors_json)
        return ExportStatus.FAILED not in {ExportStatus(original), ExportStatus(document)}

    def save_original_file(
        self,
        result: ConvertedItem,
        base_path: Path,  # for subclasses that write files of their own
        error_list: ErrorList,
    ) -> ExportStatus:
        """Save the files of an item; compared with what the backend knows of them."""
        if not result["files"]:
            return ExportStatus.STAND_BY
        failed = self.originals.save(result)
        error_list += [[result["file_paths"][name], words] for name, words in failed.items()]
        return ExportStatus.FAILED if failed else ExportStatus.SUCCESS

    def save_as_json(
        self,
        result: ConvertedItem,
        base_path: Path,
        error_list: ErrorList,  # as above
    ) -> ExportStatus:
        """Save the document of an item."""
        text = json.dumps(result["data"], ensure_ascii=False, allow_nan=False)
        self.staging.write(f"{base_path.name}/{result['json_name']}", f"{text}\n".encode())
        return ExportStatus.SUCCESS

    # Once, in the step finalize

    def additional_file_saving(self, unique_export_path: Path) -> None:
        """Write what else belongs to the export; what is in this folder then is part of it."""


def primary_file(files: Mapping[str, ItemFile]) -> str | None:
    """Return the name of the specification of the primary file, or of the first; None if there are no files."""
    return next((name for name, file in files.items() if file.get("is_primary")), next(iter(files), None))
