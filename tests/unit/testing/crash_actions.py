"""Actions that are safe against crashes, and such that only seem to be."""

import os
import threading
import time
from pathlib import Path
from typing import Any, ClassVar

from synapse_sdk.plugins import BaseAction, RuntimeContext
from synapse_sdk.plugins.action import action
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, StepRegistry, StepResult

NUMBERS = ("one", "two")


class WriteFilesStep(BaseStep[BaseStepContext]):
    """Writes files, and removes them again."""

    name = "write_files"
    progress_weight = 0.6

    def execute(self, context: BaseStepContext) -> StepResult:
        """Write them; those of an earlier try are written again."""
        for name in NUMBERS:
            self.write(context, Path(f"{name}.txt"))
        return StepResult(data={"files": len(NUMBERS)})

    def write(self, context: BaseStepContext, path: Path) -> None:
        """Write one file."""
        context.record_undo(path=str(path))
        path.write_text("hello", encoding="utf-8")

    def rollback(self, context: BaseStepContext, result: StepResult) -> None:
        """Remove what was recorded."""
        for entry in reversed(result.rollback_data.get("undo_log", [])):
            Path(entry["path"]).unlink(missing_ok=True)


class RenameStep(BaseStep[BaseStepContext]):
    """Gives the first file another name, without an undo log: both names say all there is to know."""

    name = "rename"
    progress_weight = 0.4

    def execute(self, context: BaseStepContext) -> StepResult:
        """Rename it, unless that is done."""
        context.save_progress(began=True)
        if Path("one.txt").exists():
            Path("one.txt").rename("first.txt")
        return StepResult()

    def rollback(self, context: BaseStepContext, result: StepResult) -> None:
        """Give the name back."""
        if Path("first.txt").exists():
            Path("first.txt").rename("one.txt")


class SafeAction(BaseAction[dict[str, Any]]):
    """Writes two files and renames one."""

    steps: ClassVar[tuple[type[BaseStep[Any]], ...]] = (WriteFilesStep, RenameStep)

    def setup_steps(self, registry: StepRegistry[Any]) -> None:
        """Register the steps of the class."""
        for step in self.steps:
            registry.register(step())


class ForgetfulStep(WriteFilesStep):
    """Says nothing about one of its files."""

    def write(self, context: BaseStepContext, path: Path) -> None:
        """Write one file."""
        if path.name == "one.txt":
            context.record_undo(path=str(path))
        path.write_text("hello", encoding="utf-8")


class TardyStep(WriteFilesStep):
    """Says what to undo when it is too late."""

    def write(self, context: BaseStepContext, path: Path) -> None:
        """Write one file."""
        path.write_text("hello", encoding="utf-8")
        context.record_undo(path=str(path))


class OnlyOnceStep(WriteFilesStep):
    """Has a rollback that cannot be repeated."""

    def rollback(self, context: BaseStepContext, result: StepResult) -> None:
        """Remove what was recorded, and insist on it."""
        for entry in reversed(result.rollback_data.get("undo_log", [])):
            Path(entry["path"]).unlink()


class RepeatingStep(WriteFilesStep):
    """Does again what an earlier try has done already."""

    def write(self, context: BaseStepContext, path: Path) -> None:
        """Write one file, at the end of which everything is appended."""
        context.record_undo(path=str(path))
        with path.open("a", encoding="utf-8") as file:
            file.write("hello")


class ForgetfulAction(SafeAction):
    """Forgets to record one effect."""

    steps = (ForgetfulStep,)


class TardyAction(SafeAction):
    """Records effects after it has had them."""

    steps = (TardyStep,)


class OnlyOnceAction(SafeAction):
    """Cannot be rolled back twice."""

    steps = (OnlyOnceStep,)


class RepeatingAction(SafeAction):
    """Cannot be resumed."""

    steps = (RepeatingStep,)


class FailingAction(SafeAction):
    """Fails whatever happens."""

    def build_result(self, context: Any, summary: dict[str, Any]) -> Any:  # noqa: ANN401  # nothing comes out
        """Fail."""
        msg = "there is no result"
        raise RuntimeError(msg)


class EndlessAction(BaseAction[dict[str, Any]]):
    """Waits for ever."""

    def execute(self) -> None:
        """Say who waits, and wait."""
        Path("part").write_text(str(os.getpid()), encoding="utf-8")
        Path("part").rename("pid")
        threading.Event().wait()


class SteplessAction(BaseAction[dict[str, Any]]):
    """Does without steps, and so without any way back."""

    def execute(self) -> None:
        """Make a file."""
        Path("made").touch()


class NothingAction(BaseAction[dict[str, Any]]):
    """Changes nothing."""

    def execute(self) -> None:
        """Do nothing."""


class DyingAction(BaseAction[dict[str, Any]]):
    """Ends its process."""

    def execute(self) -> None:
        """End it."""
        os._exit(3)


@action()
def append_word(params: dict[str, str], ctx: RuntimeContext) -> int:  # noqa: ARG001  # the form of an action
    """Append a word to a file, which is nothing that can be undone or repeated."""
    with Path(params["file"]).open("a", encoding="utf-8") as file:
        return file.write(params["word"])


@action()
def write_nothing(params: dict[str, str], ctx: RuntimeContext) -> int:  # noqa: ARG001  # the form of an action
    """Change nothing at all."""
    return len(params)


@action()
def change_always(params: dict[str, str], ctx: RuntimeContext) -> None:  # noqa: ARG001  # as above
    """Write the time into a file."""
    Path("now.txt").write_text(str(time.time_ns()), encoding="utf-8")


def not_an_action() -> None:
    """Do nothing."""
