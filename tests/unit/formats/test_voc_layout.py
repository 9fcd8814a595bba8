"""Where Pascal VOC datasets keep their files, and which image an XML file is about."""

from pathlib import Path

import pytest

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.losses import Outcome
from synapse_sdk.formats.reasons import INVALID_RECORD
from synapse_sdk.formats.voc import PascalFormat
from tests.unit.formats.voc_datasets import BOX, OBJECT, SIZE, Content, document, make, read

LISTED: dict[str, Content] = {
    f"{folder}/{name}.{suffix}": content
    for name in "abcd"
    for folder, suffix, content in (
        ("Annotations", "xml", document(f"{name}.jpg", OBJECT)),
        ("JPEGImages", "jpg", SIZE),
    )
}


@pytest.mark.parametrize("documents", ["Annotations", "annotations"])
@pytest.mark.parametrize("images", ["Images", "images", "JPEGImages"])
def test_folders_may_be_called_as_tools_call_them(tmp_path: Path, documents: str, images: str) -> None:
    """Ours, the devkit's, and others'."""
    root = make(tmp_path, {f"{documents}/a.xml": document("a.png", OBJECT), f"{images}/a.png": SIZE})

    result = read(root)

    assert result.items[0].path == str(root / images / "a.png")
    assert result.info.splits == ()
    assert PascalFormat().find(root) == f"{documents}/a.xml"


def test_splits_are_folders(tmp_path: Path) -> None:
    """N2: in the usual order, and `val` is `valid`."""
    root = make(
        tmp_path,
        {f"{split}/Annotations/{split}.xml": document("x.png", OBJECT) for split in ("test", "val", "extra", "train")},
    )

    result = read(root)

    assert result.info.splits == ("train", "valid", "test", "extra")
    assert result.names == [("train", "x.png"), ("valid", "x.png"), ("test", "x.png"), ("extra", "x.png")]
    assert PascalFormat().find(root) == "extra/Annotations/extra.xml"


def test_xml_files_may_be_beside_their_images(tmp_path: Path) -> None:
    """LabelImg saves them there, also of images in folders within the folder."""
    root = make(
        tmp_path,
        {
            "a.JPG": SIZE,
            "a.xml": document("a.JPG", OBJECT),
            "park/b.png": SIZE,
            "park/b.xml": document("b.png", "<object><name>bee</name></object>"),
            "c.png": SIZE,
            ".trash/d.xml": document("d.png", OBJECT),
        },
    )
    (root / "e.xml").symlink_to("nowhere.xml")
    (root / "f.png").symlink_to("nowhere.png")

    result = read(root)

    assert PascalFormat().find(root) == "a.xml"
    assert result.names == [("", "a.JPG"), ("", "park/b.png"), ("", "c.png")]
    assert [item.path for item in result.items] == [str(root / name) for name in ("a.JPG", "park/b.png", "c.png")]
    assert [each.box for each in result.items[0].annotations] == [BOX]
    assert result.codes == {("failed", "INVALID_RECORD"): 1, ("noted", "UNLABELLED"): 1, ("failed", "SYMLINK"): 2}
    assert result.losses.examples[Outcome.FAILED, INVALID_RECORD][0].where == "park/b.xml:object[1]"


def test_folders_of_splits_may_have_xml_files_beside_images(tmp_path: Path) -> None:
    """As Roboflow exports Pascal VOC."""
    files: dict[str, Content] = {f"{split}/{split}.jpg": SIZE for split in ("train", "valid", "test")}
    files |= {f"{split}/{split}.xml": document(f"{split}.jpg", OBJECT) for split in ("train", "valid", "test")}
    root = make(tmp_path, {**files, "README.roboflow.txt": "hello"})

    result = read(root)

    assert PascalFormat().find(root) == "test/test.xml"
    assert result.info.splits == ("train", "valid", "test")
    assert result.names == [("train", "train.jpg"), ("valid", "valid.jpg"), ("test", "test.jpg")]
    assert not result.codes


def test_other_xml_files_beside_images_are_no_pascal_voc(tmp_path: Path) -> None:
    """CVAT's own format has one, with the annotations of all images."""
    root = make(tmp_path, {"annotations.xml": "<annotations><version>1.1</version></annotations>", "a.png": SIZE})

    assert PascalFormat().find(root) is None


def test_validation_alone_is_a_split_like_any_other(tmp_path: Path) -> None:
    """Defect 12: neither train nor test need be there."""
    root = make(tmp_path, {"validation/Annotations/a.xml": document("a.png", OBJECT)})

    assert read(root).info.splits == ("valid",)


