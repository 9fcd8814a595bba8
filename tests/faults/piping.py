"""A pipeline whose actions go wrong: each writes files, publishes them in the end, and can take them back."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from synapse_sdk.plugins.action import BaseAction
from synapse_sdk.plugins.pipelines import Part, PipelineAction
from synapse_sdk.plugins.pipelines.part import PipelinePart
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, StepRegistry, StepResult

__all__ = ["FAILS", "PARAMS", "CrashPipeline", "WriteAction", "fill", "look"]

PARAMS = {"write": {"name": "notes", "lines": ["one", "two", "three"]}}
LOG = "log.txt"
FAILS = "fails"
"""A file whose presence makes the last action fail."""


class WriteParams(BaseModel):
    """What is written where."""

    name: str
    lines: list[str]


class Written(BaseModel):
    """What was written."""

    path: str
    count: int


@dataclass
class WriteContext(BaseStepContext):
    """Where it is written."""

    name: str = ""
    written: int = 0


class WriteLinesStep(BaseStep[WriteContext]):
    """Write a file for each line, hidden until all are there."""

    name, progress_weight = "write_lines", 0.8

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def execute(self, context: WriteContext) -> StepResult:
        """Go on after the lines that are there."""
        for number, line in enumerate(self._lines):
            place = Path(f".{context.name}-{number}")
            context.record_undo(hidden=str(place), shown=f"{context.name}-{number}")
            place.write_text(line)
            context.written = number + 1
        return StepResult(data={"count": context.written})

    def rollback(self, context: WriteContext, result: StepResult) -> None:
        """Remove the files, under whichever name they are."""
        for entry in result.rollback_data.get("undo_log", []):
            for name in entry.values():
                Path(name).unlink(missing_ok=True)


class NoteStep(BaseStep[WriteContext]):
    """Add a line to a log that is there before; what it held is kept until the run can no longer be undone."""

    name, progress_weight = "note", 0.2

    def execute(self, context: WriteContext) -> StepResult:
        """Keep what the log held, then write."""
        before = Path(LOG).read_text()
        kept = kept_of(str(context.runtime_ctx.job_id))
        if not kept.exists():
            kept.parent.mkdir(exist_ok=True)
            part = kept.with_suffix(".part")
            part.write_text(before)
            part.rename(kept)
        context.record_undo(kept=str(kept))
        Path(LOG).write_text(f"{kept.read_text()}{context.name}\n")
        if context.name == "last" and Path(FAILS).exists():
            return StepResult(success=False, error="it is to fail")
        return StepResult()

    def rollback(self, context: WriteContext, result: StepResult) -> None:
        """Give the log back what it held."""
        for entry in result.rollback_data.get("undo_log", [])[:1]:
            Path(LOG).write_text(Path(entry["kept"]).read_text())


class WriteAction(BaseAction[WriteParams]):
    """Write lines into files, and a note into the log."""

    result_model = Written

    def setup_steps(self, registry: StepRegistry[WriteContext]) -> None:
        """Register both steps."""
        registry.register(WriteLinesStep(self.params.lines))
        registry.register(NoteStep())

    def create_context(self) -> WriteContext:
        """Say where it is written."""
        return WriteContext(self.ctx, name=self.params.name)

    def commit(self, context: WriteContext) -> None:
        """Show the files."""
        for number in range(context.written):
            hidden = Path(f".{context.name}-{number}")
            if hidden.exists():
                hidden.rename(f"{context.name}-{number}")

    def build_result(self, context: WriteContext, summary: dict[str, Any]) -> Written:
        """Say what was written."""
        return Written(path=f"{context.name}-0", count=context.written)

    def forget(self) -> None:
        """Forget what the log held."""
        kept_of(str(self.ctx.job_id)).unlink(missing_ok=True)


def kept_of(run: str) -> Path:
    """Return where a run keeps what the log held."""
    return Path("kept", run)


class CrashPipeline(PipelineAction):
    """Writes three times; the second takes its name and number from the first, and the third from both."""

    action_name = "crash_pipeline"
    parts = tuple(
        PipelinePart.of(each)
        for each in (
            WriteAction,
            Part(
                action=WriteAction,
                name="again",
                params={"name": "${write.path}-b", "lines": ["${write.count} lines"]},
            ),
            Part(action=WriteAction, name="last", params={"name": "last", "lines": ["${again.path}"]}),
        )
    )


def fill(folder: Path) -> None:
    """Make a log with something in it."""
    (folder / LOG).write_text("before\n")


def look(folder: Path) -> dict[str, str]:
    """Return every file with its text; not what is only kept to undo."""
    return {path.name: path.read_text() for path in sorted(folder.iterdir()) if path.is_file() and path.name != FAILS}
