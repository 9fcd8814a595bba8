"""Masks in images of colour numbers, read and written."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from synapse_sdk.formats.base import FormatOptions, ImageTransfer
from synapse_sdk.formats.masks import array_of_mask, mask_of_array
from synapse_sdk.formats.model import Annotation, Box, Mask, Polygon, RotatedBox, Tool
from synapse_sdk.formats.voc.drawing import palette
from synapse_sdk.formats.voc.segmentation import VOC_CLASSES
from tests.unit.formats.voc_datasets import BOX, OBJECT, SIZE, boxed, document, item_of, make, read, root_of, write

type Numbers = npt.NDArray[np.uint8]

SEGMENT = FormatOptions(images=ImageTransfer.NONE, task="segment")


def numbers(*rectangles: tuple[int, int, int, int, int], size: tuple[int, int] = SIZE) -> Numbers:
    """Return colour numbers: for each rectangle its number, x, y, width and height."""
    found = np.zeros((size[1], size[0]), np.uint8)
    for number, x, y, width, height in rectangles:
        found[y : y + height, x : x + width] = number
    return found


def mask(x: int, y: int, width: int, height: int, size: tuple[int, int] = SIZE) -> Mask:
    """Return the mask of a rectangle."""
    return mask_of_array(numbers((1, x, y, width, height), size=size) > 0)


def save(path: Path, values: Numbers, mode: str = "P") -> Path:
    """Write an image of colour numbers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(values)
    if mode == "P":
        picture.putpalette([*palette()])
    picture.convert(mode).save(path)
    return path


def pixels(path: Path) -> list[list[int]]:
    """Return the colour numbers of an image."""
    with Image.open(path) as image:
        assert image.mode == "P"
        rows: list[list[int]] = np.asarray(image).tolist()
        return rows


def shapes(annotations: list[Annotation]) -> list[object]:
    """Return the shapes of annotations."""
    return [each.shape for each in annotations]


def test_the_colours_are_those_of_the_devkit() -> None:
    """Its first ones, and that of the border."""
    colours = palette()

    assert colours[:12] == (0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0)
    assert colours[-3:] == (224, 224, 192)


def test_masks_of_objects_belong_to_them_by_number(tmp_path: Path) -> None:
    """One object, one annotation; 255 is the border, and an object without pixels has no mask."""
    make(tmp_path, {"Annotations/a.xml": document("a.png", OBJECT, OBJECT, OBJECT)})
    save(tmp_path / "SegmentationObject/a.png", numbers((1, 10, 5, 20, 20), (255, 0, 0, 5, 5), (3, 50, 5, 3, 3)))

    result = read(tmp_path)

    assert [each.box for each in result.annotations] == [BOX, BOX, BOX]
    assert shapes(result.annotations) == [mask(10, 5, 20, 20), None, mask(50, 5, 3, 3)]
    assert not result.examples


def test_an_object_may_have_a_mask_only(tmp_path: Path) -> None:
    """It needs no box then."""
    make(tmp_path, {"Annotations/a.xml": document("a.png", "<object><name>ant</name></object>")})
    save(tmp_path / "SegmentationObject/a.png", numbers((1, 10, 5, 20, 20)))

    assert read(tmp_path).annotations == [Annotation(id="1", label="ant", shape=mask(10, 5, 20, 20))]


def test_numbers_without_an_object_are_reported(tmp_path: Path) -> None:
    """By the image of masks that has them."""
    make(tmp_path, {"Annotations/a.xml": document("a.png", OBJECT)})
    save(tmp_path / "SegmentationObject/a.png", numbers((1, 1, 1, 1, 1), (2, 2, 2, 1, 1)))

    result = read(tmp_path)

    assert result.codes == {("failed", "MASK"): 1}
    assert (result.loss.where, result.loss.words) == ("SegmentationObject/a.png", "number 2 of 1 objects")


def test_masks_of_classes_are_read_where_objects_have_none(tmp_path: Path) -> None:
    """It is that of the only object of the class; of several, or none, it is an annotation of its own."""
    bee, cow = OBJECT.replace("ant", "bee"), OBJECT.replace("ant", "cow")
    files = {"classes.txt": "ant\nbee\ncow\nfly\n", "Annotations/a.xml": document("a.png", OBJECT, bee, bee, cow)}
    make(tmp_path, {**files, "Annotations/b.xml": document("b.png", OBJECT)})
    save(tmp_path / "SegmentationClass/a.png", numbers((1, 1, 1, 5, 5), (2, 10, 1, 5, 5), (4, 20, 1, 5, 5)))
    save(tmp_path / "SegmentationClass/b.png", numbers((1, 1, 1, 5, 5), (9, 10, 1, 5, 5)))
    save(tmp_path / "SegmentationObject/b.png", numbers((1, 2, 2, 5, 5)))

    result = read(tmp_path)

    first, second = result.items
    assert [(each.id, each.label, each.box is not None, each.shape) for each in first.annotations] == [
        ("1", "ant", True, mask(1, 1, 5, 5)),
        ("2", "bee", True, None),
        ("3", "bee", True, None),
        ("4", "cow", True, None),
        ("5", "bee", False, mask(10, 1, 5, 5)),
        ("6", "fly", False, mask(20, 1, 5, 5)),
    ]
    assert shapes(second.annotations) == [mask(2, 2, 5, 5)]
    assert not result.examples


