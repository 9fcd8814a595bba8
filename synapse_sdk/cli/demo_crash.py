"""Two acts of `synapse demo`: the job is killed, and goes on; then it is killed while it cleans up."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from synapse_sdk.cli.errors import ExitCode

if TYPE_CHECKING:
    from synapse_sdk.cli.demo_story import Story

__all__ = ["play_crashes", "run_and_kill"]

COPIES_BEFORE_DEATH = 6
ENTRIES_A_COPY = 2
"""What the job records before it makes a copy: the unfinished file, and its name."""
REPORTS = {"report.json", "report.md"}


def play_crashes(story: "Story", folder: Path) -> None:
    """Play both acts; raises what a claim of the story raises."""
    story.heading("Act 3: the job is killed, and goes on")
    _killed_at_work(story, folder / "killed")
    story.heading("Act 4: the job fails, and is killed while it cleans up")
    _killed_at_undoing(story, folder / "undone")


def _killed_at_work(story: "Story", output: Path) -> None:
    # One entry is for the folder that the job makes. It stops before the copy after the last, and there it dies.
    entry = 1 + ENTRIES_A_COPY * COPIES_BEFORE_DEATH + 1
    run_and_kill(story, story.command(output.name), f"undo.recorded=stop@{entry}")
    made = _files(output)
    story.claim(len(made) == COPIES_BEFORE_DEATH, "the job was killed in the middle of the resize")
    story.say(f"\nkill -9. What is there: {len(made)} copies, and no report. The journal knows the run:")
    story.claim(story.run(["runs", "show", "last"]) == ExitCode.DONE, "the run can be shown")
    story.claim(story.run(["runs", "resume", "last"]) == ExitCode.DONE, "the run goes on, and succeeds")
    now = _files(output)
    story.claim(now.keys() > made.keys() | REPORTS, "the other copies and the report are there")
    story.claim(all(now[name] == made[name] for name in made), "what was done before is not done again")
    story.say("")
    story.confirm(f"{len(made)} copies from before the kill are untouched, {len(now) - len(made)} files are new")


def _killed_at_undoing(story: "Story", output: Path) -> None:
    # The report is undone first, then the copies: the job stops between the two, and there it dies.
    command = [*story.command(output.name), "--inject-failure", "generate_report"]
    run_and_kill(story, command, "rollback.step=stop@2")
    left = _files(output)
    story.claim(bool(left) and not left.keys() & REPORTS, "the job was killed in the middle of its rollback")
    story.say(f"\nkill -9. What is there: no report, and {len(left)} copies that should be gone, too.")
    story.claim(story.run(["runs", "rollback", "last"]) == ExitCode.DONE, "the rollback goes on to its end")
    story.claim(not output.exists(), "nothing is left behind")
    story.say("")
    story.confirm(f"the other {len(left)} copies are gone, and so is the folder that the job had made")


def run_and_kill(story: "Story", args: Sequence[str], failpoint: str) -> None:
    """Run a command in a process of its own, and kill it where it stands still."""
    story.show_command(args)
    environ = os.environ | {
        "SYNAPSE_FAILPOINTS": failpoint,
        "SYNAPSE_JOURNAL": story.journal,
        "SYNAPSE_BACKEND": story.backend,
    }
    environ |= {"SYNAPSE_PROGRESS": "plain", "SYNAPSE_MODE": "local"}
    command = [sys.executable, "-P", "-m", "synapse_sdk.cli", *story.global_options, *args]
    with subprocess.Popen(command, env=environ) as process:  # noqa: S603  # this program, with arguments of ours
        try:
            _, status = os.waitpid(process.pid, os.WUNTRACED)
            has_stopped = os.WIFSTOPPED(status)
            if not has_stopped:
                process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            process.send_signal(signal.SIGKILL)
    story.claim(has_stopped and process.returncode == -signal.SIGKILL, "the job runs until it is killed")


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the finished files of a folder, each with what changes when it is made anew."""
    found = {path.name: path.stat() for path in folder.iterdir() if not path.name.startswith(".")}
    return {name: (status.st_ino, status.st_mtime_ns) for name, status in found.items()}
