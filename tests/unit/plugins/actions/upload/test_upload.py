import csv
import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.backend import DataUnitState, FileSpecification
from synapse_sdk.errors import (
    ConfigurationError,
    InvalidParamsError,
    InvalidResultError,
    RecordNotFoundError,
    StepFailedError,
)
from synapse_sdk.plugins import run_action, run_plugin
from synapse_sdk.plugins.actions.upload import BaseUploadAction, DefaultUploadAction, UploadContext, UploadParams
from synapse_sdk.plugins.actions.upload.steps import ProcessMetadataStep
from synapse_sdk.plugins.steps import BaseStep, StepRegistry, StepResult
from synapse_sdk.reporting import MemoryReporter
from tests.unit.plugins.actions.upload.world import World

STEPS = (
    ("initialize", 0.05),
    ("validate_files", 0.10),
    ("analyze_collection", 0.05),
    ("organize_files", 0.15),
    ("generate_data_units", 0.10),
    ("upload_files", 0.50),
    ("process_metadata", 0.05),
)


def test_the_steps_are_those_of_the_guide() -> None:
    """Names, order and weights; the weights sum to one."""
    registry = StepRegistry[UploadContext]()
    params = UploadParams(data_collection="things", path="data")

    DefaultUploadAction(params, None).setup_steps(registry)  # type: ignore[arg-type]  # no run, no runtime context

    assert tuple((step.name, step.progress_weight) for step in registry) == STEPS
    assert registry.total_weight == pytest.approx(1.0)


def test_files_become_units_with_their_content(world: World) -> None:
    """Every unit has the files of its stem, byte for byte, and says where they came from."""
    world.write("images/a/cat.jpg", b"cat picture")
    world.write("images/dog.png", b"dog picture")
    world.write("labels/cat.json", b"{}")

    result = world.upload()

    units = world.units()
    assert units.keys() == {"cat", "dog"}
    assert world.content(units["cat"], "images") == b"cat picture"
    assert world.content(units["cat"], "labels") == b"{}"
    assert units["cat"].files["images"].name == "a/cat.jpg"
    meta = dict(units["cat"].meta)
    assert meta.pop("created_at")
    assert meta == {"data_unit_key": "cat", "origin_file_stem": "cat", "origin_file_extension": ".jpg"}
    assert (result.success, result.discovered, result.uploaded) == (True, 3, 3)
    assert result.data_units.created == 2
    world.check()


def test_the_same_upload_again_is_all_duplicates(world: World) -> None:
    """Nothing is sent, nothing is doubled, and the result says so."""
    world.write("images/cat.jpg", b"cat")
    world.write("images/dog.jpg", b"dog")
    world.upload()
    before = world.objects()

    result = world.upload()

    assert (result.uploaded, result.duplicate, result.failed) == (0, 2, 0)
    assert (result.data_units.created, result.data_units.duplicate) == (0, 2)
    assert result.success
    assert world.objects() == before
    assert world.units().keys() == {"cat", "dog"}


def test_equal_files_are_sent_once(world: World) -> None:
    """U2: four names, one object, four units."""
    for name in "abcd":
        world.write(f"images/{name}.jpg", b"the same")

    result = world.upload()

    assert (result.uploaded, result.duplicate) == (1, 3)
    assert len(world.objects()) == 1
    assert world.units().keys() == set("abcd")
    world.check()


