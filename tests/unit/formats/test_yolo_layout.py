import os
from pathlib import Path

import pytest

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.yolo import YoloFormat
from tests.unit.formats.yolo_datasets import ROW, SIZE, YAML, Content, make, read

NAMES = "names: [ant, bee, zebra]\n"
SPLITS: dict[str, Content] = {
    "train/images/a.jpg": SIZE,
    "train/labels/a.txt": ROW,
    "valid/images/b.jpg": SIZE,
    "valid/labels/b.txt": ROW,
}


def refused(folder: Path, **options: object) -> InvalidDatasetError:
    """Read what must be refused, and return the refusal."""
    with pytest.raises(InvalidDatasetError) as caught:
        read(folder, **options)
    assert caught.value.fix
    return caught.value


@pytest.mark.parametrize("key", ["val", "valid", "validation"])
def test_splits_are_read_from_the_paths_of_the_yaml_file(tmp_path: Path, key: str) -> None:
    """N2: whatever the key is called, the split is `valid`; the order is train, valid, test."""
    make(tmp_path, {**SPLITS, "more/pictures/c.jpg": SIZE, "more/pictures/c.txt": ROW})
    make(tmp_path, {"data.yaml": f"test: more/pictures\n{key}: valid/images/\ntrain: train/images\n{NAMES}"})

    result = read(tmp_path)

    assert result.names == [("train", "a.jpg"), ("valid", "b.jpg"), ("test", "c.jpg")]
    assert result.info.splits == ("train", "valid", "test")
    assert result.info.count == 3
    assert [len(item.annotations) for item in result.items] == [1, 1, 1]


def test_two_names_of_one_split_are_refused(tmp_path: Path) -> None:
    """N2: the error has both."""
    make(tmp_path, {**SPLITS, "data.yaml": f"val: valid/images\nvalidation: train/images\n{NAMES}"})

    assert "'val' and 'validation'" in str(refused(tmp_path))


@pytest.mark.parametrize("key", ["train", "test"])
def test_one_split_alone_is_enough(tmp_path: Path, key: str) -> None:
    """N2: splits are never invented."""
    make(
        tmp_path, {"train/images/a.jpg": SIZE, "train/labels/a.txt": ROW, "data.yaml": f"{key}: train/images\n{NAMES}"}
    )

    assert read(tmp_path).names == [(key, "a.jpg")]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("train: images/train\nval: images/train\n", [("train", "a.jpg")]),
        ("train: images/train\nval: images/train\ntest: images/t\n", [("train", "a.jpg"), ("test", "b.jpg")]),
        ("train: [images/train, images/t]\nval: [images/t, images/train]\n", [("", "a.jpg"), ("", "b.jpg")]),
        ("train: train.TXT\nval: train.TXT\ntest: images/t\n", [("train", "train/a.jpg"), ("test", "b.jpg")]),
        ("train: train.TXT\nval: train.TXT\n", [("train", "train/a.jpg")]),
    ],
)
def test_images_that_stand_in_for_another_split_are_read_once(
    tmp_path: Path, text: str, names: list[tuple[str, str]]
) -> None:
    """N2: trainers insist on two splits, and many a dataset names one folder for both."""
    make(tmp_path, {"images/train/a.jpg": SIZE, "images/t/b.jpg": SIZE, "data.yaml": f"{text}{NAMES}"})
    make(tmp_path, {"train.TXT": "images/train/a.jpg\n"})

    result = read(tmp_path)

    assert result.names == names
    assert not result.codes


def test_an_empty_path_is_no_split(tmp_path: Path) -> None:
    """As in many published files."""
    text = f"train: train/images\nval: valid/images\ntest: # optional\n{NAMES}"
    make(tmp_path, {**SPLITS, "data.yaml": text})

    assert read(tmp_path).info.splits == ("train", "valid")


def test_one_folder_for_training_and_validation_is_a_dataset_without_splits(tmp_path: Path) -> None:
    """No image is there twice."""
    make(tmp_path, {"images/a.jpg": SIZE, "labels/a.txt": ROW, "data.yaml": YAML})

    result = read(tmp_path)

    assert result.names == [("", "a.jpg")]
    assert result.info.splits == ()


