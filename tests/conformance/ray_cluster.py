"""A Ray cluster of our own on this machine, in processes of their own, thrown away after the tests.

Run as a program, this file is the cluster: it reads commands, `add` or `remove NUMBER`, and ends with its input.
"""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, cast

import pytest

__all__ = ["RayCluster", "belonging_to", "ray_cluster"]

PATIENCE = 60.0
"""Seconds within which a node has to be there, or known to be gone."""
LOOPBACK = "127.0.0.2"
"""Ray takes the usual address for a request to find out another."""


class RayCluster:
    """A cluster that begins with one node; processes with `environ` belong to it."""

    def __init__(self, program: subprocess.Popen[str], folder: str, environ: dict[str, str]) -> None:
        self._program = program
        self.folder = folder
        """Where its nodes keep their logs."""
        self.address = self._answer()
        self.environ = {**environ, "RAY_ADDRESS": self.address}

    def add_node(self) -> str:
        """Add a node, which alone says that it has a GPU, and return its id."""
        self._say("add")
        return self._answer()

    def kill_node(self, node_id: str) -> None:
        """Kill a node that was added, without a word of farewell."""
        self._say(f"remove {node_id}")
        assert self._answer() == node_id

    def _say(self, command: str) -> None:
        stdin = cast("IO[str]", self._program.stdin)
        stdin.write(f"{command}\n")
        stdin.flush()

    def _answer(self) -> str:
        answer = cast("IO[str]", self._program.stdout).readline().strip()
        assert answer, "the cluster has ended"
        return answer


@contextmanager
def ray_cluster() -> Iterator[RayCluster]:
    """Yield a cluster."""
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # its sockets have short names at most
    # One that has the token gets in: Ray listens on all addresses.
    environ = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_USAGE_STATS_ENABLED": "0"}
    program = subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **environ, "RAY_TMPDIR": folder},
        start_new_session=True,  # a Ctrl-C is not meant for it
    )
    try:
        with program:
            yield RayCluster(program, folder, environ)
            cast("IO[str]", program.stdin).close()
            assert program.wait(60) == 0
    finally:
        program.kill()
        while Path(folder).exists():  # its last process may still be writing the end of its log
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def belonging_to(cluster: RayCluster) -> Iterator[None]:
    """Let this process and those it starts belong to a cluster, with a connection that all runs share."""
    from synapse_sdk.executors.ray.cluster import connected  # noqa: PLC0415  # slow, and few tests need it

    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        for name, value in cluster.environ.items():
            patch.setenv(name, value)
        if "ray" in sys.modules:  # it reads its variables once
            from ray._raylet import Config  # type: ignore[attr-defined]  # noqa: PLC0415  # compiled; as above

            Config.initialize("")
        stack.enter_context(connected(None))
        yield


def main() -> None:
    """Be a cluster."""
    from ray.cluster_utils import Cluster  # noqa: PLC0415  # slow, and tests load this file, too

    size: dict[str, Any] = {
        "num_cpus": 8,
        "object_store_memory": 150 * 2**20,
        "node_ip_address": LOOPBACK,
        "include_dashboard": False,
    }
    say, sys.stdout = sys.stdout, sys.stderr
    cluster = Cluster(initialize_head=True, head_node_args=size)
    nodes = {}
    print(cluster.address, file=say, flush=True)
    for line in sys.stdin:
        command, _, name = line.strip().partition(" ")
        if command == "add":
            node = cluster.add_node(**{**size, "num_gpus": 1})
            name = node.node_id
            nodes[name] = node
        else:
            cluster.remove_node(nodes.pop(name), allow_graceful=False)
            cluster.wait_for_nodes(PATIENCE)  # until the others know
        print(name, file=say, flush=True)
    cluster.shutdown()  # type: ignore[no-untyped-call]  # Ray's


if __name__ == "__main__":
    main()