def test_every_file_is_accounted_for(world: World) -> None:
    """U1: in the result, and line by line in both reports."""
    world.write("images/good.jpg")
    world.write("images/empty.jpg", b"")
    world.write("images/note.txt")
    world.write("elsewhere/x.jpg")
    world.write("images/.DS_Store")
    world.write("labels/orphan.json")

    result = world.upload(on_error="continue")

    assert (result.discovered, result.uploaded, result.filtered, result.failed) == (6, 1, 3, 2)
    assert not result.success
    assert result.losses == 2
    assert {failure.file: failure.code for failure in result.failures} == {
        "images/empty.jpg": "EMPTY_FILE",
        "labels/orphan.json": "MISSING_REQUIRED_DATA",
    }
    report = json.loads(Path(result.report_path).read_text())
    assert report["counts"] == {"discovered": 6, "uploaded": 1, "duplicate": 0, "filtered": 3, "failed": 2}
    with Path(result.report_path).with_suffix(".csv").open(newline="") as file:
        rows = {row["file"]: (row["outcome"], row["reason"]) for row in csv.DictReader(file)}
    assert rows == {
        "images/good.jpg": ("uploaded", ""),
        "images/empty.jpg": ("failed", "EMPTY_FILE"),
        "images/note.txt": ("filtered", "UNSUPPORTED_EXTENSION"),
        "elsewhere/x.jpg": ("filtered", "NO_SPECIFICATION"),
        "images/.DS_Store": ("filtered", "IGNORED"),
        "labels/orphan.json": ("failed", "MISSING_REQUIRED_DATA"),
    }


def test_a_bad_file_stops_the_upload_and_nothing_is_left(world: World) -> None:
    """Unless it was asked to go on; the error names file, reason and way out."""
    world.write("images/good.jpg")
    world.write("images/empty.jpg", b"")

    says = r"validate_files.*images/empty.jpg: it has no bytes.*on_error='continue'"
    with pytest.raises(StepFailedError, match=says):
        world.upload()

    assert world.units(None) == {}
    assert world.objects() == set()


def test_a_failure_after_the_upload_takes_everything_back(world: World) -> None:
    """U4: objects and units of this run are gone, what was there before stays; the report says what was rolled back."""
    world.write("images/old.jpg", b"old")
    world.upload()
    before = world.objects()
    world.write("images/new.jpg", b"new")

    with pytest.raises(StepFailedError):
        run_action(DefaultUploadAction, world.params(), inject_failure="process_metadata", job_id="failing")

    assert world.objects() == before
    assert world.units(None).keys() == {"old"}
    world.check()
    report = json.loads(Path(".synapse/runs/failing/report.json").read_text())
    assert report["status"] == "rolled_back"
    assert report["counts"]["rolled_back"] == report["counts"]["discovered"] == 2


def test_units_stay_hidden_until_all_has_succeeded(world: World) -> None:
    """A step after the upload sees them staged; nobody else sees them."""
    world.write("images/cat.jpg")
    seen: list[Any] = []

    class Look(BaseStep[UploadContext]):
        name, progress_weight = "look", 0.1

        def execute(self, context: UploadContext) -> StepResult:
            seen.append((world.units().keys(), world.units(DataUnitState.STAGED).keys()))
            return StepResult()

    class Looking(BaseUploadAction[UploadParams]):
        def setup_steps(self, registry: StepRegistry[UploadContext]) -> None:
            super().setup_steps(registry)
            registry.insert_after("upload_files", Look())

    run_action(Looking, world.params())

    assert seen == [(set(), {"cat"})]
    assert world.units().keys() == {"cat"}


def test_an_empty_subclass_runs(world: World) -> None:
    """U13: all seven steps, by the name of the class."""
    world.write("images/cat.jpg")

    class MyUpload(BaseUploadAction[UploadParams]):
        pass

    assert MyUpload.action_name == "my_upload"
    assert run_action(MyUpload, world.params()).uploaded == 1


def test_steps_can_be_added_replaced_and_may_change_the_groups(world: World) -> None:
    """U13: what a step puts into `organized_files` is what is uploaded, files of its own included."""
    world.write("images/cat.jpg", b"cat")
    made = world.folder / "made.jpg"
    made.write_bytes(b"made by a step")

    class AddOne(BaseStep[UploadContext]):
        name, progress_weight = "add_one", 0.1

        def execute(self, context: UploadContext) -> StepResult:
            context.organized_files = {**context.organized_files, "made": {"images": str(made)}}
            return StepResult()

    class OwnMetadata(ProcessMetadataStep):
        name = "own_metadata"

        def can_skip(self, context: UploadContext) -> bool:
            return False

        def execute(self, context: UploadContext) -> StepResult:
            metas = {unit["key"]: {"by": "us"} for unit in context.data_units}
            context.backend.ingestion.update_meta(context.run, context.collection.id, metas)
            return StepResult()

    class Custom(BaseUploadAction[UploadParams]):
        def setup_steps(self, registry: StepRegistry[UploadContext]) -> None:
            super().setup_steps(registry)
            registry.insert_after("organize_files", AddOne())
            registry.unregister("process_metadata")
            registry.register(OwnMetadata())

    result = run_action(Custom, world.params())

    units = world.units()
    assert units.keys() == {"cat", "made"}
    assert world.content(units["made"], "images") == b"made by a step"
    assert {unit.meta["by"] for unit in units.values()} == {"us"}
    assert result.uploaded == 2


