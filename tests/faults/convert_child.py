"""Converts one dataset over and over, each time in a process that dies at another moment; prints what was there then.

`test_conversion_crashes` runs it as a program of its own: it forks, which a process with threads should not.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from typing import Any

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.formats import ConversionOptions, ImageTransfer, convert

CALLS = frozenset(
    (
        *("open", "fcntl.flock", "os.link", "os.listdir", "os.mkdir", "os.remove", "os.rename", "os.rmdir"),
        *("os.scandir", "os.symlink", "os.truncate", "shutil.copyfile", "shutil.rmtree"),
    )
)
"""What Python tells audit hooks before it asks the system for it: all that a conversion does to files, but for writes
into a file that is open, and those are in a folder that nobody sees."""

type Hook = Callable[[str, tuple[Any, ...]], None]


class World:
    """A source, and a place for targets.

    Args:
        folder: The source is its `source`, the target its `out/deep/birds`.
        to: The format to convert to.
        images: How images come into the target.
    """

    def __init__(self, folder: Path, to: str, images: str) -> None:
        self.source, self.out = folder / "source", folder / "out"
        self.target = self.out / "deep" / "birds"
        self._to, self._options = to, ConversionOptions(images=ImageTransfer(images))
        self._late = 0
        """The last moment at which files are there, and no target: dying then leaves a leftover."""

    def convert(self) -> None:
        """Convert the source."""
        convert(self.source, self.target, to=self._to, options=self._options)

    def convert_and_die(self, moment: int) -> bool:
        """Convert in another process that is killed when it comes to a moment; return whether it came there."""
        if (child := os.fork()) == 0:
            sys.addaudithook(_dying_at(moment))
            self.convert()
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code in {0, -signal.SIGKILL}, code
        return code != 0

    def prepare(self, before: str) -> None:
        """Remove all that was made, and make what is to be there before: nothing, an empty folder, a leftover."""
        with suppress(FileNotFoundError):
            rmtree(self.out)
        if before == "empty":
            self.target.mkdir(parents=True)
        elif before == "leftover":
            self._late = self._late or self._last_moment_with_files()
            assert self.convert_and_die(self._late)

    def _last_moment_with_files(self) -> int:
        for moment in range(self.moments(), 0, -1):
            rmtree(self.out, ignore_errors=True)
            assert self.convert_and_die(moment)
            if not self.target.exists() and any(path.is_file() for path in self.out.rglob("*")):
                rmtree(self.out)
                return moment
        msg = "no moment leaves files without a target"
        raise AssertionError(msg)

    def moments(self) -> int:
        """Return how many moments there are in a conversion."""
        told, tell = os.pipe()
        if os.fork() == 0:
            count = [0]
            sys.addaudithook(lambda event, _: count.__setitem__(0, count[0] + (event in CALLS)))
            self.convert()
            os.write(tell, str(count[0]).encode())
            os._exit(0)
        os.wait()
        return int(os.read(told, 64))

    def seen(self, folder: Path) -> dict[str, str]:
        """Return all that is below a folder: files with their content, links with where they lead."""
        return {
            path.relative_to(folder).as_posix(): str(path.readlink()) if path.is_symlink() else path.read_bytes().hex()
            for path in sorted(folder.rglob("*"))
            if path.is_symlink() or not path.is_dir()
        }


def _dying_at(moment: int) -> Hook:
    left = [moment]

    def hook(event: str, _: tuple[Any, ...]) -> None:
        if event in CALLS:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return hook


def _chosen(moments: int, limit: int) -> Sequence[int]:
    """Return the moments to die at, from 1: all, or some that lie evenly, the first and the last among them."""
    if not limit or limit >= moments:
        return range(1, moments + 1)
    return sorted({1 + (moments - 1) * number // (limit - 1) for number in range(limit)})


def _try(world: World, moment: int, before: str, expected: dict[str, str]) -> dict[str, object]:
    """Die at one moment, and return what was there afterwards, and after the next conversion."""
    world.prepare(before)
    assert world.convert_and_die(moment)
    found = world.seen(world.target)
    state = "whole" if found == expected else "broken" if found else "nothing"
    with suppress(ConfigurationError):  # it is there already
        world.convert()
        assert state != "whole"
    is_whole = world.seen(world.target) == expected
    left = sorted(path.name for path in (*world.out.iterdir(), *world.target.parent.iterdir()))
    return {"moment": moment, "state": state, "is_whole_then": is_whole, "left": left}


def main(folder: str, to: str, images: str, before: str, limit: str) -> None:
    """Print, as JSON, what came of every moment."""
    world = World(Path(folder), to, images)
    world.convert()  # loads all that is loaded when it is needed
    expected = world.seen(world.target)
    world.prepare(before)
    moments = world.moments()
    chosen = _chosen(moments, int(limit))
    print(json.dumps({"moments": moments, "tried": [_try(world, each, before, expected) for each in chosen]}))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
