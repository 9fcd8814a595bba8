import asyncio
import signal
import threading
from typing import Any

import pytest

from synapse_sdk.errors import StepFailedError
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, StepResult
from synapse_sdk.plugins.steps.coroutines import LoopThread
from tests.unit.steps.scripted import ScriptedStep, execute, new_context


class AsyncStep(BaseStep[BaseStepContext]):
    """Does what its script says, in a coroutine."""

    name, progress_weight = "async", 0.5

    def __init__(self, does: Any, diary: list[str] | None = None) -> None:  # noqa: ANN401  # a coroutine function
        self._does = does
        self._diary = [] if diary is None else diary

    async def execute(self, context: BaseStepContext) -> StepResult:
        """Do what the script says."""
        await self._does(context)
        return StepResult()

    async def rollback(self, context: BaseStepContext, result: StepResult) -> None:
        """Write it down."""
        self._diary.append("undo async")


def _press_from_elsewhere() -> None:
    """Press Ctrl-C while the main thread waits; must be called in another thread."""
    main = threading.main_thread().ident
    assert main is not None
    assert main != threading.get_ident()
    signal.pthread_kill(main, signal.SIGINT)


def test_a_press_cancels_the_coroutine_and_waits_until_it_has_cleaned_up() -> None:
    """Then everything is undone, and the interrupt goes on."""
    diary: list[str] = []

    async def act(_: BaseStepContext) -> None:
        try:
            _press_from_elsewhere()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            diary.append("cleaned up")

    with pytest.raises(KeyboardInterrupt):
        execute(ScriptedStep("a", diary), AsyncStep(act, diary))

    assert diary == ["run a", "cleaned up", "undo async", "undo a"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)])
def test_a_coroutine_that_raises_an_interruption_hands_it_on(error: BaseException) -> None:
    """Asyncio itself stops at these; the loop serves on, as the rollback needs it."""
    diary: list[str] = []

    async def act(_: BaseStepContext) -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        execute(AsyncStep(act, diary))

    assert caught.value is error
    assert diary == ["undo async"]


def test_a_cancelled_coroutine_is_an_interruption() -> None:
    """As cancellation is."""

    async def act(_: BaseStepContext) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        execute(AsyncStep(act))


def test_what_is_left_running_is_cancelled_at_the_end_of_the_run() -> None:
    """A run leaves no tasks behind."""
    diary, kept = list[str](), set[asyncio.Task[None]]()

    async def background() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            diary.append("cancelled")

    async def act(_: BaseStepContext) -> None:
        kept.add(asyncio.create_task(background()))
        await asyncio.sleep(0)

    execute(AsyncStep(act))

    assert diary == ["cancelled"]
    assert all(task.cancelled() for task in kept)


def test_a_coroutine_that_waits_for_another_step_in_plain_code_is_told_so() -> None:
    """It would wait for itself for ever."""

    async def inner() -> None:
        """Never gets to run."""

    async def act(context: BaseStepContext) -> None:
        coroutine = inner()
        try:
            context.scope.wait_for(coroutine)
        finally:
            coroutine.close()

    with pytest.raises(StepFailedError, match=r"use `await step\.execute"):
        execute(AsyncStep(act))


def test_a_step_can_be_tested_alone() -> None:
    """A context that no orchestrator runs has a loop for as long as it takes."""

    async def value() -> int:
        return 7

    assert new_context().scope.wait_for(value()) == 7


def test_the_thread_of_the_loop_ends_with_it() -> None:
    """Nothing is left behind."""
    before = threading.active_count()

    loop = LoopThread()
    loop.close()

    assert threading.active_count() == before


def test_a_run_works_inside_a_running_loop() -> None:
    """A notebook has one."""

    async def act(_: BaseStepContext) -> None:
        await asyncio.sleep(0)

    async def notebook() -> dict[str, Any]:
        return execute(AsyncStep(act))

    assert asyncio.run(notebook())["success"]
