"""Running coroutines for code that is not one; loaded only when a step is `async`."""

import asyncio
import threading
from collections.abc import Awaitable
from concurrent.futures import Future
from typing import Any

from synapse_sdk.interrupts import wait_for_end

__all__ = ["LoopThread"]


class LoopThread:
    """An event loop in a thread of its own, so that plain code can wait for coroutines.

    One loop lives as long as the run, because a client opened by one coroutine belongs to the loop that ran it. The
    thread makes it work inside a running loop (a notebook) and from several branches of parallel steps at once.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="synapse-steps", daemon=True)
        self._thread.start()

    def wait_for(self, awaitable: Awaitable[Any]) -> Any:  # noqa: ANN401  # whatever the coroutine returns
        """Run an awaitable to its end and return its value.

        An exception in the waiting thread, such as Ctrl-C, cancels the coroutine and waits until it has cleaned up.

        Raises:
            RuntimeError: A coroutine of this loop calls it and would wait for itself.
        """
        if threading.current_thread() is self._thread:
            msg = "An async step cannot wait for another one in plain code; use `await step.execute(context)`"
            raise RuntimeError(msg)
        ended: Future[Any] = Future()
        tasks: list[asyncio.Task[Any]] = []

        async def whole() -> Any:  # noqa: ANN401  # create_task takes coroutines only, execute may return any awaitable
            return await awaitable

        def start() -> None:
            tasks.append(self._loop.create_task(whole()))
            tasks[0].add_done_callback(deliver)

        def cancel() -> None:
            if tasks:
                tasks[0].cancel()
            else:  # the exception came before the start was on its way
                ended.set_result(None)

        def deliver(task: asyncio.Task[Any]) -> None:
            try:
                ended.set_result(task.result())
            except BaseException as error:  # noqa: BLE001  # it is raised again where it is waited for
                ended.set_exception(error)

        try:
            self._loop.call_soon_threadsafe(start)  # from here on it may run, and a Ctrl-C must not leave it running
            wait_for_end(ended)
            return ended.result()
        finally:
            if not ended.done():
                self._loop.call_soon_threadsafe(cancel)
                wait_for_end(ended)

    def close(self) -> None:
        """Cancel what still runs and end the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _serve(self) -> None:
        loop = self._loop
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
