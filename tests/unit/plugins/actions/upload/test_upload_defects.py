"""What other uploaders get wrong, as tests of this one; those that have no better place."""

import json
import unicodedata
from pathlib import Path

import pytest

from synapse_sdk.errors import InvalidParamsError, StepFailedError
from synapse_sdk.plugins import rollback_run, run_action
from synapse_sdk.plugins.actions.upload import DefaultUploadAction, UploadContext
from synapse_sdk.plugins.steps import BaseStep, StepRegistry, StepResult
from tests.unit.plugins.actions.upload.world import World


def test_a_unit_with_several_bad_files_is_counted_once(world: World) -> None:
    """U1: and each of its files fails for its own reason."""
    image, label = world.write("images/cat.jpg", b"cat"), world.write("labels/cat.json", b"{}")
    world.write("images/dog.jpg", b"dog")

    def change() -> None:
        image.unlink()
        label.write_bytes(b"other")

    result = world.upload_after(change, before="upload_files", on_error="continue")

    assert {failure.file: failure.reason for failure in result.failures} == {
        "images/cat.jpg": "it is gone since it was checked",
        "labels/cat.json": "it has changed since it was checked",
    }
    assert (result.data_units.created, result.data_units.failed) == (1, 1)
    assert (result.discovered, result.uploaded, result.failed) == (3, 1, 2)
    world.check()


def test_an_asset_that_cannot_be_read_fails_the_run(world: World) -> None:
    """U5: it is not passed over."""
    world.write("pictures/cat.jpg", b"cat")
    assets = {"images": {"path": "data/pictures"}, "labels": {"path": "data/nowhere"}}

    with pytest.raises(StepFailedError, match=r"validate_files.*There is no 'data/nowhere'"):
        world.upload(use_single_path=False, assets=assets)

    assert world.objects() == set()


def test_odd_sheets_are_read(world: World) -> None:
    """U7: a blank line at the top, names that are numbers, and a column name that comes twice."""
    world.write("images/1.jpg", b"1")
    world.write("images/2.jpg", b"2")
    world.write("meta.csv", "\nfilename,place,place\n1,Rome,Italy\n2,Oslo,Norway\n")

    result = world.upload()

    assert result.metadata is not None
    assert result.metadata.matched == 2
    assert {unit.meta["place"] for unit in world.units().values()} == {"Rome", "Oslo"}


def test_the_report_says_what_is_remarkable_about_a_sheet(world: World) -> None:
    """What was renamed or left out is otherwise only in the log."""
    world.write("images/1.jpg", b"1")
    world.write("meta.csv", "filename,place,place\n1,Rome,Italy\n,Oslo,Norway\n")

    result = world.upload()

    notes = json.loads(Path(result.report_path).read_text(encoding="utf-8"))["metadata"]["notes"]
    assert notes == ["A second 'place' is called 'place_2'", "Row 3 has values, but no file name: left out"]


def test_larger_files_than_allowed_are_refused_by_name(world: World) -> None:
    """U8: by exactly so many bytes."""
    world.write("images/fits.jpg", bytes(2_000))
    world.write("images/large.jpg", bytes(2_001))

    result = world.upload(max_file_size_mb=0.002, on_error="continue")

    assert {failure.file: failure.code for failure in result.failures} == {"images/large.jpg": "FILE_TOO_LARGE"}
    assert world.units().keys() == {"fits"}


def test_a_limit_without_end_is_refused_with_the_params(world: World) -> None:
    """Not in the middle of the run, as a number that cannot be converted."""
    with pytest.raises(InvalidParamsError, match="max_file_size_mb"):
        world.upload(max_file_size_mb=float("inf"))


