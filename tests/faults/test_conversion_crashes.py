"""Killed at any moment, a conversion leaves no target or a whole one, and the next one leaves nothing but that."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.formats.yolo_datasets import ROW, SIZE, YAML, make

FORMATS = ("coco", "dm_v2", "pascal", "yolo")
BEFORE = ("nothing", "empty", "leftover")
"""What is at the place of the target: nothing, an empty folder, or what another conversion has left that was killed."""
FEWEST = 40
"""Moments; with fewer, conversions are not what these tests believe."""


def check(folder: Path, to: str, before: str, *, images: str = "hardlink", limit: int = 0) -> set[str]:
    """Let conversions die, see that each left what it may leave, and return which states there were.

    Args:
        folder: Where to work.
        to: The format of the target.
        before: One of `BEFORE`.
        images: How images come into the target.
        limit: How many moments to try; 0 for all.
    """
    nonsense = "1 0.5\n"
    labels = {"labels/a.txt": ROW * 2, "labels/deep/b.txt": ROW + nonsense}
    make(folder / "source", {"data.yaml": YAML, "images/a.jpg": SIZE, "images/deep/b.jpg": SIZE, **labels})
    command = [sys.executable, "-m", "tests.faults.convert_child", str(folder), to, images, before, str(limit)]

    ended = subprocess.run(command, check=False, capture_output=True, text=True)

    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout)
    assert report["moments"] > FEWEST
    assert len(report["tried"]) == (limit or report["moments"])
    for each in report["tried"]:
        assert each["state"] != "broken", each
        assert each["is_whole_then"], each
        assert each["left"] == ["birds", "deep"], each
    return {each["state"] for each in report["tried"]}


def test_a_conversion_survives_a_few_moments(tmp_path: Path) -> None:
    """A sample of what the test below tries, for every change; the last of them may come after the target is there."""
    assert "nothing" in check(tmp_path, "coco", "leftover", limit=6)


@pytest.mark.full
@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("to", FORMATS)
def test_a_conversion_survives_every_moment(tmp_path: Path, to: str, before: str) -> None:
    """From the first folder that is made to the last that is closed; dying while it clears up included."""
    assert "nothing" in check(tmp_path, to, before)


@pytest.mark.full
@pytest.mark.parametrize("images", ["copy", "symlink"])
def test_images_come_into_the_target_at_no_bad_moment(tmp_path: Path, images: str) -> None:
    """However they come."""
    assert "nothing" in check(tmp_path, "yolo", "nothing", images=images)
