"""`synapse dataset` on folders: what is said, where it goes, and the exit codes."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.unit.formats.yolo_datasets import ROW, SIZE, YAML, make

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Synapse


@pytest.fixture(autouse=True)
def birds() -> Path:
    """A dataset of twelve images with a box each; one box reaches over the edge, one row makes no sense."""
    names = [f"{number:02}" for number in range(12)]
    files = {f"images/{name}.jpg": SIZE for name in names} | {f"labels/{name}.txt": ROW for name in names}
    return make(Path("birds"), {**files, "labels/03.txt": ROW + "1 0.5\n2 0.95 0.5 0.2 0.4\n", "data.yaml": YAML})


def test_a_dataset_is_counted(synapse: "Synapse") -> None:
    """For people, and as JSON; either fits on a terminal."""
    shown, counted = synapse("dataset", "info", "birds"), synapse("dataset", "info", "birds", "--json").json

    assert (shown.code, max(map(len, shown.out.splitlines())) <= 80) == (0, True)
    assert "bee             12     12" in shown.out
    assert (counted["format"], counted["items"], counted["annotations"]) == ("yolo", 12, 13)


def test_problems_are_named_with_file_line_and_way_out(synapse: "Synapse") -> None:
    """And the exit code says that there are any."""
    found = synapse("dataset", "validate", "birds", "--csv", "problems.csv")

    assert (found.code, "labels/03.txt:2 03.jpg" in found.out, "fix: Mend it" in found.out) == (3, True, True)
    rows = list(csv.DictReader(Path("problems.csv").read_text().splitlines()))
    assert {(row["code"], row["item"]) for row in rows} == {
        ("INVALID_RECORD", "03.jpg"),
        ("OUTSIDE", "03.jpg"),
        ("NEVER_USED", ""),
    }


@pytest.mark.parametrize("source", ["birds", "birds/data.yaml"])
def test_a_table_of_problems_replaces_nothing_of_the_dataset(synapse: "Synapse", source: str) -> None:
    """Which is only read."""
    refused = synapse("dataset", "validate", source, "--csv", "birds/data.yaml")

    assert (refused.code, "inside of the dataset" in refused.err) == (78, True)
    assert Path("birds/data.yaml").read_text() == YAML


def test_a_conversion_says_what_was_lost(synapse: "Synapse") -> None:
    """If that must not be, nothing is written."""
    strict = synapse("dataset", "convert", "birds", "voc", "--to", "voc", "--strict")
    lossy = synapse("dataset", "convert", "birds", "voc", "--to", "voc")

    assert (strict.code, "SYN-E1111" in strict.err) == (78, True)
    assert (lossy.code, "CLIPPED" in lossy.out) == (3, True)
    assert sorted(path.name for path in Path("voc").iterdir())[:2] == ["Annotations", "Images"]


def test_options_that_change_nothing_are_noted(synapse: "Synapse") -> None:
    """It is no loss; those that say something about one of the formats are not."""
    make(Path("plain"), {"images/a.jpg": SIZE, "labels/a.txt": ROW, "data.yaml": YAML})
    synapse("dataset", "convert", "plain", "coco", "--to", "coco")

    odd = ("--voc-origin", "0", "--task", "segment", "--class", "bee", "--class-order", "name")
    noted = synapse("dataset", "convert", "coco", "dm", "--to", "dm", *odd)
    used = synapse("dataset", "convert", "coco", "voc", "--to", "voc", *odd[:4])

    assert (noted.code, used.code) == (0, 0)
    rows = [row["words"] for row in csv.DictReader(Path("dm/losses.csv").read_text().splitlines())]
    assert rows == [
        "task says nothing about coco or dm_v2",
        "voc_origin says nothing about coco or dm_v2",
        "class_order: classes that are named have the order in which they are",
    ]
    assert not Path("voc/losses.csv").exists()


def test_a_split_is_the_same_for_the_same_seed(synapse: "Synapse") -> None:
    """Of the format of the source, unless another is named."""
    drawn = {}
    for target, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert synapse(
            "dataset", "split", "birds", target, "--ratios", "train=1/2,valid=1/2", "--seed", seed, "--images", "none"
        ).code in {0, 3}
        drawn[target] = sorted(path.name for path in Path(target, "train/labels").iterdir())

    assert len(drawn["a"]) == 6
    assert drawn["a"] == drawn["b"] != drawn["c"]


def test_equal_names_are_told_apart_when_datasets_are_merged(synapse: "Synapse") -> None:
    """By the names of the datasets."""
    make(Path("more"), {"images/00.jpg": SIZE, "labels/00.txt": "0 0.5 0.5 0.1 0.1\n", "data.yaml": YAML})

    merged = synapse("dataset", "merge", "birds", "more", "--out", "all")

    assert (merged.code, "RENAMED" in merged.out) == (3, True)
    assert Path("all/labels/more/00.txt").read_text().startswith("0 ")
    assert Path("all/labels/00.txt").read_text().startswith("1 ")


def test_datasets_with_and_without_splits_do_not_merge(synapse: "Synapse") -> None:
    """It is said which has some, and how to bring them together."""
    make(Path("more"), {"train/images/a.jpg": SIZE, "train/labels/a.txt": ROW, "classes.txt": "ant\n"})

    merged = synapse("dataset", "merge", "birds", "more", "--out", "all", "--to", "coco")

    assert (merged.code, Path("all").exists()) == (78, False)
    assert "'birds' has no splits, and 'more' has" in merged.err
    assert "synapse dataset split" in merged.err


def test_differences_have_an_exit_code(synapse: "Synapse") -> None:
    """None between a dataset and what was made of it without a loss."""
    synapse("dataset", "convert", "birds", "coco", "--to", "coco")
    synapse("dataset", "convert", "birds", "voc", "--to", "voc")

    assert synapse("dataset", "diff", "birds", "coco").code == 0
    differing = synapse("dataset", "diff", "coco", "voc")
    assert (differing.code, "moved: 03.jpg" in differing.out) == (3, True)


def test_what_cannot_be_read_is_said_not_to_be_compared(synapse: "Synapse") -> None:
    """It is no difference, and nobody knows that it is none."""
    synapse("dataset", "convert", "birds", "coco", "--to", "coco")

    shown = synapse("dataset", "diff", "birds", "coco")
    told = synapse("dataset", "diff", "birds", "coco", "--json").json

    assert (shown.code, told["unreadable"]) == (0, [1, 0])
    assert "Not compared: 1 that cannot be read, see synapse dataset validate birds" in shown.err
    assert "validate coco" not in shown.err


def test_images_of_one_name_in_several_splits_are_told_apart(synapse: "Synapse") -> None:
    """Where splits do not count, each is compared with the one that looks most like it."""
    small, large = "0 0.5 0.5 0.1 0.1\n", "0 0.5 0.5 0.4 0.4\n"
    for folder, splits in (("ab", {"train": small, "valid": large}), ("ba", {"train": large, "valid": small})):
        files = {f"{split}/images/a.jpg": SIZE for split in splits}
        make(Path(folder), {**files, **{f"{split}/labels/a.txt": row for split, row in splits.items()}})
        (Path(folder) / "classes.txt").write_text("ant\n")

    assert synapse("dataset", "diff", "ab", "ba").code == 3
    assert synapse("dataset", "diff", "ab", "ab", "--no-splits").code == 0
    assert synapse("dataset", "diff", "ab", "ba", "--no-splits").code == 0


def test_the_formats_of_both_may_be_said(synapse: "Synapse") -> None:
    """Where one may be in several."""
    make(Path("both"), {"a.jpg": SIZE, "labels/a.txt": ROW, "images/a.jpg": SIZE, "data.yaml": YAML})
    synapse("dataset", "convert", "both", "coco", "--to", "coco")
    Path("coco/annotations.json").rename("both/annotations.json")

    unsure = synapse("dataset", "diff", "both", "both")
    sure = synapse("dataset", "diff", "both", "both", "--from-a", "yolo", "--from-b", "coco")

    assert (unsure.code, "several formats" in unsure.err) == (78, True)
    assert (sure.code, "A (yolo)" in sure.out, "B (coco)" in sure.out) == (0, True, True)


def test_what_a_dataset_is_for_may_be_said(synapse: "Synapse") -> None:
    """Of rows of nine numbers nobody knows whether they are rotated boxes."""
    row = "1 0.1 0.1 0.4 0.2 0.35 0.6 0.05 0.5\n"
    make(Path("planes"), {"images/a.jpg": SIZE, "labels/a.txt": row, "data.yaml": YAML})
    synapse("dataset", "convert", "planes", "turned", "--to", "dm", "--task", "obb")

    assert synapse("dataset", "diff", "planes", "turned").code == 3
    assert synapse("dataset", "diff", "planes", "turned", "--task", "obb").code == 0
    for command in ("info", "validate"):
        assert synapse("dataset", command, "planes", "--task", "obb").code == 0


def test_a_picture_is_drawn(synapse: "Synapse") -> None:
    """Where it cannot be, it is said where."""
    drawn = synapse("dataset", "preview", "birds", "--out", "sheet.png", "--count", "4", "--columns", "2")
    lost = synapse("dataset", "preview", "birds", "--out", "nowhere/sheet.png")

    assert (drawn.code, drawn.out) == (0, "sheet.png\n")
    with Image.open("sheet.png") as sheet:
        assert sheet.size == (2 * 328 + 8, 2 * 352 + 8)
    assert (lost.code, "nowhere/sheet.png" in lost.err, "Free some space" in lost.err) == (74, True, False)
