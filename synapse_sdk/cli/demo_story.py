"""The acts of `synapse demo`. Each claim is checked before it is made."""

import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from synapse_sdk.cli.demo_convert import play_convert
from synapse_sdk.cli.demo_crash import play_crashes
from synapse_sdk.cli.demo_export import play_export
from synapse_sdk.cli.demo_folder import snapshot
from synapse_sdk.cli.demo_upload import play_upload
from synapse_sdk.cli.errors import ExitCode
from synapse_sdk.cli.rendering import table, uses_color, write
from synapse_sdk.cli.session import Session
from synapse_sdk.reporting.events import Event, RollbackStarted

__all__ = ["DoesNotHoldError", "Story"]

BYSTANDER = "shopping-list.txt"
"""A file that has nothing to do with the job, in the way of its rollback."""
JOURNAL = Path(".synapse", "journal.db")
"""Where in its folder the demo's runs are recorded."""
BACKEND = Path(".synapse", "backend.db")
"""Where in its folder the demo's collections are kept."""


class DoesNotHoldError(Exception):
    """Something the demo was about to claim is not true."""


class Story:
    """What the demo does and says.

    Args:
        folder: The demo's folder, with `photos`, their `annotations` and the plugin `image_report` in it.
        session: The call of `synapse demo`, whose global options go on to the commands that are shown.
    """

    def __init__(self, folder: Path, session: Session) -> None:
        self._folder = folder
        # In this process, whatever the settings say: only so can the demo look at the disk while the run stands still.
        self._session = session.for_command(session.args)
        self._session.note_option("mode", "local")
        self.journal = str(folder / JOURNAL)
        """Where the demo's runs are recorded; the user's own journal is none of its business."""
        self._session.note_option("journal", self.journal)
        self.backend = str(folder / BACKEND)
        """Where its collections are kept."""
        if self._session.settings.backend != "auto":  # else it is the backend of this folder, as for every project
            self._session.note_option("backend", self.backend)
        profile = [] if session.profile is None else ["--profile", session.profile]
        self.global_options = ["--color", session.color, *profile]
        """Of the call of `synapse demo`, for commands in processes of their own."""
        self._color = uses_color(sys.stdout, session.color)

    def tell(self) -> None:
        """Play all acts.

        Raises:
            DoesNotHoldError: A claim does not hold.
        """
        count = len(list((self._folder / "photos").iterdir()))
        self.say(f"A real job on {count} real photos, in a new folder: {self._folder.name}/")
        self.heading("Act 1: the job runs")
        self._run_well()
        self.heading("Act 2: the job fails, on purpose")
        self._run_badly()
        play_crashes(self, self._folder)
        play_upload(self, self._folder)
        play_export(self, self._folder)
        play_convert(self, self._folder)

    def say_what_next(self, *, kept: bool) -> None:
        """Name commands to go on with; every one of them works as it stands."""
        self.heading("What to try next")
        commands = {
            "synapse plugin new greeter": "write a job of your own, with a test",
            "synapse run greeter greet --set name=Ada": "run it",
            "synapse run greeter greet --inject-failure write_greeting": "see it undone",
        }
        if kept:
            plan = shlex.join(["synapse", *self.command("small"), "--dry-run"])
            commands = {plan: "what act 1 would do now"} | commands
            self.say(
                f"The photos are in {self._folder.name}/small, the report is {self._folder.name}/small/report.md,\n"
                f"what was exported is in {self._folder.name}/export, and shown in {self._folder.name}/sheet.png.\n"
            )
        else:
            commands = {"synapse demo --keep": "keep photos and report, to look at them"} | commands
        activate = Path(sys.prefix, "bin", "activate")
        if shutil.which("synapse") is None and activate.is_file():
            shortest = min(str(activate), os.path.relpath(activate), key=len)
            commands = {f". {shlex.quote(shortest)}": "let your shell find synapse"} | commands
        for command, purpose in commands.items():
            self.say(f"  {self._bold(command)}\n      {purpose}")

    def say(self, text: str) -> None:
        """Print a line of the story."""
        write(sys.stdout, text)

    def _run_well(self) -> None:
        photos = snapshot(self._folder / "photos")
        code = self.run(self.command("small"))
        self.claim(code == ExitCode.DONE, f"the job succeeds (its exit code is {code})")
        report = json.loads((self._folder / "small" / "report.json").read_text(encoding="utf-8"))
        self.say("\nWhat it made, as small/report.md has it:\n")
        self.say(
            _indented(table(("photo", "pixels", "now", "bytes", "now", ""), [_row(each) for each in report["images"]]))
        )
        copies = [name for name in snapshot(self._folder / "small") if name not in {"report.md", "report.json"}]
        self.claim(len(copies) == report["processed"] > 0, "every photo in the report has its copy")
        self.claim(snapshot(self._folder / "photos") == photos, "the photos themselves are as they were")
        self.say("")
        self.confirm(f"{report['discovered']} photos found = {report['processed']} resized + {report['failed']} failed")
        self.confirm("your photos are as they were")

    def _run_badly(self) -> None:
        again = self._folder / "again"
        again.mkdir()
        (again / BYSTANDER).write_text("eggs, milk, film\n", encoding="utf-8")
        self.say(f"The output folder again/ has a file of yours in it: {BYSTANDER}")
        before = snapshot(self._folder)
        at_failure: list[str] = []

        def look(event: Event) -> None:
            if isinstance(event, RollbackStarted):
                at_failure.extend(name for name in snapshot(again) if name != BYSTANDER)

        code = self.run([*self.command("again"), "--inject-failure", "resize_images"], look)
        after = snapshot(self._folder)
        self.claim(code == ExitCode.RUN_FAILED, f"the job fails and is rolled back (its exit code is {code})")
        self.claim(bool(at_failure), "copies had been written before the failure")
        self.claim(list(snapshot(again)) == [BYSTANDER], "the copies are gone again")
        self.claim(after == before, "nothing else was touched")
        self.say("")
        self.confirm(f"copies in again/ when the job failed: {len(at_failure)}; now: none")
        self.confirm(f"your {BYSTANDER} is still there, byte for byte")
        self.confirm(f"so is all the rest: {len(after)} files and folders, compared by SHA-256")

    def command(self, output: str) -> list[str]:
        """Return the command that resizes the photos into a folder."""
        name = self._folder.name
        sets = (f"input_dir={name}/photos", f"output_dir={name}/{output}", "resize_width=400")
        return ["run", f"{name}/image_report", "image_report", *(word for each in sets for word in ("--set", each))]

    def run(self, args: Sequence[str], observer: Callable[[Event], None] | None = None) -> int:
        """Show a command as the user would type it, and run exactly that."""
        from synapse_sdk.cli.main import run_command_line  # noqa: PLC0415  # it imports this module

        self.show_command(args)
        code = run_command_line(args, self._session.for_command(args, observer))
        if code in {ExitCode.INTERRUPTED, ExitCode.TERMINATED, ExitCode.HUNG_UP}:
            raise click.exceptions.Exit(code)
        return code

    def show_command(self, args: Sequence[str]) -> None:
        """Show a command as the user would type it."""
        head, *sets = shlex.join(["synapse", *args]).split(" --")
        self.say(self._bold(" \\\n      --".join([f"\n$ {head}", *sets])) + "\n")

    def claim(self, holds: bool, claim: str) -> None:  # noqa: FBT001  # an assertion reads like this
        """Check what is about to be said.

        Raises:
            DoesNotHoldError: It is not true.
        """
        if not holds:
            raise DoesNotHoldError(claim)

    def confirm(self, claim: str) -> None:
        """Say what was checked."""
        mark = click.style("ok", fg="green", bold=True) if self._color else "ok"
        self.say(f"  {mark}  {claim}")

    def heading(self, text: str) -> None:
        """Begin an act."""
        self.say(f"\n{self._bold(text)}\n{'-' * len(text)}")

    def _bold(self, text: str) -> str:
        return click.style(text, bold=True) if self._color else text


def _row(image: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a line of the table for one image of the report."""
    if image["error"] is not None:
        return image["file"], "", "", "", "", "failed"
    old_size, new_size = ("x".join(map(str, image[name])) for name in ("original_size", "new_size"))
    old_bytes, new_bytes = (f"{image[name]:,}" for name in ("original_bytes", "new_bytes"))
    return image["file"], old_size, new_size, old_bytes, new_bytes, ", ".join(image["notes"])


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
