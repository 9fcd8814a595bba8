from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.errors import ConfigurationError, InvalidDatasetError
from synapse_sdk.formats.base import BoundsPolicy, ImageTransfer
from synapse_sdk.formats.losses import Outcome
from synapse_sdk.formats.model import (
    Annotation,
    ClassSpec,
    Item,
    Keypoints,
    Polygon,
    Polyline,
    Relation,
    RotatedBox,
    Verbatim,
)
from tests.unit.formats.yolo_datasets import ROW, SIZE, YAML, box_of, image, info_of, item_of, make, read, write

BOX = box_of(10, 10, 20, 20)
RING = (10.0, 10.0, 30.0, 10.0, 30.0, 30.0)


def test_a_box_is_a_row_of_its_centre_and_size(tmp_path: Path) -> None:
    """Fractions of the image, with six decimals."""
    written = write(tmp_path / "out", [item_of(BOX)])

    assert (tmp_path / "out/labels/a.txt").read_text() == "1 0.200000 0.400000 0.200000 0.400000\n"
    assert written.results == [True]
    assert written.counts == {("bee", "bounding_box"): 1}
    assert not written.losses.reasons


def test_a_dataset_without_splits_is_written_flat(tmp_path: Path) -> None:
    """F1: trainers use all images for both purposes; there is no `path`, so the folder may be moved."""
    source = image(tmp_path / "source/a.jpg")
    item = Item(name="a.jpg", path=str(source), annotations=[BOX])

    written = write(tmp_path / "out", [item], images=ImageTransfer.COPY)

    assert written.files == ["classes.txt", "dataset.yaml", "images/a.jpg", "labels/a.txt"]
    text = 'train: images\nval: images\nnc: 3\nnames: ["ant", "bee", "zebra"]\n'
    assert (tmp_path / "out/dataset.yaml").read_text() == text
    assert (tmp_path / "out/classes.txt").read_text() == "ant\nbee\nzebra\n"
    assert (tmp_path / "out/images/a.jpg").read_bytes() == source.read_bytes()


def test_splits_are_folders_and_keys(tmp_path: Path) -> None:
    """N2, F1: those that there are, in the usual order; in the YAML file `valid` is `val`."""
    items = [item_of(BOX, split=split, name=f"x/{split}.jpg") for split in ("test", "valid", "train", "holdout")]

    written = write(tmp_path, items, info_of(splits=("train", "valid", "test", "holdout")))

    assert written.files[2:] == [f"{split}/labels/x/{split}.txt" for split in ("holdout", "test", "train", "valid")]
    assert list(written.yaml.items())[:4] == [
        ("train", "train/images"),
        ("val", "valid/images"),
        ("test", "test/images"),
        ("holdout", "holdout/images"),
    ]


@pytest.mark.parametrize(
    ("splits", "stood_in"),
    [
        (("train",), {"val": "train/images"}),
        (("train", "test"), {"val": "train/images"}),
        (("valid", "test"), {"train": "valid/images"}),
        (("test",), {"train": "test/images", "val": "test/images"}),
        (("holdout",), {"train": "holdout/images", "val": "holdout/images"}),
        (("train", "valid"), {}),
    ],
)
def test_splits_are_never_invented(tmp_path: Path, splits: tuple[str, ...], stood_in: dict[str, str]) -> None:
    """N2: for those that trainers insist on another one stands in, which is said, and is no split to who reads it."""
    source = image(tmp_path / "source/a.jpg")
    items = [Item(name="a.jpg", split=splits[0], path=str(source), annotations=[BOX])]

    written = write(tmp_path / "out", items, info_of(splits=splits), images=ImageTransfer.COPY)

    places = {key: place for key, place in written.yaml.items() if key not in {"nc", "names"}}
    assert places == {("val" if split == "valid" else split): f"{split}/images" for split in splits} | stood_in
    assert [*places][:2] == ["train", "val"]
    assert written.losses.reasons.total() == len(stood_in)
    assert {reason.code for _, reason in written.losses.reasons} == ({"SPLIT_MISSING"} if stood_in else set())
    assert sorted(each.name for each in (tmp_path / "out").iterdir() if each.is_dir()) == sorted(splits)
    again = read(tmp_path / "out")
    assert again.info.splits == splits
    assert [item.split for item in again.items] == [splits[0]]


