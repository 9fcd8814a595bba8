"""Telling here what happens in a worker process, as if it happened here."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from synapse_sdk.executors.channel import replay
from synapse_sdk.executors.relay import SignalRelay
from synapse_sdk.reporting.base import Reporter

__all__ = ["Replayer"]


class Replayer:
    """Tells a reporter what happened in the worker; one that raises never fails the run."""

    def __init__(self, reporter: Reporter | None) -> None:
        self._reporter = reporter
        self._failures = 0

    def hear_out(self, messages: Iterable[Mapping[str, Any]], relay: SignalRelay) -> Mapping[str, Any] | None:
        """Tell of all that a worker says, and return the outcome, which it says last; None if it said none."""
        for message in messages:
            if "ready" in message:
                relay.worker_is_ready()
            elif "event" in message:
                self._replay(message["event"])
            elif "outcome" in message:
                outcome: Mapping[str, Any] = message["outcome"]
                return outcome
        return None

    def sum_up(self) -> None:
        """Say how often reporting has failed, if it did more than once."""
        if self._failures > 1:
            _log().warning("Reporting failed %d times during the run", self._failures)

    def _replay(self, event: Mapping[str, Any]) -> None:
        if self._reporter is None:
            return
        try:
            replay(event, self._reporter)
        except Exception:  # noqa: BLE001  # whoever watches must not be able to fail the run
            self._failures += 1
            if self._failures == 1:
                _log().warning(
                    "Reporting failed, and the run goes on; further failures are only counted", exc_info=True
                )


def _log() -> logging.Logger:
    return logging.getLogger("synapse_sdk.executors")
