"""Which files a DM dataset has, and which document is about which original."""

import os
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.dm import DmV1Format, DmV2Format
from tests.unit.formats.dm_datasets import SIZE, make, read
from tests.unit.formats.dm_documents import SAMPLE_V1, SAMPLE_V2, annotation, v2_of

DOCUMENT: dict[str, Any] = v2_of({"classification": [annotation("y1", "ant", {})]})
EMPTY: dict[str, Any] = v2_of({})


def test_a_dataset_without_splits_is_flat(tmp_path: Path) -> None:
    """Documents and originals have one stem."""
    make(
        tmp_path,
        {"json/b.json": EMPTY, "json/a.json": DOCUMENT, "original_files/a.png": SIZE, "original_files/b.jpg": SIZE},
    )

    found = read(tmp_path)

    assert found.names == [("", "a.png"), ("", "b.jpg")]
    assert found.items[0].path == str(tmp_path / "original_files/a.png")
    assert (found.info.splits, found.info.count) == ((), 2)
    assert found.codes == {}


@pytest.mark.parametrize("alias", ["val", "valid", "validation"])
def test_splits_are_folders(tmp_path: Path, alias: str) -> None:
    """N2: any there are, in the usual order, under their one name; `validation` alone is accepted."""
    for split in ("test", alias, "train", "holdout"):
        make(tmp_path, {f"{split}/json/a.json": DOCUMENT, f"{split}/original_files/a.png": SIZE})

    found = read(tmp_path)

    splits = ("train", "valid", "test", "holdout")
    assert found.info.splits == splits
    assert found.names == [(split, "a.png") for split in splits]
    assert found.items[1].path == str(tmp_path / alias / "original_files/a.png")


def test_two_names_of_one_split_are_an_error(tmp_path: Path) -> None:
    """Which names both."""
    for split in ("valid", "validation"):
        make(tmp_path, {f"{split}/json/a.json": DOCUMENT, f"{split}/original_files/a.png": SIZE})

    with pytest.raises(InvalidDatasetError, match="both 'valid' and 'validation'"):
        read(tmp_path)


def test_an_export_is_a_dataset(tmp_path: Path) -> None:
    """It has other folders and a manifest besides, none of which is a split."""
    make(
        tmp_path,
        {
            "json/a.json": DOCUMENT,
            "origin_files/a.png": SIZE,
            "other_files/json/a.json": "{}",
            "other_files/thumbs/a.png": SIZE,
            "manifest.json": "{}",
        },
    )

    found = read(tmp_path)

    assert found.items[0].path == str(tmp_path / "origin_files/a.png")
    assert found.names == [("", "a.png")]
    assert found.codes == {}


def test_a_missing_folder_is_an_error_that_names_it(tmp_path: Path) -> None:
    """Of documents or of originals, in any split."""
    with pytest.raises(InvalidDatasetError, match="'json'"):
        read(tmp_path)
    make(tmp_path, {"train/json/a.json": DOCUMENT})
    with pytest.raises(InvalidDatasetError, match=r"'original_files' in '.*train'"):
        read(tmp_path)


def test_two_folders_for_one_thing_are_an_error(tmp_path: Path) -> None:
    """Originals under both names; documents with splits and without."""
    make(tmp_path / "one", {"json/a.json": DOCUMENT, "original_files/a.png": SIZE, "origin_files/a.png": SIZE})
    make(tmp_path / "two", {"json/a.json": DOCUMENT, "original_files/a.png": SIZE, "train/json/a.json": DOCUMENT})

    with pytest.raises(InvalidDatasetError, match="both 'original_files' and 'origin_files'"):
        read(tmp_path / "one")
    with pytest.raises(InvalidDatasetError, match="both 'json' and 'train/json'"):
        read(tmp_path / "two")


