"""What a run has at hand besides its own data: reporter, logger, environment, clients."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import logging

    from synapse_sdk.plugins.environment import PluginEnvironment
    from synapse_sdk.plugins.steps.history import RunJournal
    from synapse_sdk.reporting.base import Reporter
    from synapse_sdk.types import JobId

__all__ = ["RuntimeContext"]


class RuntimeContext:
    """The services of one run. Building it creates nothing; each service is made on first use.

    Args:
        logger: A standard library logger; by default one whose lines go to the reporter.
        env: Settings of the plugin; by default the process's environment variables.
        job_id: Names this run in logs and reports.
        client: Client of the backend, if the run has one.
        checkpoint: The model checkpoint to start from (`category`, `path`, `id`, `name`), if there is one.
        reporter: Where logs, progress and metrics go. Without one, logs go to the standard library logger
            `synapse_sdk.run`, and progress and metrics are not shown.
        journal: Records the run, so that it can be resumed or rolled back after its process has died.

    Example:
        >>> from synapse_sdk.reporting import MemoryReporter
        >>> ctx = RuntimeContext(reporter=MemoryReporter())
        >>> ctx.log("photo_resized", {"path": "cat.jpg"})
        >>> ctx.reporter.logs
        [('photo_resized', {'path': 'cat.jpg'})]
    """

    def __init__(
        self,
        *,
        logger: "logging.Logger | None" = None,
        env: "PluginEnvironment | Mapping[str, Any] | None" = None,
        job_id: "JobId | str | None" = None,
        client: Any = None,  # noqa: ANN401  # whatever backend client the plugin was written for
        checkpoint: Mapping[str, Any] | None = None,
        reporter: "Reporter | None" = None,
        journal: "RunJournal | None" = None,
    ) -> None:
        self._logger = logger
        self._env = env
        self.job_id = job_id
        self.client = client
        self.checkpoint = checkpoint
        self.reporter = reporter
        self.journal = journal

    @property
    def logger(self) -> "logging.Logger":
        """A standard library logger that belongs to this run."""
        if self._logger is None:
            from synapse_sdk.reporting.logger import run_logger  # noqa: PLC0415  # logging is loaded on use

            self._logger = run_logger(self.reporter)
        return self._logger

    @property
    def env(self) -> "PluginEnvironment":
        """Settings of the plugin, with typed getters."""
        from synapse_sdk.plugins.environment import PluginEnvironment  # noqa: PLC0415  # loaded on use

        if not isinstance(self._env, PluginEnvironment):
            self._env = PluginEnvironment.from_environ() if self._env is None else PluginEnvironment(self._env)
        return self._env

    def log(
        self,
        event: str,
        data: Mapping[str, Any] | None = None,
        file: str | None = None,
        category: str | None = None,
        level: str = "info",
    ) -> None:
        """Say that something happened.

        Args:
            event: What happened, as a stable word such as `resize_failed`.
            data: Particulars; JSON values travel best.
            file: The file it is about, if any.
            category: The part of the work it belongs to, such as a step's name.
            level: One of debug, info, success, warning, error, critical.
        """
        if self.reporter is None:
            from synapse_sdk.reporting.logger import log_without_reporter  # noqa: PLC0415  # logging is loaded on use

            log_without_reporter(self.logger, event, data or {}, level)
            return
        from synapse_sdk.reporting.events import Logged, LogLevel  # noqa: PLC0415  # loaded on use

        self.reporter.observe(Logged(event, dict(data or {}), LogLevel(level), file, category))

    def log_message(self, message: str, level: str = "info", category: str | None = None) -> None:
        """Say something to the person who watches the run."""
        self.log("message", {"message": message}, category=category, level=level)

    def set_progress(
        self, current: float, total: float, category: str | None = None, *, step: str | None = None
    ) -> None:
        """Say how far the work of a category has come: `current` of `total`, in units of the caller's choice.

        Cheap enough to call for every item; the last value wins. `step` is another word for `category`.
        """
        if self.reporter is not None:
            self.reporter.set_progress(current, total, category or step)

    def set_metrics(self, value: Mapping[str, Any], category: str | None = None, *, step: str | None = None) -> None:
        """Give figures of a category their current value; names not given keep theirs.

        `step` is another word for `category`.
        """
        if self.reporter is not None:
            from synapse_sdk.reporting.events import MetricsReported  # noqa: PLC0415  # loaded on use

            self.reporter.observe(MetricsReported(category or step, dict(value)))
