"""Image folders as they are read."""

import os
from pathlib import Path

import pytest

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.imagefolder import ImageFolderFormat
from synapse_sdk.formats.model import Annotation
from tests.unit.formats.imagefolder_datasets import make, read


def test_folders_are_classes(tmp_path: Path) -> None:
    """By name, and the images of each by name."""
    root = make(tmp_path, "dog/b.png", "dog/a.jpg", "cat/c.JPEG")

    result = read(root)

    assert result.classes == ["cat", "dog"]
    assert result.labels == {"c.JPEG": "cat", "a.jpg": "dog", "b.png": "dog"}
    assert (result.info.splits, result.info.count) == ((), 3)
    assert result.items[0].path == str(root / "cat" / "c.JPEG")
    assert result.items[0].annotations == [Annotation(id="1", label="cat")]
    assert not result.examples


def test_splits_are_folders_of_classes(tmp_path: Path) -> None:
    """N2: in the usual order, with one list of classes; `validation` is `valid`."""
    root = make(tmp_path, "validation/dog/a.png", "train/cat/a.png", "test/cow/a.png")

    result = read(root)

    assert result.info.splits == ("train", "valid", "test")
    assert result.classes == ["cat", "cow", "dog"]
    assert list(result.labels) == ["train:a.png", "valid:a.png", "test:a.png"]


def test_both_names_of_a_split_are_refused(tmp_path: Path) -> None:
    """Defect 12."""
    root = make(tmp_path, "valid/dog/a.png", "val/cat/a.png")

    with pytest.raises(InvalidDatasetError, match="'val' and 'valid'"):
        read(root)


def test_the_list_of_classes_gives_their_order(tmp_path: Path) -> None:
    """Classes without images are classes, too."""
    root = make(tmp_path, "train/dog/a.png", "train/cat/b.png")
    (root / "classes.txt").write_text("dog\ncow\ncat\n")

    result = read(root)

    assert result.classes == ["dog", "cow", "cat"]
    assert not result.examples


def test_folders_within_folders_are_classes_within_classes(tmp_path: Path) -> None:
    """Every folder with images is one."""
    root = make(tmp_path, "animals/cat/a.png", "animals/dog/b.png", "animals/c.png", "plants/d.png")

    result = read(root)

    assert result.classes == ["animals", "animals/cat", "animals/dog", "plants"]
    assert result.labels == {"a.png": "animals/cat", "b.png": "animals/dog", "c.png": "animals", "d.png": "plants"}


def test_folders_within_listed_classes_are_parts_of_names(tmp_path: Path) -> None:
    """The longest class that leads to an image is its class."""
    root = make(tmp_path, "animals/cat/cam1/a.png", "animals/b/c.png")
    (root / "classes.txt").write_text("animals\nanimals/cat\n")

    assert read(root).labels == {"b/c.png": "animals", "cam1/a.png": "animals/cat"}


def test_images_of_one_name_are_named_with_their_class(tmp_path: Path) -> None:
    """C6: all of a split, so that names do not depend on which others there are."""
    root = make(tmp_path, "train/cat/1.png", "train/dog/1.png", "train/dog/2.png", "test/cat/1.png", "test/dog/2.png")

    assert read(root).labels == {
        "train:cat/1.png": "cat",
        "train:dog/1.png": "dog",
        "train:dog/2.png": "dog",
        "test:1.png": "cat",
        "test:2.png": "dog",
    }


def test_names_are_kept_byte_for_byte(tmp_path: Path) -> None:
    """C8: of images and classes."""
    root = make(tmp_path, "고양이/사진 é (1).jpg", "e\u0301/scan.v1.png", "R&D <x>/ a.png")

    assert read(root).labels == {"사진 é (1).jpg": "고양이", "scan.v1.png": "e\u0301", " a.png": "R&D <x>"}


def test_a_class_may_be_called_like_a_split(tmp_path: Path) -> None:
    """It has images and no folders."""
    root = make(tmp_path, "train/a.png", "test/b.png")

    assert read(root).labels == {"a.png": "train", "b.png": "test"}


def test_one_class_among_others_may_be_called_like_a_split(tmp_path: Path) -> None:
    """Trains run beside buses."""
    root = make(tmp_path, "train/steam/a.png", "bus/b.png")

    assert read(root).classes == ["bus", "train/steam"]


