"""Image folders as they are written, and what they cannot hold."""

from pathlib import Path

import pytest

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.formats.base import FormatOptions, ImageTransfer
from synapse_sdk.formats.conversion import convert
from synapse_sdk.formats.model import Annotation, Box, Item, Keypoints, Polygon, Tool
from tests.unit.formats.imagefolder_datasets import files_below, labelled, make, read, write
from tests.unit.formats.voc_datasets import OBJECT, document
from tests.unit.formats.voc_datasets import make as make_voc


def test_images_go_into_the_folder_of_their_class(tmp_path: Path) -> None:
    """With the list of all classes, in their order."""
    items = [labelled(tmp_path / "a.JPG", "a.JPG", "dog"), labelled(tmp_path / "b.png", "cam/b.png", "cat")]

    result = write(tmp_path / "out", items, ["dog", "cow", "cat"])

    assert files_below(tmp_path / "out") == ["cat/cam/b.png", "classes.txt", "dog/a.JPG"]
    assert (tmp_path / "out" / "classes.txt").read_text() == "dog\ncow\ncat\n"
    assert (tmp_path / "out" / "dog" / "a.JPG").read_text() == "a.JPG"
    assert result.written == {("dog", Tool.CLASSIFICATION): 1, ("cat", Tool.CLASSIFICATION): 1}
    assert not result.examples


def test_splits_have_folders(tmp_path: Path) -> None:
    """Defect 9, N2: and one list of classes."""
    items = [labelled(tmp_path / f"{split}.png", "a.png", "cat", split=split) for split in ("train", "valid", "test")]

    write(tmp_path / "out", items)

    assert files_below(tmp_path / "out") == ["classes.txt", "test/cat/a.png", "train/cat/a.png", "valid/cat/a.png"]
    assert read(tmp_path / "out").labels == {"train:a.png": "cat", "valid:a.png": "cat", "test:a.png": "cat"}


@pytest.mark.parametrize("images", [ImageTransfer.COPY, ImageTransfer.HARDLINK, ImageTransfer.SYMLINK])
def test_what_is_written_is_read_again(tmp_path: Path, images: ImageTransfer) -> None:
    """Names and classes, however images come along."""
    items = [
        labelled(tmp_path / "1.png", "a.png", "cat"),
        labelled(tmp_path / "2.png", "cam/사진 é.png", "animals/cat"),
        labelled(tmp_path / "3.png", "b.png", "animals"),
    ]
    classes = ["cat", "animals", "animals/cat"]

    write(tmp_path / "out", items, classes, FormatOptions(images=images))

    again = read(tmp_path / "out")
    assert again.labels == {"b.png": "animals", "cam/사진 é.png": "animals/cat", "a.png": "cat"}
    assert again.classes == classes
    assert not again.examples


@pytest.mark.parametrize(
    "names",
    [
        ("cat/1.png", "dog/2.png"),
        ("cat/1.png", "dog/1.png"),
        ("train/animals/cat/1.png", "train/animals/1.png", "test/plants/2.png"),
    ],
)
def test_a_dataset_that_is_read_and_written_is_the_same(tmp_path: Path, names: tuple[str, ...]) -> None:
    """The class at the beginning of a name is not repeated."""
    first = read(make(tmp_path / "in", *names))

    write(tmp_path / "out", first.items, first.classes)

    assert files_below(tmp_path / "out") == sorted([*names, "classes.txt"])
    again = read(tmp_path / "out")
    assert (again.labels, again.classes) == (first.labels, first.classes)


def test_images_without_a_class_are_dropped(tmp_path: Path) -> None:
    """L12: counted, with what they have instead."""
    boxes = [Annotation(id=str(number), label="cat", box=Box(0, 0, 5, 5)) for number in range(3)]
    objects = labelled(tmp_path / "b.png", "b.png")
    objects.annotations = boxes
    unnamed = labelled(tmp_path / "c.png", "c.png", "")

    result = write(tmp_path / "out", [labelled(tmp_path / "a.png", "a.png"), objects, unnamed])

    assert result.items == []
    assert result.codes == {("dropped", "LABEL_MISSING"): 3}
    assert result.examples[1].words == "3 annotations, of parts of the image only"
    assert result.losses.annotations.total() == 4
    assert files_below(tmp_path / "out") == ["classes.txt"]


def test_of_several_classes_the_first_is_taken(tmp_path: Path) -> None:
    """The others are reported one by one."""
    result = write(tmp_path / "out", [labelled(tmp_path / "a.png", "a.png", "", "dog", "cat", "dog")])

    assert read(tmp_path / "out").labels == {"a.png": "dog"}
    assert result.codes == {("dropped", "SEVERAL_LABELS"): 3}


def test_shapes_are_reported(tmp_path: Path) -> None:
    """L4, L5: each, with what it is; and attributes of the class."""
    item = labelled(tmp_path / "a.png", "a.png")
    item.annotations = [
        Annotation(id="1", label="dog", box=Box(0, 0, 5, 5), shape=Polygon([[0, 0, 5, 0, 5, 5]])),
        Annotation(id="2", label="cat", attributes={"light": "dim"}, group="g"),
        Annotation(id="3", label="dog", keypoints=Keypoints([1, 1, 2])),
    ]

    result = write(tmp_path / "out", [item])

    assert result.codes == {("dropped", "SHAPE"): 2, ("changed", "ATTRIBUTES"): 1, ("changed", "GROUP"): 1}
    assert result.examples[0].words == "bounding_box and polygon in image folders"
    assert dict(result.losses.annotations) == {"dropped": 2, "changed": 1}
    assert read(tmp_path / "out").labels == {"a.png": "cat"}