@pytest.mark.parametrize("missing", ["initialize", "analyze_collection", "generate_data_units"])
def test_a_step_says_which_one_it_needs_before(world: World, missing: str) -> None:
    """Rather than failing over what is not there."""

    class Lacking(BaseUploadAction[UploadParams]):
        def setup_steps(self, registry: StepRegistry[UploadContext]) -> None:
            super().setup_steps(registry)
            registry.unregister(missing)

    world.write("images/cat.jpg")

    with pytest.raises(StepFailedError, match=rf"The step '{missing}' has not run.*super\(\)\.setup_steps"):
        run_action(Lacking, world.params())


def test_what_a_step_leaves_out_is_accounted_for(world: World) -> None:
    """It is filtered, by a step; and a file that nobody accounts for fails the run."""
    world.write("images/cat.jpg", b"cat")
    world.write("images/dog.jpg", b"dog")

    class LeaveOut(BaseStep[UploadContext]):
        name, progress_weight = "leave_out", 0.1

        def execute(self, context: UploadContext) -> StepResult:
            del context.organized_files["dog"]
            return StepResult()

    class Lose(BaseStep[UploadContext]):
        name, progress_weight = "lose", 0.1

        def execute(self, context: UploadContext) -> StepResult:
            context.uploaded_files.clear()
            return StepResult()

    class LeavingOut(BaseUploadAction[UploadParams]):
        def setup_steps(self, registry: StepRegistry[UploadContext]) -> None:
            super().setup_steps(registry)
            registry.insert_after("organize_files", LeaveOut())

    class Losing(LeavingOut):
        def setup_steps(self, registry: StepRegistry[UploadContext]) -> None:
            super().setup_steps(registry)
            registry.insert_after("upload_files", Lose())

    with pytest.raises(InvalidResultError, match="2 files discovered, but 1 accounted for"):
        run_action(Losing, world.params())
    assert world.units(None) == {}

    result = run_action(LeavingOut, world.params())

    assert (result.discovered, result.uploaded, result.filtered) == (2, 1, 1)
    assert world.units().keys() == {"cat"}


def test_assets_may_lie_anywhere(world: World) -> None:
    """In multi-path mode each specification has a place of its own."""
    world.write("somewhere/pictures/cat.jpg", b"cat")
    world.write("notes/deep/cat.txt", b"a cat")
    data = world.folder / "data"
    assets = {"images": {"path": str(data / "somewhere" / "pictures")}, "labels": {"path": str(data / "notes")}}

    world.upload(use_single_path=False, assets=assets)

    unit = world.units()["cat"]
    assert world.content(unit, "labels") == b"a cat"
    assert unit.files["labels"].name == "deep/cat.txt"


def test_metadata_reaches_its_unit_and_nothing_else(world: World) -> None:
    """U6: exact names, in any Unicode form; what does not match is counted and listed."""
    name = unicodedata.normalize("NFD", "고양이")
    for each in (f"images/{name}.jpg", "images/1.jpg", "images/21.jpg"):
        world.write(each, each.encode())
    rows = [f"{unicodedata.normalize('NFC', name)}.jpg,서울,3,1999", "1.jpg,Rome,,", "x.jpg,,,"]
    world.write("meta.csv", "\n".join(["filename,place,count,created_at", *rows]))

    result = world.upload()

    units = world.units()
    cat = units[unicodedata.normalize("NFC", name)]
    assert cat.meta["place"] == "서울"
    assert cat.meta["sheet_created_at"]
    assert str(cat.meta["created_at"]).startswith("20")
    assert units["1"].meta["place"] == "Rome"
    assert "place" not in units["21"].meta
    assert result.metadata is not None
    assert (result.metadata.rows, result.metadata.matched, result.metadata.unmatched_rows) == (3, 2, 1)
    assert result.metadata.units_without == 1


