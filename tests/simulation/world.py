"""What simulated steps act on: a few named objects, which tell how they were come by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, StepRegistry, StepResult

if TYPE_CHECKING:
    from tests.simulation.process import Process

__all__ = ["Task", "TaskContext", "random_tasks", "registry_of", "what_stands_at_first", "what_stands_at_last"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One step, as it is written down before it is made."""

    name: str
    units: int
    """How many objects it makes, or replaces."""
    replaces: bool
    """Whether the objects are there already: then undoing is to bring back what they were."""
    says_all_first: bool
    """Whether it says how to undo everything in one go, before it does anything."""
    saves_every: int
    """After how many units it saves its progress; 0 for never."""
    skips: bool
    fails_at: int | None
    """The unit before which it fails; None for never."""
    raises: bool
    """Whether it fails by raising."""
    undo_failures: int
    """How often its rollback fails until it does not."""

    def keys(self) -> list[str]:
        """Return the names of its objects."""
        return [f"{'old' if self.replaces else self.name}/{self.name}-{unit}" for unit in range(self.units)]


@dataclass
class TaskContext(BaseStepContext):
    """What simulated steps share."""

    made: list[str] = field(default_factory=list)
    """Every unit that is done, in order: what is made depends on how many there were before."""


def random_tasks(rng: Random) -> list[Task]:
    """Make up a workflow."""
    doomed = rng.choice((True, False, False))
    count = rng.randint(1, 4)
    last = rng.randrange(count)
    return [_random_task(rng, f"s{index}", fails=doomed and index == last) for index in range(count)]


def _random_task(rng: Random, name: str, *, fails: bool) -> Task:
    units = rng.randint(0, 4)
    return Task(
        name=name,
        units=units,
        replaces=rng.random() < 0.3,
        says_all_first=rng.random() < 0.3,
        saves_every=rng.choice((0, 1, 1, 2)),
        skips=rng.random() < 0.1 and not fails,
        fails_at=rng.randint(0, units) if fails else None,
        raises=rng.random() < 0.5,
        undo_failures=rng.choice((0, 0, 0, 0, 1, 2)),
    )


def what_stands_at_first(tasks: Sequence[Task]) -> dict[str, str]:
    """Return the world before a run."""
    return {"bystander": "untouched"} | {key: "old" for task in tasks if task.replaces for key in task.keys()}  # noqa: SIM118  # not a mapping: it lists what the task makes


def what_stands_at_last(tasks: Sequence[Task]) -> dict[str, str]:
    """Return the world after a run that nothing disturbed, worked out without the engine."""
    objects, made = what_stands_at_first(tasks), 0
    for task in tasks:
        for key in [] if task.skips else task.keys():
            objects[key] = value_of(task, made)
            made += 1
    return objects


def value_of(task: Task, made: int) -> str:
    """Return what a task makes when so many units were made before."""
    return f"{task.name} made this after {made}"


def registry_of(tasks: Sequence[Task], process: "Process") -> StepRegistry[TaskContext]:
    """Return the steps of a workflow, as one process runs them."""
    registry = StepRegistry[TaskContext]()
    for task in tasks:
        registry.register(_TaskStep(task, process))
    return registry


class _TaskStep(BaseStep[TaskContext]):
    """Does a task in the world, as the guide says that it should be done: first say how to undo it, then do it."""

    progress_weight = 0.25

    def __init__(self, task: Task, process: "Process") -> None:
        self._task = task
        self._process = process

    @property
    def name(self) -> str:
        return self._task.name

    def can_skip(self, context: TaskContext) -> bool:
        return self._task.skips

    def execute(self, context: TaskContext) -> StepResult:
        task, process = self._task, self._process
        process.begins(task.name)
        done: int = context.saved_progress.get("done", 0)
        own = sum(made.startswith(f"{task.name}-") for made in context.made)
        process.demand(own == done, f"{task.name} saved {done} units, and its context has {own}")
        keys = task.keys()
        if task.says_all_first:
            context.record_undos([self._undo_entry(key) for key in keys[done:]])
        for unit in range(done, task.units):
            if task.fails_at == unit:
                return self._fail()
            if not task.says_all_first:
                context.record_undo(**self._undo_entry(keys[unit]))
            process.put(task.name, keys[unit], value_of(task, len(context.made)))
            context.made.append(f"{task.name}-{unit}")
            if task.saves_every and (unit + 1) % task.saves_every == 0:
                context.save_progress(done=unit + 1)
        return self._fail() if task.fails_at == task.units else StepResult(data={"units": task.units})

    def _undo_entry(self, key: str) -> dict[str, Any]:
        return {"key": key, "before": self._process.look_at(key)}

    def _fail(self) -> StepResult:
        if self._task.raises:
            msg = "boom"
            raise ValueError(msg)
        return StepResult(success=False, error="boom")

    def rollback(self, context: TaskContext, result: StepResult) -> None:
        process = self._process
        process.undoes(self._task)
        for entry in reversed(result.rollback_data.get("undo_log", [])):
            process.undo(entry["key"], entry["before"])


def difference(found: Mapping[str, str], wanted: Mapping[str, str], *, but: set[str]) -> list[str]:
    """Return the names of objects that are not as they should be, those aside of which that cannot be said."""
    names = found.keys() | wanted.keys()
    return sorted(name for name in names - but if found.get(name) != wanted.get(name))
