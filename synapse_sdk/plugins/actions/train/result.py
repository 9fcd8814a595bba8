"""What comes of a training."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["TrainResult"]


class TrainResult(dict[str, Any]):
    """What a training has done, as a dictionary.

    Its keys: `success` says whether nothing was lost; `run` is the id of the run; `model` has `id`, `name` and
    `version` of the model that was registered, or is None if the steps have created none; `metrics` has the last
    figures by category; `dataset` says what was learned from, None without a dataset; `losses` is how much should be
    in the dataset and is not, or not as it was; `report_path`, `steps_executed` and `steps_total` are as in other
    results.
    """

    @property
    def losses(self) -> int:
        """Items that could not be downloaded, and annotations that did not come through a conversion as they are."""
        return int(self["losses"])

    def summary_lines(self) -> Iterator[str]:
        """Yield the result as a few lines for people."""
        model = self["model"]
        yield "Trained no model" if model is None else f"Trained the model {model['name']}@{model['version']}"
        for category, figures in self["metrics"].items():
            yield f"  {category:<10} {', '.join(f'{name} {value:g}' for name, value in figures.items())}"
        if self["dataset"] is not None and self["dataset"].get("count") is not None:
            yield f"  items      {self['dataset']['count']:,}"
        if self.losses:
            yield f"  losses     {self.losses:,}, see the report"
        yield f"  report     {self['report_path'].removeprefix(f'{Path.cwd()}{os.sep}')}"