@pytest.mark.parametrize(
    ("files", "both"),
    [
        (("valid/Annotations/a.xml", "validation/Annotations/a.xml"), ("'valid'", "'validation'")),
        (("Annotations/a.xml", "train/Annotations/a.xml"), ("'Annotations'", "'train/Annotations'")),
        (("Annotations/a.xml", "annotations/a.xml"), ("'Annotations'", "'annotations'")),
        (("a.xml", "train/b.xml"), ("'a.xml'", "'train/b.xml'")),
        (("Annotations/a.xml", "Images/a.png", "JPEGImages/a.png"), ("'Images'", "'JPEGImages'")),
    ],
)
def test_two_places_for_one_thing_are_refused(tmp_path: Path, files: tuple[str, ...], both: tuple[str, str]) -> None:
    """The error names both."""
    root = make(tmp_path, dict.fromkeys(files, document("a.png")))

    with pytest.raises(InvalidDatasetError) as caught:
        read(root)

    assert all(name in str(caught.value) for name in both)
    assert caught.value.fix


def test_a_folder_without_xml_files_is_refused(tmp_path: Path) -> None:
    """COCO has a folder `annotations`, too."""
    root = make(tmp_path, {"annotations/instances_train.json": "{}", "images/a.png": SIZE})

    assert PascalFormat().find(root) is None
    with pytest.raises(InvalidDatasetError, match="no XML file"):
        read(root)


def test_what_is_not_followed_is_counted(tmp_path: Path) -> None:
    """Links to folders and to nothing, beside images and masks; an image that an XML speaks of is missing there."""
    root = make(tmp_path, LISTED)
    (root / "SegmentationObject").mkdir()
    (root / "JPEGImages/a.jpg").unlink()
    for name in ("JPEGImages/a.jpg", "JPEGImages/e.jpg", "SegmentationObject/a.png"):
        (root / name).symlink_to("nowhere")
    (root / "JPEGImages/more").symlink_to(root / "JPEGImages")

    result = read(root)

    assert [bool(item.path) for item in result.items] == [False, True, True, True]
    assert result.codes == {("failed", "SYMLINK"): 3, ("noted", "SYMLINK"): 1}
    assert {(loss.outcome.value, loss.where) for loss in result.examples} == {
        ("noted", "JPEGImages/a.jpg"),
        ("failed", "JPEGImages/e.jpg"),
        ("failed", "JPEGImages/more"),
        ("failed", "SegmentationObject/a.png"),
    }


def test_lists_of_names_are_splits(tmp_path: Path) -> None:
    """As the devkit has them; `trainval` is two of them again, and `<class>_train` none."""
    lists: dict[str, Content] = {
        "train.txt": "b\na\n\n",
        "val.txt": "c\r\n",
        "trainval.txt": "a\nb\nc\n",
        "ant_train.txt": "a  1\nb -1\n",
    }
    root = make(tmp_path, LISTED | {f"ImageSets/Main/{name}": names for name, names in lists.items()})

    result = read(root)

    assert result.info.splits == ("train", "valid")
    assert result.names == [("train", "a.jpg"), ("train", "b.jpg"), ("valid", "c.jpg")]
    assert result.codes == {("failed", "UNLISTED"): 1}
    assert result.loss.item == "d"


def test_a_name_in_two_lists_is_read_once(tmp_path: Path) -> None:
    """N2: no image is in two splits; that it should be is reported."""
    root = make(tmp_path, LISTED | {"ImageSets/Main/train.txt": "a\nb\n", "ImageSets/Main/test.txt": "b\nc\nd\nb"})

    result = read(root)

    assert result.names == [("train", "a.jpg"), ("train", "b.jpg"), ("test", "c.jpg"), ("test", "d.jpg")]
    assert result.codes == {("changed", "SPLIT_TWICE"): 1}
    assert (result.loss.item, result.loss.split, result.loss.words) == ("b", "train", "listed in train and test")


def test_lists_may_name_images_without_xml(tmp_path: Path) -> None:
    """Those of a test without answers, for one; and what is nowhere is reported."""
    files = {**LISTED, "ImageSets/Main/test.txt": "a\nb.jpg\nc 1\nd -1\nmy scan 1\nnowhere\n"}
    root = make(tmp_path, {**files, "JPEGImages/my scan 1.JPG": SIZE})

    result = read(root)

    assert [name for _, name in result.names] == ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "my scan 1.JPG"]
    assert result.items[-1].annotations == []
    assert result.codes == {("failed", "UNKNOWN_IMAGE"): 1, ("noted", "UNLABELLED"): 1}


