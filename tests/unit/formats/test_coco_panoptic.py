"""Panoptic COCO files: every segment is a mask, and what does not fit is named."""

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from pycocotools import mask as coco_masks

from synapse_sdk.formats import convert
from synapse_sdk.formats.coco import CocoFormat
from synapse_sdk.formats.losses import Outcome
from synapse_sdk.formats.masks import array_of_mask
from synapse_sdk.formats.model import Box, Mask
from synapse_sdk.formats.registry import find_format
from tests.unit.formats.coco_datasets import SIZE, Json, Result, coco, make, picture, read, thing

type Ids = npt.NDArray[np.uint32]

CATEGORIES = [
    {"id": 1, "name": "bird", "isthing": 1},
    {"id": 2, "name": "flock", "isthing": 1},
    {"id": 184, "name": "sky", "supercategory": "outdoor", "isthing": 0},
]
BIRD, FLOCK, SKY = 7, 70_000, 256 * 200 + 3
WIDTH, HEIGHT = SIZE
FILE, MASKS = "annotations/panoptic_val2017.json", "annotations/panoptic_val2017"


@pytest.fixture
def ids() -> Ids:
    """Return the ids of the pixels of one image: two things, sky, and a corner about which nothing is said."""
    found: Ids = np.full((HEIGHT, WIDTH), SKY, np.uint32)
    found[10:30, 20:60] = BIRD
    found[15:20, 30:40] = SKY
    found[40:50, 0:33] = FLOCK
    found[0:5, 90:100] = 0
    return found


def png(ids: Ids, mode: str = "RGB") -> bytes:
    """Return the image of segments, as the COCO project says: id = R + 256 G + 65536 B."""
    pixels = np.stack([ids & 255, ids >> 8 & 255, ids >> 16], axis=-1).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, "PNG")
    return buffer.getvalue()


def segment(ids: Ids, number: int, category: int, **more: Json) -> Json:
    """Return the record of a segment; area and box are found without any code of ours."""
    encoded = coco_masks.encode(np.asfortranarray(ids == number, dtype=np.uint8))
    box = [int(each) for each in coco_masks.toBbox(encoded)]
    record = {"id": number, "category_id": category, "area": int(coco_masks.area(encoded)), "bbox": box, "iscrowd": 0}
    return {key: value for key, value in {**record, **more}.items() if value is not ...}


def segments(ids: Ids) -> list[Json]:
    """Return the records of all segments."""
    return [segment(ids, BIRD, 1), segment(ids, FLOCK, 2, iscrowd=1), segment(ids, SKY, 184)]


def panoptic(*records: Json, name: str = "a.png", image: int = 1) -> Json:
    """Return a document with one image and one annotation, which has these segments."""
    annotation = {"image_id": image, "file_name": name, "segments_info": list(records)}
    return coco(annotation, categories=CATEGORIES, images=[picture()])


def read_panoptic(folder: Path, ids: Ids, *records: Json, content: bytes | None = None) -> Result:
    """Write a dataset with these segments, and read it."""
    files = {FILE: panoptic(*records), f"{MASKS}/a.png": png(ids) if content is None else content}
    return read(make(folder, {**files, "val2017/a.jpg": SIZE}))


def test_every_segment_is_a_mask(tmp_path: Path, ids: Ids) -> None:
    """Things with their boxes, crowds as crowds, stuff without a box: pixel for pixel, with the area of the file."""
    records = segments(ids)

    result = read_panoptic(tmp_path, ids, *records)

    assert result.names == ["a.jpg"]
    assert result.info.splits == ("valid",)
    assert [(each.id, each.label, each.is_crowd) for each in result.annotations] == [
        (str(BIRD), "bird", False),
        (str(FLOCK), "flock", True),
        (str(SKY), "sky", False),
    ]
    for annotation, record in zip(result.annotations, records, strict=True):
        assert isinstance(annotation.shape, Mask)
        pixels = array_of_mask(annotation.shape)
        assert np.array_equal(pixels.astype(bool), ids == record["id"])
        rle: Json = {"size": [HEIGHT, WIDTH], "counts": annotation.shape.counts}
        assert coco_masks.area(rle) == record["area"]
        assert coco_masks.toBbox(rle).tolist() == record["bbox"]
    bird, _, sky = result.annotations
    assert (bird.box, bird.attributes) == (Box(20, 10, 40, 20), {})
    assert (sky.box, sky.attributes) == (None, {"isthing": False})
    assert not result.codes


@pytest.mark.parametrize(
    ("file", "masks"),
    [
        (FILE, MASKS),
        (FILE, "panoptic_val2017"),
        (FILE, "annotations"),
        ("panoptic.json", "panoptic"),
        ("annotations.json", "annotations"),
        ("train/annotations.json", "train/annotations"),
    ],
)
def test_panoptic_files_are_found(tmp_path: Path, ids: Ids, file: str, masks: str) -> None:
    """As the COCO project publishes them, or as the only file of a folder."""
    make(tmp_path, {file: panoptic(*segments(ids)), f"{masks}/a.png": png(ids)})

    found, sign = find_format(tmp_path)

    assert (type(found), sign) == (CocoFormat, file)
    assert len(read(tmp_path).annotations) == 3


