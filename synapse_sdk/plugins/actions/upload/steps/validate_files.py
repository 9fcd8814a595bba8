"""The second step: which files there are, and whether each of them can be uploaded."""

from datetime import UTC, datetime
from pathlib import PurePosixPath
from urllib.parse import unquote

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.folders import remove_tree
from synapse_sdk.plugins.actions.upload.context import UploadContext
from synapse_sdk.plugins.actions.upload.inventory import Rules, take_inventory
from synapse_sdk.plugins.actions.upload.losses import note_losses
from synapse_sdk.plugins.actions.upload.sheets import find_sheet
from synapse_sdk.plugins.actions.upload.sources import Source
from synapse_sdk.plugins.steps import BaseStep, StepResult
from synapse_sdk.storage import place_of

__all__ = ["ValidateFilesStep"]


class ValidateFilesStep(BaseStep[UploadContext]):
    """Find all files, and check that each exists, can be read, has bytes, and is not too large."""

    name = "validate_files"
    progress_weight = 0.10

    def execute(self, context: UploadContext) -> StepResult:
        """Fill `roots`, `file_paths`, `file_sizes`, `file_versions`, `metadata_sheet`, and what is filtered or failed.

        Raises:
            ConfigurationError: A source cannot be read, or an asset belongs to no file specification.
            InvalidSheetError: The metadata sheet cannot be used; better now than after the upload.
        """
        params, collection = context.params, context.collection
        known = frozenset(each.name for each in collection.specifications)
        sources = self._sources(context, known)
        rules = Rules(
            specifications=known,
            extensions={each.name: each.extensions for each in collection.specifications},
            include=params.include,
            exclude=params.exclude,
            max_bytes=params.max_file_bytes,
            store=_store_among(context),
        )
        context.started_at = datetime.now(UTC).isoformat(timespec="seconds")
        inventory = take_inventory(sources, rules)
        context.metadata_sheet = find_sheet(context, inventory.sheet)
        context.file_paths, context.file_sizes = inventory.paths, inventory.sizes
        context.file_versions = inventory.versions
        context.filtered_files, context.failed_files = inventory.filtered, {}
        context.found_count = len(inventory.paths) + len(inventory.failed) + len(inventory.filtered)
        data = {"found": context.found_count, "fit": len(inventory.paths), "bytes": sum(inventory.sizes)}
        return note_losses(context, inventory.failed, StepResult(data=data))

    def rollback(self, context: UploadContext, result: StepResult) -> None:
        """Delete a metadata sheet that was fetched from a storage."""
        for entry in result.rollback_data.get("undo_log", []):
            remove_tree(entry["folder"])

    @staticmethod
    def _sources(context: UploadContext, known: frozenset[str]) -> dict[str, tuple[Source, bool]]:
        params = context.params
        if params.use_single_path:
            context.roots = {"": params.path or ""}
            return {"": (context.source(""), params.is_recursive)}
        assets = params.assets or {}
        unknown = sorted(assets.keys() - known)
        if unknown:
            msg = f"The collection {context.collection.name!r} has no file specification {unknown[0]!r}"
            raise ConfigurationError(msg, fix=f"Name assets after one of: {', '.join(sorted(known)) or 'none'}")
        context.roots = {name: asset.path for name, asset in assets.items()}
        _refuse_overlaps(context.roots)
        return {name: (context.source(name), asset.is_recursive) for name, asset in assets.items()}


def _store_among(context: UploadContext) -> str | None:
    """Return where the storage lies among the files, as a path like theirs; None if it lies elsewhere."""
    if not context.storage_id:  # a preview, of a storage that has no objects yet
        return None
    at, store = _folder_of(context.storage_record.url)
    for name, place in context.roots.items():
        same, root = _folder_of(place)
        if same == at and store.is_relative_to(root):
            path = PurePosixPath(name, store.relative_to(root)).as_posix()
            return "" if path == "." else path
    return None


def _refuse_overlaps(roots: dict[str, str]) -> None:
    """Refuse two specifications that would claim the same files.

    Raises:
        ConfigurationError: One place lies in another.
    """
    places = {name: _folder_of(place) for name, place in roots.items()}
    for name, (store, folder) in places.items():
        for other, (outer_store, outer) in places.items():
            if name != other and store == outer_store and folder.is_relative_to(outer):
                found = f"both are {roots[name]}" if folder == outer else f"{roots[name]} lies in {roots[other]}"
                msg = f"The specifications {other!r} and {name!r} claim the same files: {found}"
                raise ConfigurationError(msg, fix="Give each specification a folder of its own")


def _folder_of(place: str) -> tuple[str, PurePosixPath]:
    """Return what tells apart storages of one address, such as an endpoint, and the folder."""
    address, _, options = place_of(place).partition("?")
    return options, PurePosixPath(unquote(address, errors="surrogateescape"))
