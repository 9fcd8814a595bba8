"""Who a worker is, and whether it is still alive."""

import json
import os
import socket
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

__all__ = ["Owner"]

PROC = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """One process, told apart from every other one there is or was.

    A process id alone is given again to another process; with the instant of its start, the boot of its machine and
    its process namespace (containers have their own) it is unique. Where the system does not say these things they are
    empty, and death shows only by the end of the lease.
    """

    host: str
    pid: int
    started: str = ""
    """When the process was started, in the system's own unit."""
    boot: str = ""
    """Names the boot of the machine; the kernel is shared by its containers."""
    namespace: str = ""
    """Names the space in which the process id counts."""

    @classmethod
    def here(cls) -> "Owner":
        """Return this process."""
        pid = os.getpid()
        return cls(host=socket.gethostname(), pid=pid, started=_started(pid)[0], boot=boot(), namespace=_namespace())

    @classmethod
    def from_text(cls, text: str) -> "Owner":
        """Return the owner that `to_text` wrote."""
        return cls(**json.loads(text))

    def to_text(self) -> str:
        """Return the owner as one line of JSON."""
        return json.dumps(asdict(self))

    def is_dead(self) -> bool:
        """Whether it is certain that the process is gone; False when it lives or nobody here can tell."""
        if not self.boot or not boot():
            return False
        if self.boot != boot():
            return self.host == socket.gethostname()  # the machine was started anew since
        if not self.namespace or self.namespace != _namespace():
            return False
        started, state = _started(self.pid)
        if not (started and self.started):
            return _is_absent(self.pid)
        return started != self.started or state in {"Z", "X"}  # killed, and only not yet waited for

    def __str__(self) -> str:
        """Return host and process id for people."""
        return f"process {self.pid} on {self.host}"


@cache
def boot() -> str:
    """Return what names the boot of this machine; empty where the system does not tell."""
    return _read(PROC / "sys/kernel/random/boot_id").strip()


def _namespace() -> str:
    try:
        return str((PROC / "self/ns/pid").readlink())
    except OSError:
        return ""


def _is_absent(pid: int) -> bool:
    """Whether there is certainly no such process; those of others may be hidden from us (proc(5), hidepid)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _started(pid: int) -> tuple[str, str]:
    """Return when a process was started, and its state; empty if there is none."""
    fields = _read(PROC / str(pid) / "stat").rpartition(")")[2].split()  # the name before it may hold anything
    return (fields[19], fields[0]) if len(fields) > 19 else ("", "")  # noqa: PLR2004  # proc(5): field 22, after 2 fields


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
