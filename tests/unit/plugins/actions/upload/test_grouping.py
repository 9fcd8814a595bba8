import unicodedata

from synapse_sdk.backend.records import FileSpecification
from synapse_sdk.plugins.actions.upload.grouping import Groups, group_files

IMAGES = FileSpecification(name="images", extensions=(".jpg", ".png"), is_primary=True)
LABELS = FileSpecification(name="labels", is_required=False)


def grouped(*paths: str, labels_required: bool = False) -> Groups:
    """Group paths of a collection with images and labels."""
    labels = FileSpecification(name="labels", is_required=labels_required)
    return group_files(paths, [IMAGES, labels])


def test_files_of_one_stem_are_one_unit() -> None:
    """One file for each specification, whatever its extension and sub-folder."""
    groups = grouped("images/a/cat.jpg", "images/dog.png", "labels/x/cat.json")

    assert groups.units == {
        "cat": {"images": "images/a/cat.jpg", "labels": "labels/x/cat.json"},
        "dog": {"images": "images/dog.png"},
    }
    assert not groups.failed
    assert not groups.filtered


def test_a_stem_in_two_folders_keeps_the_folders_in_the_key() -> None:
    """No file hides another of its name, and the others keep their short keys."""
    groups = grouped("images/a/1.jpg", "images/b/1.jpg", "images/b/2.jpg", "labels/a/1.json", "labels/b/1.json")

    assert groups.units == {
        "2": {"images": "images/b/2.jpg"},
        "a/1": {"images": "images/a/1.jpg", "labels": "labels/a/1.json"},
        "b/1": {"images": "images/b/1.jpg", "labels": "labels/b/1.json"},
    }


def test_two_files_that_claim_one_place_are_both_refused() -> None:
    """Nobody can know which one is meant."""
    groups = grouped("images/1.jpg", "images/1.png", "images/2.jpg")

    assert list(groups.units) == ["2"]
    assert list(groups.failed) == ["images/1.jpg", "images/1.png"]
    assert groups.failed["images/1.jpg"].startswith("NAME_COLLISION: ")
    assert "images/1.png" in groups.failed["images/1.jpg"]


def test_a_unit_without_a_required_file_is_refused_with_all_its_files() -> None:
    """Each of its files says what is missing."""
    groups = grouped("images/1.jpg", "images/2.jpg", "labels/2.json", labels_required=True)

    assert list(groups.units) == ["2"]
    assert groups.failed == {"images/1.jpg": "MISSING_REQUIRED_DATA: its unit '1' has no labels/1.*"}


def test_a_file_of_another_type_is_filtered() -> None:
    """Extensions count in any case."""
    groups = grouped("images/1.JPG", "images/readme.txt")

    assert list(groups.units) == ["1"]
    assert groups.filtered == {"images/readme.txt": "UNSUPPORTED_EXTENSION: 'images' takes .jpg, .png"}


def test_one_name_in_two_unicode_forms_is_one_unit() -> None:
    """A Mac writes names decomposed; the file keeps its own spelling, the key is composed."""
    composed, decomposed = (unicodedata.normalize(form, "고양이") for form in ("NFC", "NFD"))

    groups = grouped(f"images/{decomposed}.jpg", f"labels/{composed}.json")

    assert groups.units == {composed: {"images": f"images/{decomposed}.jpg", "labels": f"labels/{composed}.json"}}


def test_twins_in_two_unicode_forms_are_refused() -> None:
    """Two files whose names look the same are in each other's way."""
    composed, decomposed = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))

    groups = grouped(f"images/{composed}.jpg", f"images/{decomposed}.jpg")

    assert not groups.units
    assert len(groups.failed) == 2
    assert all("two Unicode forms" in told for told in groups.failed.values())


def test_odd_names_have_stems() -> None:
    """Hidden files, several dots, none at all."""
    plain = [FileSpecification(name="data")]

    groups = group_files(["data/.hidden", "data/a.b.c", "data/plain", "data/-x.jpg"], plain)

    assert list(groups.units) == ["-x", ".hidden", "a.b", "plain"]
