"""All trackers of a training: what one of them cannot keep does not end the training."""

from collections.abc import Callable, Mapping, Sequence

from synapse_sdk.plugins.actions.train.trackers.base import TRACKERS, TrackedTraining, Tracker, kind_and_place

__all__ = ["Trackers"]


class Trackers:
    """Hands figures to several trackers, which are opened with the first.

    Args:
        wanted: Their names, each with a place if need be.
        training: The training.
        note: Called with the name of a tracker and what it has raised.
    """

    def __init__(
        self, wanted: Sequence[str], training: TrackedTraining, note: Callable[[str, Exception], None]
    ) -> None:
        self._wanted, self._training, self._note = wanted, training, note
        self._open: dict[str, Tracker] = {}

    def report(self, figures: Mapping[str, float], *, step: int, category: str) -> None:
        """Hand on figures; see `Tracker.report`."""
        self._each(lambda tracker: tracker.report(figures, step=step, category=category))

    def end(self, *, has_succeeded: bool) -> None:
        """Say how the training has ended, which another process may have trained; safe to repeat."""
        self._each(lambda tracker: tracker.end(has_succeeded=has_succeeded))
        self._open.clear()

    def close(self) -> None:
        """Release what is open."""
        for text in [*self._open]:
            self._try(text, lambda tracker: tracker.close())
        self._open.clear()

    def _each(self, do: Callable[[Tracker], None]) -> None:
        for text in self._wanted:
            self._try(text, do)

    def _try(self, text: str, do: Callable[[Tracker], None]) -> None:
        name, place = kind_and_place(text)
        try:
            if text not in self._open:
                self._open[text] = TRACKERS.load(name)(place, self._training)
            do(self._open[text])
        except Exception as error:  # noqa: BLE001  # a tracker may raise anything; the model matters more
            self._note(name, error)