def test_a_panoptic_file_beside_one_of_objects_is_not_read(tmp_path: Path, ids: Ids) -> None:
    """Its things are the same objects; it can be named."""
    files = {"annotations/instances_val2017.json": coco(thing()), FILE: panoptic(*segments(ids))}
    make(tmp_path, {**files, f"{MASKS}/a.png": png(ids)})

    result = read(tmp_path)

    assert (len(result.annotations), result.codes, result.loss.where) == (1, {("noted", "NOT_READ"): 1}, FILE)
    assert len(read(tmp_path / FILE).annotations) == 3


@pytest.mark.parametrize("fault", ["missing", "size", "mode", "broken", "outside"])
def test_segments_without_pixels_keep_their_boxes(tmp_path: Path, ids: Ids, fault: str) -> None:
    """Each is reported with the image that is missing, or does not fit; stuff without pixels is nothing."""
    name = "../a.png" if fault == "outside" else "a.png"
    contents = {"size": png(ids[:, 1:]), "mode": png(ids, "L"), "broken": png(ids)[:80]}
    files = {FILE: panoptic(*segments(ids), name=name), "annotations/others.txt": ""}
    if fault in contents:
        files[f"{MASKS}/a.png"] = contents[fault]

    result = read(make(tmp_path, files))

    assert [(each.label, each.shape is None, each.is_crowd) for each in result.annotations] == [
        ("bird", True, False),
        ("flock", True, True),
    ]
    assert result.codes == {("changed", "SEGMENT"): 2, ("failed", "SEGMENT"): 1}
    losses = [loss for found in result.losses.examples.values() for loss in found]
    assert [loss.where for loss in losses] == [f"{FILE}:annotations[0].segments_info[{number}]" for number in range(3)]
    words = {
        "missing": "is not there",
        "outside": "is not there",
        "size": "has 99 x 50 pixels, not 100 x 50",
        "mode": "mode L",
        "broken": "cannot be read",
    }
    assert all(f"{name!r} {words[fault]}" in loss.words or words[fault] in loss.words for loss in losses)


def test_segments_that_only_one_of_the_two_has_are_named(tmp_path: Path, ids: Ids) -> None:
    """An id without pixels, and pixels whose id is not in the file."""
    bird, flock, _ = segments(ids)
    nowhere = {**bird, "id": 9}

    result = read_panoptic(tmp_path, ids, bird, flock, nowhere)

    assert [each.label for each in result.annotations] == ["bird", "flock"]
    (losses,) = result.losses.examples.values()
    pixels = f"{int((ids == SKY).sum()):,} pixels of 'a.png' have the id {SKY}, which is not in the file"
    assert [(loss.annotation, loss.words) for loss in losses] == [("9", "no pixel has the id 9"), ("", pixels)]
    assert result.losses.annotations[Outcome.FAILED] == 2


def test_a_photo_in_place_of_segments_is_not_a_report_without_end(tmp_path: Path) -> None:
    """It has as many colours as pixels."""
    colours = np.arange(1, WIDTH * HEIGHT + 1, dtype=np.uint32).reshape(HEIGHT, WIDTH)

    result = read_panoptic(tmp_path, colours, segment(colours, 1, 1))

    assert result.codes == {("failed", "SEGMENT"): 101}


@pytest.mark.parametrize(
    ("change", "loss"),
    [
        ({"area": 1}, ("noted", "SEGMENT")),
        ({"area": ..., "bbox": ...}, None),
        ({"category_id": 5}, ("failed", "UNKNOWN_CLASS")),
        ({"id": "x"}, ("failed", "INVALID_RECORD")),
        ({"id": FLOCK}, ("failed", "DUPLICATE_ID")),
        ({"id": 0}, ("failed", "SEGMENT")),
    ],
)
def test_a_segment_that_is_not_as_it_should_be_is_one_loss(
    tmp_path: Path, ids: Ids, change: Json, loss: tuple[str, str] | None
) -> None:
    """The others are read."""
    if "id" in change:
        ids[ids == BIRD] = 0
    _, flock, sky = segments(ids)
    bird = segment(ids, BIRD, 1, **change)

    result = read_panoptic(tmp_path, ids, flock, bird, sky)

    assert {"flock", "sky"} <= {each.label for each in result.annotations}
    assert result.codes == ({} if loss is None else {loss: 1})
    assert len(result.annotations) == (2 if loss is not None and loss[0] == "failed" else 3)


def test_segments_of_an_unknown_image_are_counted(tmp_path: Path, ids: Ids) -> None:
    """Each of them; an annotation that makes no sense is one."""
    document = panoptic(*segments(ids), image=9)
    document["annotations"] += ({"image_id": 1, "file_name": "a.png"},)

    result = read(make(tmp_path, {FILE: document}))

    assert result.codes == {("failed", "UNKNOWN_IMAGE"): 3, ("failed", "INVALID_RECORD"): 1}
    assert result.names == ["a.jpg"]


def test_a_panoptic_dataset_becomes_one_of_objects(tmp_path: Path, ids: Ids) -> None:
    """Through the whole conversion, and back into the same masks."""
    read_panoptic(tmp_path / "panoptic", ids, *segments(ids))

    report = convert(tmp_path / "panoptic", tmp_path / "coco", to="coco")

    assert (report.annotations.seen, report.annotations.written) == (3, 3)
    again, before = read(tmp_path / "coco"), read(tmp_path / "panoptic")
    assert [each.shape for each in again.annotations] == [each.shape for each in before.annotations]
    assert [each.attributes for each in again.annotations] == [{}, {}, {"isthing": False}]
    assert [each.is_crowd for each in again.annotations] == [False, True, False]
