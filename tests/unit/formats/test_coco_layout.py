"""Where COCO datasets have their files."""

from pathlib import Path

import pytest

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.coco import CocoFormat
from tests.unit.formats.coco_datasets import SIZE, Json, coco, make, picture, read, thing

ANNOTATIONS, ROBOFLOW = "annotations.json", "_annotations.coco.json"


def places(folder: Path) -> dict[tuple[str, str], str]:
    """Return where the image of each split and name is, below the dataset."""
    result = read(folder)
    assert all(item.path for item in result.items)
    return {(item.split, item.name): Path(item.path).relative_to(folder).as_posix() for item in result.items}


@pytest.mark.parametrize(
    "name", [ANNOTATIONS, ROBOFLOW, f"annotations/{ANNOTATIONS}", f"images/{ROBOFLOW}", "birds.json", "result.json"]
)
@pytest.mark.parametrize("folder", ["", "images/", "data/"])
def test_a_flat_dataset_is_one_file_with_images_beside_it(tmp_path: Path, name: str, folder: str) -> None:
    """The file has the usual name, or is the only one; images may have a folder of their own."""
    make(tmp_path, {name: coco(thing()), f"{folder}a.jpg": SIZE})

    assert places(tmp_path) == {("", "a.jpg"): f"{folder}a.jpg"}
    assert read(tmp_path).info.splits == ()


@pytest.mark.parametrize("name", [ANNOTATIONS, ROBOFLOW])
def test_splits_have_folders(tmp_path: Path, name: str) -> None:
    """N2: with a file in each; an image may be called the same in two of them."""
    for split in ("test", "holdout", "valid", "train"):
        make(tmp_path / split, {name: coco(thing()), "a.jpg": SIZE})

    order = ("train", "valid", "test", "holdout")
    assert read(tmp_path).info.splits == order
    assert places(tmp_path) == {(split, "a.jpg"): f"{split}/a.jpg" for split in order}


@pytest.mark.parametrize("alias", ["val", "valid", "validation", "Val"])
def test_valid_has_other_names(tmp_path: Path, alias: str) -> None:
    """Any of them is `valid`, and it may be the only split."""
    make(tmp_path, {f"{alias}/{ANNOTATIONS}": coco(thing())})

    assert read(tmp_path).info.splits == ("valid",)


def test_one_split_under_two_names_is_refused(tmp_path: Path) -> None:
    """The error says both."""
    make(tmp_path, {f"{split}/{ANNOTATIONS}": coco() for split in ("val", "validation")})

    with pytest.raises(InvalidDatasetError, match="both 'val' and 'validation'"):
        read(tmp_path)


@pytest.mark.parametrize("folder", ["train2017", "train", "images/train2017", "images/train", "images", ".", "data"])
def test_the_official_layout_has_all_files_in_one_folder(tmp_path: Path, folder: str) -> None:
    """Images are where the COCO project, or somebody who downloads less, has put them."""
    files = {"annotations/instances_train2017.json": coco(thing()), f"{folder}/a.jpg": SIZE}

    assert places(make(tmp_path, files)) == {("train", "a.jpg"): Path(folder, "a.jpg").as_posix()}


def test_splits_of_the_official_layout(tmp_path: Path) -> None:
    """Images of the test split have no annotations; a year is no part of a name, unless there are two."""
    make(
        tmp_path,
        {
            "annotations/instances_val2017.json": coco(thing()),
            "annotations/instances_train2017.json": coco(thing()),
            "annotations/image_info_test2017.json": {"images": [picture()], "categories": []},
            **{f"{split}2017/a.jpg": SIZE for split in ("train", "val", "test")},
        },
    )

    assert places(tmp_path) == {
        ("train", "a.jpg"): "train2017/a.jpg",
        ("valid", "a.jpg"): "val2017/a.jpg",
        ("test", "a.jpg"): "test2017/a.jpg",
    }
    make(tmp_path, {"annotations/instances_train2014.json": coco(thing())})
    assert read(tmp_path).info.splits == ("test2017", "train2014", "train2017", "val2017")