def test_a_split_cannot_have_the_name_of_something_else(tmp_path: Path) -> None:
    """Nor lead out of the dataset, and items are in splits, or none is."""
    for split in ("names", "../up", "a/b"):
        with pytest.raises(ConfigurationError, match="cannot be called"):
            write(tmp_path, [], info_of(splits=(split,)))
    with pytest.raises(InvalidDatasetError, match="Some items"):
        write(tmp_path, [item_of(split="train"), item_of()], info_of(splits=("train",)))


def test_class_names_come_back_from_the_yaml_file_as_they_are(tmp_path: Path) -> None:
    """C10: quoted, so that neither a trainer nor our reader takes them for something else."""
    names = [
        "no",
        "1",
        "null",
        "a: b",
        "é ü",
        "#",
        "'",
        '"',
        "\\n",
        "{x}",
        "- y",
        " ",
        "고양이 🐈",
        "a\nb",
        "\x7f\x85\u2028",
        "",
    ]
    make(tmp_path, {"images/a.jpg": SIZE})

    written = write(tmp_path, [], info_of(names))

    assert written.yaml["names"] == names
    assert written.yaml["nc"] == len(names)
    assert read(tmp_path).labels == [*names[:-1], "class_15"]
    assert len((tmp_path / "classes.txt").read_text(encoding="utf-8").split("\n")) == len(names) + 1


def test_an_image_without_annotations_has_an_empty_label_file(tmp_path: Path) -> None:
    """C3: it is an item like any other, and needs no size."""
    written = write(tmp_path, [Item(name="a.jpg"), Item(name="b.jpg", annotations=[])])

    assert written.results == [True, True]
    assert (tmp_path / "labels/a.txt").read_bytes() == b""
    assert not written.losses.reasons


@pytest.mark.parametrize(
    ("box", "row"),
    [
        ((-10, -5, 40, 20), [1, 0.15, 0.15, 0.3, 0.3]),
        ((80, 40, 30, 30), [1, 0.9, 0.9, 0.2, 0.2]),
        ((-10, -10, 200, 200), [1, 0.5, 0.5, 1, 1]),
    ],
)
def test_a_box_that_reaches_over_the_edge_is_cut_and_reported(
    tmp_path: Path, box: tuple[float, float, float, float], row: list[float]
) -> None:
    """C4, L11: trainers leave out images with such boxes."""
    written = write(tmp_path, [item_of(box_of(*box))])

    assert written.rows() == [row]
    assert written.codes == {("changed", "CLIPPED"): 1}


def test_rounding_at_the_edge_is_cut_without_a_word(tmp_path: Path) -> None:
    """D7: 1e-7 of a pixel is no loss."""
    written = write(tmp_path, [item_of(box_of(70.1, 10, 29.9000001, 20), box_of(-1e-9, 0, 10, 10))])

    assert len(written.rows()) == 2
    assert not written.losses.reasons


@pytest.mark.parametrize(
    ("policy", "codes"),
    [(BoundsPolicy.CLIP, {("changed", "CLIPPED"): 1}), (BoundsPolicy.DROP, {("dropped", "OUTSIDE"): 1})],
)
def test_what_becomes_of_what_is_outside_can_be_chosen(
    tmp_path: Path, policy: BoundsPolicy, codes: dict[tuple[str, str], int]
) -> None:
    """L11: but never a fraction outside of 0 to 1."""
    annotation = box_of(90, 10, 20, 20)

    assert write(tmp_path / "out", [item_of(annotation)], bounds=policy).codes == codes
    with pytest.raises(InvalidDatasetError, match="over the edge"):
        write(tmp_path / "error", [item_of(annotation)], bounds=BoundsPolicy.ERROR)
    with pytest.raises(ConfigurationError, match="cannot have annotations that reach over"):
        write(tmp_path / "keep", [], bounds=BoundsPolicy.KEEP)


