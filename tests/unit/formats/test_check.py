"""Checks of datasets: what is a problem, and what is only worth a word."""

from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.formats import check_dataset
from synapse_sdk.formats.losses import LossLog
from tests.unit.formats.dm_datasets import make
from tests.unit.formats.dm_documents import annotation, v2_of

SIZE = (64, 48)


def checked(tmp_path: Path, document: Any, **more: Any) -> tuple[int, list[str]]:  # noqa: ANN401  # a JSON document
    """Return how many problems a dataset of one document has, and all that was said."""
    make(tmp_path, {"json/a.json": document, "original_files/a.png": SIZE, **more})
    losses = LossLog()
    found = check_dataset(tmp_path, losses)
    said = [
        f"{loss.annotation} {reason.code} {loss.words}"
        for (_, reason), examples in losses.examples.items()
        for loss in examples
    ]
    return found.problems, said


def test_a_sound_dataset_has_no_problem(tmp_path: Path) -> None:
    """Whatever it has."""
    document = v2_of(
        {
            "bounding_box": [annotation("b1", "ant", [1, 2, 30, 4]), annotation("b2", "ant", [5, 2, 30, 4])],
            "relation": [annotation("r1", "on", ["b1", "b2"])],
        }
    )

    assert checked(tmp_path, document) == (0, [])


def test_relations_of_what_is_not_there_are_named(tmp_path: Path) -> None:
    """With the annotation that they lead to."""
    document = v2_of(
        {
            "bounding_box": [annotation("b1", "ant", [1, 2, 30, 4])],
            "relation": [annotation("r1", "on", ["b1", "gone"])],
        }
    )

    assert checked(tmp_path, document) == (1, ["r1 DANGLING there is no annotation 'gone'"])


@pytest.mark.parametrize(
    ("boxes", "said"),
    [
        ([[60, 2, 10, 4]], "b0 OUTSIDE 6 px over the edge of 64 x 48"),
        ([[6, 2, 0, 4]], "b0 EMPTY box 6, 2, 0, 4"),
        ([[6, 2, 3, 4], [6, 2, 3, 4]], "b1 TWICE the same as annotation b0"),
    ],
)
def test_boxes_that_cannot_be_meant_are_problems(tmp_path: Path, boxes: list[list[int]], said: str) -> None:
    """Over the edge, without extent, or there already."""
    drawn = [annotation(f"b{number}", "ant", box) for number, box in enumerate(boxes)]

    assert checked(tmp_path, v2_of({"bounding_box": drawn})) == (1, [said])


def test_a_video_is_no_damaged_image(tmp_path: Path) -> None:
    """L10: nothing need be mended."""
    film = {"videos": [{"segmentation": [annotation("s1", "run", {"startFrame": 1, "endFrame": 2})]}]}
    more = {"json/film.json": film, "original_files/film.mp4": "film"}

    problems, said = checked(tmp_path, v2_of({}), **more)

    assert (problems, [each.split()[0] for each in said]) == (0, ["NO_IMAGE"])
