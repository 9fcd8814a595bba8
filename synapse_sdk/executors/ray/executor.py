"""Running an action on a node of a Ray cluster."""

import contextlib
import json
import logging
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import synapse_sdk
from synapse_sdk.errors import ConfigurationError, ExecutorError, WorkerLostError
from synapse_sdk.executors.base import RunSpec
from synapse_sdk.executors.channel import LOOK_INTERVAL, messages_in
from synapse_sdk.executors.child import STDERR
from synapse_sdk.executors.failures import decode_failure
from synapse_sdk.executors.outcome import result_of
from synapse_sdk.executors.ray.cluster import connected
from synapse_sdk.executors.ray.host import WorkerHost
from synapse_sdk.executors.ray.packing import pack
from synapse_sdk.executors.relay import SignalRelay
from synapse_sdk.executors.replayer import Replayer
from synapse_sdk.reporting.base import Reporter
from synapse_sdk.types import JsonValue

__all__ = ["RayExecutor"]

OWN_PREFIX = "SYNAPSE_"
"""Environment variables that say where things are; they go with every run."""
NODES_OWN = ("RAY_", "CUDA_", "OMP_")
"""Those with which Ray gives a worker its place, and its share of the machine."""
CALLS_AT_ONCE = 3
"""Reading, a signal, and seeing the worker off."""
PLACES_LOST = 2
"""Nodes that may be lost before anything is begun on them."""