def test_rows_that_name_one_file_in_two_ways_are_put_together(world: World) -> None:
    """As rows of several files of a unit are, where they agree; a row that means two units is no use still."""
    for path in ("images/cat.jpg", "images/a/owl.jpg", "images/b/owl.jpg"):
        world.write(path, path.encode())
    world.write("meta.csv", "filename,place,boxes\ncat.jpg,Rome,\ncat,Rome,5\nowl.jpg,Oslo,\na/owl,Oslo,\n")

    result = world.upload()

    assert result.metadata is not None
    counts = result.metadata
    assert (counts.rows, counts.matched, counts.ambiguous_rows, counts.units_updated) == (4, 2, 2, 1)
    assert world.units()["cat"].meta.items() >= {"place": "Rome", "boxes": "5"}.items()


def test_rows_that_could_mean_more_than_one_thing_are_not_used(world: World) -> None:
    """U6: they are told apart from rows without a file; rows of one unit that agree are put together."""
    for name in ("cat", "dog", "owl"):
        world.write(f"images/{name}.jpg", name.encode())
        world.write(f"labels/{name}.json", name.encode() * 2)
    world.write(
        "meta.csv",
        "filename,place,boxes\ncat.jpg,Rome,\ncat,Oslo,\ndog.jpg,Rome,\ndog.json,Oslo,2\nowl.jpg,Rome,\nowl.json,Rome,3\nbat,x,\n",
    )

    result = world.upload()

    assert result.metadata is not None
    assert (result.metadata.matched, result.metadata.unmatched_rows, result.metadata.ambiguous_rows) == (2, 1, 4)
    assert result.metadata.summary.startswith(
        "2 of 7 rows matched, 1 unit updated; 1 row without a file; 4 rows that could mean more than one thing"
    )
    assert {key: unit.meta.get("place") for key, unit in world.units().items()} == {
        "cat": None,
        "dog": None,
        "owl": "Rome",
    }
    assert world.units()["owl"].meta["boxes"] == "3"
    unmatched = json.loads(Path(result.report_path).read_text(encoding="utf-8"))["metadata"]["unmatched"]
    assert "rows 4 and 5: they say different things about 'place' of unit 'dog'" in unmatched


def test_a_sheet_that_cannot_be_used_fails_before_anything_is_sent(world: World) -> None:
    """U7: not after hours of uploading."""
    world.write("images/cat.jpg")
    world.write("meta.csv", "name_of_something,place\ncat,Rome\n")

    with pytest.raises(StepFailedError, match=r"validate_files.*filename"):
        world.upload()

    assert world.objects() == set()


def test_a_unit_of_the_same_key_with_other_files_is_a_conflict(world: World) -> None:
    """What is there is not overwritten; what was sent for it does not stay behind."""
    cat = world.write("images/cat.jpg", b"cat")
    world.upload()
    cat.write_bytes(b"another cat")
    world.write("images/dog.jpg", b"dog")

    result = world.upload(on_error="continue")

    assert {failure.code for failure in result.failures} == {"UNIT_CONFLICT"}
    assert world.content(world.units()["cat"], "images") == b"cat"
    assert result.data_units.failed == 1
    world.check()