@pytest.mark.parametrize(
    "path", [".", "./", "", "not/there", "../coco8", "/nowhere/at/all", "~", "null", "../../elsewhere"]
)
def test_a_path_that_is_not_there_means_the_folder_of_the_yaml_file(tmp_path: Path, path: str) -> None:
    """F1: datasets are moved, and `path` stays what it was."""
    root = make(
        tmp_path / "coco8", {**SPLITS, "data.yaml": f"path: {path}\ntrain: train/images\nval: valid/images\n{NAMES}"}
    )

    result = read(root)

    assert result.names == [("train", "a.jpg"), ("valid", "b.jpg")]
    assert not result.losses.reasons


def test_a_relative_path_is_relative_to_the_yaml_file(tmp_path: Path) -> None:
    """F1."""
    make(tmp_path, {"set/train/images/a.jpg": SIZE, "data.yaml": f"path: set\ntrain: train/images\n{NAMES}"})

    assert read(tmp_path).names == [("train", "a.jpg")]


def test_an_absolute_path_is_followed_and_named(tmp_path: Path) -> None:
    """F1: a dataset may be outside of the folder of its YAML file, if it says so in full."""
    data = make(tmp_path / "images" / "data", SPLITS)
    text = f"path: {data}\ntrain: train/images\nval: {data}/valid/images\n{NAMES}"
    root = make(tmp_path / "configuration", {"data.yaml": text})

    result = read(root)

    assert result.names == [("train", "a.jpg"), ("valid", "b.jpg")]
    assert [len(item.annotations) for item in result.items] == [1, 1]
    assert result.codes == {("noted", "ELSEWHERE"): 2}
    assert all(str(data) in words for words in result.words("ELSEWHERE"))


def test_what_is_in_the_dataset_counts_more_than_an_absolute_path(tmp_path: Path) -> None:
    """F1: the copy of a dataset still names the original, which is there, too."""
    text = f"path: {tmp_path / 'first'}\ntrain: train/images\n{NAMES}"
    make(tmp_path / "first", {"train/images/old.jpg": SIZE, "data.yaml": text})
    copy = make(tmp_path / "copy", {"train/images/new.jpg": SIZE, "data.yaml": text})

    result = read(copy)

    assert result.names == [("train", "new.jpg")]
    assert "first/train/images" in result.words("ELSEWHERE")[0]


def test_an_absolute_path_of_another_machine_is_found_in_the_dataset(tmp_path: Path) -> None:
    """By what it ends with; the report says what was read."""
    make(
        tmp_path, {**SPLITS, "data.yaml": f"train: /content/set/train/images\nval: /content/set/valid/images\n{NAMES}"}
    )

    result = read(tmp_path)

    assert result.names == [("train", "a.jpg"), ("valid", "b.jpg")]
    assert result.codes == {("noted", "ELSEWHERE"): 2}


def test_paths_of_windows_are_understood(tmp_path: Path) -> None:
    """Whether relative or of another machine."""
    text = f"path: 'C:\\data\\set'\ntrain: train\\images\nval: 'D:\\data\\set\\valid\\images'\n{NAMES}"
    make(tmp_path, {**SPLITS, "data.yaml": text})

    assert read(tmp_path).names == [("train", "a.jpg"), ("valid", "b.jpg")]


def test_paths_that_lead_out_are_taken_as_if_they_did_not(tmp_path: Path) -> None:
    """Exports of well-known tools have `../train/images` for the folder beside the YAML file."""
    make(tmp_path, {"secret/images/s.jpg": SIZE})
    root = make(tmp_path / "set", {**SPLITS, "data.yaml": f"train: ../train/images\nval: ../valid/images\n{NAMES}"})
    hostile = make(tmp_path / "hostile", {"data.yaml": f"path: ../secret\ntrain: ../../secret/images\n{NAMES}"})

    assert read(root).names == [("train", "a.jpg"), ("valid", "b.jpg")]
    assert "'../../secret/images'" in str(refused(hostile))


def test_folders_that_are_not_there_are_named(tmp_path: Path) -> None:
    """All of them at once."""
    make(
        tmp_path, {**SPLITS, "data.yaml": f'train: gone/images\nval: valid/images\ntest: [also/gone, "x\\0y"]\n{NAMES}'}
    )

    error = refused(tmp_path)

    assert "'gone/images', 'also/gone'" in str(error)
    assert "data.yaml" in str(error)