def test_numbers_of_classes_that_are_not_listed_are_reported(tmp_path: Path) -> None:
    """The others are read."""
    make(tmp_path, {"classes.txt": "ant\n", "Annotations/a.xml": document("a.png")})
    save(tmp_path / "SegmentationClass/a.png", numbers((1, 1, 1, 5, 5), (2, 10, 1, 5, 5)))

    result = read(tmp_path)

    assert shapes(result.annotations) == [mask(1, 1, 5, 5)]
    assert result.codes == {("failed", "UNKNOWN_CLASS"): 1}
    assert result.loss.words == "class number 2 of 1"


def test_without_a_list_numbers_of_classes_are_those_of_the_challenge(tmp_path: Path) -> None:
    """If all classes are its."""
    make(tmp_path, {"Annotations/a.xml": document("a.png", OBJECT.replace("ant", "sheep"))})
    save(tmp_path / "SegmentationClass/a.png", numbers((1 + VOC_CLASSES.index("sheep"), 1, 1, 5, 5)))

    result = read(tmp_path)

    assert shapes(result.annotations) == [mask(1, 1, 5, 5)]
    assert [spec.name for spec in result.info.classes] == list(VOC_CLASSES)


def test_numbers_of_classes_that_nobody_can_know_are_reported(tmp_path: Path) -> None:
    """No order of the classes is better than another."""
    make(tmp_path, {"Annotations/a.xml": document("a.png", OBJECT)})
    save(tmp_path / "SegmentationClass/a.png", numbers((1, 1, 1, 5, 5)))

    result = read(tmp_path)

    assert shapes(result.annotations) == [None]
    assert result.codes == {("failed", "UNKNOWN_CLASS"): 1}


@pytest.mark.parametrize(
    ("mode", "size", "words"),
    [("RGB", SIZE, "no colour numbers, but mode RGB"), ("P", (10, 10), "10 x 10 pixels, the image has 100 x 50")],
)
def test_an_image_of_masks_that_does_not_fit_is_reported(
    tmp_path: Path, mode: str, size: tuple[int, int], words: str
) -> None:
    """The boxes are read."""
    make(tmp_path, {"Annotations/a.xml": document("a.png", OBJECT)})
    save(tmp_path / "SegmentationObject/a.png", numbers((1, 1, 1, 5, 5), size=size), mode)

    result = read(tmp_path)

    assert [each.box for each in result.annotations] == [BOX]
    assert result.codes == {("changed", "MASK"): 1}
    assert words in result.loss.words


@pytest.mark.parametrize("keep", [0, 20, 60])
def test_a_damaged_image_of_masks_is_reported(tmp_path: Path, keep: int) -> None:
    """The boxes are read."""
    make(tmp_path, {"Annotations/a.xml": document("a.png", OBJECT)})
    path = save(tmp_path / "SegmentationObject/a.png", numbers((1, 1, 1, 5, 5)))
    path.write_bytes(path.read_bytes()[:keep])

    result = read(tmp_path)

    assert [each.box for each in result.annotations] == [BOX]
    assert result.codes == {("changed", "MASK"): 1}
    assert result.loss.where == "SegmentationObject/a.png"


def test_masks_come_back_as_they_were(tmp_path: Path) -> None:
    """Pixel for pixel, with the box if there was one; the XML says that there are masks."""
    annotations = [
        boxed(1, shape=mask(10, 5, 20, 20)),
        boxed(2, "bee"),
        Annotation(id="3", label="bee", shape=mask(50, 5, 3, 3)),
    ]

    result = write(tmp_path, [item_of(*annotations, name="cam/a.jpg", split="train")])

    again = read(tmp_path)
    assert again.annotations == annotations
    assert not result.examples + again.examples
    assert result.written == {("ant", Tool.BOX): 1, ("bee", Tool.BOX): 2, ("ant", Tool.MASK): 1, ("bee", Tool.MASK): 1}
    root = root_of(tmp_path / "train/Annotations/cam/a.xml")
    assert root.findtext("segmented") == "1"
    assert [each.text for each in root.findall("object/bndbox/")[8:]] == ["51", "6", "53", "8"]
    for folder, second in (("SegmentationObject", 3), ("SegmentationClass", 2)):
        found = pixels(tmp_path / "train" / folder / "cam/a.png")
        assert found == numbers((1, 10, 5, 20, 20), (second, 50, 5, 3, 3)).tolist()