def test_a_split_called_default_is_none(tmp_path: Path) -> None:
    """CVAT writes that for a dataset without splits."""
    make(tmp_path, {"annotations/instances_default.json": coco(thing()), "images/a.jpg": SIZE})

    assert places(tmp_path) == {("", "a.jpg"): "images/a.jpg"}


@pytest.mark.parametrize("folder", ["annotations/", ""])
def test_files_may_be_called_as_their_splits(tmp_path: Path, folder: str) -> None:
    """As many write them by hand."""
    make(tmp_path, {f"{folder}train.json": coco(thing()), f"{folder}val.json": coco(thing()), "val/a.jpg": SIZE})

    result = read(tmp_path)

    assert result.info.splits == ("train", "valid")
    assert [bool(item.path) for item in result.items] == [False, True]


def test_captions_and_panoptic_masks_are_not_read(tmp_path: Path) -> None:
    """It is said, file by file."""
    others = ("captions_train2017.json", "panoptic_train2017.json", "stuff_train2017.json")
    make(
        tmp_path,
        {"annotations/instances_train2017.json": coco(thing()), **{f"annotations/{each}": {} for each in others}},
    )

    result = read(tmp_path)

    assert result.codes == {("noted", "NOT_READ"): 3}
    (losses,) = result.losses.examples.values()
    assert [loss.where for loss in losses] == [f"annotations/{each}" for each in others]
    assert len(result.annotations) == 1


def test_of_two_files_beside_each_other_one_is_read(tmp_path: Path) -> None:
    """And the other is named."""
    result = read(make(tmp_path, {ANNOTATIONS: coco(thing()), ROBOFLOW: coco()}))

    assert len(result.annotations) == 1
    assert (result.codes, result.loss.where) == ({("noted", "NOT_READ"): 1}, ROBOFLOW)


@pytest.mark.parametrize("folder", ["", "annotations/"])
def test_other_files_beside_the_one_that_is_read_are_named(tmp_path: Path, folder: str) -> None:
    """If they are COCO, whatever they are called."""
    files = {f"{folder}{ANNOTATIONS}": coco(thing()), f"{folder}more.json": coco(thing()), f"{folder}x.json": {}}

    result = read(make(tmp_path, files))

    assert (result.codes, result.loss.where) == ({("noted", "NOT_READ"): 1}, f"{folder}more.json")


def test_of_several_files_none_is_chosen(tmp_path: Path) -> None:
    """They are named, and the folder is known for what it is."""
    make(tmp_path, {"one.json": coco(), "two.json": coco(), "three.json": {}})

    assert CocoFormat().find(tmp_path) == "one.json"
    with pytest.raises(InvalidDatasetError, match=r"several COCO files, such as 'one\.json' and 'two\.json'"):
        read(tmp_path)


def test_two_datasets_in_one_folder_are_refused(tmp_path: Path) -> None:
    """Nobody can say which is meant; the error names both, and the way out."""
    make(tmp_path, {ANNOTATIONS: coco(), f"train/{ANNOTATIONS}": coco()})

    with pytest.raises(
        InvalidDatasetError, match=f"both '{ANNOTATIONS}' and 'train/{ANNOTATIONS}'.*Name the JSON file"
    ):
        read(tmp_path)


@pytest.mark.parametrize(
    ("path", "image"),
    [
        ("birds.json", "a.jpg"),
        ("birds.json", "images/a.jpg"),
        ("annotations/instances_val2017.json", "val2017/a.jpg"),
        ("annotations/instances_val2017.json", "images/a.jpg"),
        ("annotations/birds.json", "images/a.jpg"),
        ("annotations/birds.json", "annotations/a.jpg"),
        ("labels/birds.json", "labels/a.jpg"),
    ],
)
def test_a_dataset_may_be_named_by_its_file(tmp_path: Path, path: str, image: str) -> None:
    """It has no splits then, and images are found as ever."""
    make(tmp_path, {path: coco(thing()), "other.json": coco(), image: SIZE})

    result = read(tmp_path / path)

    assert [(item.split, item.path) for item in result.items] == [("", str(tmp_path / image))]
    assert len(result.annotations) == 1


