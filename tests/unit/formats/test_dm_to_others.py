"""DM datasets that become datasets of other formats, and the way back."""

from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.formats import ConversionOptions, ConversionReport, compare_datasets, convert
from tests.unit.formats.dm_datasets import SIZE, make
from tests.unit.formats.dm_documents import annotation, v2_of

OPTIONS = ConversionOptions()


def converted(folder: Path, document: Any, to: str, name: str = "a.png", **options: Any) -> ConversionReport:  # noqa: ANN401  # JSON
    """Convert a dataset of one document to `folder/out`."""
    stem = name.rpartition(".")[0]
    source = make(folder / "in", {f"json/{stem}.json": document, f"original_files/{name}": SIZE})
    return convert(source, folder / "out", to=to, options=ConversionOptions(**options))


def codes(report: ConversionReport) -> dict[tuple[str, str], int]:
    """Return how many losses there are, by outcome and code."""
    return {(str(each.outcome), each.code): each.count for each in report.losses}


def test_joints_become_poses(tmp_path: Path) -> None:
    """Defect 1: a joint is two numbers; an annotation that makes no sense ends nothing."""
    joints = [
        annotation(f"k{number}", label, [10 * number, 20], group_id="b1")
        for number, label in enumerate(("nose", "left_eye"), 1)
    ]
    tools = {
        "bounding_box": [annotation("b1", "dog", [16, 12, 32, 24], group_id="b1"), annotation("bad", "dog", [1])],
        "keypoint": joints,
    }

    report = converted(tmp_path, v2_of(tools), "yolo", task="pose")

    (row,) = (tmp_path / "out/labels/a.txt").read_text().splitlines()
    assert row.split()[5:] == ["0.156250", "0.416667", "2", "0.312500", "0.416667", "2"]
    assert codes(report) == {("failed", "INVALID_RECORD"): 1}


def test_a_box_that_ends_by_rounding_outside_is_kept(tmp_path: Path) -> None:
    """D7, D8: cut at the edge without a word, and an upper-case suffix is found."""
    tools = {"bounding_box": [annotation("b1", "ant", [34.1, 10, 29.9000001, 20])]}

    report = converted(tmp_path, v2_of(tools), "yolo", name="a.JPEG")

    assert len((tmp_path / "out/labels/a.txt").read_text().splitlines()) == 1
    assert codes(report) == {}


@pytest.mark.parametrize("to", ["yolo", "coco", "pascal"])
def test_every_medium_has_an_outcome(tmp_path: Path, to: str) -> None:
    """L10: what is not about the image is lost with a row each; so are links."""
    document = v2_of(
        {"bounding_box": [annotation("b1", "ant", [1, 2, 30, 4])], "relation": [annotation("r1", "on", ["b1", "b1"])]},
        {"bounding_box": [annotation("b2", "bee", [1, 2, 30, 4])]},
        videos=[{"segmentation": [annotation("s1", "run", {"startFrame": 1, "endFrame": 2})]}],
        prompts=[{"prompt": [annotation("q1", "", {"input": []})]}],
    )

    report = converted(tmp_path, document, to)

    account = report.annotations
    assert (account.seen, account.written, account.dropped) == (5, 1, 4)
    assert report.classes_out == {"ant": {"bounding_box": 1}}


def test_a_dataset_of_joints_goes_through_coco_and_back(tmp_path: Path) -> None:
    """L6, L7, A2: outlines, masks, joints with visibility and names, attributes, flags and ids."""
    document = v2_of(
        {
            "bounding_box": [
                annotation("1", "dog", [16, 12, 32, 24], ("color", "red"), group_id="1"),
                annotation("2", "dog", [1, 1, 4, 4], ("iscrowd", True)),
            ],
            "keypoint": [
                annotation("1_nose", "nose", [20, 20], group_id="1", visibility=1),
                annotation("1_tail", "tail", [30, 20], group_id="1", visibility=2),
            ],
            "segmentation": [annotation("3", "sky", [[64, 3], [128, 3]])],
        }
    )

    converted(tmp_path, document, "coco")
    report = convert(tmp_path / "out", tmp_path / "back", to="dm_v2", options=OPTIONS)

    found = compare_datasets(tmp_path / "in", tmp_path / "back")
    assert codes(report) == {}
    assert found.annotations == (3, 3)
    assert found.differences == []