def test_what_may_be_splits_or_classes_is_refused(tmp_path: Path) -> None:
    """The error names them, and the folder that is none; a list of classes decides."""
    root = make(tmp_path, "train/cat/a.png", "test/cat/b.png", "rejected/c.png")

    with pytest.raises(InvalidDatasetError, match="'test', 'train'") as caught:
        read(root)

    assert "'rejected'" in str(caught.value)
    (root / "classes.txt").write_text("train/cat\ntest/cat\nrejected\n")
    assert read(root).labels == {"c.png": "rejected", "b.png": "test/cat", "a.png": "train/cat"}


def test_images_outside_of_classes_are_items_without_a_label(tmp_path: Path) -> None:
    """C3: noted."""
    result = read(make(tmp_path, "a.png", "cat/b.png"))

    assert result.labels == {"a.png": "", "b.png": "cat"}
    assert result.codes == {("noted", "UNLABELLED"): 1}


def test_images_beside_the_folders_of_splits_are_reported(tmp_path: Path) -> None:
    """They are in no split."""
    result = read(make(tmp_path, "a.png", "notes.md", "train/b.png", "train/cat/c.png"))

    assert result.labels == {"train:b.png": "", "train:c.png": "cat"}
    assert result.codes == {
        ("noted", "UNLABELLED"): 1,
        ("failed", "UNLABELLED"): 1,
        ("noted", "NOT_READ"): 1,
    }


def test_images_in_folders_that_are_not_listed_have_no_label(tmp_path: Path) -> None:
    """The label is a failure, by the name of the folder; the image stays."""
    root = make(tmp_path, "cat/a.png", "cow/b.png")
    (root / "classes.txt").write_text("cat\n")

    result = read(root)

    assert result.labels == {"a.png": "cat", "cow/b.png": ""}
    assert result.codes == {("failed", "UNKNOWN_CLASS"): 1}
    assert result.examples[0].words == "folder 'cow'"


def test_a_list_that_names_no_folder_is_refused(tmp_path: Path) -> None:
    """It is of something else."""
    root = make(tmp_path, "n01440764/a.png")
    (root / "classes.txt").write_text("tench\n")

    with pytest.raises(InvalidDatasetError, match=r"is a class of its classes\.txt"):
        read(root)


@pytest.mark.parametrize("names", [(), ("a.png",), ("cat/notes.txt",)])
def test_a_folder_without_classes_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    """The error says what is missing."""
    with pytest.raises(InvalidDatasetError, match="no folder in it has images"):
        read(make(tmp_path, *names))


def test_other_files_are_noted_once_for_each_suffix(tmp_path: Path) -> None:
    """And what this package writes itself is none."""
    names = ("cat/a.png", "cat/a.txt", "cat/b.TXT", "dog/c.txt", "cat/.DS_Store", "dog/.hidden.png", "cat/.git/x.png")
    result = read(make(tmp_path, *names, "conversion.json", "losses.csv"))

    assert result.labels == {"a.png": "cat"}
    assert result.codes == {("noted", "NOT_READ"): 2}
    assert sorted(loss.where for loss in result.examples) == ["cat/.DS_Store", "cat/a.txt"]


def test_links_are_refused_by_name(tmp_path: Path) -> None:
    """To folders, to nothing, in circles, and to files that are no images."""
    root = make(tmp_path / "data", "train/cat/a.png")
    secret = make(tmp_path, "secret.txt", "elsewhere/dog/b.png") / "secret.txt"
    (root / "train" / "dog").symlink_to(tmp_path / "elsewhere" / "dog")
    (root / "train" / "cat" / "again").symlink_to(root / "train")
    (root / "train" / "cat" / "gone.png").symlink_to(tmp_path / "gone.png")
    (root / "train" / "cat" / "loop.png").symlink_to("loop.png")
    (root / "train" / "cat" / "secret.png").symlink_to(secret)
    (root / "test").symlink_to(root / "train")
    (root / "round").symlink_to("round")

    result = read(root)

    assert result.labels == {"train:a.png": "cat"}
    assert result.codes == {("failed", "SYMLINK"): 7}
    names = {loss.where for loss in result.examples}
    assert ImageFolderFormat().find(root) == "train/cat/a.png"
    assert names < {
        *(
            "round",
            "test",
            "train/dog",
            "train/cat/again",
            "train/cat/gone.png",
            "train/cat/loop.png",
            "train/cat/secret.png",
        )
    }


def test_links_to_images_are_read(tmp_path: Path) -> None:
    """They are what is written with `images=symlink`."""
    root = make(tmp_path, "data/cat/a.png", "photos/b.png") / "data"
    (root / "cat" / "b.png").symlink_to(tmp_path / "photos" / "b.png")

    result = read(root)

    assert result.labels == {"a.png": "cat", "b.png": "cat"}
    assert not result.examples