def test_a_mask_that_others_cover_is_reported(tmp_path: Path) -> None:
    """The smaller one is in front, whichever comes first; a pixel has one object."""
    small, large = boxed(1, shape=mask(12, 7, 5, 5)), boxed(2, shape=mask(10, 5, 20, 20))

    result = write(tmp_path, [item_of(small, large)])

    assert result.codes == {("changed", "OVERLAP"): 1}
    assert result.loss.annotation == "2"
    first, second = shapes(read(tmp_path).annotations)
    assert first == small.shape
    assert isinstance(second, Mask)
    assert array_of_mask(second).sum() == 400 - 25


def test_a_mask_of_another_size_than_its_image_is_left_out(tmp_path: Path) -> None:
    """Its box stays."""
    result = write(tmp_path, [item_of(boxed(shape=mask(1, 1, 2, 2, size=(10, 10))))])

    assert result.codes == {("changed", "SHAPE"): 1}
    assert result.loss.words == "segmentation in Pascal VOC"
    assert read(tmp_path).annotations == [boxed()]
    assert not (tmp_path / "SegmentationObject").exists()


def test_a_mask_without_pixels_is_dropped(tmp_path: Path) -> None:
    """It has no extent."""
    empty = Annotation(id="1", label="ant", shape=mask(0, 0, 0, 0))

    assert write(tmp_path, [item_of(empty)]).codes == {("dropped", "EMPTY"): 1}


def test_outlines_become_masks_for_the_task_segment(tmp_path: Path) -> None:
    """L2: with all parts and without holes; that they are pixels now is reported."""
    square = [10.0, 10.0, 30.0, 10.0, 30.0, 30.0, 10.0, 30.0]
    hole = [15.0, 15.0, 25.0, 15.0, 25.0, 25.0, 15.0, 25.0]
    annotations = [
        Annotation(id="1", label="ant", shape=Polygon([square], [hole])),
        Annotation(id="2", label="ant", shape=RotatedBox(60, 20, 20, 10, 0)),
    ]

    result = write(tmp_path, [item_of(*annotations)], options=SEGMENT)

    assert result.codes == {("changed", "RASTERISED"): 2}
    first, second = read(tmp_path).annotations
    assert first.box is None
    assert isinstance(first.shape, Mask)
    assert array_of_mask(first.shape).sum() == 400 - 100
    assert second.shape == mask(50, 15, 20, 10)


def test_an_outline_narrower_than_a_pixel_leaves_its_box(tmp_path: Path) -> None:
    """There is nothing to draw."""
    narrow = Annotation(id="1", label="ant", shape=Polygon([[10, 10, 10.1, 10, 10.1, 20, 10, 20]]))

    result = write(tmp_path, [item_of(narrow)], options=SEGMENT)

    assert result.codes == {("changed", "SHAPE"): 1}
    assert read(tmp_path).annotations[0].box == Box(10, 10, pytest.approx(0.1), 10)  # type: ignore[arg-type]


def test_masks_of_parts_are_reported(tmp_path: Path) -> None:
    """Only objects have numbers."""
    part = boxed(2, "bee", attributes={"part_of": "1"}, shape=mask(1, 1, 5, 5))

    result = write(tmp_path, [item_of(boxed(1), part)])

    assert result.loss.words == "mask of a part of an object"
    assert shapes(read(tmp_path).annotations) == [None, None]


def test_more_masks_than_there_are_numbers_are_reported(tmp_path: Path) -> None:
    """Of objects, and of classes: 255 is the border."""
    many = [boxed(number, box=Box(1, 1, 1, 1)) for number in range(1, 254)]
    masks = [boxed(number, shape=mask(number % 90, number % 7 * 3, 1, 1)) for number in range(254, 258)]
    late = item_of(boxed(1, "last", shape=mask(1, 1, 5, 5)), name="b.png")

    result = write(tmp_path, [item_of(*many, *masks), late], classes=[*(f"c{n}" for n in range(253)), "ant", "last"])

    assert result.codes == {("changed", "SHAPE"): 4}
    assert (tmp_path / "SegmentationObject/a.png").exists()
    assert not (tmp_path / "SegmentationObject/b.png").exists()
    assert root_of(tmp_path / "Annotations/b.xml").findtext("segmented") == "0"
    found = shapes(read(tmp_path).items[0].annotations)
    assert [number for number, shape in enumerate(found, 1) if shape is not None] == [254]