def test_no_path_is_too_long_to_be_refused(tmp_path: Path) -> None:
    """Neither that of a split, nor a remark under a key that nobody knows."""
    make(tmp_path, {**SPLITS, "data.yaml": f"train: train/images\nval: {'a' * 5000}\n{NAMES}"})

    assert "aaaa" in str(refused(tmp_path))
    make(tmp_path, {"data.yaml": f"train: train/images\nval: valid/images\ndescription: {'a' * 5000}\n{NAMES}"})
    assert len(read(tmp_path).items) == 2


def test_a_test_split_that_was_never_made_is_reported(tmp_path: Path) -> None:
    """Roboflow names one in any case; trainers ask for none."""
    make(
        tmp_path,
        {**SPLITS, "data.yaml": f"train: ../train/images\nval: ../valid/images\ntest: ../test/images\n{NAMES}"},
    )

    result = read(tmp_path)

    assert result.names == [("train", "a.jpg"), ("valid", "b.jpg")]
    assert result.codes == {("failed", "MISSING_PLACE"): 1}
    assert result.words("MISSING_PLACE") == ["data.yaml ../test/images"]


def test_the_list_of_classes_may_be_among_the_labels(tmp_path: Path) -> None:
    """Where LabelImg puts it."""
    make(tmp_path, {"images/a.jpg": SIZE, "labels/a.txt": ROW, "labels/classes.txt": "ant\nbee\n"})

    assert [each.label for each in read(tmp_path).items[0].annotations] == ["bee"]


def test_label_files_may_be_beside_images_and_classes(tmp_path: Path) -> None:
    """As LabelImg saves them; without the list of classes, text files say nothing."""
    make(tmp_path, {"a.JPG": SIZE, "a.txt": ROW, "b.png": SIZE})
    assert YoloFormat().find(tmp_path) is None

    make(tmp_path, {"classes.txt": "ant\nbee\n"})

    result = read(tmp_path)
    assert YoloFormat().find(tmp_path) == "a.txt"
    assert [(item.name, [each.label for each in item.annotations]) for item in result.items] == [
        ("a.JPG", ["bee"]),
        ("b.png", []),
    ]
    assert not result.codes


def test_a_split_may_have_several_folders(tmp_path: Path) -> None:
    """C6: equal names in them stay apart."""
    make(tmp_path, {"one/images/a.jpg": SIZE, "two/images/a.jpg": SIZE, "two/labels/a.txt": ROW})
    make(tmp_path, {"data.yaml": f"train: [one/images, two/images]\n{NAMES}"})

    result = read(tmp_path)

    assert result.names == [("train", "one/images/a.jpg"), ("train", "two/images/a.jpg")]
    assert [len(item.annotations) for item in result.items] == [0, 1]


def test_a_split_may_be_a_list_of_images(tmp_path: Path) -> None:
    """Relative to the list or to the dataset; what cannot be read is reported with its line."""
    make(tmp_path, {"images/x/a.jpg": SIZE, "labels/x/a.txt": ROW, "images/b.jpg": SIZE, "other.jpg": SIZE})
    make(tmp_path.parent, {"outside.jpg": SIZE})
    lists = "\ufeff./images/x/a.jpg\r\n\r\nimages/gone.jpg\n../outside.jpg\nother.jpg\nimages/x/a.jpg\n"
    make(tmp_path, {"train.txt": lists, "lists/val.txt": f"{tmp_path}/images/b.jpg\n"})
    make(tmp_path, {"data.yaml": f"train: train.txt\nval: lists/val.txt\n{NAMES}"})

    result = read(tmp_path)

    assert result.names == [("train", "other.jpg"), ("train", "x/a.jpg"), ("valid", "b.jpg")]
    assert [len(item.annotations) for item in result.items] == [0, 1, 0]
    assert result.words("MISSING_IMAGE") == ["train.txt:3"]
    assert result.words("UNSAFE_NAME") == ["train.txt:4"]
    assert result.words("LISTED_TWICE") == ["train.txt has it twice"]