def test_lists_that_are_one_split_under_two_names_are_refused(tmp_path: Path) -> None:
    """Like folders."""
    root = make(tmp_path, LISTED | {"ImageSets/Main/val.txt": "a", "ImageSets/Main/valid.txt": "b"})

    with pytest.raises(InvalidDatasetError, match="'val' and 'valid'"):
        read(root)


def test_lists_without_splits_change_nothing(tmp_path: Path) -> None:
    """Only `trainval`, or the `default` of CVAT."""
    root = make(tmp_path, LISTED | {"ImageSets/Main/trainval.txt": "a\n", "ImageSets/Main/default.txt": "a\n"})

    result = read(root)

    assert len(result.items) == result.info.count == 4
    assert not result.examples


def test_a_folder_of_several_devkits_is_refused(tmp_path: Path) -> None:
    """Each has splits of its own, which would be lost."""
    root = make(tmp_path, {"VOC2007/Annotations/a.xml": document("a.png"), "VOC2007/ImageSets/Main/train.txt": "a\n"})

    with pytest.raises(InvalidDatasetError, match="splits of its own: train"):
        read(root)


def test_a_dataset_further_down_is_named(tmp_path: Path) -> None:
    """As whoever unpacks the archive of the challenge has it: its images are not where its XML files are."""
    make(tmp_path, {f"VOCdevkit/VOC2012/{name}": content for name, content in LISTED.items()})

    with pytest.raises(InvalidDatasetError, match=r"in 'VOCdevkit/VOC2012/Annotations'.*: .*/VOCdevkit/VOC2012\b"):
        read(tmp_path)

    assert len(read(tmp_path / "VOCdevkit/VOC2012").items) == 4


def test_sub_folders_are_parts_of_names(tmp_path: Path) -> None:
    """C6, defect 15: two images with one base name stay two."""
    root = make(
        tmp_path,
        {
            "Annotations/camA/x.xml": document("x.jpg", OBJECT),
            "Annotations/camB/x.xml": document("camB/x.jpg", OBJECT, OBJECT),
            "Images/camA/x.jpg": SIZE,
            "Images/camB/x.jpg": SIZE,
        },
    )

    result = read(root)

    assert [(item.name, len(item.annotations)) for item in result.items] == [("camA/x.jpg", 1), ("camB/x.jpg", 2)]
    assert [Path(item.path).relative_to(root / "Images").as_posix() for item in result.items] == [
        "camA/x.jpg",
        "camB/x.jpg",
    ]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("a.jpg", "a.JPG"),
        ("a", "a.JPG"),
        ("", "a.JPG"),
        ("renamed.png", "a.JPG"),
        ("C:\\photos\\a.JPG", "a.JPG"),
        ("/home/me/a.jpg", "a.JPG"),
        ("../../a.jpg", "a.JPG"),
        ("b.png", "b.png"),
        ("  \n b.png\n ", "b.png"),
    ],
)
def test_the_image_is_the_one_named_in_the_xml_else_the_one_named_like_it(
    tmp_path: Path, said: str, found: str
) -> None:
    """D8: suffixes in any case. Tools write whole paths, no suffix, or the name before the last renaming."""
    root = make(tmp_path, {"Annotations/a.xml": document(said, OBJECT), "Images/a.JPG": SIZE, "Images/b.png": SIZE})

    item = read(root).items[0]

    assert (item.name, item.path) == (found, str(root / "Images" / found))
    assert len(item.annotations) == 1


def test_an_xml_that_names_another_image_than_itself_is_noted(tmp_path: Path) -> None:
    """Perhaps images were renamed, and it means another one."""
    root = make(tmp_path, {"Annotations/a.xml": document("b.png", OBJECT), "Images/a.png": SIZE, "Images/b.png": SIZE})

    result = read(root)

    assert [name for _, name in result.names] == ["b.png", "a.png"]
    assert result.codes == {("noted", "OTHER_FILE"): 1, ("noted", "UNLABELLED"): 1}