@pytest.mark.parametrize(
    ("box", "code"),
    [
        ((10, 10, 0, 5), "EMPTY"),
        ((10, 10, -5, 5), "EMPTY"),
        ((10, 10, 5, 1e-6), "EMPTY"),
        ((100, 10, 5, 5), "NOT_IN_IMAGE"),
        ((200, 10, 5, 5), "NOT_IN_IMAGE"),
        ((float("nan"), 10, 5, 5), "NOT_A_NUMBER"),
        ((10, 10, 5, float("inf")), "NOT_A_NUMBER"),
    ],
)
def test_a_box_that_is_nothing_is_dropped_and_reported(
    tmp_path: Path, box: tuple[float, float, float, float], code: str
) -> None:
    """C5: without extent, outside of the image, too small for six decimals, or no number."""
    written = write(tmp_path, [item_of(box_of(*box), box_of(1, 1, 5, 5, id="b2"))])

    assert len(written.rows()) == 1
    assert written.codes[("dropped", code)] == 1
    assert written.losses.annotations.total() == 1


def test_six_decimals_are_enough_for_large_images(tmp_path: Path) -> None:
    """C11: less than 0.05 px of 4,000."""
    box = (1234.37, 987.61, 33.13, 21.47)

    written = write(tmp_path, [item_of(box_of(*box), size=(4000, 3000))])

    ((_, center_x, center_y, width, height),) = written.rows()
    found = ((center_x - width / 2) * 4000, (center_y - height / 2) * 3000, width * 4000, height * 3000)
    assert found == pytest.approx(box, abs=0.005)


def test_crowds_are_no_objects(tmp_path: Path) -> None:
    """C2: counted in the report."""
    written = write(tmp_path, [item_of(BOX, box_of(0, 0, 9, 9, id="c", is_crowd=True))])

    assert len(written.rows()) == 1
    assert written.codes == {("dropped", "CROWD"): 1}


def test_classes_that_the_dataset_has_not_are_reported(tmp_path: Path) -> None:
    """So are annotations without a class."""
    written = write(tmp_path, [item_of(box_of(1, 1, 5, 5, "cow"), box_of(1, 1, 5, 5, "", id="b2"))])

    assert written.rows() == []
    assert written.codes == {("dropped", "UNKNOWN_CLASS"): 1, ("dropped", "LABEL_MISSING"): 1}


def test_attributes_and_groups_have_no_place(tmp_path: Path) -> None:
    """L5: the object is written, and the report has what is lost."""
    written = write(tmp_path, [item_of(box_of(1, 1, 5, 5, attributes={"color": "red", "occluded": True}, group="g"))])

    assert len(written.rows()) == 1
    assert written.codes == {("changed", "ATTRIBUTES"): 1, ("changed", "GROUP"): 1}
    assert written.words("ATTRIBUTES") == ["color, occluded"]
    assert written.losses.annotations == {Outcome.CHANGED: 1}


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (Annotation(id="1", label="bee", shape=Polyline([1, 1, 9, 9])), "polyline in task detect"),
        (Annotation(id="1", label="bee", shape=Relation("a", "b")), "relation in task detect"),
        (Annotation(id="1", label="bee"), "classification in task detect"),
        (Annotation(id="1", label="bee", shape=Verbatim("time_range", "data_1", {})), "time_range in task detect"),
    ],
)
def test_what_is_no_object_in_a_place_is_dropped_and_reported(
    tmp_path: Path, annotation: Annotation, words: str
) -> None:
    """L4, L10."""
    info = info_of(["bee", ClassSpec(name="person", joints=("nose",))])
    for task in ("detect", "segment", "obb", "pose"):
        written = write(tmp_path / task, [item_of(annotation)], info, task=task)
        assert written.rows() == []
        assert written.codes == {("dropped", "SHAPE"): 1}
        assert written.words("SHAPE") == [words.replace("detect", task)]


