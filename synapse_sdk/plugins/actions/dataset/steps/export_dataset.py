"""The step that brings ground truths from the backend to this machine."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from synapse_sdk.backend import open_backend
from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.failpoints import hit
from synapse_sdk.folders import remove_tree
from synapse_sdk.plugins.actions.dataset.cache import (
    FACTS,
    KEPT,
    DatasetFacts,
    cache_folder,
    find_cached,
    read_facts,
)
from synapse_sdk.plugins.actions.dataset.cache_holding import Holding
from synapse_sdk.plugins.actions.dataset.context import DatasetStepContext
from synapse_sdk.plugins.actions.dataset.downloading import Download, describe_failures, fetch_items, undo_download
from synapse_sdk.plugins.actions.dataset.exporter import DatasetExporter
from synapse_sdk.plugins.actions.dataset.params import DatasetParams
from synapse_sdk.plugins.actions.dataset.selection import Selection, Survey
from synapse_sdk.plugins.actions.dataset.steps.base import DatasetStep
from synapse_sdk.plugins.actions.export.documents import seal, write_report
from synapse_sdk.plugins.actions.export.losses import LossError
from synapse_sdk.plugins.actions.export.params import ExportParams
from synapse_sdk.plugins.steps import StepResult
from synapse_sdk.reporting.events import RunStatus

__all__ = ["ExportDatasetStep"]


class ExportDatasetStep(DatasetStep):
    """Download a version of ground truths as a DM dataset, or find that it was downloaded before.

    Items are streamed: however many there are, a few are in memory. Downloaded datasets are kept in the data folder,
    below `datasets/cache`, each under a name that depends on its version, filters and contents. One is used again only
    if it is complete and none of its files has changed.

    Args:
        weight: Its share of the whole work, 0.0 to 1.0.
        params: Returns the parameters for a context; by default its own `params`, if these are `DatasetParams`.
    """

    name = "export_dataset"

    def __init__(self, weight: float = 0.3, params: Callable[[Any], DatasetParams] | None = None) -> None:
        super().__init__(weight, params)

    def can_skip(self, context: DatasetStepContext) -> bool:
        """Skip where no version is named."""
        return self.params_of(context).dataset is None

    def execute(self, context: DatasetStepContext) -> StepResult:
        """Fill `dataset` and `download`.

        Raises:
            ConfigurationError: The version or a filter cannot be understood, or an item would be in two splits.
            RecordNotFoundError: There is no such version.
            InvalidDatasetError: No ground truth fits.
            StorageError: The folder cannot be written, or a storage with files of items cannot be reached.
            BackendError: The backend cannot be read.
        """
        download = self._download(context)
        try:
            found = self._published(download) or find_cached(download.root, download.survey.key, context.holding)
            is_cached = found is not None and not download.destination.is_published
            if found is None:
                found = _fetch(download, context.holding)
            path, facts = found
            context.holding.take(path)
            if (work := Path(download.work_folder)).exists():
                write_report(download)
                _remove_work_folder(work)
        except LossError:
            write_report(download, RunStatus.ROLLED_BACK)
            return StepResult(success=False, error=describe_failures(download))
        finally:
            download.close()
        context.dataset = {
            "path": str(path),
            "format": facts.format,
            "is_categorized": facts.is_categorized,
            "count": facts.downloaded,
        }
        context.download = _told(facts, download, is_cached=is_cached)
        context.log("download_complete", {"dataset": facts.dataset, "path": str(path), "is_cached": is_cached})
        return StepResult(data={"path": str(path), "items": facts.downloaded, "is_cached": is_cached})

    def rollback(self, context: DatasetStepContext, result: StepResult) -> None:
        """Remove what this run has downloaded; a dataset that was there before stays."""
        for entry in result.rollback_data.get("undo_log", []):
            undo_download(entry)
            _remove_work_folder(Path(entry["work"]))
        context.dataset, context.download = {}, {}

    def _download(self, context: DatasetStepContext) -> Download:
        """Look at what there is to download, and return what does it."""
        params = self.params_of(context)
        backend = open_backend(context.backend_url)
        try:
            selection = Selection(backend, params)
            context.log("download_start", {"dataset": selection.name, "filter": selection.filter})
            survey = selection.survey()
            context.log("gt_events_listed", {"count": survey.count, "splits": dict(survey.splits)})
            _refuse_none(selection, survey)
        except BaseException:
            backend.close()
            raise
        root = cache_folder()
        download = Download(
            context.runtime_ctx,
            current_step=context.current_step,
            params=ExportParams(
                name=f"{selection.folder_name}-{survey.key[:KEPT]}",
                storage=str(root),
                target="ground_truth",
                filter={"ground_truth_dataset_version": int(selection.version.id), **selection.filter},
                save_original_file=params.save_original_file,
                on_error=params.on_error,
                download_max_workers=params.download_max_workers,
                download_max_retries=params.download_max_retries,
                allow_private_urls=params.allow_private_urls,
            ),
            run=context.run,
            backend_url=context.backend_url,
            work_folder=str(Path(context.work_folder, self.name)),
            report_folder=str(Path(context.report_folder, "download")),
            make_exporter=lambda download: DatasetExporter(
                context.runtime_ctx,
                (),
                download.unique_export_path,
                save_original_file=params.save_original_file,
            ),
            root=root,
            selection=selection,
            survey=survey,
            max_failed=params.max_failed,
        )
        download.backend = backend
        download.speak_for(context)
        return download

    @staticmethod
    def _published(download: Download) -> tuple[Path, DatasetFacts] | None:
        """Return what this run has published before its process died."""
        if not download.destination.is_published:
            return None
        path = Path(download.destination.publish())
        facts = read_facts(path)
        return None if facts is None else (path, facts)


def _fetch(download: Download, holding: Holding) -> tuple[Path, DatasetFacts]:
    """Download it all, and return where it is now."""
    download.begin()
    holding.take(Path(download.unique_export_path))  # before it has a name by which others find it
    fetch_items(download)
    facts = download.facts()
    staging = download.staging
    staging.clear_incoming()
    staging.write(FACTS, facts.to_json())
    seal(download)
    path = Path(download.destination.publish())
    hit("dataset.downloaded")
    return path, facts


def _refuse_none(selection: Selection, survey: Survey) -> None:
    """Refuse a selection without ground truths, which makes no dataset."""
    if not survey.count:
        msg = f"No ground truth of {selection.name!r} fits the filters"
        fix = "See what is in it: synapse datasets show NAME"
        raise InvalidDatasetError(msg, fix=fix, filter=selection.filter)


def _told(facts: DatasetFacts, download: Download, *, is_cached: bool) -> dict[str, Any]:
    told = {name: value for name, value in asdict(facts).items() if name not in {"contents", "key"}}
    return {**told, "is_cached": is_cached, "name": download.selection.folder_name}


def _remove_work_folder(work: Path) -> None:
    remove_tree(work)
    with suppress(OSError):  # others are at work there
        work.parent.rmdir()