def test_names_that_are_written_alike_are_told_apart(world: World) -> None:
    """A file that is shown with its control character escaped is not the one that has this name."""
    for name in ("a\nb", "a\\nb", "caf\udce9", "caf\\xe9"):
        world.write(f"images/{name}.jpg", name.encode("utf-8", "surrogateescape"))

    result = world.upload(on_error="continue")

    assert (result.discovered, result.uploaded, result.failed) == (4, 2, 2)
    assert world.units().keys() == {"a\\nb", "caf\\xe9"}
    assert {each.file for each in result.failures} == {"images/a\\nb.jpg (2)", "images/caf\\xe9.jpg (2)"}


@pytest.mark.parametrize("labels", [{"dog.json": ""}, {"dog.json": "{}", "dog.txt": "dog"}], ids=["empty", "twice"])
def test_a_unit_waits_for_an_optional_file_that_cannot_be_uploaded(world: World, labels: dict[str, str]) -> None:
    """Brought in without it, the unit could never get it: the mended file would be a conflict."""
    world.write("images/cat.jpg", "cat")
    world.write("images/dog.jpg", "dog")
    paths = [world.write(f"labels/{name}", content) for name, content in labels.items()]

    result = world.upload(on_error="continue")

    codes = {each.file: each.code for each in result.failures}
    assert (codes["images/dog.jpg"], result.failed) == ("INCOMPLETE_UNIT", 1 + len(labels))
    assert world.units().keys() == {"cat"}
    for path in paths[1:]:
        path.unlink()
    paths[0].write_text("{}")
    assert world.upload().uploaded == 2
    assert world.units()["dog"].files.keys() == {"images", "labels"}


def test_every_specification_keeps_its_own_content_and_equal_names_stay_apart(world: World) -> None:
    """U9: also where two files of one unit, or of two, have the same content."""
    for folder in "ab":
        world.write(f"images/{folder}/1.jpg", f"picture {folder}".encode())
        world.write(f"labels/{folder}/1.json", b"{}")
    world.write("images/twin.jpg", b"{}")
    world.write("labels/twin.json", b"{}")

    world.upload()

    units = world.units()
    assert {key: (world.content(each, "images"), world.content(each, "labels")) for key, each in units.items()} == {
        "a/1": (b"picture a", b"{}"),
        "b/1": (b"picture b", b"{}"),
        "twin": (b"{}", b"{}"),
    }
    assert len(world.objects()) == 3
    world.check()


def test_twins_by_unicode_form_are_refused_by_name(world: World) -> None:
    """F22: they would be one unit; neither is taken for the other."""
    for form in ("NFC", "NFD"):
        world.write(f"images/{unicodedata.normalize(form, 'é')}.jpg", form.encode())
    if len([*(world.folder / "data" / "images").iterdir()]) == 1:
        pytest.skip("this file system keeps one of them")

    with pytest.raises(StepFailedError, match="would be in one unit"):
        world.upload()

    world.check()


def test_a_report_does_not_say_rolled_back_while_something_is_left(world: World) -> None:
    """Only when that is undone, too."""
    locked = [True]

    class Lock(BaseStep[UploadContext]):
        name, progress_weight = "lock", 0.1

        def execute(self, context: UploadContext) -> StepResult:
            return StepResult()

        def rollback(self, context: UploadContext, result: StepResult) -> None:
            if locked:
                raise PermissionError

    class Locking(DefaultUploadAction):
        def setup_steps(self, registry: StepRegistry[UploadContext]) -> None:
            super().setup_steps(registry)
            registry.insert_after("upload_files", Lock())

        def commit(self, context: UploadContext) -> None:
            raise RuntimeError

    def status() -> str:
        report = json.loads((world.folder / ".synapse" / "runs" / "gone" / "report.json").read_text())
        return str(report["status"])

    world.write("images/cat.jpg")
    with pytest.raises(RuntimeError):
        run_action(Locking, world.params(), journal=True, job_id="gone")
    statuses = [status()]
    for _ in range(2):
        rollback_run("gone", action=Locking)
        statuses.append(status())
        locked.clear()

    assert statuses == ["rollback_incomplete", "rollback_incomplete", "rolled_back"]
