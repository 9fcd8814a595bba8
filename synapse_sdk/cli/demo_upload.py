"""The acts of `synapse demo` about an upload: it is killed half way and goes on; then it has nothing to do."""

import contextlib
import csv
import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from synapse_sdk.cli.demo_crash import run_and_kill
from synapse_sdk.cli.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synapse_sdk.backend import DataUnit
    from synapse_sdk.cli.demo_story import Story

__all__ = ["play_upload"]

COLLECTION = "photos"
SPECIFICATION = "images:image,.jpg,.jpeg,.png,primary"
SHEET = "photos.csv"
SENT_BEFORE_DEATH = 6
UPLOAD = ("upload", "--collection", COLLECTION, "--asset", "images=small", "--meta", SHEET)
ONE_BY_ONE = ("--concurrency", "1")
"""So that it is known how many files there are when the upload dies."""


def play_upload(story: "Story", folder: Path) -> None:
    """Play these acts in the demo's folder; raises what a claim of the story raises."""
    with contextlib.chdir(folder):
        story.heading("Act 5: the resized photos are uploaded; the upload is killed, and goes on")
        rows = _write_sheet()
        story.say(f"{SHEET} says of each photo how large it was. $ cd {shlex.quote(folder.name)}")
        create = ["collections", "create", COLLECTION, "--spec", SPECIFICATION]
        story.claim(story.run(create) == ExitCode.DONE, "the collection is made")
        sent = _killed_half_way(story, rows)
        _goes_on(story, sent, rows)
        story.heading("Act 6: the same upload again")
        _has_nothing_to_do(story)


def _killed_half_way(story: "Story", rows: "Sequence[str]") -> dict[str, int]:
    run_and_kill(story, [*UPLOAD, *ONE_BY_ONE], f"upload.sent=stop@{SENT_BEFORE_DEATH}")
    sent = _objects()
    story.claim(len(sent) == SENT_BEFORE_DEATH < len(rows), "the upload was killed half way")
    story.claim(not _units(), "nobody sees half of an upload")
    story.say(f"\nkill -9. {len(sent)} of {len(rows)} photos are stored, none is in the collection. Once more:")
    return sent


def _goes_on(story: "Story", sent: dict[str, int], rows: "Sequence[str]") -> None:
    story.claim(story.run([*UPLOAD, *ONE_BY_ONE]) == ExitCode.DONE, "the same command goes on, and succeeds")
    units, now = _units(), _objects()
    story.claim(len(units) == len(rows), "every photo is a data unit now")
    story.claim(sent.items() <= now.items(), "what was sent before is not sent again")
    story.claim({file.key for unit in units for file in unit.files.values()} == now.keys(), "the storage has no more")
    story.claim(all(unit.meta.get("was_width") for unit in units), "every unit has its row of the sheet")
    story.claim(story.run(["collections", "show", COLLECTION, "--units"]) == ExitCode.DONE, "units can be shown")
    story.say("")
    story.confirm(f"{len(sent)} photos from before the kill were not sent again, {len(now) - len(sent)} are new")
    story.confirm(f"the storage has {len(now)} objects: those of the {len(units)} data units, and no other")


def _has_nothing_to_do(story: "Story") -> None:
    before, units = _objects(), _units()
    story.claim(story.run(UPLOAD) == ExitCode.DONE, "the same upload succeeds again")
    story.claim(_objects() == before and _units() == units, "nothing was sent, and nothing was changed")
    story.say("")
    story.confirm("all photos were there already: nothing was sent, no unit is there twice")


def _write_sheet() -> list[str]:
    """Write a sheet with the photos' sizes before act 1, and return their names."""
    report = json.loads(Path("small", "report.json").read_text(encoding="utf-8"))
    rows = [(each["file"], *each["original_size"]) for each in report["images"] if each["error"] is None]
    with Path(SHEET).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("file_name", "was_width", "was_height"), *rows])
    return [name for name, *_ in rows]


def _objects() -> dict[str, int]:
    """Return the finished objects of the storage by key, each with what changes when it is put anew."""
    root = Path(".synapse", "storage")
    found = [path for path in root.rglob("*") if path.is_file() and not path.name.startswith(".")]
    return {path.relative_to(root).as_posix(): path.stat().st_ino for path in found}


def _units() -> "list[DataUnit]":
    """Return the data units that everybody sees."""
    from synapse_sdk.backend import default_backend, open_backend  # noqa: PLC0415  # acts 1 to 4 need none

    with open_backend(default_backend()) as backend:
        return list(backend.data_units.list(backend.collections.get(COLLECTION).id, limit=1000))
