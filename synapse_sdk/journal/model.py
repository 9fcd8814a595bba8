"""What a journal holds: runs, the frames written about them, and who may write."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from hashlib import blake2b
from typing import Any, NewType

from synapse_sdk.journal.owner import Owner
from synapse_sdk.reporting.events import RunStatus

__all__ = ["ENDED", "Cancellation", "Frame", "Lease", "RunId", "RunRecord", "RunSource", "first_digest"]

RunId = NewType("RunId", str)
"""Names one run, in the journal and everywhere else: 12 hexadecimal digits."""

ENDED = frozenset({RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.ROLLED_BACK, RunStatus.CANCELLED})
"""Statuses that are final. `ROLLBACK_INCOMPLETE` is not: what was left behind can still be undone."""

DIGEST_SIZE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSource:
    """What it takes to run an action again, as it is written when a run is created."""

    plugin: str
    """Absolute path of the plugin's folder, name of an installed plugin, name of a module, or empty."""
    action: str
    params: str = "{}"
    """The parameters as given, encoded as JSON text."""
    hidden: tuple[str, ...] = ()
    """Names of parameters whose values are secret and were not written."""
    env: tuple[str, ...] = ()
    """Names of the settings that were given for this run; their values may be secret and are not written."""
    mode: str = "local"
    options: Mapping[str, Any] = field(default_factory=dict)
    """What else was said about where it runs, such as the address of a cluster; JSON data without secrets."""
    inject_failure: str | None = None
    directory: str = ""
    """The current directory of the process that created the run: relative paths in params start here."""
    version: str = ""
    """Version of this package that created the run."""

    def to_text(self) -> str:
        """Return the source as one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> "RunSource":
        """Return the source that `to_text` wrote; what only a newer version knows is left out."""
        data: dict[str, Any] = json.loads(text)
        known: dict[str, Any] = {each.name: data[each.name] for each in fields(cls) if each.name in data}
        for name in {"hidden", "env"} & known.keys():
            known[name] = tuple(known[name])
        return cls(**known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """Somebody has asked for a run to be stopped and undone."""

    requested_at: datetime
    by: str
    """Who asked, such as `ada@lab (pid 4711)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run as a list of runs shows it; what happened in it is in its frames."""

    id: RunId
    source: RunSource
    status: RunStatus
    created_at: datetime
    """Aware UTC instant."""
    ended_at: datetime | None = None
    owner: Owner | None = None
    """The worker that has, or had, the lease; None after it was handed back."""
    token: int = 0
    """How often a worker has made the run its own."""
    lease_left: float = 0.0
    """Seconds until the lease ends; 0.0 when it has, or when its owner is known to be dead."""
    cancellation: Cancellation | None = None
    digest: bytes = field(default=b"", repr=False)
    """With which the chain of its frames begins; of the source as it was written, which a newer version may not be able
    to write again."""

    @property
    def is_owned(self) -> bool:
        """Whether a worker is at work on it, as far as is known."""
        return self.owner is not None and self.lease_left > 0

    @property
    def has_ended(self) -> bool:
        """Whether its status is final."""
        return self.status in ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right of one worker to write about one run."""

    run_id: RunId
    owner: Owner
    token: int
    """Grows with every worker that makes the run its own: an older one is refused. This is what decides, not time."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What one transaction adds to a run: one or more events, and the digest that chains them to all before."""

    number: int
    """1 for the first frame of a run, without gaps."""
    text: str
    """A JSON array of events."""
    digest: bytes = field(repr=False)

    @classmethod
    def after(cls, number: int, digest: bytes, text: str) -> "Frame":
        """Return the frame that follows the one with this number and digest."""
        return cls(number + 1, text, chained(digest, text))

    def follows(self, number: int, digest: bytes) -> bool:
        """Whether it is intact and comes right after the frame with this number and digest."""
        return self.number == number + 1 and self.digest == chained(digest, self.text)


def chained(digest: bytes, text: str) -> bytes:
    """Return the digest of a text and everything before it (BLAKE2b, 16 bytes)."""
    return blake2b(digest + text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_SIZE).digest()


def first_digest(run_id: str, source_text: str) -> bytes:
    """Return the digest with which the chain of a run begins: what the run is about is part of it."""
    return chained(run_id.encode(), source_text)