def test_sub_folders_are_part_of_the_name(tmp_path: Path) -> None:
    """C6, D3: two images with one base name are two items."""
    make(
        tmp_path,
        {
            "json/camA/x.json": DOCUMENT,
            "json/camB/x.json": EMPTY,
            "original_files/camA/x.png": SIZE,
            "original_files/camB/x.png": SIZE,
        },
    )

    found = read(tmp_path)

    assert found.names == [("", "camA/x.png"), ("", "camB/x.png")]
    assert [len(item.annotations) for item in found.items] == [1, 0]


@pytest.mark.parametrize("suffix", [".JPG", ".jpeg", ".TiF", ".bmp", ".webp"])
def test_suffixes_are_found_in_any_case(tmp_path: Path, suffix: str) -> None:
    """D8: those of documents, too."""
    make(tmp_path, {"json/a.JSON": DOCUMENT, f"original_files/a{suffix}": SIZE})

    assert read(tmp_path).names == [("", f"a{suffix}")]


def test_names_are_kept_byte_for_byte(tmp_path: Path) -> None:
    """C8: Unicode, spaces and dots; only the last suffix goes."""
    names = ["cafe\u0301.png", "caf\u00e9.png", "my photo (1).png", "scan.v1.final.png", "\uc0ac\uc9c4.png"]
    for name in names:
        make(tmp_path, {f"json/{name[:-4]}.json": DOCUMENT, f"original_files/{name}": SIZE})

    found = read(tmp_path)

    assert [item.name for item in found.items] == sorted(names)
    assert all(os.path.exists(item.path) for item in found.items)  # noqa: PTH110  # as text


def test_an_item_without_original_is_called_like_its_document(tmp_path: Path) -> None:
    """Writers say that its image is missing, as they do of any."""
    make(tmp_path, {"json/sub/scan.v1.json": DOCUMENT, "original_files/other.png": SIZE})

    found = read(tmp_path)

    assert found.names == [("", "sub/scan.v1"), ("", "other.png")]
    assert found.items[0].path == ""
    assert len(found.items[0].annotations) == 1


def test_an_image_without_document_is_an_item_without_annotations(tmp_path: Path) -> None:
    """Y2, D5: noted; what is no image is none."""
    make(
        tmp_path,
        {
            "json/a.json": DOCUMENT,
            "original_files/a.png": SIZE,
            "original_files/b.png": SIZE,
            "original_files/c.txt": "",
        },
    )

    found = read(tmp_path)

    assert found.names == [("", "a.png"), ("", "b.png")]
    assert found.info.count == 2
    assert found.codes == {("noted", "NO_DOCUMENT"): 1}


def test_a_document_that_may_be_about_two_images_fails(tmp_path: Path) -> None:
    """Both are named; something that is no image beside one is no question."""
    make(
        tmp_path,
        {
            "json/x.json": DOCUMENT,
            "original_files/x.jpg": SIZE,
            "original_files/x.png": SIZE,
            "json/y.json": DOCUMENT,
            "original_files/y.jpg": SIZE,
            "original_files/y.csv": "",
        },
    )

    found = read(tmp_path)

    assert found.names == [("", "y.jpg")]
    assert found.codes == {("failed", "AMBIGUOUS_IMAGE"): 1}
    assert found.words("AMBIGUOUS_IMAGE") == ["json/x.json it may be about 'x.jpg' or 'x.png'"]


def test_an_original_that_is_no_image_goes_along(tmp_path: Path) -> None:
    """Documents may be about videos, sounds or anything."""
    make(tmp_path, {"json/a.json": {"videos": [{}]}, "original_files/a.mp4": "film"})

    assert read(tmp_path).items[0].path == str(tmp_path / "original_files/a.mp4")


def test_two_documents_of_one_name_are_one_item(tmp_path: Path) -> None:
    """The second fails."""
    make(tmp_path, {"json/a.json": DOCUMENT, "json/a.JSON": EMPTY, "original_files/a.png": SIZE})

    found = read(tmp_path)

    assert found.names == [("", "a.png")]
    assert found.codes == {("failed", "NAME_TAKEN"): 1}


