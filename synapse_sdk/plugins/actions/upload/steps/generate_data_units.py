"""The fifth step: what the backend will know of each data unit."""

from sys import intern
from typing import Any

from synapse_sdk.backend import FileSpecification
from synapse_sdk.errors import ConfigurationError
from synapse_sdk.plugins.actions.upload.accounting import Reason, reason_and_words, told
from synapse_sdk.plugins.actions.upload.context import UploadContext
from synapse_sdk.plugins.actions.upload.grouping import stem_of
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["BUILT_IN_META", "GenerateDataUnitsStep"]

BUILT_IN_META = ("data_unit_key", "origin_file_stem", "origin_file_extension", "created_at")
"""What the metadata of every unit begins with; a sheet cannot change these."""


class GenerateDataUnitsStep(BaseStep[UploadContext]):
    """Write down each unit as it will be registered."""

    name = "generate_data_units"
    progress_weight = 0.10

    def execute(self, context: UploadContext) -> StepResult:
        """Fill `data_units`.

        Raises:
            ConfigurationError: There is no unit, or a step has put something into `organized_files` that is none.
        """
        specifications = {each.name: each for each in context.specifications}
        units = [_unit(key, files, specifications, context) for key, files in sorted(context.organized_files.items())]
        if not units:
            msg = "No data unit is complete, so there is nothing to upload"
            raise ConfigurationError(
                msg,
                why=_first_reason(context),
                fix="Complete at least one; the report of an upload has the reason of every file",
            )
        _account_for_changes(context, {path for unit in units for path in unit["files"].values()})
        context.data_units = units
        return StepResult(data={"units": len(units)})


def _unit(
    key: str, files: dict[str, str], specifications: dict[str, FileSpecification], context: UploadContext
) -> dict[str, Any]:
    unknown = [name for name in files if name not in specifications]
    if unknown or not files:
        what = f"has a file for {unknown[0]!r}, which is no file specification" if unknown else "has no files"
        msg = f"Unit {key!r} of organized_files {what}"
        raise ConfigurationError(msg, fix=f"Use the names {', '.join(specifications)}")
    shown_by = next((name for name in files if specifications[name].is_primary), next(iter(files)))
    name = files[shown_by].rpartition("/")[2]
    stem = stem_of(name)
    # There may be a million of these: what many have in common is there once.
    meta = {
        "data_unit_key": key,
        "origin_file_stem": key if stem == key else stem,
        "origin_file_extension": intern(name[len(name.rpartition(".")[0]) :] if "." in name.lstrip(".") else ""),
        "created_at": context.started_at,
    }
    return {"key": key, "files": files, "meta": meta}


def _account_for_changes(context: UploadContext, used: set[str]) -> None:
    """Account for files that steps have added to `organized_files`, or left out of it."""
    found = set(context.file_paths)
    context.added_count = len(used - found)
    for path in found - used - context.failed_files.keys() - context.filtered_files.keys():
        context.filtered_files[path] = told(Reason.LEFT_OUT, "a step has left it out")


def _first_reason(context: UploadContext) -> str | None:
    for path, why in {**context.failed_files, **context.filtered_files}.items():
        return f"{path}: {reason_and_words(why)[1]}"
    return None
