"""Inputs are prepared by threads ahead of the model: in order, some at a time, and never more."""

import threading
from collections.abc import Iterator, Sequence
from itertools import batched
from typing import Any

from synapse_sdk.inference import ModelInput
from synapse_sdk.plugins.actions.add_task_data.asking import Asked, answered, prepared
from synapse_sdk.plugins.actions.add_task_data.hooks import failed
from synapse_sdk.plugins.actions.add_task_data.records import Entry, TaskStage

BATCH = 4


class Preparing:
    """A model that notes how many inputs are prepared and wait for it, and that waits for those behind a batch."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.begun = self.done = self.most = 0

    def prepare(self, asked: ModelInput) -> str:
        """Count."""
        with self._changed:
            self.begun += 1
            self.most = max(self.most, self.begun - self.done)
            self._changed.notify_all()
        if asked.name == "bad":
            msg = "it is bad"
            raise ValueError(msg)
        return asked.name

    def answer(self, batch: Sequence[str]) -> list[Any]:
        """Return what was prepared, once something that follows is being prepared, too."""
        with self._changed:
            is_last = self.begun == TOTAL
            assert is_last or self._changed.wait_for(lambda: self.begun - self.done > len(batch), timeout=60)
            self.done += len(batch)
        return [RuntimeError("it fails") if each == "fails" else [each] for each in batch]

    def __call__(self, inputs: Sequence[ModelInput]) -> list[Any]:
        """Is never called."""
        raise NotImplementedError


TOTAL = 60


def tasks(names: Sequence[str]) -> Iterator[Asked]:
    """Yield tasks with an image each; one without."""
    for number, name in enumerate(names):
        entry = Entry(id=number, unit=1, version=0, path=name, stage=TaskStage.LOADED, source="", content=None)
        if name == "none":
            yield Asked(entry, failed(number, "NO_FILE", "there is none"))
        else:
            yield Asked(entry, ModelInput(name=name, content=b"", params={}))


def test_inputs_are_prepared_while_the_model_is_at_work() -> None:
    """And results come in the order of the tasks."""
    model = Preparing()
    names = [f"{number}" for number in range(TOTAL)]

    batches = batched(prepared(model, tasks(names), ahead=BATCH), BATCH)
    settled = [each for batch in batches for each in answered(model, batch)]

    assert [each.content for each in settled] == [f'["{name}"]'.encode() for name in names]
    assert BATCH < model.most <= 2 * BATCH + 1


def test_what_cannot_be_prepared_fails_alone() -> None:
    """Like a result that is an exception, and a task without a file; the others are answered."""
    model = Preparing()
    model.begun = TOTAL - 3

    batch = [*prepared(model, tasks(["good", "bad", "none", "fails"]), ahead=BATCH)]
    settled = answered(model, batch)

    assert [each.failure.reason for each in settled] == ["", "MODEL_FAILED", "NO_FILE", "MODEL_FAILED"]
    assert [each.failure.words for each in settled[1::2]] == ["ValueError: it is bad", "RuntimeError: it fails"]


def test_whoever_stops_early_stops_the_threads() -> None:
    """Nothing goes on in the background."""
    asked = prepared(Preparing(), tasks(["a"] * TOTAL), ahead=BATCH)

    next(asked)
    asked.close()  # type: ignore[attr-defined]  # a generator

    assert [each for each in threading.enumerate() if each.name.startswith("prepare")] == []