def test_what_is_no_plain_file_is_not_read_and_named(tmp_path: Path) -> None:
    """Pipes would be waited for, and links may lead in circles; hidden files are none of the dataset."""
    make(tmp_path, {"json/a.json": DOCUMENT, "json/.a.json": "?", "json/notes.txt": "", "original_files/a.png": SIZE})
    os.mkfifo(tmp_path / "json/pipe.json")
    (tmp_path / "json/circle.json").symlink_to("circle.json")
    (tmp_path / "json/up").symlink_to(tmp_path)
    (tmp_path / "original_files/gone.png").symlink_to("nowhere")
    os.mkfifo(tmp_path / "original_files/pipe.png")

    found = read(tmp_path)

    assert found.names == [("", "a.png")]
    assert found.codes == {
        ("failed", "SYMLINK"): 2,
        ("failed", "UNREADABLE_DOCUMENT"): 1,
        ("noted", "SYMLINK"): 1,
        ("noted", "UNREADABLE_IMAGE"): 1,
    }
    examples = [loss for losses in found.losses.examples.values() for loss in losses if loss.outcome == "failed"]
    assert {(loss.where, loss.words) for loss in examples} == {
        ("json/circle.json", "it cannot be followed: Too many levels of symbolic links"),
        ("json/pipe.json", "it is no file"),
        ("json/up", "it leads to a folder"),
    }


def test_names_that_nothing_can_have_are_refused(tmp_path: Path) -> None:
    """C14: each alone."""
    make(tmp_path, {"json/a.json": DOCUMENT, "json/b\\c.json": DOCUMENT, "original_files/a.png": SIZE})
    (tmp_path / os.fsdecode(b"json/\xff.json")).write_text("{}")

    found = read(tmp_path)

    assert found.names == [("", "a.png")]
    assert found.codes == {("failed", "UNSAFE_NAME"): 2}


def test_folders_may_be_nested_deeply(tmp_path: Path) -> None:
    """Deeper than functions may call each other."""
    make(tmp_path, {"json/a.json": DOCUMENT, "original_files/a.png": SIZE})
    deepest = tmp_path / "json"
    for _ in range(1200):
        deepest = deepest / "d"
        deepest.mkdir()

    found = read(tmp_path)

    assert found.names == [("", "a.png")]
    while deepest.name == "d":  # what cleans up behind tests cannot
        deepest.rmdir()
        deepest = deepest.parent


@pytest.mark.parametrize(
    ("document", "version"),
    [
        (SAMPLE_V1, "dm_v1"),
        (SAMPLE_V2, "dm_v2"),
        ('\ufeff {"images": []}', "dm_v2"),
        ('{"annotation_data": {}, "annotation_meta": {"annotations": {}}}', "dm_v2"),
        ('{"note": 1, "annotationsData": {}}', "dm_v1"),
        ('{"note": 1, "pcds": []}', "dm_v2"),
        ("[]", None),
        ('{"shapes": []}', None),
        ("", None),
    ],
)
def test_the_first_document_shows_the_version(tmp_path: Path, document: str, version: str | None) -> None:
    """By its first key, or any."""
    make(
        tmp_path,
        {"train/json/sub/a.json": document, "train/json/sub/b.json": SAMPLE_V2, "train/original_files/a.png": SIZE},
    )

    found = {each.name: each.find(tmp_path) for each in (DmV1Format(), DmV2Format())}

    assert {name: sign for name, sign in found.items() if sign} == (
        {version: "train/json/sub/a.json"} if version else {}
    )


def test_other_folders_are_no_datasets(tmp_path: Path) -> None:
    """One without any document is one of version 2; a file is none."""
    (tmp_path / "json").mkdir()

    assert DmV2Format().find(tmp_path) == "json"
    assert DmV1Format().find(tmp_path) is None
    for each in (DmV1Format(), DmV2Format()):
        assert each.find(tmp_path / "json") is None
        assert each.find(tmp_path / "nowhere") is None
        assert each.find(make(tmp_path / "x", {"a.json": SAMPLE_V2}) / "a.json") is None
