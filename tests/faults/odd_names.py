"""An action that makes files whose names are anything that the system allows, in steps whose names are no better."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synapse_sdk.plugins import BaseAction
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, StepRegistry, StepResult

__all__ = ["FILE_NAMES", "STEP_NAMES", "NamesAction"]

FILE_NAMES = (
    "line\nbreak",
    "carriage\rreturn",
    "\x1b[31mred\x1b[0m",
    "\u202egpj.exe",
    "-rf",
    "=cmd()",
    "..hidden",
    " ",
    "x" * 255,
    "\ud55c" * 85,  # 255 bytes
    os.fsdecode(b"caf\xe9"),  # not UTF-8
    "caf\u00e9",
    "cafe\u0301",  # the same letters, and another name
    "CON",
    "dot.",
    "Case",
    "case",
    "'; DROP TABLE run; --",
    '{"type":"RunFinished"}',
)
STEP_NAMES = ("=1+1", "\x1b[2J\n", "caf\u00e9")


@dataclass
class NamesContext(BaseStepContext):
    """What the steps share."""

    made: dict[str, Path] = field(default_factory=dict)


class NameStep(BaseStep[NamesContext]):
    """Makes its share of the files, and keeps each name wherever a name can be kept."""

    progress_weight = 0.3

    def __init__(self, name: str, files: tuple[str, ...]) -> None:
        self._name = name
        self._files = files

    @property
    def name(self) -> str:
        """Name of the step."""
        return self._name

    def execute(self, context: NamesContext) -> StepResult:
        """Make the files."""
        context.record_undos([{"path": Path(name)} for name in self._files])
        for name in self._files:
            Path(name).write_text("made", encoding="utf-8")
            context.made[name] = Path(name)
        context.log("made", {"files": list(self._files)})
        context.set_metrics({name: len(name) for name in self._files}, category=self._name)
        context.save_progress(last=self._files[-1])
        return StepResult(data={"files": list(self._files)})

    def rollback(self, context: NamesContext, result: StepResult) -> None:
        """Remove them."""
        for entry in result.rollback_data["undo_log"]:
            entry["path"].unlink(missing_ok=True)


class CheckStep(BaseStep[NamesContext]):
    """Fails unless the context has every name as it was given."""

    name = "check"
    progress_weight = 0.1

    def execute(self, context: NamesContext) -> StepResult:
        """Compare."""
        wrong = set(FILE_NAMES) ^ {str(path) for path in context.made.values()} | set(FILE_NAMES) ^ context.made.keys()
        return StepResult(success=not wrong, error=f"these are not as they were: {wrong}" if wrong else None)


class NamesAction(BaseAction[dict[str, Any]]):
    """Makes all the files."""

    def setup_steps(self, registry: StepRegistry[Any]) -> None:
        """Share the names out among the steps."""
        for index, name in enumerate(STEP_NAMES):
            registry.register(NameStep(name, FILE_NAMES[index :: len(STEP_NAMES)]))
        registry.register(CheckStep())

    def create_context(self) -> NamesContext:
        """Return what they share."""
        return NamesContext(self.ctx)