def test_names_are_kept_byte_for_byte(tmp_path: Path) -> None:
    """C8: Unicode as it is composed, spaces, dots."""
    names = ["사진 é (1).jpg", "e\u0301.jpg", "scan.v1.final.jpg", " space .jpg", "-dash.jpg", "a & b.jpg"]
    for name in names:
        stem = name.removesuffix(".jpg")
        make(tmp_path, {f"Annotations/{stem}.xml": document(name.replace("&", "&amp;"), OBJECT)})
        make(tmp_path, {f"Images/{name}": SIZE})

    result = read(tmp_path)

    assert sorted(name for _, name in result.names) == sorted(names)
    assert all(item.path and item.annotations for item in result.items)


def test_a_missing_image_is_an_item_nevertheless(tmp_path: Path) -> None:
    """Its name is the one that the XML says, in the folder of the XML."""
    root = make(
        tmp_path,
        {
            "Annotations/cam/a.xml": document("a.gif", OBJECT),
            "Annotations/cam/b.xml": document("other/b.jpg"),
            "Annotations/scan.v1.xml": document(""),
        },
    )

    assert [(item.name, item.path) for item in read(root).items] == [
        ("cam/a.gif", ""),
        ("other/b.jpg", ""),
        ("scan.v1", ""),
    ]


def test_a_name_that_leads_out_of_the_dataset_is_refused(tmp_path: Path) -> None:
    """C14: by file, and the others are read."""
    root = make(
        tmp_path,
        {
            "Annotations/a.xml": document("../../a.png", OBJECT),
            "Annotations/b.xml": document("/etc/passwd", OBJECT),
            "Annotations/c.xml": document("c.png", OBJECT),
        },
    )

    result = read(root)

    assert [name for _, name in result.names] == ["c.png"]
    assert result.codes == {("failed", "UNSAFE_NAME"): 2}
    assert [loss.where for loss in result.examples] == ["Annotations/a.xml", "Annotations/b.xml"]


def test_two_files_about_one_image_are_not_both_read(tmp_path: Path) -> None:
    """The second is reported."""
    root = make(tmp_path, {"Annotations/a.xml": document("x.png", OBJECT), "Annotations/b.xml": document("x.png")})

    result = read(root)

    assert result.names == [("", "x.png")]
    assert (result.loss.reason.code, result.loss.where) == ("NAME_TAKEN", "Annotations/b.xml")


def test_two_images_that_a_file_may_be_about_are_named(tmp_path: Path) -> None:
    """It names neither; both stay out, for they are not without objects."""
    root = make(tmp_path, {"Annotations/x.xml": document("", OBJECT), "Images/x.jpg": SIZE, "Images/x.png": SIZE})

    result = read(root)

    assert result.items == []
    assert result.loss.words == "it may be about 'x.jpg' or 'x.png'"


def test_images_of_one_stem_are_told_apart_by_the_name_in_the_xml(tmp_path: Path) -> None:
    """C7."""
    root = make(tmp_path, {"Annotations/x.xml": document("x.png", OBJECT), "Images/x.jpg": SIZE, "Images/x.png": SIZE})

    assert [(item.name, len(item.annotations)) for item in read(root).items] == [("x.png", 1), ("x.jpg", 0)]


def test_images_without_xml_are_items_and_noted(tmp_path: Path) -> None:
    """C3: an image without annotations is an item like any other."""
    root = make(tmp_path, {"Annotations/b.xml": document("b.png", OBJECT), "Images/a.png": SIZE, "Images/b.png": SIZE})

    result = read(root)

    assert [(item.name, [each.box for each in item.annotations]) for item in result.items] == [
        ("b.png", [BOX]),
        ("a.png", []),
    ]
    assert result.codes == {("noted", "UNLABELLED"): 1}
    assert result.info.count == 2


def test_files_that_macos_adds_are_no_annotations(tmp_path: Path) -> None:
    """`._a.xml` holds what a foreign disk has no place for."""
    root = make(tmp_path, {"Annotations/._a.xml": b"\0\5\x16\7", "Annotations/a.xml": document("a.png")})

    result = read(root)

    assert len(result.items) == 1
    assert not result.examples


def test_a_file_is_no_dataset(tmp_path: Path) -> None:
    """Nor is a folder without annotations."""
    make(tmp_path, {"page.xml": "<html/>", "empty/Annotations/readme.md": "", "images/a.png": SIZE})

    assert PascalFormat().find(tmp_path / "page.xml") is None
    assert PascalFormat().find(tmp_path) is None


def test_a_dataset_in_sub_folders_is_found(tmp_path: Path) -> None:
    """Among its first folders."""
    make(tmp_path, {"Annotations/cam/1/a.xml": document("a.png")})

    assert PascalFormat().find(tmp_path) == "Annotations/cam/1/a.xml"
