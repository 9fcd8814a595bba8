from pathlib import Path

import pytest

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.model import ClassSpec
from tests.unit.formats.yolo_datasets import ROW, SIZE, YAML, Content, make, read

FLAT: dict[str, Content] = {"images/a.jpg": SIZE, "labels/a.txt": ROW}


def refused(folder: Path, **options: object) -> InvalidDatasetError:
    """Read what must be refused, and return the refusal."""
    with pytest.raises(InvalidDatasetError) as caught:
        read(folder, **options)
    assert caught.value.fix
    return caught.value


@pytest.mark.parametrize("name", ["data.yaml", "dataset.yaml", "coco8.YML"])
@pytest.mark.parametrize("names", ["[ant, bee, zebra]", "{2: zebra, 0: ant, 1: bee}", "\n- ant\n- bee\n- zebra"])
def test_names_are_a_list_or_a_mapping_in_any_order(tmp_path: Path, name: str, names: str) -> None:
    """Y1: what counts is the number of a class."""
    make(tmp_path, {**FLAT, name: f"train: images\nval: images\nnc: 3\nnames: {names}\n"})

    result = read(tmp_path)

    assert result.labels == ["ant", "bee", "zebra"]
    assert result.only().label == "bee"
    assert not result.losses.reasons


def test_numbers_without_a_name_get_one_and_nothing_shifts(tmp_path: Path) -> None:
    """Y1: a mapping may leave numbers out."""
    make(tmp_path, {**FLAT, "labels/a.txt": "3 .5 .5 .1 .1\n1 .5 .5 .1 .1\n4 .5 .5 .1 .1"})
    make(tmp_path, {"data.yaml": "train: images\nnc: 5\nnames:\n  3: dog\n  0: ant\n"})

    result = read(tmp_path)

    assert result.labels == ["ant", "class_1", "class_2", "dog", "class_4"]
    assert [each.label for each in result.items[0].annotations] == ["dog", "class_1", "class_4"]


def test_class_names_that_look_like_something_else_are_text(tmp_path: Path) -> None:
    """C10: quoted or not, a name is what is written."""
    names = "[no, 1, null, 1.10, 007, ~, 'a: b', \"#\", é ü, true, 2024-01-02]"
    make(tmp_path, {**FLAT, "data.yaml": f"train: images\nnames: {names}\n"})

    found = read(tmp_path).labels

    assert found == ["no", "1", "null", "1.10", "007", "~", "a: b", "#", "é ü", "true", "2024-01-02"]


def test_classes_txt_counts_where_the_yaml_file_has_no_names(tmp_path: Path) -> None:
    """An empty line in it is a class without a name."""
    make(tmp_path, {**FLAT, "classes.txt": "\ufeffant\r\n\r\nzebra\r\n\r\n"})

    assert read(tmp_path).labels == ["ant", "class_1", "zebra"]
    make(tmp_path, {"data.yaml": "train: images\nval: images\n"})
    assert read(tmp_path).labels == ["ant", "class_1", "zebra"]


def test_a_dataset_without_any_classes_is_refused(tmp_path: Path) -> None:
    """The error says where to put them."""
    make(tmp_path, FLAT)

    assert "classes.txt" in str(refused(tmp_path))


def test_a_count_that_contradicts_the_names_is_reported(tmp_path: Path) -> None:
    """The names count."""
    make(tmp_path, {**FLAT, "data.yaml": "train: images\nnc: 5\nnames: [ant, bee]\n"})

    result = read(tmp_path)

    assert result.labels == ["ant", "bee"]
    assert result.words("CONFIGURATION") == ["data.yaml nc is 5, and names has 2"]


def test_classes_of_one_name_become_one(tmp_path: Path) -> None:
    """Both numbers stand for it, and the report says so."""
    make(tmp_path, {**FLAT, "labels/a.txt": "0 .5 .5 .1 .1\n2 .5 .5 .1 .1"})
    make(tmp_path, {"data.yaml": "train: images\nnames: [ant, bee, ant]\n"})

    result = read(tmp_path)

    assert result.labels == ["ant", "bee"]
    assert [each.label for each in result.items[0].annotations] == ["ant", "ant"]
    assert result.codes == {("noted", "CONFIGURATION"): 1}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("names: ant\n", "a list or a mapping"),
        ("names: {ant: 0}\n", "'ant' is no whole number"),
        ("names: {-1: ant}\n", "-1"),
        ("names: {4000000000: ant}\n", "4000000000"),
        ("names: {0: a, 00: b}\n", "twice"),
        ("names: [[a]]\n", "no name"),
        ("names: [a\n", "line 2"),
        ("names: [a]\ntrain: {a: b}\n", "'train' is neither a path nor a list of paths"),
        ("names: [a]\ntrain: images\nkpt_shape: 17\n", "kpt_shape"),
        ("names: [a]\ntrain: images\nkpt_shape: [17, 4]\n", "2 or 3"),
        ("names: [a]\ntrain: images\nkpt_shape: [1000000000, 3]\n", "kpt_shape"),
        ("names: [a]\ntrain: images\nkpt_shape: [2, 3]\nkpt_names: {0: nose}\n", "kpt_names"),
    ],
)
def test_a_configuration_that_cannot_be_read_is_refused(tmp_path: Path, text: str, shown: str) -> None:
    """The error names the file and what was found."""
    make(tmp_path, {**FLAT, "data.yaml": text})

    error = refused(tmp_path)

    assert "data.yaml" in str(error)
    assert shown in str(error)


def test_several_configurations_are_refused_by_name(tmp_path: Path) -> None:
    """Unless one of them is named instead of the folder."""
    make(tmp_path, {**FLAT, "a.yaml": YAML, "b.yaml": "train: images\nval: images\nnames: [x, y]\n", "c.yaml": "lr: 1"})

    assert "a.yaml, b.yaml" in str(refused(tmp_path))
    assert read(tmp_path / "b.yaml").only().label == "y"


def test_poses_have_their_joints_from_the_yaml_file(tmp_path: Path) -> None:
    """L6, P1: names, mirror images and bones of joints are kept; joints without a name get one."""
    text = (
        "train: images\nnames: [person, dog]\nkpt_shape: [3, 3]\nflip_idx: [0, 2, 1]\n"
        "kpt_names: {0: [nose, left, right]}\nkpt_skeleton: {0: [[0, 1], [0, 2]]}\n"
    )
    make(tmp_path, {"images/a.jpg": SIZE, "data.yaml": text})

    assert read(tmp_path).info.classes == (
        ClassSpec(name="person", joints=("nose", "left", "right"), flip=(0, 2, 1), skeleton=((0, 1), (0, 2))),
        ClassSpec(name="dog", joints=("joint_0", "joint_1", "joint_2"), flip=(0, 2, 1)),
    )


def test_mirror_images_that_make_no_sense_are_left_out(tmp_path: Path) -> None:
    """The report says so, and poses are read."""
    make(tmp_path, {"images/a.jpg": SIZE, "data.yaml": "train: images\nnames: [a]\nkpt_shape: [3, 3]\nflip_idx: [0]\n"})

    result = read(tmp_path)

    assert result.info.classes[0].flip == ()
    assert result.codes == {("noted", "CONFIGURATION"): 1}
