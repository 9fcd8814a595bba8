"""Proving that an action survives the death of its process at every moment."""

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synapse_sdk.testing.crash_matrix import CrashMatrix
from synapse_sdk.testing.crash_process import Action, CrashProcess, empty_folder
from synapse_sdk.testing.trees import snapshot_tree

__all__ = ["CrashReport", "assert_crash_safe"]

type World = str | os.PathLike[str] | Callable[[Path], object]
"""A folder to work on a copy of, or what makes an empty folder, and all else, as it is before the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashReport:
    """What `assert_crash_safe` has tried."""

    cases: int
    """Runs that were killed and then brought to an end, by resuming them or rolling them back."""
    kills: Mapping[str, int]
    """How often a process was killed at each failpoint."""
    left_out: int
    """Moments that were not tried, because there are more than `limit`."""
    passed_by: int
    """Cases in which the process did not come to the moment; what it did is checked all the same."""


def assert_crash_safe(
    action: Action,
    params: Mapping[str, Any] | Callable[[Path], Mapping[str, Any]] | None = None,
    *,
    world: World | None = None,
    look: Callable[[Path], Any] = snapshot_tree,
    env: Mapping[str, Any] | None = None,
    limit: int = 60,
    timeout: float = 30.0,
    sandbox: str | os.PathLike[str] | None = None,
) -> CrashReport:
    """Kill an action at every moment, and make sure that each time it can be finished, and that it can be undone.

    The action is first run undisturbed, to see what it achieves, and once with a failure after its last step. Then,
    for each moment at which something is recorded (`synapse_sdk.failpoints`), it is run in a process that is killed
    there. `resume_run` must then lead to what the undisturbed run has achieved, and, in another try, `rollback_run` to
    what was there before. Rollbacks are killed, too, and every recovery is killed once and begun again.

    Runs happen in processes beside the test, with the world's folder as current folder; each begins with a new world.
    Whatever else the action changes has to be made anew by `world` and looked at by `look`, which run in the test.

    Args:
        action: An action's class or function at the top level of a module, or `(plugin folder or name, action)`.
        params: Its parameters; or a function of the world's folder that returns them, for absolute paths.
        world: A folder, of which the action gets a copy; or a function that fills the empty folder it is given, and
            resets everything else that the action works on. By default the folder is empty.
        look: Returns what there is to be seen of the world, to be compared. By default everything in the folder.
        env: Settings of the runs.
        limit: Moments to try at most, of the run and of its rollback each; if there are more, they are spread evenly.
        timeout: Seconds that one run may take.
        sandbox: Where to keep world and journal, to look at them after a failure; by default in a temporary folder.

    Raises:
        AssertionError: The action is not safe. The message says where it was killed, what was done then, and in what
            the world is not as it should be.
        ValueError: Another process cannot find the action.
        RuntimeError: It cannot load it.

    Example:
        >>> def test_letters_are_stamped_once_or_not_at_all(tmp_path):
        ...     (tmp_path / "ada.txt").write_text("Dear Ada")
        ...     assert_crash_safe(StampAction, world=tmp_path)
    """
    with ExitStack() as stack:
        place = Path(sandbox or stack.enter_context(tempfile.TemporaryDirectory(prefix="synapse-crash-"))).resolve()
        empty_folder(place / "world")
        given = params(place / "world") if callable(params) else params or {}
        reset = _resetting(world, place / "world")
        reset()
        process = stack.enter_context(CrashProcess(action, given, env or {}, place, timeout))
        matrix = CrashMatrix(process, reset, lambda: look(place / "world"))
        left_out = matrix.try_everything(limit)
    return CrashReport(cases=matrix.cases, kills=dict(matrix.kills), left_out=left_out, passed_by=matrix.passed_by)


def _resetting(world: World | None, folder: Path) -> Callable[[], None]:
    """Return what makes the world as it is before a run."""

    def reset() -> None:
        if isinstance(world, str | os.PathLike):
            shutil.rmtree(folder)
            shutil.copytree(world, folder, symlinks=True)
            return
        empty_folder(folder)
        if world is not None:
            world(folder)

    if isinstance(world, str | os.PathLike) and not Path(world).is_dir():
        msg = f"The world {os.fspath(world)!r} is not a folder"
        raise ValueError(msg)
    return reset
