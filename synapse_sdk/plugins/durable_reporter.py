"""Keeping what a run says about itself, logs, progress and figures, in its journal, on the way to who shows it."""

import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from synapse_sdk.reporting.events import Event, Logged, MetricsReported, RunProgressed
from synapse_sdk.reporting.jsonable import json_line

if TYPE_CHECKING:
    from synapse_sdk.journal.writer import RunWriter
    from synapse_sdk.plugins.durable_parts import PartWriter
    from synapse_sdk.reporting.base import Reporter

__all__ = ["DurableReporter", "for_people"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class DurableReporter:
    """A reporter that writes into a run's journal what may come a moment later, and passes everything on.

    Args:
        writer: Writes about the run.
        inner: Who shows it, if anybody does.
    """

    def __init__(self, writer: "RunWriter | PartWriter", inner: "Reporter | None") -> None:
        self.inner = inner
        self._writer = writer
        self._metrics: dict[str | None, dict[str, Any]] = {}

    def observe(self, event: Event) -> None:
        """Keep logs, metrics and the percent of the run; the engine's other events reach the journal directly."""
        match event:
            case Logged():
                particulars = {"event": event.event, "data": event.data, "level": event.level, "file": event.file}
                self._writer.keep(
                    _line("Logged", event.occurred_at, **particulars, category=event.category), is_log=True
                )
            case MetricsReported():
                values = self._metrics.setdefault(event.category, {})
                values.update(event.values)
                text = _line("MetricsReported", event.occurred_at, category=event.category, values=dict(values))
                self._writer.replace(f"metrics {event.category}", text)
            case RunProgressed():
                self._writer.replace("percent", _line("RunProgressed", event.occurred_at, percent=event.percent))
            case _:
                pass
        if self.inner is not None:
            self.inner.observe(event)

    def set_progress(self, current: float, total: float, category: str | None) -> None:
        """Keep the last value of the category; it is put into words only when it is written."""
        if self.inner is not None:
            self.inner.set_progress(current, total, category)
        self._writer.replace(
            f"progress {category}",
            lambda: _line("ProgressReported", datetime.now(UTC), category=category, current=current, total=total),
        )

    def close(self) -> None:
        """Leave the inner reporter to whoever opened it."""


def _line(kind: str, at: datetime, **particulars: Any) -> str:  # noqa: ANN401  # whatever a step reports
    return json_line({"type": kind, "at": (at - EPOCH) // timedelta(microseconds=1), **particulars}).rstrip("\n")


def for_people(result: object) -> object:
    """Return what an action gave back with its models as JSON data; whatever else it is stays as it is."""
    core: Any = sys.modules.get("pydantic_core")  # loaded if the result holds a model
    if core is None:
        return result
    try:
        return core.to_jsonable_python(result, fallback=str, inf_nan_mode="strings")
    except Exception:  # noqa: BLE001  # whatever an object does when it is looked at; the run is done
        return result
