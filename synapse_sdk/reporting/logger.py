"""The bridge between standard library logging and a reporter."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from synapse_sdk.reporting.base import Reporter
from synapse_sdk.reporting.events import Logged, LogLevel

__all__ = ["ReporterHandler", "log_without_reporter", "run_logger"]

STANDARD_LEVELS = {
    LogLevel.DEBUG: logging.DEBUG,
    LogLevel.INFO: logging.INFO,
    LogLevel.SUCCESS: logging.INFO,
    LogLevel.WARNING: logging.WARNING,
    LogLevel.ERROR: logging.ERROR,
    LogLevel.CRITICAL: logging.CRITICAL,
}


class ReporterHandler(logging.Handler):
    """Hands the lines of a standard library logger to a reporter, tracebacks included."""

    def __init__(self, reporter: Reporter) -> None:
        super().__init__()
        self._reporter = reporter
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Report one line."""
        try:
            level = LogLevel(record.levelname.lower())
        except ValueError:  # a level of the author's own
            level = LogLevel.INFO if record.levelno < logging.WARNING else LogLevel.ERROR
        try:
            self._reporter.observe(Logged("message", {"message": self.format(record), "logger": record.name}, level))
        except Exception:  # noqa: BLE001  # what every logging handler does: a bad line must not fail the caller
            self.handleError(record)


def run_logger(reporter: Reporter | None) -> logging.Logger:
    """Return a logger whose lines go to the reporter, or to `synapse_sdk.run` when there is none."""
    if reporter is None:
        return logging.getLogger("synapse_sdk.run")
    # Made by hand, not by getLogger: a run must leave nothing in the process-wide table of loggers.
    logger = logging.Logger("synapse_sdk.run", logging.DEBUG)  # noqa: LOG001
    logger.addHandler(ReporterHandler(reporter))
    return logger


def log_without_reporter(logger: logging.Logger, event: str, data: Mapping[str, Any], level: str) -> None:
    """Write an event as one line of a standard library logger."""
    number = STANDARD_LEVELS[LogLevel(level)]
    if logger.isEnabledFor(number):
        logger.log(number, "%s %s", event, json.dumps(data, default=str, ensure_ascii=False))
