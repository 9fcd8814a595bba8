"""Figures in MLflow."""

import time
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.plugins.actions.train.trackers.base import TrackedTraining

__all__ = ["MlflowTracker"]

RUN_TAG = "synapse.run"
"""Tells the run of MLflow that belongs to one of ours."""
LONGEST_PARAM = 500
"""Characters of a parameter that every store of MLflow keeps."""
MILLISECONDS = 1000


class MlflowTracker:
    """Keeps figures as metrics `CATEGORY/NAME` of a run in the experiment that is called as the model.

    Args:
        place: The tracking URI; empty for what MLFLOW_TRACKING_URI says.
        training: Whose figures it keeps. Resumed, it goes on with the run of MLflow that it had.
    """

    def __init__(self, place: str, training: TrackedTraining) -> None:
        from mlflow import MlflowClient  # noqa: PLC0415  # slow, and an extra
        from mlflow.entities import Metric  # noqa: PLC0415  # as above

        self._client: Any = MlflowClient(tracking_uri=place or None)
        self._metric = Metric
        self._run = self._found(training) or self._made(training)

    @staticmethod
    def check() -> None:
        """See that MLflow is there.

        Raises:
            ConfigurationError: It is not installed.
        """
        if find_spec("mlflow") is None:
            msg = "MLflow needs the package mlflow, or mlflow-skinny"
            raise ConfigurationError(msg, fix="Install it: pip install 'synapse-sdk[mlflow]'")

    def report(self, figures: Mapping[str, float], *, step: int, category: str) -> None:
        """Log metrics, in one request."""
        now = int(time.time() * MILLISECONDS)
        metrics = [self._metric(f"{category}/{name}", value, now, step) for name, value in figures.items()]
        self._client.log_batch(self._run, metrics=metrics)

    def end(self, *, has_succeeded: bool) -> None:
        """Say that the run is finished, or failed."""
        self._client.set_terminated(self._run, "FINISHED" if has_succeeded else "FAILED")

    def close(self) -> None:
        """Do nothing: the run of MLflow is open until somebody says how it ended."""

    def _found(self, training: TrackedTraining) -> str | None:
        experiment = self._client.get_experiment_by_name(training.name)
        if experiment is None:
            return None
        wanted = f"tags.`{RUN_TAG}` = '{training.run}'"
        found = self._client.search_runs([experiment.experiment_id], wanted, max_results=1)
        return str(found[0].info.run_id) if found else None

    def _made(self, training: TrackedTraining) -> str:
        experiment = self._client.get_experiment_by_name(training.name)
        number = experiment.experiment_id if experiment else self._client.create_experiment(training.name)
        run = self._client.create_run(number, run_name=training.version, tags={RUN_TAG: training.run})
        for name, value in training.hyperparameters.items():
            self._client.log_param(run.info.run_id, name, str(value)[:LONGEST_PARAM])
        return str(run.info.run_id)