@pytest.mark.parametrize(
    "label", ["..", "a/../b", "/etc", "a\0", "a\\b", ".hidden", "a/.b", "classes.txt", "a\nb", "\udcff"]
)
def test_a_class_that_can_be_no_folder_is_refused(tmp_path: Path, label: str) -> None:
    """C14: nothing of it is written, nor listed."""
    result = write(tmp_path / "out", [labelled(tmp_path / "a.png", "a.png", label)], [label, "cat"])

    assert result.codes == {("dropped", "CLASS_NAME"): 1}
    assert files_below(tmp_path) == ["a.png", "out/classes.txt"]
    assert (tmp_path / "out" / "classes.txt").read_text() == "cat\n"


@pytest.mark.parametrize("name", ["../a.png", "/a.png", "a/../../b.png"])
def test_a_name_that_leads_out_of_the_target_is_refused(tmp_path: Path, name: str) -> None:
    """C14."""
    result = write(tmp_path / "out", [labelled(tmp_path / "a.png", name, "cat")])

    assert result.codes == {("dropped", "UNSAFE_NAME"): 1}
    assert files_below(tmp_path) == ["a.png", "out/classes.txt"]


def test_two_images_for_one_place_are_not_overwritten(tmp_path: Path) -> None:
    """The second is reported."""
    items = [labelled(tmp_path / "1.png", "cat/a.png", "cat"), labelled(tmp_path / "2.png", "a.png", "cat")]

    result = write(tmp_path / "out", items)

    assert result.codes == {("dropped", "NAME_TAKEN"): 1}
    assert (tmp_path / "out" / "cat" / "a.png").read_text() == "1.png"


def test_images_of_one_base_name_stay_apart(tmp_path: Path) -> None:
    """C6, C7, defect 15: in folders of their own, and by their suffixes."""
    names = ["camA/x.jpg", "camB/x.jpg", "x.jpg", "x.png"]

    write(tmp_path / "out", [labelled(tmp_path / str(at), name, "cat") for at, name in enumerate(names)])

    assert read(tmp_path / "out").labels == dict.fromkeys(names, "cat")


def test_an_image_that_would_be_of_another_class_is_refused(tmp_path: Path) -> None:
    """A class within its class has the same folder."""
    item = labelled(tmp_path / "a.png", "cat/a.png", "animals")

    result = write(tmp_path / "out", [item], ["animals", "animals/cat"])

    assert result.codes == {("dropped", "CLASS_NAME"): 1}


def test_a_missing_image_cannot_be_written(tmp_path: Path) -> None:
    """There is nothing but images in image folders."""
    item = Item(name="a.png", annotations=[Annotation(id="1", label="cat")])

    result = write(tmp_path / "out", [item])

    assert result.codes == {("dropped", "MISSING_IMAGE"): 1}
    assert result.losses.annotations.total() == 1


def test_without_images_there_is_nothing_to_write(tmp_path: Path) -> None:
    """The error names the option."""
    with pytest.raises(ConfigurationError, match="images=none") as caught:
        write(tmp_path / "out", [], options=FormatOptions(images=ImageTransfer.NONE))

    assert "hardlink" in str(caught.value)


def test_a_class_that_nobody_listed_is_added_to_the_list(tmp_path: Path) -> None:
    """Behind the others."""
    write(tmp_path / "out", [labelled(tmp_path / "a.png", "a.png", "cow")])

    assert read(tmp_path / "out").classes == ["cat", "dog", "cow"]


def test_image_folders_convert_to_themselves(tmp_path: Path) -> None:
    """Read, staged and written."""
    make(tmp_path / "in", "train/cat/1.png", "train/dog/1.png", "test/cat/2.png")

    convert(tmp_path / "in", tmp_path / "one", to="imagefolder", source_format="imagefolder")
    report = convert(tmp_path / "one", tmp_path / "two", to="imagefolder", source_format="imagefolder")

    assert report.loss_count == 0
    assert files_below(tmp_path / "one") == files_below(tmp_path / "two")
    assert len(files_below(tmp_path / "two")) == 5


def test_pascal_voc_converts_to_itself(tmp_path: Path) -> None:
    """Read, staged and written, byte for byte."""
    make_voc(
        tmp_path / "in", {"train/Annotations/a.xml": document("a.png", OBJECT), "train/JPEGImages/a.png": (100, 50)}
    )

    convert(tmp_path / "in", tmp_path / "one", to="pascal", source_format="pascal")
    report = convert(tmp_path / "one", tmp_path / "two", to="voc", source_format="voc")

    assert report.loss_count == 0
    one, two = (
        {name: (tmp_path / each / name).read_bytes() for name in files_below(tmp_path / each) if "json" not in name}
        for each in ("one", "two")
    )
    assert one == two
    assert list(one) == ["classes.txt", "train/Annotations/a.xml", "train/Images/a.png"]
