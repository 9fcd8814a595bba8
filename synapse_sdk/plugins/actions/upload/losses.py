"""What to do about files that cannot be uploaded: stop, or go on without them."""

from collections.abc import Mapping

from synapse_sdk.plugins.actions.upload.accounting import reason_and_words
from synapse_sdk.plugins.actions.upload.context import UploadContext
from synapse_sdk.plugins.steps import StepResult

__all__ = ["describe_losses", "note_losses"]

MOST_NAMED = 5
"""Files that an error lists one by one."""


def note_losses(context: UploadContext, failed: Mapping[str, str], result: StepResult) -> StepResult:
    """Take note of files that cannot be uploaded, and return how the step that found them ends."""
    context.failed_files |= failed
    if not failed:
        return result
    result.data["failed"] = len(failed)
    if context.goes_on:
        context.log("files_left_out", {"count": len(failed), "first": next(iter(failed))})
        return result
    return StepResult(success=False, error=describe_losses(failed), data=result.data)


def describe_losses(failed: Mapping[str, str]) -> str:
    """Return one text that names the first few files, why they fail, and the way out.

    Example:
        >>> print(describe_losses({"images/a.jpg": "EMPTY_FILE: it has no bytes"}).partition(". ")[0])
        1 file cannot be uploaded: images/a.jpg: it has no bytes
    """
    named = [f"{path}: {reason_and_words(told)[1]}" for path, told in list(failed.items())[:MOST_NAMED]]
    rest = len(failed) - len(named)
    more = [f"and {rest:,} more (see the report)"] if rest else []
    count, it = ("1 file", "it") if len(failed) == 1 else (f"{len(failed):,} files", "them")
    listed = "; ".join([*named, *more])
    way_out = f"Mend {it}, or go on without {it}: on_error='continue' (--on-error continue)"
    return f"{count} cannot be uploaded: {listed}. {way_out}"
