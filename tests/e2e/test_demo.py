"""The demo, as a stranger starts it."""

import re
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.e2e.conftest import Shell


def test_the_demo_tells_the_same_story_every_time(shell: "Shell") -> None:
    """Without a terminal, too; its own words depend neither on the machine nor on settings, which apply as ever."""
    first, second = shell.run("demo"), shell.run("demo", env={"SYNAPSE_MODE": "process"})

    assert (first.code, second.code) == (0, 0)
    assert same_words(first.out) == same_words(second.out)
    assert "ok  12 photos found = 11 resized + 1 failed" in first.out
    assert "ok  copies in again/ when the job failed: 11; now: none" in first.out
    assert "status   interrupted: it was running, but its worker died" in first.out
    assert "ok  6 copies from before the kill are untouched, 7 files are new" in first.out
    assert "ok  the other 11 copies are gone, and so is the folder that the job had made" in first.out
    assert "ok  6 photos from before the kill were not sent again, 5 are new" in first.out
    assert "ok  the storage has 11 objects: those of the 11 data units, and no other" in first.out
    assert "ok  all photos were there already: nothing was sent, no unit is there twice" in first.out
    assert "ok  exported photos: 6, each what was uploaded, byte for byte" in first.out
    assert "ok  exported documents: 6, each with the boxes that were attached" in first.out
    assert "ok  files in manifest.json: 12, each with its SHA-256, and no other" in first.out
    assert list(shell.folder.iterdir()) == []


def same_words(text: str) -> str:
    """Leave out what is different each time: ids of runs and processes, dates and times."""
    return re.sub(r"\b[0-9a-f]{12}\b|\bprocess \d+ on \S+|\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d|\d+\.\d+ s", "...", text)


def test_every_command_that_the_demo_ends_with_works(shell: "Shell") -> None:
    """Copied as it stands, in the order shown; the one that fails on purpose fails on purpose."""
    kept = shell.run("demo", "--keep")
    story, _, ending = kept.out.partition("What to try next")
    commands = re.findall(r"^  (synapse .+)$", ending, re.MULTILINE)

    for command in commands:
        done = shell.run_program(*shell.command_line(command))
        assert done.code == (1 if "--inject-failure" in command else 0), done.err

    assert len(commands) == 4
    assert re.findall(r"^\$ synapse (\w+ \w*)", story, re.MULTILINE) == [
        *["run synapse"] * 3,
        "runs show",
        "runs resume",
        "run synapse",
        "runs rollback",
        "collections create",
        *["upload "] * 2,
        "collections show",
        "upload ",
        "projects create",
        "tasks create",
        "tasks annotate",
        "export task",
        *["dataset convert"] * 2,
        "dataset diff",
        "dataset preview",
    ]
    assert (shell.folder / "synapse-demo" / "small" / "report.md").is_file()


def test_a_demo_that_is_stopped_leaves_nothing_behind(shell: "Shell") -> None:
    """Neither copies nor its folder."""
    running = shell.start("demo")
    running.wait_for("resize_images: started")

    running.signal(signal.SIGINT)
    ended = running.end()

    assert ended.code == 130
    assert "Traceback" not in ended.err
    assert list(shell.folder.iterdir()) == []