@pytest.mark.parametrize("above", ["/content/drive/set/", "data/", "C:\\sets\\mine\\", "\\\\server\\sets\\"])
def test_a_list_may_have_the_paths_of_another_place(tmp_path: Path, above: str) -> None:
    """Of the machine where it was made, or as CVAT writes them; what a path ends with may be here. It is said once."""
    slash = "\\" if "\\" in above else "/"
    names = ["images/train/a.jpg", "images/train/b.jpg", "images/train/missing.jpg"]
    lists = "".join(f"{above}{name.replace('/', slash)}\n" for name in names)
    make(tmp_path, {"train.txt": lists, "labels/train/a.txt": ROW, **dict.fromkeys(names[:2], SIZE)})
    make(tmp_path, {"data.yaml": f"path: .\ntrain: train.txt\n{NAMES}"})

    result = read(tmp_path)

    assert [item.name for item in result.items] == ["train/a.jpg", "train/b.jpg"]
    assert [len(item.annotations) for item in result.items] == [1, 0]
    assert result.codes == {("noted", "ELSEWHERE"): 1, ("failed", "MISSING_IMAGE"): 1}


def test_an_image_in_two_splits_is_reported(tmp_path: Path) -> None:
    """N2: it stays in both, as the dataset says."""
    make(tmp_path, {"images/a.jpg": SIZE, "images/val/b.jpg": SIZE, "labels/val/b.txt": ROW})
    make(tmp_path, {"data.yaml": f"train: images\nval: images/val\n{NAMES}"})

    result = read(tmp_path)

    assert result.names == [("train", "a.jpg"), ("train", "val/b.jpg"), ("valid", "b.jpg")]
    assert result.codes == {("noted", "TWO_SPLITS"): 1}


def test_a_split_that_the_yaml_file_forgets_is_reported(tmp_path: Path) -> None:
    """N2: no split leaves a dataset silently."""
    make(tmp_path, {**SPLITS, "test/images/c.jpg": SIZE, "val/images/.keep": "", "data.yaml": ""})
    make(tmp_path, {"data.yaml": f"train: train/images\nval: valid/images\n{NAMES}"})

    result = read(tmp_path)

    assert result.codes == {("failed", "UNLISTED"): 1}
    assert result.words("UNLISTED") == ["test/images it has 1 images"]


def test_other_keys_that_name_folders_are_splits(tmp_path: Path) -> None:
    """N2: names beyond the usual ones are kept; other remarks are none."""
    make(tmp_path, {**SPLITS, "hold/images/c.jpg": SIZE})
    text = f"author: me\nholdout: hold/images\nval: valid/images\ntrain: train/images\nroboflow: {{a: b}}\n{NAMES}"
    make(tmp_path, {"data.yaml": text})

    assert read(tmp_path).names == [("train", "a.jpg"), ("valid", "b.jpg"), ("holdout", "c.jpg")]


@pytest.mark.parametrize("folder", ["images", "img", "imgs"])
def test_folders_alone_tell_where_images_are(tmp_path: Path, folder: str) -> None:
    """Without a YAML file, with and without splits."""
    flat = make(tmp_path / "flat", {f"{folder}/x/a.jpg": SIZE, "labels/x/a.txt": ROW, "classes.txt": "ant\nbee\n"})
    split = make(
        tmp_path / "split", {f"val/{folder}/a.jpg": SIZE, "val/labels/a.txt": ROW, "classes.txt": "ant\nbee\n"}
    )
    inner = make(tmp_path / "in", {f"{folder}/val/a.jpg": SIZE, "labels/val/a.txt": ROW, "classes.txt": "ant\nbee\n"})

    for root, name in ((flat, ("", "x/a.jpg")), (split, ("valid", "a.jpg")), (inner, ("valid", "a.jpg"))):
        result = read(root)
        assert result.names == [name]
        assert result.only().label == "bee"


def test_validation_under_two_names_is_refused_without_a_yaml_file(tmp_path: Path) -> None:
    """N2."""
    make(tmp_path, {"val/images/a.jpg": SIZE, "valid/images/a.jpg": SIZE, "classes.txt": "ant"})

    assert "'val' and 'valid'" in str(refused(tmp_path))