class RayExecutor:
    """Runs each action in a worker process on a node of a Ray cluster.

    The plugin's folder, the parameters, the settings given for the run and the environment variables that are named
    here go to the worker through Ray's own connections between processes. None of them becomes part of a runtime
    environment, or of anything else that Ray keeps or shows. The variables whose names begin with
    `SYNAPSE_` go along; so do all others with a run that has to be on this machine, because its journal is a file.

    Ray repeats nothing by itself: an effect may have happened. A run whose node is lost is resumed or rolled back from
    its journal, like any other.

    Args:
        address: The cluster, as `ray.init` takes it: HOST:PORT, `auto` or `ray://HOST:PORT`. `local` is a cluster of
            one node, which is started here and ends with the run. None is what RAY_ADDRESS says, or else `local`.
        num_cpus: CPUs that are set aside for the run.
        num_gpus: GPUs that are set aside for it; it sees no others.
        pass_env: Names of environment variables of this process that the worker gets, such as those with secrets.
        patience: Seconds to wait for a node that has what is asked for, if none has; and for a worker to end after
            its last word.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        num_cpus: float | None = None,
        num_gpus: float | None = None,
        pass_env: Sequence[str] = (),
        patience: float = 30.0,
    ) -> None:
        self._address = address
        self._resources = {"CPU": 1.0 if num_cpus is None else float(num_cpus), "GPU": float(num_gpus or 0)}
        self._pass_env = tuple(pass_env)
        self._patience = patience

    def run(self, spec: RunSpec, reporter: Reporter | None) -> JsonValue:
        """Run an action to its end and return its result; raises what `Executor.run` says.

        Raises:
            ConfigurationError: Ray is not installed or of another version; no node has what is asked for; the run
                cannot be on another machine; the plugin's folder is too large; a variable is not set.
        """
        line, environ = spec.to_json(), self._environ(spec)
        folder = Path(spec.plugin)
        travels = not spec.bound and folder.is_absolute() and folder.is_dir()
        packed = pack(folder) if travels else None
        replayer, relay = Replayer(reporter), SignalRelay()
        try:
            with relay, connected(self._address) as ray, self._host(ray, spec, relay) as host:
                host.begin(line, environ, packed)
                outcome = replayer.hear_out(messages_in(host.chunks()), relay)
                host.see_off(self._patience)
                for _ in host.chunks():  # what it prints, until it ends
                    pass
            return result_of(outcome, host.exit_code)
        finally:
            replayer.sum_up()
            relay.obey()

    @contextlib.contextmanager
    def _host(self, ray: ModuleType, spec: RunSpec, relay: SignalRelay) -> "Iterator[_Host]":
        """Place an actor on a node, yield the way to it, and end it."""
        options: dict[str, Any] = {"num_cpus": self._resources["CPU"], "num_gpus": self._resources["GPU"]}
        if spec.bound:
            options["scheduling_strategy"] = self._here(ray, spec.bound)
        options |= {"max_restarts": 0, "max_task_retries": 0, "max_concurrency": CALLS_AT_ONCE}
        host = _Host(ray, spec, relay)
        try:
            for _ in range(PLACES_LOST):
                with contextlib.suppress(
                    ray.exceptions.RayActorError
                ):  # its node was lost, and nothing was begun there
                    self._place(ray, host, options)
                    break
            else:
                self._place(ray, host, options)
            yield host
        except ray.exceptions.RayError as error:
            raise (host.lost(error) if host.has_begun else _unusable(error)) from error
        finally:
            with contextlib.suppress(ray.exceptions.RayError):  # it is gone already
                ray.kill(host.actor)

    def _place(self, ray: ModuleType, host: "_Host", options: dict[str, Any]) -> None:
        """Make the actor, wait until a node has room for it, and look whether it fits.

        Raises:
            ConfigurationError: No node can ever have room, or it has another version of this package.
        """
        host.actor = ray.remote(WorkerHost).options(**options).remote()
        placed = host.actor.place.remote()
        begun_at, has_warned = time.monotonic(), False
        while not ray.wait([placed], timeout=LOOK_INTERVAL)[0]:
            if host.relay.received:
                msg = "The run was stopped before there was a place for it"
                raise ExecutorError(msg, fix="Run it again")
            if time.monotonic() - begun_at > self._patience and not has_warned:
                self._refuse_impossible(ray)
                _log().warning("Still waiting for a node of the Ray cluster that has %s to spare", self._asked())
                has_warned = True
        there = ray.get(placed)
        if there["version"] != synapse_sdk.__version__:
            msg = f"Node {there['host']!r} of the Ray cluster has synapse-sdk {there['version']}"
            fix = "Install the same version on all nodes"
            raise ConfigurationError(msg, why=f"here it is {synapse_sdk.__version__}", fix=fix)

    def _refuse_impossible(self, ray: ModuleType) -> None:
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        if not any(all(node.get(name, 0) >= count for name, count in self._resources.items()) for node in nodes):
            has = "; ".join(f"{node.get('CPU', 0):g} CPUs and {node.get('GPU', 0):g} GPUs" for node in nodes)
            msg = f"No node of the Ray cluster has {self._asked()}"
            raise ConfigurationError(msg, why=f"its nodes have {has}", fix="Ask for less (num_cpus, num_gpus)")

    def _asked(self) -> str:
        return f"{self._resources['CPU']:g} CPUs and {self._resources['GPU']:g} GPUs"

    def _here(self, ray: ModuleType, why: str) -> object:
        """Return the strategy that keeps a run on this machine.

        Raises:
            ConfigurationError: This machine is no node of the cluster, or does not have what is asked for.
        """
        fix = "Name a journal that all nodes reach: journal='postgresql://...'"
        if ray.util.client.ray.is_connected():
            msg = "The run has to be on this machine, which is no node of the Ray cluster"
            raise ConfigurationError(msg, why=why, fix=fix)
        node_id = ray.get_runtime_context().get_node_id()
        has = next(node["Resources"] for node in ray.nodes() if node["NodeID"] == node_id)
        if any(has.get(name, 0) < count for name, count in self._resources.items()):
            msg = f"The run has to be on this machine, which does not have {self._asked()} in the Ray cluster"
            raise ConfigurationError(msg, why=why, fix=fix)
        return ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node_id=node_id, soft=False)

    def _environ(self, spec: RunSpec) -> dict[str, str]:
        """Return the variables that go to the worker.

        Raises:
            ConfigurationError: One that was named is not set.
        """
        missing = [name for name in self._pass_env if name not in os.environ]
        if missing:
            msg = f"The environment variable {missing[0]!r} cannot be passed on: it is not set"
            raise ConfigurationError(msg, fix="Set it, or do not name it")
        if spec.bound:
            return {name: value for name, value in os.environ.items() if not name.startswith(NODES_OWN)}
        named = {name: os.environ[name] for name in self._pass_env}
        return {name: value for name, value in os.environ.items() if name.startswith(OWN_PREFIX)} | named


class _Host:
    """The way to the actor that has the worker."""

    can_be_suspended = False

    def __init__(self, ray: ModuleType, spec: RunSpec, relay: SignalRelay) -> None:
        self._ray = ray
        self.actor: Any = None
        self.relay = relay
        self.exit_code = 0
        self.has_begun = False
        self._spec = spec
        self._signals: deque[tuple[int, bool]] = deque()
        self._has_ended = False
        self._reading: object | None = None

    def begin(self, line: str, environ: dict[str, str], packed: bytes | None) -> None:
        """Start the worker; raises what kept it from starting."""
        paths = [str(entry) for entry in sys.path]
        luggage = None if packed is None else self._ray.put(packed)
        failure = self._wait(self.actor.begin.remote(line, paths, environ, str(Path.cwd()), luggage))
        if failure is not None:
            raise decode_failure(json.loads(failure))
        self.relay.target, self.has_begun = self, True

    def chunks(self) -> Iterator[bytes]:
        """Yield what the worker says until it has ended, and pass on what it prints and the signals that come."""
        while not self._has_ended:
            reading = self._reading or self.actor.read.remote()
            self._reading = reading
            events, printed, exit_code = self._wait(reading)
            self._reading = None
            if exit_code is not None:
                self.exit_code, self._has_ended = exit_code, True
            else:
                self._reading = self.actor.read.remote()  # meanwhile this is told here
            _print(printed)
            if events:
                yield events

    def see_off(self, patience: float) -> None:
        """Let the worker be killed if it does not end by itself."""
        if not self._has_ended:
            self.actor.see_off.remote(patience)

    def deliver(self, number: signal.Signals, *, to_group: bool) -> None:
        """Note a signal: Ray must not be called in a signal handler, which may have interrupted it."""
        self._signals.append((int(number), to_group))

    def lost(self, error: Exception) -> WorkerLostError:
        """Return the error that says that the node or its process is gone."""
        why = " ".join(str(error).split())
        fix = "Run the action again"
        if self._spec.journal is not None:
            fix = f"See what became of the run: synapse runs show {self._spec.job_id}; resume it, or roll it back"
        return WorkerLostError("The node of the Ray cluster that had the run was lost", why=why, fix=fix)

    def _wait(self, reference: object) -> Any:  # noqa: ANN401  # what the method of the actor returns
        while not self._ray.wait([reference], timeout=LOOK_INTERVAL)[0]:
            while self._signals:
                number, to_group = self._signals.popleft()
                self._ray.get(self.actor.deliver.remote(number, to_group=to_group))
        return self._ray.get(reference)


def _unusable(error: Exception) -> ConfigurationError | ExecutorError:
    """Return the error that says that a node could not start the worker."""
    text = " ".join(str(error).split())
    if "No module named 'synapse_sdk" in text:
        msg = "A node of the Ray cluster does not have this package"
        fix = "Install synapse-sdk[ray] on all nodes, in the same version as here"
        return ConfigurationError(msg, why=text, fix=fix)
    return ExecutorError("A node of the Ray cluster could not start the worker", why=text, fix="Try again")


def _print(printed: bytes) -> None:
    with contextlib.suppress(OSError):  # closed, as in some services
        while printed:
            printed = printed[os.write(STDERR, printed) :]


def _log() -> logging.Logger:
    return logging.getLogger("synapse_sdk.executors")