def test_a_name_may_begin_at_the_root_of_a_split_dataset(tmp_path: Path) -> None:
    """Some write the folder of the split into every name."""
    files = {
        f"annotations/instances_{each}.json": coco(images=[picture(1, f"{each}/a.jpg")]) for each in ("train", "val")
    }
    make(tmp_path, {**files, "train/a.jpg": SIZE, "val/a.jpg": SIZE})

    assert places(tmp_path) == {("train", "train/a.jpg"): "train/a.jpg", ("valid", "val/a.jpg"): "val/a.jpg"}


@pytest.mark.parametrize(
    ("files", "sign"),
    [
        ({ANNOTATIONS: coco()}, ANNOTATIONS),
        ({f"train/{ROBOFLOW}": coco(), "readme.txt": ""}, f"train/{ROBOFLOW}"),
        ({"annotations/instances_val2017.json": coco()}, "annotations/instances_val2017.json"),
        ({"birds.json": coco()}, "birds.json"),
        ({ANNOTATIONS: {"info": {"description": "x" * 10_000}, **coco()}}, ANNOTATIONS),
        ({f"val/{ANNOTATIONS}": coco(), f"valid/{ANNOTATIONS}": coco()}, f"val/{ANNOTATIONS}"),
        ({ANNOTATIONS: coco(), f"valid/{ANNOTATIONS}": coco()}, ANNOTATIONS),
        ({ANNOTATIONS: {"images": [], "annotations": {"image_1": []}}}, None),
        ({"notes.json": {"categories": [{"id": 0, "name": "cat"}], "info": {"contributor": "Label Studio"}}}, None),
        ({"birds.json": {"categories": [], "info": {"description": "x" * 100_000}, **coco()}}, "birds.json"),
        ({ANNOTATIONS: [1, 2]}, None),
        ({ANNOTATIONS: ""}, None),
        ({"birds.json": {"classification": {}, "images": [{}]}}, None),
        ({"json/a.json": {"images": [{}]}}, None),
        ({"dataset.yaml": "names: [a]"}, None),
        ({}, None),
    ],
)
def test_a_dataset_is_known_by_its_files(tmp_path: Path, files: dict[str, Json], sign: str | None) -> None:
    """By their names, and by how they begin."""
    assert CocoFormat().find(make(tmp_path, files)) == sign


def test_a_file_is_known_by_how_it_begins(tmp_path: Path) -> None:
    """Whatever it is called; what is not there is none."""
    make(tmp_path, {"birds.txt": coco(), "other.json": {"a": 1}})

    found = [CocoFormat().find(tmp_path / name) for name in ("birds.txt", "other.json", "gone.json")]

    assert found == ["birds.txt", None, None]


@pytest.mark.parametrize("name", ["gone", "empty", "gone.json"])
def test_without_a_file_there_is_no_dataset(tmp_path: Path, name: str) -> None:
    """The error names what was asked for."""
    (tmp_path / "empty").mkdir()

    with pytest.raises(InvalidDatasetError, match=name):
        read(tmp_path / name)


def test_links_in_circles_are_no_folders(tmp_path: Path) -> None:
    """Nor are they files."""
    make(tmp_path, {ANNOTATIONS: coco(thing()), "a.jpg": SIZE})
    for name in ("loop", "loop.json", ROBOFLOW):
        (tmp_path / name).symlink_to(name)

    assert places(tmp_path) == {("", "a.jpg"): "a.jpg"}


def test_the_source_is_never_written_to(tmp_path: Path) -> None:
    """No file is made, changed or touched."""
    make(tmp_path, {ANNOTATIONS: coco(thing()), "a.jpg": SIZE})
    before = {path: path.stat().st_mtime_ns for path in (tmp_path, *tmp_path.rglob("*"))}

    read(tmp_path)

    assert {path: path.stat().st_mtime_ns for path in (tmp_path, *tmp_path.rglob("*"))} == before
