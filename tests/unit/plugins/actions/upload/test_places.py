"""Where the files of an upload, and its sheet, may lie, and how that may be written."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from synapse_sdk.backend import FileSpecification
from synapse_sdk.errors import StepFailedError
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.actions.upload import DefaultUploadAction, UploadParams
from synapse_sdk.plugins.actions.upload.preview import preview_upload
from synapse_sdk.storage import MemoryStorage, open_storage
from tests.unit.plugins.actions.upload.world import World

PLACES = {"place": "Suncheon"}
SHEET = b"filename,place\ncat.jpg,Suncheon\n"


@pytest.fixture
def memory(world: World) -> Iterator[MemoryStorage]:
    """A storage with two files of one unit and a sheet beside their folders."""
    with open_storage(f"memory://{world.folder}") as storage:
        assert isinstance(storage, MemoryStorage)
        storage.put("images/cat.jpg", b"cat")
        storage.put("labels/cat.json", b"{}")
        storage.put("meta.csv", SHEET)
        yield storage


def fill(world: World) -> Path:
    """Write the same into a folder, and return it."""
    world.write("images/cat.jpg", b"cat")
    world.write("labels/cat.json", b"{}")
    return world.write("meta.csv", SHEET).parent


def check(world: World) -> None:
    """Check that the unit is there with its files and its metadata, and nothing is left over."""
    (unit,) = world.units().values()
    assert (world.content(unit, "images"), world.content(unit, "labels")) == (b"cat", b"{}")
    assert unit.meta.items() >= PLACES.items()
    assert not list((world.folder / ".synapse" / "runs").glob("*/work"))
    world.check()


def test_a_storage_can_be_the_source(world: World, memory: MemoryStorage) -> None:
    """What lies in one storage is uploaded into another, with what the sheet there says."""
    result = world.upload(path=memory.url)

    assert (result.uploaded, result.filtered, result.metadata and result.metadata.matched) == (2, 1, 1)
    check(world)


def test_a_preview_of_a_storage_names_the_sheet_too(world: World, memory: MemoryStorage) -> None:
    """The preview looks where the upload looks."""
    preview = preview_upload(UploadParams(data_collection="things", path=memory.url, storage=str(world.store)))

    assert (preview.new, preview.metadata_sheet) == (2, "meta.csv")


@pytest.mark.parametrize("named", ["local://{}/sheets/who%20is.csv", "sheets/who is.csv"], ids=["url", "beside"])
def test_a_sheet_in_a_storage_can_be_named(world: World, named: str) -> None:
    """By its URL, or by where it is beside the files."""
    far = fill(world)
    world.write("sheets/who is.csv", (far / "meta.csv").read_bytes())

    world.upload(path=f"local://{far}", excel_metadata_path=named.format(far), exclude=["meta.csv"])

    check(world)


def test_a_sheet_that_is_not_in_the_storage_is_named(world: World) -> None:
    """With the storage, and before anything is sent."""
    far = fill(world)

    with pytest.raises(StepFailedError, match=rf"Cannot read 'local://{far}/who\.csv'\. It is not there"):
        world.upload(path=f"local://{far}", excel_metadata_path=f"local://{far}/who.csv")

    assert world.objects() == set()


def test_a_sheet_that_was_fetched_goes_with_a_failed_run(world: World, memory: MemoryStorage) -> None:
    """Nothing of it stays in the folder of the run."""
    memory.put("images/empty.jpg", b"")

    with pytest.raises(StepFailedError, match="it has no bytes"):
        world.upload(path=memory.url)

    assert not list((world.folder / ".synapse").rglob("meta.csv"))


@pytest.mark.parametrize("kind", ["folder", "archive"])
def test_a_file_url_is_the_same_as_its_path(world: World, kind: str) -> None:
    """With the sheet in it, and with what a URL has to write otherwise, such as a space."""
    place = shutil.move(fill(world), world.folder / "my photos, 100%")
    if kind == "archive":
        place = shutil.make_archive(str(place), "zip", place)

    world.upload(path=Path(place).as_uri())

    check(world)


def test_a_sheet_may_be_named_by_a_file_url(world: World) -> None:
    """As any path may."""
    sheet = fill(world) / "meta.csv"

    world.upload(excel_metadata_path=sheet.rename(world.folder / "my sheet.csv").as_uri())

    check(world)


def test_a_sheet_that_is_nowhere_is_named_as_it_was_written(world: World) -> None:
    """Not as a path that nobody has written."""
    fill(world)

    with pytest.raises(StepFailedError, match=r"Cannot read 'sheets/who\.csv'"):
        world.upload(excel_metadata_path="sheets/who.csv")


@pytest.mark.parametrize(
    ("images", "labels", "says"),
    [
        ("s3://photos/all?region=x", "s3://photos/all/?region=x", "both are s3://"),
        ("s3://photos", "s3://photos/labels", "lies in s3://"),
        ("{data}", "data/", "both are file://"),
    ],
)
def test_two_specifications_cannot_claim_one_place(world: World, images: str, labels: str, says: str) -> None:
    """However it is written."""
    data = fill(world).as_uri()
    assets = {name: {"path": place.format(data=data)} for name, place in (("images", images), ("labels", labels))}

    with pytest.raises(StepFailedError, match=f"claim the same files: .*{says}"):
        run_action(DefaultUploadAction, world.params(use_single_path=False, assets=assets))


@pytest.mark.parametrize("written", ["file://{}/", "local://{}", "{}/../linked", "file://localhost{}"])
def test_one_place_is_one_storage_however_it_is_written(world: World, written: str) -> None:
    """Else what one run takes back, or a check for orphans, would delete what other units need."""
    fill(world)
    (world.folder / "linked").symlink_to(world.store)
    world.upload()

    world.upload(storage=written.format(world.store))

    assert len(world.backend.storages.list()) == 1
    check(world)


def test_a_known_place_with_other_options_is_refused(world: World) -> None:
    """They would be ignored, or the place known twice."""
    fill(world)
    world.upload()

    with pytest.raises(StepFailedError, match=r"is at this place already, with other options.*leave the options out"):
        world.upload(storage=f"{world.store.as_uri()}?link=hardlink")

    check(world)


@pytest.mark.parametrize("kind", ["folder", "archive", "storage"])
def test_folders_in_the_place_of_a_specification_can_be_left_out(world: World, kind: str) -> None:
    """As they can below the folder of a specification in a place with all of them."""
    world.write("images/cat.jpg", b"cat")
    folder = world.write("images/2024/dog.jpg", b"dog").parents[1]
    place = {
        "folder": lambda: str(folder),
        "archive": lambda: shutil.make_archive(str(world.folder / "images"), "zip", folder),
        "storage": lambda: f"local://{folder}",
    }[kind]()

    world.upload(assets={"images": {"path": place, "is_recursive": False}}, use_single_path=False)

    assert world.units().keys() == {"cat"}


@pytest.mark.parametrize("kind", ["folder", "archive", "storage"])
def test_a_sheet_that_is_excluded_is_not_used(world: World, kind: str) -> None:
    """There is no other way to leave out one that is found."""
    folder = fill(world)
    place = {
        "folder": lambda: str(folder),
        "archive": lambda: shutil.make_archive(str(world.folder / "all"), "zip", folder),
        "storage": lambda: f"local://{folder}",
    }[kind]()

    result = world.upload(path=place, exclude=["meta.*"])

    assert (result.metadata, result.filtered) == (None, 1)
    assert "place" not in world.units()["cat"].meta


@pytest.mark.parametrize("how", ["below a specification", "an asset", "a storage"])
def test_objects_of_the_storage_are_not_uploaded_again(world: World, how: str) -> None:
    """Where the storage lies among the files, each upload would double what is there."""
    world.backend.collections.create("any", specifications=[FileSpecification(name="images")])
    folder = world.write("images/cat.jpg", b"cat").parent
    places: dict[str, dict[str, Any]] = {
        "below a specification": {"path": str(folder.parent), "storage": str(folder / "store")},
        "an asset": {"use_single_path": False, "assets": {"images": {"path": f"{folder}"}}, "storage": str(folder)},
        "a storage": {"path": f"local://{folder.parent}", "storage": f"local://{folder}"},
    }

    first = world.upload(data_collection="any", **places[how])
    again = world.upload(data_collection="any", **places[how])

    assert (first.uploaded, again.uploaded, again.duplicate, again.filtered) == (1, 0, 1, 1)
    assert "IGNORED,an object of the storage" in Path(again.report_path).with_name("report.csv").read_text()


@pytest.mark.parametrize("then", [{"images/dog.jpg": b"dog"}, {"images/cat.jpg": b"another cat"}], ids=["gone", "size"])
def test_an_archive_that_was_replaced_meanwhile_is_named(world: World, then: dict[str, bytes]) -> None:
    """As when somebody packs it anew while an upload is interrupted."""
    archive = world.folder / "photos.zip"

    def pack(members: dict[str, bytes]) -> None:
        with ZipFile(archive, "w") as file:
            for name, content in members.items():
                file.writestr(name, content)

    pack({"images/cat.jpg": b"cat"})

    with pytest.raises(StepFailedError, match=r"photos\.zip' is not the one that this upload has begun with"):
        world.upload_after(lambda: pack(then), before="organize_files", path=str(archive))

    world.check()
