"""The second step: which annotations are for which task."""

from contextlib import closing
from itertools import batched, islice
from pathlib import Path

from synapse_sdk.failpoints import hit
from synapse_sdk.formats import Loss, LossLog, Outcome
from synapse_sdk.plugins.actions.add_task_data.context import AddTaskDataContext
from synapse_sdk.plugins.actions.add_task_data.documents import Documents
from synapse_sdk.plugins.actions.add_task_data.losses import (
    MOST_KEPT,
    LossError,
    describe_strays,
    note_failures,
    take_stock,
)
from synapse_sdk.plugins.actions.add_task_data.matching import Matcher
from synapse_sdk.plugins.actions.add_task_data.reading import TaskReader
from synapse_sdk.plugins.actions.add_task_data.records import Settlement, Stray, StrayKind, TaskStage
from synapse_sdk.plugins.actions.export.records import Failure
from synapse_sdk.plugins.steps import BaseStep, StepResult

__all__ = ["LoadAnnotationsStep"]

BATCH = 500
"""Images of the file that are written down together."""
LOST = (Outcome.FAILED, Outcome.DROPPED, Outcome.CHANGED)
"""What became of annotations that did not come through as they are."""
NO_ANNOTATIONS = Failure(reason="NO_ANNOTATIONS", words="the file says nothing about it")


class LoadAnnotationsStep(BaseStep[AddTaskDataContext]):
    """List the tasks, and give each what the file says about its image; what is about no task is counted and named.

    With a file of each data unit, only the tasks are listed: files are fetched when their turn comes.
    """

    name = "load_annotations"
    progress_weight = 0.25

    def execute(self, context: AddTaskDataContext) -> StepResult:
        """Fill `total_count`, `stray_counts`, `strays` and `loss_count`.

        Raises:
            InvalidDatasetError: The file as a whole makes no sense.
            StorageError: The ledger cannot be written.
        """
        ledger = context.ledger
        ledger.clear()  # of a process that died here nothing has left this machine
        for page in TaskReader(context).names():
            ledger.add(page)
        context.total_count = ledger.count()
        if context.params.file is None:
            self._load_each(context)
        else:
            self._load_file(context)
        take_stock(context)
        hit("tasks.loaded")
        counts = {"total": context.total_count, "loaded": ledger.count(TaskStage.LOADED), **context.stray_counts}
        context.set_metrics({**counts, "skipped": context.skipped_count})
        error = self._refusal(context)
        return StepResult(success=error is None, error=error, data=counts)

    @staticmethod
    def _load_each(context: AddTaskDataContext) -> None:
        for batch in batched(context.ledger.entries(TaskStage.LISTED), BATCH):
            context.ledger.settle(Settlement(id=each.id, stage=TaskStage.LOADED) for each in batch)

    @staticmethod
    def _load_file(context: AddTaskDataContext) -> None:
        ledger, matcher = context.ledger, Matcher(context.ledger)
        path, folder = Path(str(context.params.file)).expanduser(), Path(context.report_folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "losses.csv").unlink(missing_ok=True)
        unreadable = _Unreadable(matcher)
        with LossLog(folder / "losses.csv", unreadable.hear) as losses:
            unreadable.losses = losses
            with closing(Documents(path, context.source_format, losses)) as documents:
                _match(context, documents, matcher)
            context.loss_count = sum(losses.annotations[each] for each in LOST)
        matcher.flush()
        ledger.skip_listed(NO_ANNOTATIONS)
        context.stray_counts = {str(kind): ledger.count_strays(kind) for kind in StrayKind}
        strays = islice(ledger.strays(), MOST_KEPT)
        context.strays = [(str(each.kind), each.name, each.words) for each in strays]

    @staticmethod
    def _refusal(context: AddTaskDataContext) -> str | None:
        """Return why the run cannot go on; None if it can."""
        ledger = context.ledger
        found = ledger.count(TaskStage.LOADED)
        counts = {kind: context.stray_counts.get(str(kind), 0) for kind in StrayKind}
        if not found and any(counts.values()):
            examples = [Stray(StrayKind(kind), name, words) for kind, name, words in context.strays]
            told = describe_strays(counts, examples)
            tasks = f"any of the {context.total_count:,} tasks of {context.project.name!r}"
            return f"Nothing in {context.params.file!r} is for {tasks}: {told}. Name the file for this project"
        if not found and context.total_count and context.params.file is not None:
            return f"{context.params.file!r} says nothing about any image. Name a file with annotations"
        try:
            note_failures(
                context,
                (
                    Settlement(id=each.id, stage=each.stage, failure=each.failure)
                    for each in ledger.entries(TaskStage.FAILED)
                ),
            )
        except LossError as loss:
            return str(loss)
        return None


def _match(context: AddTaskDataContext, documents: Documents, matcher: Matcher) -> None:
    count, done = documents.count, 0
    for batch in batched(documents, BATCH):
        with context.ledger.writing():
            for item, content in batch:
                matcher.give(item.name, content)
        done += len(batch)
        context.set_progress(done, max(count or done, done))


class _Unreadable:
    """Hears which images of the file make no sense."""

    losses: LossLog

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher
        self._known = 0

    def hear(self, loss: Loss) -> None:
        """Note an image; what is said of one annotation is in the log."""
        lost = self.losses.items[Outcome.FAILED] + self.losses.items[Outcome.DROPPED]
        if lost > self._known:
            self._known = lost
            words = (
                f"{loss.where}: {loss.words or loss.reason.words}" if loss.where else loss.words or loss.reason.words
            )
            self._matcher.note(Stray(StrayKind.UNREADABLE, loss.item, words))