def test_a_file_that_changes_is_not_uploaded(world: World) -> None:
    """Between the check and the reading, and the others are."""
    cat = world.write("images/cat.jpg", b"cat")
    world.write("images/dog.jpg", b"dog")

    class Change(BaseStep[UploadContext]):
        name, progress_weight = "change", 0.1

        def execute(self, context: UploadContext) -> StepResult:
            cat.write_bytes(b"a cat that has moved")
            return StepResult()

    class Changing(BaseUploadAction[UploadParams]):
        def setup_steps(self, registry: StepRegistry[UploadContext]) -> None:
            super().setup_steps(registry)
            registry.insert_before("upload_files", Change())

    result = run_action(Changing, world.params(on_error="continue"))

    assert {failure.file: failure.code for failure in result.failures} == {"images/cat.jpg": "FILE_CHANGED"}
    assert world.units().keys() == {"dog"}
    world.check()


def test_other_files_of_a_failed_unit_say_so(world: World) -> None:
    """They would be alone."""
    world.write("images/cat.jpg", b"cat")
    label = world.write("labels/cat.json", b"{}")

    class Remove(BaseStep[UploadContext]):
        name, progress_weight = "remove", 0.1

        def execute(self, context: UploadContext) -> StepResult:
            label.unlink()
            return StepResult()

    class Removing(BaseUploadAction[UploadParams]):
        def setup_steps(self, registry: StepRegistry[UploadContext]) -> None:
            super().setup_steps(registry)
            registry.insert_before("upload_files", Remove())

    with pytest.raises(StepFailedError, match=r"labels/cat.json: it is gone"):
        run_action(Removing, world.params(on_error="continue"))

    assert world.units(None) == {}
    assert world.objects() == set()


def test_a_large_file_is_sent_in_pieces(world: World) -> None:
    """Its content is what it was."""
    content = bytes(range(256)) * (40 << 10)
    world.write("images/large.jpg", content)

    result = world.upload()

    assert result.uploaded_bytes == len(content)
    assert world.content(world.units()["large"], "images") == content
    world.check()


def test_without_a_storage_one_is_made_in_the_project(world: World) -> None:
    """Nothing has to be set up first; the next upload uses it again."""
    world.write("images/cat.jpg")

    result = world.upload(storage=None)

    assert result.storage == "local"
    assert (world.folder / ".synapse" / "storage").is_dir()
    assert world.upload(storage=None).duplicate == 1


def test_a_failed_upload_leaves_no_storage_behind(world: World) -> None:
    """Neither the record nor a probe in the folder."""
    world.write("images/empty.jpg", b"")

    with pytest.raises(StepFailedError):
        world.upload(storage=None)

    assert world.backend.storages.list() == []


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"data_collection": "thing"}, r"'thing'.*things"),
        ({"storage": "nowhere"}, r"'nowhere'.*A folder is written as a path: \./nowhere"),
        ({"project": "nothing"}, "'nothing'"),
        ({"path": "missing"}, r"There is no 'missing'"),
        (
            {"use_single_path": False, "assets": {"pictures": {"path": "data"}}},
            r"no file specification 'pictures'.*images",
        ),
        (
            {"use_single_path": False, "assets": {"images": {"path": "data"}, "labels": {"path": "data/images"}}},
            r"claim the same files",
        ),
        ({"excel_metadata_path": "missing.csv"}, r"missing.csv"),
    ],
)
def test_what_does_not_exist_is_named(world: World, params: dict[str, Any], says: str) -> None:
    """Each with what there is instead."""
    world.write("images/cat.jpg")

    with pytest.raises(StepFailedError, match=says):
        world.upload(**params)


def test_an_empty_folder_and_one_without_specification_folders_are_told_apart(world: World) -> None:
    """U5: the latter names the folders that are expected."""
    (world.folder / "data").mkdir()
    with pytest.raises(StepFailedError, match="There are no files"):
        world.upload()

    world.write("cat.jpg")
    with pytest.raises(StepFailedError, match=r"images/, labels/.*--asset images="):
        world.upload()


def test_a_required_specification_without_files_is_named(world: World) -> None:
    """U5: with the place where they belong."""
    world.backend.collections.create(
        "strict", specifications=[FileSpecification(name="images"), FileSpecification(name="masks")]
    )
    world.write("images/cat.jpg")

    with pytest.raises(StepFailedError, match=r"no files for 'masks'.*masks/"):
        world.upload(data_collection="strict")