def test_a_dataset_without_images_or_half_in_splits_is_refused(tmp_path: Path) -> None:
    """The error says what to do."""
    make(tmp_path, {"labels/a.txt": ROW, "classes.txt": "ant\nbee"})
    assert "no folder of images" in str(refused(tmp_path))

    make(tmp_path, {"images/a.jpg": SIZE, "train/images/b.jpg": SIZE})
    assert "both with and without splits" in str(refused(tmp_path))


def test_a_tree_for_each_task_is_read_by_its_task(tmp_path: Path) -> None:
    """One is read as it is; of several, one has to be chosen."""
    make(tmp_path, {f"detect/{name}": content for name, content in SPLITS.items()})
    make(tmp_path, {"detect/dataset.yaml": f"train: train/images\nval: valid/images\n{NAMES}"})
    assert read(tmp_path).names == [("train", "a.jpg"), ("valid", "b.jpg")]

    ring = "0 .1 .1 .2 .1 .2 .2\n"
    make(tmp_path, {"segment/images/s.jpg": SIZE, "segment/labels/s.txt": ring, "segment/dataset.yaml": YAML})
    assert "detect, segment" in str(refused(tmp_path))
    assert read(tmp_path, task="segment").names == [("", "s.jpg")]


def test_only_the_last_folder_called_images_becomes_labels(tmp_path: Path) -> None:
    """F2: as trainers have it, and not those above the dataset."""
    root = tmp_path / "images" / "set"
    make(root, {"images/a/images/x.jpg": SIZE, "images/a/labels/x.txt": ROW, "images/y.jpg": SIZE, "labels/y.txt": ROW})
    make(root, {"data.yaml": YAML})

    result = read(root)

    assert result.names == [("", "a/x.jpg"), ("", "y.jpg")]
    assert [len(item.annotations) for item in result.items] == [1, 1]
    assert not result.losses.reasons


def test_labels_may_be_beside_images(tmp_path: Path) -> None:
    """Where no folder is called `images`; other text files are no labels."""
    make(
        tmp_path,
        {"obj/a.jpg": SIZE, "obj/a.txt": ROW, "obj/lost.txt": ROW, "obj/readme.txt": "Hello", "obj/classes.txt": "0"},
    )
    make(tmp_path, {"data.yaml": f"train: obj\n{NAMES}"})

    result = read(tmp_path)

    assert [len(item.annotations) for item in result.items] == [1]
    assert result.words("MISSING_IMAGE") == ["obj/lost.txt"]


def test_equal_names_in_sub_folders_stay_apart(tmp_path: Path) -> None:
    """C6, D3, Y7: a name has its folders."""
    make(tmp_path, {"images/a/x.jpg": SIZE, "images/b/x.jpg": SIZE, "labels/a/x.txt": ROW, "labels/b/x.txt": ROW * 2})
    make(tmp_path, {"data.yaml": YAML})

    result = read(tmp_path)

    assert result.names == [("", "a/x.jpg"), ("", "b/x.jpg")]
    assert [len(item.annotations) for item in result.items] == [1, 2]


def test_suffixes_of_images_may_be_in_any_case(tmp_path: Path) -> None:
    """D5, D8: found by listing the folder; only the last suffix is replaced."""
    names = ["a.JPG", "b.jpeg", "c.TIF", "d.webp", "e.Bmp", "scan.v1.png", "사진 é (1).png"]
    make(tmp_path, {f"images/{name}": SIZE for name in names})
    make(tmp_path, {f"labels/{name.rpartition('.')[0]}.txt": ROW for name in names})
    make(tmp_path, {"data.yaml": YAML, "images/.hidden.jpg": "", "images/notes.md": ""})

    result = read(tmp_path)

    assert sorted(item.name for item in result.items) == sorted(names)
    assert all(len(item.annotations) == 1 for item in result.items)
    assert not result.losses.reasons


def test_names_that_no_report_could_hold_are_refused(tmp_path: Path) -> None:
    """C14: names with a backslash, and names that are not UTF-8."""
    make(tmp_path, {"images/a\\b.jpg": SIZE, "images/good.jpg": SIZE, "data.yaml": YAML})
    (tmp_path / "images" / os.fsdecode(b"\xff.jpg")).write_bytes((tmp_path / "images/good.jpg").read_bytes())

    result = read(tmp_path)

    assert result.names == [("", "good.jpg")]
    assert result.codes == {("failed", "UNSAFE_NAME"): 2}
