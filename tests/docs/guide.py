"""Reading and running the Python blocks of the step implementation guide, in one namespace from top to bottom."""

import ast
import contextlib
import importlib
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from synapse_sdk.plugins import run_plugin
from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, StepRegistry, StepResult

GUIDE = Path(__file__).parents[2] / "docs" / "STEP_IMPLEMENTATION_GUIDE.md"

type Key = tuple[str, int]
"""The heading a block stands under, and its number there from 1."""


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced Python block."""

    key: Key
    line: int
    """The line of its fence."""
    code: str

    def names_read(self) -> set[str]:
        """Return every name the block reads."""
        found = ast.walk(ast.parse(self.code))
        return {node.id for node in found if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}

    def run(self, namespace: dict[str, Any]) -> str:
        """Run it as it is, and return what it printed."""
        stdout = io.StringIO()
        code = compile("\n" * self.line + self.code, str(GUIDE), "exec", dont_inherit=True)  # tracebacks name the line
        with contextlib.redirect_stdout(stdout):
            exec(code, namespace)  # noqa: S102  # our own page
        return stdout.getvalue()


def blocks_of(page: str) -> Iterator[Block]:
    """Yield the Python blocks of a page in order; what looks like a heading inside a block is a comment."""
    heading, ordinal, opened, lines = "", 0, None, list[str]()
    fence_at = 0
    for number, line in enumerate(page.splitlines(), 1):
        if opened is not None and line == "```":
            if opened == "python":
                ordinal += 1
                yield Block((heading, ordinal), fence_at, "\n".join(lines) + "\n")
            opened = None
        elif opened is not None:
            lines.append(line)
        elif line.startswith("```"):
            opened, fence_at, lines = line.removeprefix("```"), number, []
        elif line.startswith("#"):
            heading, ordinal = line.lstrip("#").strip(), 0
    assert opened is None, f"the block in line {fence_at} is never closed"


# What a block plainly presumes


@dataclass
class MyContext(BaseStepContext):
    """The reader's own context."""

    items: list[str] = field(default_factory=list)
    loaded_data: list[int] = field(default_factory=list)
    results: list[int] = field(default_factory=list)


class NamedStep(BaseStep[MyContext]):
    """The reader's own step."""

    progress_weight = 0.25
    name = "named"

    def execute(self, context: MyContext) -> StepResult:
        """Succeed."""
        return StepResult()


class Step1(NamedStep):
    """The first of three."""

    name = "step1"


class Step2(NamedStep):
    """The second of three."""

    name = "step2"


class Step3(NamedStep):
    """The third of three."""

    name = "step3"


class ValidationError(Exception):
    """What the reader's own code raises when it expects something to go wrong."""


def _own_steps() -> dict[str, object]:
    numbers = count()

    class NewStep(NamedStep):
        def __init__(self) -> None:
            self.name = ("new_step", "step_name")[next(numbers)]

    return {"MyContext": MyContext, "Step1": Step1, "Step2": Step2, "Step3": Step3, "NewStep": NewStep}


def _names_of(module: str, *names: str) -> Callable[[], dict[str, object]]:
    return lambda: {name: getattr(importlib.import_module(module), name) for name in names}


def _three_steps() -> dict[str, object]:
    registry = StepRegistry[MyContext]()
    for step in (Step1(), Step2(), Step3()):
        registry.register(step)
    return {"registry": registry, "context": MyContext(RuntimeContext())}


def run_plugin_beside_dataset_123(*arguments: Any) -> Any:  # noqa: ANN401  # those of `run_plugin`
    """Run a plugin in a folder that has one called `plugin`, and ground truths whose version has the id 123."""
    from tests.docs.dataset_123 import made  # noqa: PLC0415  # one block needs it

    with made():
        return run_plugin(*arguments)


PRELUDES: Mapping[Key, Callable[[], dict[str, object]]] = {
    ("StepRegistry[C]", 1): _own_steps,
    ("Orchestrator[C]", 1): _three_steps,
    ("ValidationStep", 1): lambda: {"registry": StepRegistry[Any]()},
    ("Error Handling", 1): lambda: {"MyContext": MyContext, "ValidationError": ValidationError},
    ("Rollback Design", 1): lambda: {"MyContext": MyContext},
    ("Step Independence", 1): lambda: {"MyContext": MyContext},
    ("7. ProcessMetadataStep", 1): _names_of("synapse_sdk.plugins.actions.upload", "UploadParams"),
    ("INFERENCE Method Steps:", 1): _names_of("synapse_sdk.plugins.actions.add_task_data", "AddTaskDataParams"),
    ("ExportDatasetStep", 1): lambda: {"run_plugin": run_plugin_beside_dataset_123},
    ("BaseTrainAction Example", 1): _names_of("synapse_sdk.plugins.actions.train", "TrainParams"),
    ("BaseUploadAction Example", 1): _names_of("synapse_sdk.plugins.actions.upload", "UploadParams"),
}
"""Names that a block takes for granted."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What somebody has who read the guide up to some block."""

    names: dict[str, Any]
    """The shared namespace at that point."""
    printed: str


def read_guide() -> dict[Key, Reading]:
    """Run every block, in order, in one namespace."""
    namespace: dict[str, Any] = {"__name__": "guide"}
    readings: dict[Key, Reading] = {}
    for block in blocks_of(GUIDE.read_text(encoding="utf-8")):
        namespace |= PRELUDES.get(block.key, dict)()
        printed = block.run(namespace)
        readings[block.key] = Reading(dict(namespace), printed)
    return readings
