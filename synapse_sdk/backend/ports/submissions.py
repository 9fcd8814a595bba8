"""The port of what runs submit to tasks, and can take back."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from synapse_sdk.backend.records import Submission, SubmissionOutcome, TaskId, WithdrawnTask

__all__ = ["Submissions"]


class Submissions(Protocol):
    """Annotation data that runs give to many tasks, with what the tasks had before.

    A run submits in batches, and names itself. As long as it is not forgotten, all that it has submitted can be
    withdrawn, by whichever process, as often as need be.
    """

    def submit(self, run: str, submissions: Sequence[Submission]) -> Mapping[TaskId, SubmissionOutcome]:
        """Replace the annotation data of tasks that nobody has changed meanwhile, and keep what they had before.

        All in one transaction. Safe to repeat: a task to which the run has submitted already is left as it is, and
        counts as submitted.

        Args:
            run: Whose submissions they are.
            submissions: One for each task; of several the first counts.

        Returns:
            What became of each task.

        Raises:
            ConfigurationError: A document is not JSON; nothing was changed.
        """
        ...

    def withdraw(self, run: str, *, limit: int = 500) -> Sequence[WithdrawnTask]:
        """Give some of the tasks back what they had before the run, and return what became of each.

        Only tasks that nobody has changed since. Safe to repeat, until nothing is returned.

        Args:
            run: Whose submissions are withdrawn.
            limit: Tasks at most.
        """
        ...

    def conflicts(self, run: str, *, after: int = 0, limit: int = 1000) -> Sequence[WithdrawnTask]:
        """Return the tasks that could not be given back, in order of their ids, those behind `after`."""
        ...

    def forget(self, run: str) -> None:
        """Drop what tasks had before a run: nothing of it can be withdrawn any more. Safe to repeat."""
        ...
