"""From whatever a step's method returned to the value the engine needs; coroutines are run here."""

import threading
from collections.abc import Awaitable, Iterable
from typing import TYPE_CHECKING, Any

from synapse_sdk.plugins.steps.base import BaseStep, StepResult

if TYPE_CHECKING:
    import asyncio

    from synapse_sdk.plugins.steps.context import BaseStepContext

__all__ = [
    "LoopThread",
    "asks_to_skip",
    "checked_result",
    "error_text",
    "roll_back_all",
    "roll_back_step",
    "run_step",
]


def run_step[C: "BaseStepContext"](step: BaseStep[C], context: C) -> StepResult:
    """Execute a step, plain or `async`, and return its result.

    Raises:
        TypeError: It returned something other than a StepResult.
        BaseException: Whatever the step raised.
    """
    outcome: object = step.execute(context)
    if isinstance(outcome, Awaitable):
        outcome = context.scope.wait_for(outcome)
    return checked_result(outcome)


def asks_to_skip[C: "BaseStepContext"](step: BaseStep[C], context: C) -> bool:
    """Ask a step, whose `can_skip` may be plain or `async`, whether it wants to be skipped."""
    answer: object = step.can_skip(context)
    return bool(context.scope.wait_for(answer) if isinstance(answer, Awaitable) else answer)


def roll_back_step[C: "BaseStepContext"](step: BaseStep[C], context: C, result: StepResult) -> None:
    """Let a step undo its work, whether its `rollback` is plain or `async`."""
    answer: object = step.rollback(context, result)
    if isinstance(answer, Awaitable):
        context.scope.wait_for(answer)


def roll_back_all[C: "BaseStepContext"](undone: Iterable[tuple[BaseStep[C], StepResult]], context: C) -> None:
    """Undo several steps in the given order; one that fails does not stop the others.

    Raises:
        ExceptionGroup: What failed, after all were tried.
    """
    errors: list[Exception] = []
    for step, result in undone:
        try:
            roll_back_step(step, context, result)
        except Exception as error:  # noqa: BLE001  # the others must be undone, whatever this one raised
            error.add_note(f"raised by the rollback of step {step.name!r}")
            errors.append(error)
    if errors:
        msg = "; ".join(error_text(error) for error in errors)
        raise ExceptionGroup(msg, errors)


def checked_result(outcome: object) -> StepResult:
    """Return the outcome if it is a StepResult.

    Raises:
        TypeError: It is not.
    """
    if isinstance(outcome, StepResult):
        return outcome
    msg = f"execute() returned {outcome!r} instead of a StepResult"
    raise TypeError(msg)


def error_text(error: BaseException) -> str:
    """Return what an exception says, or its type's name if it says nothing."""
    return str(error) or type(error).__name__


class LoopThread:
    """An event loop in a thread of its own, so that plain code can wait for coroutines.

    One loop lives as long as the run, because clients opened by one coroutine belong to the loop that ran it. The
    thread makes it work inside a running loop (a notebook) and from several branches of parallel steps at once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def wait_for(self, awaitable: Awaitable[Any]) -> Any:  # noqa: ANN401  # whatever the coroutine returns
        """Run an awaitable to its end and return its value.

        An exception in the waiting thread, such as Ctrl-C, cancels the coroutine and waits until it has cleaned up.
        """
        from concurrent.futures import Future  # noqa: PLC0415  # asyncio and its kin are loaded on use

        loop = self._running_loop()
        ended: Future[Any] = Future()
        tasks: list[asyncio.Task[Any]] = []

        async def whole() -> Any:  # noqa: ANN401  # create_task takes coroutines only, execute may return any awaitable
            return await awaitable

        def start() -> None:
            tasks.append(loop.create_task(whole()))
            tasks[0].add_done_callback(deliver)

        def cancel() -> None:
            tasks[0].cancel()

        def deliver(task: "asyncio.Task[Any]") -> None:
            try:
                ended.set_result(task.result())
            except BaseException as error:  # noqa: BLE001  # it is raised again where it is waited for
                ended.set_exception(error)

        loop.call_soon_threadsafe(start)
        try:
            return ended.result()
        finally:
            if not ended.done():
                loop.call_soon_threadsafe(cancel)
                ended.exception()

    def close(self) -> None:
        """Cancel what still runs and end the thread; safe to call when it never started."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop = self._thread = None

    def _running_loop(self) -> "asyncio.AbstractEventLoop":
        with self._lock:
            if self._loop is None:
                import asyncio  # noqa: PLC0415  # 35 ms that workflows without coroutines do not pay

                self._loop = asyncio.new_event_loop()
                target, arguments = self._serve, (self._loop,)
                self._thread = threading.Thread(target=target, args=arguments, name="synapse-steps", daemon=True)
                self._thread.start()
            return self._loop

    @staticmethod
    def _serve(loop: "asyncio.AbstractEventLoop") -> None:
        import asyncio  # noqa: PLC0415  # loaded by now

        while True:
            try:
                loop.run_forever()
                break
            except (KeyboardInterrupt, SystemExit):  # a coroutine raised it: asyncio stops, its waiter has yet to hear
                continue
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
