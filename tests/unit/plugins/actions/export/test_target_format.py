"""Documents of an export in the formats of trainers."""

import io
import json

import pytest
from PIL import Image

from synapse_sdk.errors import StepFailedError
from synapse_sdk.types import JsonObject
from tests.unit.plugins.actions.export.world import ExportWorld

BOXES: JsonObject = {
    "images": [{"bounding_box": [{"id": "b1", "classification": "cat", "attrs": [], "data": [10, 5, 20, 10]}]}]
}
SIZED: JsonObject = {
    "extra": {"image_1": {"width": 40, "height": 20}},
    "annotations": {"image_1": [{"id": "b1", "tool": "bounding_box", "classification": {"class": "cat"}}]},
    "annotationsData": {"image_1": [{"id": "b1", "coordinate": {"x": 10, "y": 5, "width": 20, "height": 10}}]},
}


def photo() -> bytes:
    """Return an image of 40 by 20 pixels."""
    buffer = io.BytesIO()
    Image.new("RGB", (40, 20)).save(buffer, "JPEG")
    return buffer.getvalue()


def test_documents_are_there_in_both_formats(world: ExportWorld) -> None:
    """As they are, and below a folder that is called as the format; the manifest lists all of it."""
    for name in ("a.jpg", "b.jpg"):
        world.add(name, photo(), BOXES)

    result = world.export(target_format="yolo", name="cats")

    out = world.exports / "cats"
    assert result.success
    assert {path.name for path in (out / "json").iterdir()} == {"a.json", "b.json"}
    assert (out / "yolo" / "labels" / "a.txt").read_text() == "0 0.500000 0.500000 0.500000 0.500000\n"
    assert (out / "yolo" / "images" / "a.jpg").read_bytes() == (out / "origin_files" / "a.jpg").read_bytes()
    assert (out / "yolo" / "images" / "a.jpg").stat().st_ino == (out / "origin_files" / "a.jpg").stat().st_ino
    listed = {each["path"] for each in json.loads((out / "manifest.json").read_bytes())["files"]}
    assert {"yolo/labels/a.txt", "yolo/images/b.jpg", "yolo/dataset.yaml", "yolo/conversion.json"} <= listed


def test_without_originals_only_annotations_are_converted(world: ExportWorld) -> None:
    """COCO needs no image where the document says its size, as those of version 1 may."""
    world.add("a.jpg", photo(), SIZED)

    world.export(target_format="coco", name="cats", save_original_file=False)

    coco = world.exports / "cats" / "coco"
    assert len(json.loads((coco / "annotations.json").read_bytes())["annotations"]) == 1
    assert {path.name for path in coco.iterdir()} == {"annotations.json", "conversion.json"}
    assert not (world.exports / "cats" / "origin_files").exists()


def test_documents_that_no_such_dataset_can_be_made_of_fail_the_export(world: ExportWorld) -> None:
    """Nothing is left."""
    world.add("a.jpg", b"no image", BOXES)

    with pytest.raises(StepFailedError, match=r"finalize.*yolo"):
        world.export(target_format="yolo", name="cats")

    assert world.left() == set()


def test_a_bucket_gets_documents_as_they_are(world: ExportWorld) -> None:
    """There is never a whole dataset to convert; the error says what can be done."""
    world.add("a.jpg", photo(), BOXES)

    with pytest.raises(StepFailedError, match=r"initialize.*convert the export later"):
        world.export(target_format="yolo", storage="memory://there")
