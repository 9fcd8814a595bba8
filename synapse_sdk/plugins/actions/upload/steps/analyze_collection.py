"""The third step: what the collection wants, and whether there is anything of it."""

from collections.abc import Mapping
from itertools import islice

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.plugins.actions.upload.accounting import reason_and_words
from synapse_sdk.plugins.actions.upload.context import UploadContext
from synapse_sdk.plugins.steps import BaseStep, StepResult
from synapse_sdk.reporting.text import plural

__all__ = ["AnalyzeCollectionStep"]

MOST_NAMED = 5
MEND = "Mend what is refused, and see whether include and exclude, or the collection, leave out what they should not"


class AnalyzeCollectionStep(BaseStep[UploadContext]):
    """Compare the files with the file specifications of the collection."""

    name = "analyze_collection"
    progress_weight = 0.05

    def execute(self, context: UploadContext) -> StepResult:
        """Fill `specifications`.

        Raises:
            ConfigurationError: The collection has no specification, there is nothing to upload, or there are no files
                for a specification that is required.
        """
        collection = context.collection
        specifications = list(collection.specifications)
        if not specifications:
            msg = f"The collection {collection.name!r} has no file specification, so no file can belong to it"
            raise ConfigurationError(msg, fix="Make one that has some: synapse collections create --help")
        counts = dict.fromkeys((each.name for each in specifications), 0)
        for path in context.file_paths:
            counts[path.partition("/")[0]] += 1
        if not any(counts.values()):
            raise self._nothing_found(context, list(counts))
        missing = [each.name for each in specifications if each.is_required and not counts[each.name]]
        if missing:
            raise self._missing(context, missing)
        context.specifications = specifications
        return StepResult(data={"files_by_specification": counts})

    def _missing(self, context: UploadContext, names: list[str]) -> ConfigurationError:
        named = ", ".join(map(repr, names))
        needed = f"which every unit of {context.collection.name!r} needs"
        unfit = _unfit(context, tuple(f"{name}/" for name in names))
        if unfit:
            msg = f"No file for {named}, {needed}, can be uploaded"
            return ConfigurationError(msg, why=_examples(unfit), fix=MEND)
        places = ", ".join(f"{self._place(context)}/{name}/" for name in names)
        fix = f"Put them into {places}" if "" in context.roots else f"Add assets for {', '.join(names)}"
        return ConfigurationError(f"There are no files for {named}, {needed}", fix=fix)

    def _nothing_found(self, context: UploadContext, names: list[str]) -> ConfigurationError:
        place, filtered, failed = self._place(context), len(context.filtered_files), len(context.failed_files)
        if not filtered + failed:
            return ConfigurationError(f"There are no files in {place!r}", fix="Name a place that has some")
        msg = f"Nothing in {place!r} can be uploaded: of {plural(filtered + failed, 'file')}"
        counts = [f"{filtered:,} {'does' if filtered == 1 else 'do'} not belong"] if filtered else []
        counts += [f"{failed:,} {'is' if failed == 1 else 'are'} refused"] if failed else []
        msg += f" {' and '.join(counts)}"
        unfit = _unfit(context, tuple(f"{name}/" for name in names))
        if unfit:
            return ConfigurationError(msg, why=_examples(unfit), fix=MEND)
        folders = ", ".join(f"{name}/" for name in names)
        fix = f"Put the files of each specification into a folder of its name: {folders}"
        if "" in context.roots:
            fix += f"; or say where they are: --asset {names[0]}={place}"
        return ConfigurationError(msg, why=_examples(context.filtered_files), fix=fix)

    @staticmethod
    def _place(context: UploadContext) -> str:
        return context.roots.get("", "") or ", ".join(context.roots.values())


def _unfit(context: UploadContext, folders: tuple[str, ...]) -> dict[str, str]:
    """Return the files of specifications that were found and cannot be uploaded, with their reasons."""
    unfit = {**context.failed_files, **context.filtered_files}
    return {path: why for path, why in unfit.items() if path.startswith(folders)}


def _examples(unfit: Mapping[str, str]) -> str:
    return "; ".join(f"{path}: {reason_and_words(why)[1]}" for path, why in islice(unfit.items(), MOST_NAMED))