def test_files_that_are_there_and_unfit_are_not_said_to_be_missing(world: World) -> None:
    """Whether they are refused or left out; what is wrong with them is said instead."""
    world.write("images/cat.jpg", b"")

    with pytest.raises(StepFailedError, match=r"of 1 file 1 is refused\. images/cat\.jpg: it has no bytes\. Mend"):
        world.upload(on_error="continue")

    world.write("labels/cat.json", b"{}")
    with pytest.raises(
        StepFailedError, match=r"No file for 'images', which.*can be uploaded\. images/cat.jpg: it matches"
    ):
        world.upload(exclude=["*.jpg"])


def test_a_collection_without_specifications_takes_nothing(world: World) -> None:
    """It says how to make one that does."""
    world.backend.collections.create("bare")
    world.write("images/cat.jpg")

    with pytest.raises(StepFailedError, match=r"'bare' has no file specification"):
        world.upload(data_collection="bare")


def test_wrong_params_are_all_named_at_once(world: World) -> None:
    """Nothing was started."""
    with pytest.raises(InvalidParamsError) as caught:
        world.upload(max_file_size_mb=-1, on_error="perhaps", upload_max_workers=0, surprise=1)

    assert len(caught.value.problems) == 4


@pytest.mark.parametrize(
    "params",
    [
        {"path": None},
        {"use_single_path": False},
        {"assets": {"images": {"path": "data"}}},
        {"use_single_path": False, "path": "data", "assets": {"images": {"path": "data"}}},
    ],
)
def test_modes_do_not_mix(world: World, params: dict[str, Any]) -> None:
    """Path or assets, as the mode says."""
    with pytest.raises(InvalidParamsError):
        world.upload(**params)


def test_progress_in_files_and_bytes_and_no_step_back(world: World, reporter: MemoryReporter) -> None:
    """The bar moves within the upload, and ends at 100."""
    for number in range(300):
        world.write(f"images/{number}.jpg", str(number).encode() * 100)

    run_action(DefaultUploadAction, world.params(), reporter=reporter)

    assert reporter.progress["files"] == (300, 300)
    current, total = reporter.progress["bytes"]
    assert current == total > 0
    assert reporter.percents == sorted(reporter.percents)
    assert reporter.percents[-1] == 100


def test_hashing_a_large_file_has_a_bar_of_its_own(world: World, reporter: MemoryReporter) -> None:
    """Which is full at the end, also when a file was left out before anybody looked into it."""
    world.write("images/large.jpg", bytes(12 << 20))
    world.write("images/small.jpg", b"small")
    changing = world.write("images/other.jpg", bytes(9 << 20))

    class Change(BaseStep[UploadContext]):
        name, progress_weight = "change", 0.0

        def execute(self, context: UploadContext) -> StepResult:
            changing.write_bytes(b"changed")
            return StepResult()

    class Changing(BaseUploadAction[UploadParams]):
        def setup_steps(self, registry: StepRegistry[UploadContext]) -> None:
            super().setup_steps(registry)
            registry.insert_before("upload_files", Change())

    run_action(Changing, world.params(on_error="continue"), reporter=reporter)

    assert reporter.progress["hashed_bytes"] == (21 << 20, 21 << 20)
    assert reporter.percents == sorted(reporter.percents)
    assert reporter.percents[-1] == 100


def test_it_runs_by_name(world: World) -> None:
    """The built-in actions are a plugin like any other."""
    world.write("images/cat.jpg")

    result = run_plugin("synapse_sdk.plugins.actions", "upload", world.params())

    assert result.uploaded == 1


def test_errors_keep_their_kind(world: World) -> None:
    """Programs can tell them apart."""
    with pytest.raises(StepFailedError) as caught:
        world.upload(data_collection="nothing")
    assert isinstance(caught.value.__cause__, RecordNotFoundError)

    (world.folder / "data").mkdir()
    with pytest.raises(StepFailedError) as caught:
        world.upload()
    assert isinstance(caught.value.__cause__, ConfigurationError)
