"""A reporter that keeps everything in this process; the twin used by tests and notebooks."""

from collections.abc import Mapping
from typing import Any

from synapse_sdk.reporting.events import Event, Logged, MetricsReported, ProgressReported, RunProgressed

__all__ = ["MemoryReporter"]


class MemoryReporter:
    """Keep every event in order, and the last progress and metrics of each category.

    Example:
        >>> reporter = MemoryReporter()
        >>> reporter.set_progress(3, 4, "resize")
        >>> reporter.progress
        {'resize': (3, 4)}
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.progress: dict[str | None, tuple[float, float]] = {}
        """Last `(current, total)` by category."""
        self.metrics: dict[str | None, dict[str, Any]] = {}
        """Figures by category; later values of a name replace earlier ones."""

    def observe(self, event: Event) -> None:
        """Keep the event."""
        self.events.append(event)
        if isinstance(event, ProgressReported):
            self.progress[event.category] = (event.current, event.total)
        elif isinstance(event, MetricsReported):
            self.metrics.setdefault(event.category, {}).update(event.values)

    def set_progress(self, current: float, total: float, category: str | None) -> None:
        """Keep the progress as an event and as the last value of its category."""
        self.observe(ProgressReported(category, current, total))

    def close(self) -> None:
        """Do nothing: what was kept stays readable."""

    @property
    def logs(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Event word and data of every log line, in order."""
        return [(event.event, event.data) for event in self.events if isinstance(event, Logged)]

    @property
    def percents(self) -> list[int]:
        """Every percent the run went through, in order."""
        return [event.percent for event in self.events if isinstance(event, RunProgressed)]
