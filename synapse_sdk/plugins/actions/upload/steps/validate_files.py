"""The second step: which files there are, and whether each of them can be uploaded."""

from datetime import UTC, datetime
from pathlib import Path

from synapse_sdk.documents.sheets import read_sheet
from synapse_sdk.errors import ConfigurationError
from synapse_sdk.plugins.actions.upload.context import UploadContext
from synapse_sdk.plugins.actions.upload.inventory import Inventory, Rules, take_inventory
from synapse_sdk.plugins.actions.upload.losses import note_losses
from synapse_sdk.plugins.actions.upload.sources import Source
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["ValidateFilesStep", "check_sheet"]


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
            specifications=known, include=params.include, exclude=params.exclude, max_bytes=params.max_file_bytes
        )
        context.started_at = datetime.now(UTC).isoformat(timespec="seconds")
        inventory = take_inventory(sources, rules)
        context.metadata_sheet = self._sheet(context, inventory)
        context.file_paths, context.file_sizes = inventory.paths, inventory.sizes
        context.file_versions = inventory.versions
        context.filtered_files, context.failed_files = inventory.filtered, {}
        context.found_count = len(inventory.paths) + len(inventory.failed) + len(inventory.filtered)
        data = {"found": context.found_count, "fit": len(inventory.paths), "bytes": sum(inventory.sizes)}
        return note_losses(context, inventory.failed, StepResult(data=data))

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

    @staticmethod
    def _sheet(context: UploadContext, inventory: Inventory) -> str | None:
        """Return the metadata sheet, after having read it once."""
        named = context.params.excel_metadata_path
        if named is None and inventory.sheet is not None and "" in context.roots:
            root = Path(context.roots[""]).expanduser()
            named = str(root / inventory.sheet) if root.is_dir() else None
        if named is None:
            return None
        path = Path(named).expanduser()
        if not path.is_absolute() and not path.exists() and "" in context.roots:
            path = Path(context.roots[""]).expanduser() / path  # as older configurations name it
        return check_sheet(path)


def check_sheet(path: Path) -> str:
    """Read a metadata sheet to its end, so that one that cannot be used is known before anything is sent.

    Raises:
        InvalidSheetError: It cannot be used.
    """
    with read_sheet(path) as sheet:
        for _ in sheet:
            pass
    return str(path)


def _refuse_overlaps(roots: dict[str, str]) -> None:
    """Refuse two specifications that would claim the same files.

    Raises:
        ConfigurationError: One place lies in another.
    """
    places = {name: Path(place).expanduser().resolve() for name, place in roots.items() if "://" not in place}
    for name, place in places.items():
        for other, outer in places.items():
            if name != other and place.is_relative_to(outer):
                msg = f"The specifications {other!r} and {name!r} claim the same files: {place} lies in {outer}"
                raise ConfigurationError(msg, fix="Give each specification a folder of its own")
