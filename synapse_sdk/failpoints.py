"""Places at which a test can make this process die, to see what becomes of a run.

`SYNAPSE_FAILPOINTS=journal.committed=kill@3` ends the process, as by SIGKILL, when it comes to the place
`journal.committed` for the third time; with `stop` instead of `kill` the process stands still there, as by SIGSTOP,
until somebody ends it or lets it go on. Without the variable a place costs a comparison.
"""

import os
import signal
from collections.abc import Callable, Mapping

from synapse_sdk.errors import ConfigurationError

__all__ = ["FAILPOINTS", "Failpoints", "hit", "install"]

FAILPOINTS: Mapping[str, str] = {
    "journal.commit": "before a transaction of the journal is committed",
    "journal.committed": "after a transaction of the journal was committed",
    "run.created": "after a run was noted in the journal and before it is anybody's",
    "lease.acquired": "after a worker has made a run its own",
    "run.restored": "after a run was read from the journal and before its first step is continued",
    "step.executed": "after a step has done its work and before that is recorded",
    "undo.recorded": "after an undo entry was recorded and before its effect",
    "progress.saved": "after a step has said how far it is, which is recorded within a tenth of a second",
    "rollback.step": "before a step is undone",
    "rollback.stepped": "after a step was undone and before that is recorded",
    "upload.reserved": "after contents were announced to the backend and before their first byte is sent",
    "upload.sent": "after a file was put and before the backend knows that it is there",
    "upload.registered": "after units were registered and before that is accounted for",
    "upload.published": "after the units of an upload were published and before its result is recorded",
    "upload.withdrawn": "after the units of an upload were removed and before its objects are deleted",
    "upload.deleted": "after objects were deleted and before the backend forgets them",
    "export.converted": "after items were converted and written into the ledger",
    "export.saved": "after files of items were saved and settled in the ledger",
    "export.published": "after an export has got its name and before its result is recorded",
    "export.withdrawn": "after an export was removed and before that is recorded",
    "dataset.downloaded": "after a dataset was downloaded and before that is recorded",
    "dataset.placed": "after a downloaded dataset has got its place and before that is recorded",
    "dataset.converted": "after a dataset was converted and before that is recorded",
    "dataset.removed": "after a dataset was removed and before that is recorded",
    "create_tasks.made": "after tasks were made and before that is recorded",
    "create_tasks.removed": "after tasks that a run has made were removed and before that is recorded",
    "tasks.loaded": "after annotations were found for tasks and before that is recorded",
    "tasks.inferred": "after a model has given results and they were written into the ledger",
    "tasks.converted": "after annotations of tasks were converted and written into the ledger",
    "tasks.submitted": "after tasks have got their annotations and before the ledger knows",
    "tasks.withdrawn": "after tasks have got back what they had and before that is recorded",
    "train.saving": "after a checkpoint of a training was written and before it has its name",
    "train.saved": "after a checkpoint has got its name and before that is recorded",
    "train.trained": "after a training has left its model and before that is recorded",
    "train.staged": "after a model was announced to the backend and before its first byte is sent",
    "train.sent": "after the file of a model was put and before that is recorded",
    "train.registered": "after a model was registered and before the result of its run is recorded",
    "train.removed": "after the file of a model was deleted and before the backend forgets it",
    "run.concluded": "after the last step, before the end of the run is recorded",
}
"""Every place there is, and where it stands."""

KILLED = 137
"""Exit code of a process that ended at a failpoint: that of SIGKILL, as a shell sees it."""

type Hit = Callable[[str], None]


class Failpoints:
    """Counts how often each place is passed, and ends or stops the process at one of them.

    Args:
        name: The place.
        count: The time it is passed that is the last, from 1.
        action: `kill` or `stop`.
    """

    def __init__(self, name: str, count: int, action: str = "kill") -> None:
        self._name = name
        self._action = action
        self._left = count

    def __call__(self, name: str) -> None:
        """Pass a place."""
        if name == self._name:
            self._left -= 1
            if self._left == 0 and self._action == "kill":
                os._exit(KILLED)
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGSTOP)

    @classmethod
    def parse(cls, text: str) -> "Failpoints":
        """Return what a text such as `undo.recorded=kill@2` asks for.

        Raises:
            ConfigurationError: It is not of this form, or there is no such place.
        """
        name, _, what = text.partition("=")
        action, _, count = what.partition("@")
        is_number = (count or "1").isdecimal() and int(count or "1") > 0
        if name not in FAILPOINTS or action not in {"kill", "stop"} or not is_number:
            msg = f"SYNAPSE_FAILPOINTS is {text!r}, which is not NAME=kill@N or NAME=stop@N"
            fix = f"Unset it, or give a number from 1 and one of the names {', '.join(FAILPOINTS)}"
            raise ConfigurationError(msg, fix=fix)
        return cls(name, int(count or "1"), action)


_ASKED_FOR = os.environ.get("SYNAPSE_FAILPOINTS")
_installed: Hit | None = Failpoints.parse(_ASKED_FOR) if _ASKED_FOR else None


def hit(name: str) -> None:
    """Pass a place."""
    if _installed is not None:
        _installed(name)


def install(what: Hit | None) -> Hit | None:
    """Have every place call this from now on, or nothing; return what was called before."""
    global _installed  # one process dies once: this is the process's state
    before, _installed = _installed, what
    return before
