"""What is the same wherever an export goes: its names, and when they are taken."""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from synapse_sdk.errors import ObjectExistsError
from synapse_sdk.plugins.actions.export.naming import fit

__all__ = ["BEGIN", "MANIFEST", "Destination", "Place", "run_of_manifest"]

MANIFEST = "manifest.json"
"""The file that every complete export has; it is written last."""
MOST_NUMBERS = 10_000
RUN = re.compile(rb'\{\s*"run": ("[^"\\\n]*")')
"""How a manifest begins."""
BEGIN = 4_096
"""Bytes of a manifest in which the run is named."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an export goes within a storage, and what it is called."""

    path: str
    """The folder in which its own is made, with slashes in between; empty for the root."""
    name: str
    run: str
    refuses: bool = False
    """Whether a name that is taken is an error; else a number is added."""

    @property
    def partial_name(self) -> str:
        """What the folder is called until the export is complete."""
        return fit(f".{self.name}", f".{self.run}.partial")

    def names(self) -> Iterator[str]:
        """Yield the names that it may get, in order."""
        yield self.name
        if not self.refuses:
            yield from (fit(self.name, f"({number})") for number in range(1, MOST_NUMBERS))

    def below(self, name: str) -> str:
        """Return the path of something in the folder of the export's own."""
        return f"{self.path}/{name}" if self.path else name


class Destination(ABC):
    """Takes an export, which nobody sees under its name before it is complete.

    Args:
        place: Where it goes.
    """

    def __init__(self, place: Place) -> None:
        self.place = place

    @property
    @abstractmethod
    def root(self) -> Path:
        """The folder of this machine in which the export's own is put together."""

    @property
    def staging(self) -> Path:
        """The folder of this machine in which the export is put together."""
        return self.root / self.place.partial_name

    keeps_staging = True
    """Whether what is in the staging folder stays there until all is published."""

    def new_folders(self) -> Sequence[str]:
        """Return the folders that `prepare` would make above the export's own, the innermost first."""
        return ()

    @abstractmethod
    def expected(self) -> str:
        """Return where the export will be, as far as that is known by now; nothing is changed.

        Raises:
            ObjectExistsError: The name is taken, and no other may be used.
            StorageError: That cannot be found out.
        """

    @abstractmethod
    def prepare(self) -> None:
        """Make the folder in which the export is put together, and sure that it can be put in its place.

        Raises:
            StorageError: Nothing can be written there.
        """

    def send(self, paths: Sequence[str]) -> None:  # noqa: B027  # what is put together in its place need not be sent
        """Send files of the staging folder to where they go; they are not needed here any more afterwards."""

    @property
    @abstractmethod
    def is_published(self) -> bool:
        """Whether the export has its name already."""

    @abstractmethod
    def publish(self) -> str:
        """Let the export appear under its name, and return where it is; safe to repeat.

        Raises:
            ObjectExistsError: The name is taken, and no other may be used.
            StorageError: It cannot be done.
        """

    @abstractmethod
    def withdraw(self) -> None:
        """Remove what this run has put here, published or not; safe to repeat."""

    def _taken(self, where: str) -> ObjectExistsError:
        msg = f"There is something in {where!r} already"
        fix = "Choose another name, or remove it"
        return ObjectExistsError(msg, fix=fix)


def run_of_manifest(content: bytes) -> str | None:
    """Return the run that has written a manifest; None if it is none of ours.

    Args:
        content: Its first bytes, `BEGIN` of them or more: it may list a million files.
    """
    begin = RUN.match(content)
    return None if begin is None else str(json.loads(begin[1]))
