"""The third step: what the collection wants, and whether there is anything of it."""

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.plugins.actions.upload.accounting import reason_and_words
from synapse_sdk.plugins.actions.upload.context import UploadContext
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["AnalyzeCollectionStep"]

MOST_NAMED = 5


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
            named = ", ".join(map(repr, missing))
            msg = f"There are no files for {named}, which every unit of {collection.name!r} needs"
            places = ", ".join(f"{self._place(context)}/{name}/" for name in missing)
            fix = f"Put them into {places}" if "" in context.roots else f"Add assets for {', '.join(missing)}"
            raise ConfigurationError(msg, fix=fix)
        context.specifications = specifications
        return StepResult(data={"files_by_specification": counts})

    def _nothing_found(self, context: UploadContext, names: list[str]) -> ConfigurationError:
        place, total = self._place(context), len(context.filtered_files) + len(context.failed_files)
        if not total:
            return ConfigurationError(f"There are no files in {place!r}", fix="Name a place that has some")
        msg = f"Nothing in {place!r} can be uploaded: of {total:,} files {len(context.filtered_files):,} do not belong"
        examples = list({**context.filtered_files, **context.failed_files}.items())[:MOST_NAMED]
        why = "; ".join(f"{path}: {reason_and_words(told)[1]}" for path, told in examples)
        folders = ", ".join(f"{name}/" for name in names)
        fix = f"Put the files of each specification into a folder of its name: {folders}"
        if "" in context.roots:
            fix += f"; or say where they are: --asset {names[0]}={place}"
        return ConfigurationError(msg, why=why, fix=fix)

    @staticmethod
    def _place(context: UploadContext) -> str:
        return context.roots.get("", "") or ", ".join(context.roots.values())
