"""The step that writes a dataset in another format."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.failpoints import hit
from synapse_sdk.formats import ConversionReport, convert
from synapse_sdk.plugins.actions.dataset.cache import cache_folder
from synapse_sdk.plugins.actions.dataset.context import DatasetStepContext
from synapse_sdk.plugins.actions.dataset.converting import Target, config_of, has_splits, undo_conversion
from synapse_sdk.plugins.actions.dataset.params import DatasetParams
from synapse_sdk.plugins.actions.dataset.steps.base import DatasetStep, own_folder
from synapse_sdk.plugins.steps import StepResult

__all__ = ["ConvertDatasetStep"]


class ConvertDatasetStep(DatasetStep):
    """Convert the dataset of the context, or the one in the folder `path`, into `target_format`.

    The source is only read. The target appears when it is complete, with `conversion.json`, which says what was done,
    and `losses.csv`, which has every annotation that did not fit.

    Args:
        weight: Its share of the whole work, 0.0 to 1.0.
        params: Returns the parameters for a context; by default its own `params`, if these are `DatasetParams`.
    """

    name = "convert_dataset"

    def __init__(self, weight: float = 0.2, params: Callable[[Any], DatasetParams] | None = None) -> None:
        super().__init__(weight, params)

    def execute(self, context: DatasetStepContext) -> StepResult:
        """Fill `conversion`, and change `dataset`.

        Raises:
            InvalidDatasetError: The source is not there, makes no sense, or nothing of it can be written.
            ConfigurationError: Formats or options do not fit, or the target is taken.
            DatasetLossError: Something would be lost, and the options are strict.
            ConflictError: Another process writes the same target.
            OSError: The target cannot be written.
        """
        params, dataset = self.params_of(context), context.dataset
        source = self._source(dataset, params)
        if source.parent == cache_folder():  # in a run that goes on, nobody has held it yet
            context.holding.take(source)
        target = self._target(context, params, source)
        context.log("convert_start", {"source": str(source), "target_format": params.target_format})
        path, report = target.finished() or self._convert(context, params, source, target)
        config = config_of(path)
        context.dataset = {
            "path": str(path),
            "format": params.target_format,
            "is_categorized": has_splits(path),
            "count": report.items.written + report.items.changed,
            "config_path": None if config is None else str(config),
            "source_path": str(source),
        }
        context.conversion = {
            "source_format": report.source_format,
            "target_format": report.target_format,
            "items": msgspec.to_builtins(report.items),
            "annotations": msgspec.to_builtins(report.annotations),
            "losses": report.loss_count,
            "reasons": [{"code": each.code, "reason": each.words, "count": each.count} for each in report.losses],
        }
        context.log("convert_complete", {"path": str(path), "losses": report.loss_count})
        return StepResult(data={"path": str(path), "items": context.dataset["count"], "losses": report.loss_count})

    def rollback(self, context: DatasetStepContext, result: StepResult) -> None:
        """Remove the target, if it is this run that has written it, and what there is of it."""
        for entry in result.rollback_data.get("undo_log", []):
            undo_conversion(entry)

    def _convert(
        self, context: DatasetStepContext, params: DatasetParams, source: Path, target: Target
    ) -> tuple[Path, ConversionReport]:
        path, count = target.free(), context.dataset.get("count")

        def tell(done: int, total: int | None) -> None:
            known = total or count
            if known:
                context.set_progress(done, max(done, known))

        context.record_undo(**target.undo_entry(path))
        report = convert(
            source,
            path,
            to=params.target_format,
            source_format=context.dataset.get("format") or params.source_format,
            options=replace(params.options, run=context.run),
            on_progress=tell,
        )
        hit("dataset.converted")
        return path, report

    @staticmethod
    def _source(dataset: dict[str, Any], params: DatasetParams) -> Path:
        named = dataset.get("path") or params.path
        if named is None:
            msg = "There is no dataset to convert"
            raise ConfigurationError(
                msg, fix="Name a folder (path), or let a step before this one fill context.dataset"
            )
        return Path(named).expanduser().absolute()

    @staticmethod
    def _target(context: DatasetStepContext, params: DatasetParams, source: Path) -> Target:
        if params.output is not None:
            return Target(Path(params.output).expanduser().absolute(), context.run)
        stem = str(context.download.get("name", source.name))
        is_own = not context.dataset.get("path")  # the user's own dataset, or one that was made for this run
        folder = source.parent if is_own else own_folder(context)
        return Target(folder / f"{stem}_{params.target_format}", context.run, is_numbered=True)
