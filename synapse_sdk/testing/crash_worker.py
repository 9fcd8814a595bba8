"""The process in which an action dies: it loads the action once, and forks for every run that may be killed."""

import gc
import os
import pickle
import signal
import sys
import time
import traceback
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from multiprocessing.connection import Connection
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, NoReturn

from synapse_sdk import failpoints
from synapse_sdk.errors import StepFailedError
from synapse_sdk.journal import MemoryJournal, open_journal, read_state
from synapse_sdk.journal.base import Journal
from synapse_sdk.plugins import BaseAction, RuntimeContext, resume_run, rollback_run, run_action, run_plugin
from synapse_sdk.plugins.action import action_class
from synapse_sdk.plugins.discovery import find_plugin
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, StepRegistry, StepResult

__all__ = ["Outcome", "Subject", "Task", "main"]

type Verb = Literal["run", "resume", "rollback"]

LOOKS_EVERY = 0.001
"""Seconds between two looks at a child."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The action that is tried out, so that another process finds it."""

    name: str
    """Of the action of a plugin; else where a class or function stands in its module."""
    plugin: str = ""
    """Folder or name of the plugin; empty for a class or function."""
    module: str = ""
    file: str | None = None
    """From which the module was loaded."""
    params: Mapping[str, Any]
    env: Mapping[str, Any]
    folder: str
    """Where it works."""
    journal: str
    """URL of the journal."""
    outcome: str
    """File through which a child says how it ended."""

    def load(self) -> type[BaseAction[Any]]:
        """Return the action.

        Raises:
            LookupError: It is not where it was said to be.
        """
        if self.plugin:
            return find_plugin(self.plugin).action_class(self.name)
        found = action_class(attrgetter(self.name)(_module(self.module, self.file)))
        if found is None:
            msg = f"{self.name!r} in module {self.module!r} is not an action"
            raise LookupError(msg)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a child is to do."""

    verb: Verb
    run_id: str
    dies_at: tuple[str, int] | None = None
    """Failpoint, and the time it is passed that is the last; None to live."""
    inject_failure: str | None = None
    timeout: float
    """Seconds until the child is killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a task."""

    is_killed: bool = False
    """Whether the child died where it was to."""
    had_ended: bool = False
    """Whether there was nothing to recover, because the run had come to its end before."""
    status: str = ""
    error: str = ""
    """What could not be undone, and what was raised, with its traceback; empty if nothing was."""
    trace: tuple[str, ...] = ()
    """The failpoints that were passed, in order."""
    steps: tuple[str, ...] = ()
    """The steps of the action; in the first outcome only."""
    loaded: tuple[str, ...] = ()
    """The installed modules that the process had to load."""


class _Trace:
    """Writes down which failpoints are passed, and ends the process at one of them."""

    def __init__(self, dies_at: tuple[str, int] | None) -> None:
        self.names: list[str] = []
        self._dies = None if dies_at is None else failpoints.Failpoints(*dies_at)

    def __call__(self, name: str) -> None:
        self.names.append(name)
        if self._dies is not None:
            self._dies(name)


def main() -> None:
    """Do task after task, until the other process is gone."""
    channel = Connection(int(sys.argv[1]))
    subject: Subject = channel.recv()
    os.chdir(subject.folder)
    try:
        _warm_up(subject)
        action = subject.load()
        params = action.validate_params(subject.params)
        channel.send(Outcome(steps=_steps(action, params)))
    except BaseException:  # noqa: BLE001  # it is shown by whoever started this
        channel.send(Outcome(error=traceback.format_exc()))
        return
    gc.freeze()  # a collection in a child would copy all that is loaded
    with suppress(EOFError):
        while True:
            channel.send(_watch(subject, action, channel.recv(), channel))


def _warm_up(subject: Subject) -> None:
    """Load here what every child would have to load by itself, by recording a run that fails."""
    with open_journal(subject.journal):
        pass
    with MemoryJournal() as journal, suppress(StepFailedError):
        run_action(_WarmUp, {}, journal=journal)


class _WarmUpStep(BaseStep[BaseStepContext]):
    name, progress_weight = "warm_up", 1.0

    def execute(self, context: BaseStepContext) -> StepResult:
        context.record_undo()
        return StepResult(success=False)

    def rollback(self, context: BaseStepContext, result: StepResult) -> None:
        """There is nothing to undo."""


class _WarmUp(BaseAction[dict[str, Any]]):
    def setup_steps(self, registry: StepRegistry[Any]) -> None:
        registry.register(_WarmUpStep())


def _steps(action: type[BaseAction[Any]], params: object) -> tuple[str, ...]:
    return tuple(step.name for step in action(params, RuntimeContext()).build_registry())


def _module(name: str, file: str | None) -> ModuleType:
    """Return a module as the test has it, also if it is not one that can be imported, such as a test itself."""
    with suppress(ImportError):
        module = import_module(name)
        if file is None or getattr(module, "__file__", None) == file:
            return module
    spec = None if file is None else spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        msg = f"Module {name!r} has no file; write the action into one"
        raise LookupError(msg)
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _watch(subject: Subject, action: type[BaseAction[Any]], task: Task, channel: Connection) -> Outcome:
    """Do a task in a child, and return what became of it.

    Raises:
        EOFError: The other process is gone.
    """
    Path(subject.outcome).unlink(missing_ok=True)
    child = os.fork()
    if not child:
        _live(subject, action, task)
    status = _wait(child, task.timeout, channel)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)  # what the action has left running
    if status is None:
        return Outcome(error=f"It was not done within {task.timeout:g} seconds")
    if os.waitstatus_to_exitcode(status) == failpoints.KILLED and task.dies_at is not None:
        return Outcome(is_killed=True)
    try:
        told: Outcome = pickle.loads(Path(subject.outcome).read_bytes())  # noqa: S301  # our own child wrote it
    except FileNotFoundError:
        return Outcome(error=f"The process ended by itself, with code {os.waitstatus_to_exitcode(status)}")
    _load(told.loaded)
    return told


def _load(modules: Iterable[str]) -> None:
    """Load what a child had to load, which may take it longer than all else; the next ones have it from their birth."""
    for name in modules:
        with suppress(Exception):  # then each child has to do it by itself
            import_module(name)
    gc.freeze()


def _installed(names: Iterable[str]) -> tuple[str, ...]:
    """Return those of the loaded modules that belong to Python, this package, or packages that were installed."""
    places = {str(Path(place).resolve()) for place in (sys.base_prefix, sys.prefix, Path(__file__).parents[1])}
    files = {name: getattr(sys.modules[name], "__file__", None) for name in names if "__main__" not in name}
    return tuple(name for name, file in files.items() if file and any(map(Path(file).is_relative_to, places)))


def _wait(child: int, timeout: float, channel: Connection) -> int | None:
    """Return how a child ended, or None if it had to be killed because it was late.

    Raises:
        EOFError: Nobody waits for it any more; it was killed.
    """
    deadline, is_alone = time.monotonic() + timeout, False
    while not is_alone and time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status
        is_alone = channel.poll(LOOKS_EVERY)  # there is something to read: the end, because nothing is sent meanwhile
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if is_alone:
        raise EOFError
    return None


def _live(subject: Subject, action: type[BaseAction[Any]], task: Task) -> NoReturn:
    """Do the task in this process, which then ends."""
    code = 1
    try:
        os.setpgid(0, 0)
        os.chdir(subject.folder)  # the folder is made anew before each run
        trace, loaded = _Trace(task.dies_at), {*sys.modules}
        failpoints.install(trace)
        with open_journal(subject.journal) as journal:
            outcome = _do(subject, action, task, journal)
        new = [name for name in sys.modules if name not in loaded]
        outcome = replace(outcome, trace=tuple(trace.names), loaded=_installed(new))
        Path(subject.outcome).write_bytes(pickle.dumps(outcome))
        code = 0
    except BaseException:  # noqa: BLE001  # whatever happens, the child must not go on as if it were its parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _do(subject: Subject, action: type[BaseAction[Any]], task: Task, journal: Journal) -> Outcome:
    if task.verb != "run" and journal.run(task.run_id).has_ended:
        return Outcome(had_ended=True, status=journal.run(task.run_id).status)
    error = ""
    try:
        if task.verb == "run":
            _begin(subject, action, task, journal)
        else:
            recover = resume_run if task.verb == "resume" else rollback_run
            secret = {name: subject.params[name] for name in action.secret_params() if name in subject.params}
            recover(
                task.run_id, journal=journal, action=None if subject.plugin else action, params=secret, env=subject.env
            )
    except BaseException:  # noqa: BLE001  # a failed run is what is looked at here
        error = traceback.format_exc()
    left = [f"{step}: {why}" for step, why in read_state(journal, task.run_id).leftovers.items()]
    return Outcome(status=journal.run(task.run_id).status, error="\n".join([*left, *([error] if error else [])]))


def _begin(subject: Subject, action: type[BaseAction[Any]], task: Task, journal: Journal) -> None:
    failure = task.inject_failure
    if subject.plugin:
        run_plugin(
            subject.plugin,
            subject.name,
            subject.params,
            env=subject.env,
            job_id=task.run_id,
            inject_failure=failure,
            journal=journal,
        )
    else:
        run_action(action, subject.params, env=subject.env, job_id=task.run_id, inject_failure=failure, journal=journal)