def test_what_is_no_image_is_not_written(tmp_path: Path) -> None:
    """L10: with or without annotations."""
    (tmp_path / "a.mp4").write_text("film")
    video = item_of(name="a.mp4", size=(0, 0))
    video.path = str(tmp_path / "a.mp4")

    written = write(tmp_path / "out", [video], images="copy")

    assert written.codes == {("dropped", "NO_IMAGE"): 1}
    assert written.files == ["classes.txt", "dataset.yaml"]


def test_relations_have_no_class_that_could_be_missing(tmp_path: Path) -> None:
    """Their labels are not among the classes of objects."""
    relation = Annotation(id="1", label="part_of", shape=Relation("a", "b"))

    assert write(tmp_path, [item_of(relation)]).codes == {("dropped", "SHAPE"): 1}


@pytest.mark.parametrize(
    ("more", "row", "words"),
    [
        ({"box": None, "shape": Polygon([RING])}, [1, 0.2, 0.4, 0.2, 0.4], ["polygon in task detect"]),
        ({"shape": Polygon([(0, 0, 1, 0, 1, 1)])}, [1, 0.2, 0.4, 0.2, 0.4], ["polygon in task detect"]),
        (
            {"box": None, "shape": RotatedBox(20, 20, 20, 10, 0)},
            [1, 0.2, 0.4, 0.2, 0.2],
            ["rotated_box in task detect"],
        ),
        ({"shape": Polyline([1, 1, 2, 2])}, [1, 0.2, 0.4, 0.2, 0.4], ["polyline in task detect"]),
        (
            {"box": None, "keypoints": Keypoints([10, 10, 2, 30, 30, 1, 0, 0, 0])},
            [1, 0.2, 0.4, 0.2, 0.4],
            ["keypoint in task detect"],
        ),
        (
            {"shape": Polygon([RING]), "keypoints": Keypoints([10, 10, 2])},
            [1, 0.2, 0.4, 0.2, 0.4],
            ["polygon in task detect", "keypoint in task detect"],
        ),
    ],
)
def test_boxes_are_written_for_other_shapes_and_reported(
    tmp_path: Path, more: dict[str, Any], row: list[float], words: list[str]
) -> None:
    """L3: an object counts once, whatever it loses."""
    written = write(tmp_path, [item_of(box_of(10, 10, 20, 20, **more))])

    assert written.rows() == [row]
    assert written.words("SHAPE") == words
    assert written.losses.annotations == {Outcome.CHANGED: 1}


def test_sub_folders_are_mirrored(tmp_path: Path) -> None:
    """C6, D3: images of one name in two folders have two label files."""
    items = [item_of(BOX, name="camA/x.jpg"), item_of(BOX, name="camB/x.jpg")]

    written = write(tmp_path, items)

    assert written.files[2:] == ["labels/camA/x.txt", "labels/camB/x.txt"]


def test_two_images_of_one_label_file_are_not_written_over_one_another(tmp_path: Path) -> None:
    """C7: image and label file of the second get a number, and the report says so."""
    paths = [image(tmp_path / "source" / name) for name in ("x.jpg", "x.png", "x.bmp")]
    items = [Item(name=path.name, path=str(path), annotations=[BOX] * number) for number, path in enumerate(paths, 1)]

    written = write(tmp_path / "out", items, images=ImageTransfer.HARDLINK)

    assert written.results == [True, True, True]
    assert [name for name in written.files if "/" in name] == [
        *("images/x.jpg", "images/x_2.png", "images/x_3.bmp"),
        *("labels/x.txt", "labels/x_2.txt", "labels/x_3.txt"),
    ]
    assert [len(written.rows(f"labels/{stem}.txt")) for stem in ("x", "x_2", "x_3")] == [1, 2, 3]
    assert written.codes[("changed", "NAME_TAKEN")] == 2
    assert written.words("NAME_TAKEN") == ["it is x_2.png in the target", "it is x_3.bmp in the target"]


