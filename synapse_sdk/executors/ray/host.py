"""What runs on a node of the cluster: an actor that starts the worker process, and passes on what it says.

The worker is the one of `mode="process"`: a process of its own, in which an action has a main thread, signals and a
standard input that ends when its caller is gone. Everything that goes through Ray is text, bytes and numbers.
"""

import contextlib
import json
import os
import platform
import selectors
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import synapse_sdk
from synapse_sdk.executors.base import RunSpec
from synapse_sdk.executors.channel import CHUNK, LOOK_INTERVAL
from synapse_sdk.executors.child import WORKER_MODULE, ChildSignals, give, start_worker
from synapse_sdk.executors.failures import encode_failure
from synapse_sdk.executors.ray.packing import unpack
from synapse_sdk.executors.ray.scratch import Scratch

__all__ = ["WorkerHost"]

READ_LIMIT = 4 * CHUNK
"""Bytes that are handed over at once; more waits in the pipe, and then the worker waits or sheds lines."""
RAY_ONLY = ("PYTHONBREAKPOINT",)
"""Variables that Ray sets for its own workers, and that mean nothing in ours."""


class WorkerHost:
    """Starts one worker on its node; `read` is called again and again, the other methods beside it."""

    def __init__(self) -> None:
        _spare_children()
        self._scratch: Scratch | None = None
        self._worker: subprocess.Popen[bytes] | None = None
        self._events = self._printed = -1

    def place(self) -> dict[str, str]:
        """Return which version of this package is here, and where here is."""
        return {"version": synapse_sdk.__version__, "host": platform.node()}

    def begin(
        self, line: str, paths: Sequence[str], environ: Mapping[str, str], directory: str, packed: bytes | None
    ) -> str | None:
        """Start the worker.

        Args:
            line: What it is to run, a `RunSpec` as JSON.
            paths: Where the caller finds modules.
            environ: What is added to the environment of this node.
            directory: Where the caller is; if there is no such directory here, an empty one takes its place.
            packed: The plugin's folder; None if it is here already.

        Returns:
            The error that kept it from starting, as JSON; None for none.
        """
        try:
            self._begin(RunSpec.from_json(line), paths, environ, directory, packed)
        except Exception as error:  # noqa: BLE001  # it is raised again by the caller
            self._clear()
            return json.dumps(encode_failure(error))
        return None

    def read(self) -> tuple[bytes, bytes, int | None]:
        """Return what the worker has said and printed since, and its exit code once there is no more to come."""
        if self._worker is None:
            return b"", b"", 0
        with selectors.DefaultSelector() as selector:
            for descriptor in (self._events, self._printed):
                selector.register(descriptor, selectors.EVENT_READ)
            while True:
                # Looked up first: what it said before it ended is in the pipes by then.
                exit_code = self._worker.poll()
                said = _read_all(selector, 0 if exit_code is not None else LOOK_INTERVAL)
                events, printed = (b"".join(said.get(each, ())) for each in (self._events, self._printed))
                if events or printed:
                    return events, printed, None
                if exit_code is not None:
                    self._clear()
                    return b"", b"", exit_code
                if not selector.get_map():  # it has closed both, and goes on
                    self._worker.wait()

    def deliver(self, number: int, *, to_group: bool) -> None:
        """Send the worker a signal, or its process group."""
        if self._worker is not None:
            ChildSignals(self._worker).deliver(signal.Signals(number), to_group=to_group)

    def see_off(self, patience: float) -> None:
        """Kill the worker, which has said everything, if it does not end within this many seconds."""
        if self._worker is not None:
            try:
                self._worker.wait(patience)
            except subprocess.TimeoutExpired:
                self._worker.kill()

    def _begin(
        self, spec: RunSpec, paths: Sequence[str], environ: Mapping[str, str], directory: str, packed: bytes | None
    ) -> None:
        scratch = self._scratch = Scratch()
        if packed is not None:
            folder = Path(scratch.folder, "plugin", Path(spec.plugin).name)  # a package may call itself by its name
            unpack(packed, folder)
            spec = replace(spec, plugin=str(folder))
        if not Path(spec.directory).is_dir():
            spec = replace(spec, directory=str(scratch.directory()))
        inherited = {name: value for name, value in os.environ.items() if name not in RAY_ONLY}
        self._printed, printing_end = os.pipe()
        try:
            self._worker, self._events = start_worker(
                WORKER_MODULE,
                paths,
                stdout=printing_end,
                stderr=printing_end,
                directory=directory if Path(directory).is_dir() else str(scratch.directory()),
                kept_open=[scratch.lock],
                environ={**inherited, **environ},
            )
        finally:
            os.close(printing_end)
        give(self._worker, paths, spec.to_json())

    def _clear(self) -> None:
        """Leave nothing of the worker behind."""
        if self._worker is not None and self._worker.stdin is not None:
            self._worker.stdin.close()
        for descriptor in (self._events, self._printed):
            if descriptor != -1:
                os.close(descriptor)
        self._worker, self._events, self._printed = None, -1, -1
        if self._scratch is not None:
            self._scratch.remove()
            self._scratch = None


def _spare_children() -> None:
    """Keep Ray from killing the worker when it ends this process, as it does when the caller dies: it undoes its run.

    There is no other way to say so from here. Where it does not work, the run is left to be resumed.
    """
    with contextlib.suppress(ImportError, AttributeError):
        from ray._raylet import Config  # type: ignore[attr-defined]  # noqa: PLC0415  # compiled; only on a cluster

        Config.initialize(json.dumps({"kill_child_processes_on_worker_exit": False}))


def _read_all(selector: selectors.BaseSelector, patience: float) -> dict[int, list[bytes]]:
    """Return what can be read now, or within some seconds, by descriptor; one that has ended is read no more."""
    said: dict[int, list[bytes]] = {}
    size = 0
    while size < READ_LIMIT and (ready := selector.select(0 if said else patience)):
        for key, _ in ready:
            chunk = os.read(key.fd, CHUNK)
            if not chunk:
                selector.unregister(key.fd)
                continue
            said.setdefault(key.fd, []).append(chunk)
            size += len(chunk)
        if not selector.get_map():
            break
    return said
