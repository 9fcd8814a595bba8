"""Actions that say what happens to them through files in a folder."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from synapse_sdk.errors import SynapseError
from synapse_sdk.plugins import BaseAction, RuntimeContext
from synapse_sdk.plugins.action import action
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, StepRegistry, StepResult


class RefusalError(SynapseError):
    """An error of the plugin's own."""

    code = "WORK-1"


class Params(TypedDict):
    """What the action is to do, and where."""

    folder: str
    mode: str


@dataclass
class Context(BaseStepContext):
    """The folder in which signs are left."""

    folder: Path
    mode: str

    def until(self, sign: str) -> None:
        """Wait for a sign."""
        end = time.monotonic() + 60
        while time.monotonic() < end and not (self.folder / sign).exists():
            time.sleep(0.005)


class FirstStep(BaseStep[Context]):
    """Makes a file and removes it again."""

    name = "first"
    progress_weight = 0.5

    def execute(self, context: Context) -> StepResult:
        """Make the file."""
        (context.folder / "made").touch()
        context.log("made", {"file": "made"})
        return StepResult(data={"files": 1})

    def rollback(self, context: Context, result: StepResult) -> None:
        """Remove the file, as the mode allows."""
        if context.mode == "stubborn":
            (context.folder / "undoing").touch()
            context.until("undo")
        if context.mode == "hopeless":
            raise OSError(28, "No space left", "made")
        (context.folder / "made").unlink()


class SecondStep(BaseStep[Context]):
    """Does what the mode says."""

    name = "second"
    progress_weight = 0.5

    def execute(self, context: Context) -> StepResult:
        """Leave the process id as a sign, and do it."""
        context.set_progress(1, 2)
        (context.folder / "pid").write_text(str(os.getpid()))
        (context.folder / "pid").rename(context.folder / "second")
        MODES.get(context.mode, Context.until)(context, "go")
        return StepResult()


def fail(_context: Context, _sign: str) -> None:
    """Raise an error of the plugin's own."""
    why = "because"
    raise RefusalError("No", why=why, fix="try again", file="x.jpg")  # noqa: EM101  # as short as it gets


def leave(_context: Context, _sign: str) -> None:
    """End the process in the polite way."""
    sys.exit(3)


def die(_context: Context, _sign: str) -> None:
    """End the process at once."""
    os._exit(7)


def die_oddly(_context: Context, _sign: str) -> None:
    """Be killed by a signal that has no name."""
    os.kill(os.getpid(), signal.SIGRTMIN + 6)


def crash(_context: Context, _sign: str) -> None:
    """End as native code does."""
    signal.signal(signal.SIGSEGV, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGSEGV)


def be_terminated(context: Context, _sign: str) -> None:
    """Be told to end by somebody else."""
    os.kill(os.getpid(), signal.SIGTERM)
    context.until("never")


def be_interrupted(_context: Context, _sign: str) -> None:
    """Get a Ctrl-C that nobody else gets."""
    signal.raise_signal(signal.SIGINT)


def leave_an_orphan(context: Context, sign: str) -> None:
    """Be killed while a process that was forked holds all pipes open."""
    child = os.fork()
    if child == 0:
        context.until(sign)
        os._exit(0)
    (context.folder / "orphan").write_text(str(child))
    os.kill(os.getpid(), signal.SIGKILL)


def linger(context: Context, sign: str) -> None:
    """Leave a thread behind that keeps the process from ending."""

    def wait() -> None:
        context.until(sign)
        (context.folder / "lingered").touch()

    threading.Thread(target=wait).start()


def be_deaf(context: Context, sign: str) -> None:
    """Hear every Ctrl-C and go on, as native code may."""
    heard = []

    def hear(number: int, _frame: object) -> None:
        heard.append(number)
        (context.folder / f"heard {len(heard)}").touch()

    signal.signal(signal.SIGINT, hear)
    (context.folder / "deaf").touch()
    context.until(sign)


def chat(_context: Context, _sign: str) -> None:
    """Print, let another program print, and read."""
    print("to stdout")  # noqa: T201  # the point
    subprocess.run(["echo", "from a program"], check=True)  # noqa: S607  # any will do
    print("to stderr", file=sys.stderr)  # noqa: T201  # as above
    print(f"read {sys.stdin.read()!r}")  # noqa: T201  # as above


def succeed(_context: Context, _sign: str) -> None:
    """Do nothing."""


MODES = {
    "succeed": succeed,
    "fail": fail,
    "hopeless": fail,
    "leave": leave,
    "die": die,
    "die_oddly": die_oddly,
    "crash": crash,
    "be_terminated": be_terminated,
    "be_interrupted": be_interrupted,
    "leave_an_orphan": leave_an_orphan,
    "linger": linger,
    "be_deaf": be_deaf,
    "chat": chat,
}


class StepsAction(BaseAction[Params]):
    """Runs the two steps."""

    def setup_steps(self, registry: StepRegistry[Any]) -> None:
        """Register them."""
        registry.register(FirstStep())
        registry.register(SecondStep())

    def create_context(self) -> Context:
        """Hand over folder and mode."""
        return Context(self.ctx, Path(self.params["folder"]), self.params["mode"])


@action()
def answer(params: dict[str, str], ctx: RuntimeContext) -> Any:  # noqa: ANN401, PLR0911  # one answer a question
    """Answer questions about the place where it runs."""
    match params["question"]:
        case "settings":
            return {"override": ctx.env["OVERRIDE"], "inherited": ctx.env["INHERITED"], "job": ctx.job_id}
        case "place":
            return {"path": sys.path, "folder": str(Path.cwd()), "pid": os.getpid()}
        case "odd":
            return {"path": Path("a"), "nan": float("nan"), "thread": threading.current_thread(), 3: {"x"}}
        case "large":
            return "x" * 5_000_000
        case "pool":
            with multiprocessing.get_context("fork").Pool(2) as pool:
                return pool.map(abs, [-1, -2])
        case "missing file":
            return Path("/no/such/file").read_text(encoding="utf-8")
        case "failed program":
            raise subprocess.CalledProcessError(3, ["convert", "x"])
    for number in range(100_000):
        ctx.log("line", {"number": number})
        ctx.set_progress(number, 100_000, "flood")
    return None