@pytest.mark.parametrize(
    ("names", "outcome"), [(("a.txt/b.jpg", "a.jpg"), "changed"), (("a.jpg", "a.txt/b.jpg"), "dropped")]
)
def test_a_folder_with_the_name_of_a_label_file_takes_its_place(
    tmp_path: Path, names: tuple[str, str], outcome: str
) -> None:
    """C7: a file beside it gets another name, but a folder cannot."""
    written = write(tmp_path, [item_of(BOX, name=name) for name in names])

    assert written.results == [True, outcome == "changed"]
    assert written.codes == {(outcome, "NAME_TAKEN"): 1}


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("사진 é (1).jpg", "사진 é (1)"),
        ("scan.v1.jpg", "scan.v1"),
        ("a b/c.d/e.f.JPEG", "a b/c.d/e.f"),
        ("scan.v1", "scan.v1"),
        ("photo.gif", "photo.gif"),
    ],
)
def test_only_the_suffix_of_an_image_is_replaced(tmp_path: Path, name: str, label: str) -> None:
    """C8: names are kept byte for byte; what was never found has no suffix to lose."""
    written = write(tmp_path, [item_of(BOX, name=name)])

    assert written.files[2:] == [f"labels/{label}.txt"]


def test_names_that_lead_out_are_refused(tmp_path: Path) -> None:
    """C14: nothing is written outside of the dataset; nor is a name too long for the file system its end."""
    names = ["../../evil.jpg", "/etc/evil.jpg", "a//b.jpg", f"{'a' * 300}.jpg", "good.jpg"]

    written = write(tmp_path / "out", [item_of(BOX, name=name) for name in names])

    assert written.results == [False, False, False, False, True]
    assert written.codes == {("dropped", "UNSAFE_NAME"): 4}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_second_folder_called_images_is_renamed(tmp_path: Path) -> None:
    """F2: trainers replace the last one, and would look for labels in the wrong place."""
    source = image(tmp_path / "source.jpg")
    item = Item(name="cam/images/images/x.jpg", path=str(source), annotations=[BOX])

    written = write(tmp_path / "out", [item], images=ImageTransfer.SYMLINK)

    assert written.files[2:] == ["images/cam/images_/images_/x.jpg", "labels/cam/images_/images_/x.txt"]
    assert written.codes == {("changed", "FOLDER_RENAMED"): 1}
    assert read(tmp_path / "out").only().box is not None


def test_what_trainers_would_pass_over_is_renamed(tmp_path: Path) -> None:
    """They look for no name that begins with a dot, nor does our reader; a number tells two of one name apart."""
    names = [".a.jpg", ".cam/.images/b.jpg", "_a.jpg", "cam.1/c.jpg"]
    for name in names:
        image(tmp_path / "source" / name)
    items = [Item(name=name, path=str(tmp_path / "source" / name), annotations=[BOX]) for name in names]

    written = write(tmp_path / "out", items, images=ImageTransfer.COPY)

    renamed = ["_a.jpg", "_a_2.jpg", "_cam/_images/b.jpg", "cam.1/c.jpg"]
    assert [name for name in written.files if name.startswith("images/")] == [f"images/{name}" for name in renamed]
    assert written.codes == {("changed", "HIDDEN_NAME"): 2, ("changed", "NAME_TAKEN"): 1}
    assert [name for _, name in read(tmp_path / "out").names] == renamed


