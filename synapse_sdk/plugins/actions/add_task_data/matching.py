"""Which task annotations are for, by the name of what they are about."""

from os.path import splitext
from unicodedata import normalize

from synapse_sdk.plugins.actions.add_task_data.ledger import TaskLedger
from synapse_sdk.plugins.actions.add_task_data.records import Entry, Settlement, Stray, StrayKind, TaskStage
from synapse_sdk.plugins.actions.export.records import Failure, writable

__all__ = ["Matcher"]

MOST_WAITING = 500
"""Annotations that are written down together."""
LARGE_BATCH = 4 * 1024 * 1024
"""Likewise their bytes."""


class Matcher:
    """Gives annotations to the tasks that they are for, and notes those that have none.

    Annotations `park/wren.jpg` are for the task whose unit's primary file is called so; without one, for the task of
    `park/wren.png`, whatever the suffix; without that, for the only task whose primary file is called `wren` in any
    folder. Names are equal however their letters are composed (NFC or NFD).

    Args:
        ledger: Has the tasks.
    """

    def __init__(self, ledger: TaskLedger) -> None:
        self._ledger = ledger
        self._strays: list[Stray] = []

    def give(self, name: str, content: bytes) -> None:
        """Give annotations to their task; inside a transaction of the ledger."""
        found = _best(self._ledger, name)
        shown = writable(name)
        if not found:
            self.note(Stray(StrayKind.UNMATCHED, shown))
        elif len(found) > 1:
            paths = ", ".join(sorted(each.path for each in found[:5]))
            self.note(Stray(StrayKind.AMBIGUOUS, shown, f"it may be about {paths}"))
        elif found[0].stage is TaskStage.LISTED:
            self._ledger.load(found[0].id, shown, content)
        else:
            self._refuse_both(found[0], shown)

    def note(self, stray: Stray) -> None:
        """Note annotations that no task has."""
        self._strays.append(stray)
        if len(self._strays) >= MOST_WAITING:
            self.flush()

    def flush(self) -> None:
        """Write down what was noted."""
        if self._strays:
            self._ledger.stray(self._strays)
            self._strays.clear()

    def _refuse_both(self, task: Entry, name: str) -> None:
        """Note that two are about the same task: nobody knows which one is meant."""
        if task.stage is TaskStage.LOADED:
            failure = Failure(reason="AMBIGUOUS", words=f"{task.source} and {name} are both about it")
            self._ledger.settle([Settlement(id=task.id, stage=TaskStage.FAILED, failure=failure)])
            self.note(Stray(StrayKind.AMBIGUOUS, task.source, f"{name} is about {task.path}, too"))
        self.note(Stray(StrayKind.AMBIGUOUS, name, f"{task.source} is about {task.path}, too"))


def _best(ledger: TaskLedger, name: str) -> list[Entry]:
    """Return the tasks that annotations of a name may be for: those that fit best."""
    wanted = normalize("NFC", writable(name)).removeprefix("./")
    stems = list(dict.fromkeys([wanted, _stem(wanted)]))  # of a name with dots, formats may have left out the suffix
    base = _base(wanted)
    found = ledger.named(stems, [_base(each) for each in stems])
    for best in (
        [each for each in found if each.path == wanted],
        [each for each in found if _base(each.path) == base],
        [each for each in found if _base(_stem(each.path)) == base],
    ):
        if best:
            return best
    return found


def _stem(name: str) -> str:
    return splitext(name)[0]  # noqa: PTH122  # a name with slashes, not a path of the system


def _base(name: str) -> str:
    return name.rpartition("/")[2]