def test_a_pipe_is_no_image(tmp_path: Path) -> None:
    """Nobody may ever write into it."""
    root = make(tmp_path, "cat/a.png")
    os.mkfifo(root / "cat" / "b.png")

    assert read(root).labels == {"a.png": "cat"}


def test_names_that_other_formats_cannot_hold_are_refused(tmp_path: Path) -> None:
    """Bytes that are no UTF-8, and the separators of other systems."""
    root = make(tmp_path, "cat/a.png", "cat/b\\c.png")
    (root / os.fsdecode(b"d\xffg")).mkdir()
    make(root, os.fsdecode(b"d\xffg/e.png"))

    result = read(root)

    assert result.labels == {"a.png": "cat"}
    assert result.codes == {("failed", "UNSAFE_NAME"): 2}


def test_folders_within_folders_without_end_do_no_harm(tmp_path: Path) -> None:
    """No recursion is as deep as they are."""
    depth, here = 1500, Path.cwd()
    os.chdir(tmp_path)
    try:
        for _ in range(depth):
            Path("d").mkdir()
            os.chdir("d")
        Path("a.png").touch()
        os.chdir(tmp_path)
        assert len(read(Path()).items) == 1
    finally:
        _remove_deep(tmp_path, depth)
        os.chdir(here)


def _remove_deep(root: Path, depth: int) -> None:
    """Remove folders from the innermost: what clears away after tests is recursive."""
    os.chdir(root)
    for _ in range(depth):
        os.chdir("d")
    Path("a.png").unlink()
    for _ in range(depth):
        os.chdir("..")
        Path("d").rmdir()


def test_the_same_folders_give_the_same_items(tmp_path: Path) -> None:
    """In the same order."""
    root = make(tmp_path, *(f"{label}/{number}.png" for label in "zay" for number in (10, 2, 1)))

    assert read(root).items == read(root).items
    assert [item.name for item in read(root).items[:4]] == ["a/1.png", "a/10.png", "a/2.png", "y/1.png"]


def test_image_folders_are_recognised(tmp_path: Path) -> None:
    """By the first image of a class."""
    make(tmp_path, "flat/cat/a.png", "flat/classes.txt", "flat/conversion.json", "flat/readme.md")
    make(tmp_path, "split/train/cat/deep/b.png", "split/test/cat/c.png")

    assert ImageFolderFormat().find(tmp_path / "flat") == "cat/a.png"
    assert ImageFolderFormat().find(tmp_path / "split") == "test/cat/c.png"


@pytest.mark.parametrize(
    "names",
    [
        ("images/a.png", "labels/a.txt", "dataset.yaml"),
        ("train/images/a.png", "train/labels/a.txt", "valid/images/b.png"),
        ("photos/a.png", "data.yaml"),
        ("train/photos/a.png", "train/annotations.json"),
        ("train/a.png", "train/_annotations.coco.json", "valid/b.png", "valid/_annotations.coco.json"),
        ("train/a.png", "train/annotations.json"),
        (*(f"train/{number}.png" for number in range(600)), "train/annotations.json"),
        ("photos/a.png", "annotations.json"),
        ("annotations/instances_train.json", "train2017/a.png"),
        ("Annotations/a.xml", "JPEGImages/a.png"),
        ("train/Annotations/a.xml", "train/Images/a.png"),
        ("VOC2012/Annotations/a.xml", "VOC2012/JPEGImages/a.png"),
        ("VOCdevkit/VOC2012/Annotations/a.xml", "VOCdevkit/VOC2012/JPEGImages/a.png"),
        ("json/a.json", "original_files/a.png"),
        ("train/json/a.json", "train/original_files/a.png"),
        ("detect/images/a.png", "detect/labels/a.txt"),
        ("obj_train_data/a.png", "obj_train_data/a.txt"),
        ("train/a.png", "train/a.xml"),
        ("a.png",),
        ("notes/a.txt",),
        ("a.txt",),
    ],
)
def test_what_other_formats_have_is_not_mistaken_for_classes(tmp_path: Path, names: tuple[str, ...]) -> None:
    """Whatever is in their folders."""
    assert ImageFolderFormat().find(make(tmp_path, *names)) is None


def test_a_file_is_no_dataset(tmp_path: Path) -> None:
    """Nor is what is not there."""
    assert ImageFolderFormat().find(make(tmp_path, "a.png") / "a.png") is None
    assert ImageFolderFormat().find(tmp_path / "gone") is None