def test_labels_alone_can_be_written(tmp_path: Path) -> None:
    """Then images need not be there, as long as their size is known."""
    written = write(tmp_path, [item_of(BOX), Item(name="b.jpg", annotations=[BOX])])

    assert written.results == [True, False]
    assert written.files == ["classes.txt", "dataset.yaml", "labels/a.txt"]
    assert written.codes == {("dropped", "MISSING_IMAGE"): 1}
    assert not (tmp_path / "images").exists()


def test_a_missing_image_is_reported(tmp_path: Path) -> None:
    """Its labels are written; they may be all there is."""
    written = write(tmp_path, [item_of(BOX)], images=ImageTransfer.COPY)

    assert written.results == [True]
    assert written.codes == {("changed", "MISSING_IMAGE"): 1}


def test_sizes_are_those_of_images_as_shown(tmp_path: Path) -> None:
    """Y6: unless the source says a size."""
    path = image(tmp_path / "a.jpg", (100, 80), orientation=6)
    item = Item(name="a.jpg", path=str(path), annotations=[BOX])

    written = write(tmp_path / "out", [item])

    assert written.rows() == [[1, 0.25, 0.2, 0.25, 0.2]]
    assert written.codes == {("noted", "TURNED"): 1}


def test_equal_rows_are_kept_and_reported(tmp_path: Path) -> None:
    """A1: trainers drop one."""
    written = write(tmp_path, [item_of(BOX, box_of(10, 10, 20, 20, id="b2"))])

    assert len(written.rows()) == 2
    assert written.codes == {("noted", "DUPLICATE_ROW"): 1}


def test_no_number_is_a_negative_zero(tmp_path: Path) -> None:
    """Readers that look for a minus sign would refuse it."""
    annotation = Annotation(id="1", label="ant", shape=Polygon([(-0.0, -0.0, 10, 0, 10, 10)]))

    write(tmp_path, [item_of(annotation)], task="segment")

    assert "-" not in (tmp_path / "labels/a.txt").read_text()


def test_the_same_items_give_the_same_bytes(tmp_path: Path) -> None:
    """N1, L8: the order of classes is that of the dataset, whatever comes first."""
    items = [item_of(box_of(1, 1, 5, 5, label), name=f"{label}.jpg") for label in ("zebra", "ant")]
    for name in ("one", "two"):
        write(tmp_path / name, items)

    files = [path for path in (tmp_path / "one").rglob("*") if path.is_file()]
    assert len(files) == 4
    for path in files:
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()
    assert (tmp_path / "one/labels/zebra.txt").read_text().startswith("2 ")


def test_what_is_read_is_written_as_it_was(tmp_path: Path) -> None:
    """YOLO to YOLO gives the same rows, and an empty report; also for boxes at the edges of large images."""
    edge = "0 0.916666 0.500000 0.166667 1.000000\n2 0.083333 0.499999 0.166666 0.999999\n"
    source = make(
        tmp_path / "in", {"train/images/x/a.png": (4000, 3000), "train/labels/x/a.txt": ROW.replace("\n", "0\n") + edge}
    )
    make(source, {"valid/images/b.jpg": SIZE, "dataset.yaml": YAML.replace("train: images", "train: train/images")})
    make(source, {"dataset.yaml": "train: train/images\nval: valid/images\nnames: [ant, bee, zebra]\n"})

    result = read(source)
    written = write(tmp_path / "out", result.items, result.info, images=ImageTransfer.COPY)

    assert written.files == [
        "classes.txt",
        "dataset.yaml",
        "train/images/x/a.png",
        "train/labels/x/a.txt",
        "valid/images/b.jpg",
        "valid/labels/b.txt",
    ]
    assert written.rows("train/labels/x/a.txt") == [
        [*map(float, line.split())] for line in (source / "train/labels/x/a.txt").read_text().splitlines()
    ]
    assert not result.losses.reasons
    assert not written.losses.reasons
    again = read(tmp_path / "out")
    assert [(item.name, item.annotations) for item in again.items] == [
        (item.name, item.annotations) for item in result.items
    ]
    assert again.info == result.info
