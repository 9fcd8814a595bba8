"""Downloading: every ground truth is in the dataset, whole, or it is said why not."""

import json
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.errors import ObjectExistsError, StepFailedError
from synapse_sdk.formats import convert
from synapse_sdk.types import JsonObject
from tests.unit.plugins.actions.dataset.world import DM, TEST, TRAIN, VALIDATION, DatasetWorld, picture
from tests.unit.plugins.actions.export.world import files_in

EVERY_TOOL: JsonObject = {
    "classification": {"polygon": ["road"], "keypoint": ["nose"]},
    "images": [
        {
            "polygon": [{"id": "p1", "classification": "road", "attrs": [], "data": [[1, 2], [4, 2], [4, 6]]}],
            "polyline": [{"id": "l1", "classification": "lane", "attrs": [], "data": [[1, 2], [4, 2]]}],
            "keypoint": [{"id": "k1", "classification": "nose", "attrs": [], "data": [12, 9], "visibility": 2}],
            "segmentation": [{"id": "s1", "classification": "sky", "attrs": [], "data": [[5, 3], [69, 2]]}],
            "relation": [{"id": "r1", "classification": "on", "attrs": [], "data": ["p1", "l1"]}],
            "unheard_of": [{"id": "u1", "classification": "?", "attrs": [{"name": "a", "value": 1}], "data": {}}],
        }
    ],
    "videos": [{"segmentation": [{"id": "v1", "classification": "", "attrs": [], "data": {"startFrame": 3}}]}],
}


def test_a_download_has_a_folder_for_each_category(world: DatasetWorld) -> None:
    """On disk `validation` is `valid`; each folder has documents and originals of one stem."""
    world.freeze()

    result = world.run(output="out")

    assert world.data_of(result) == {
        **{f"train/original_files/{name}.png": picture(f"{name}.png") for name in ("wren", "owl")},
        "valid/original_files/jay.png": picture("jay.png"),
        **{f"train/json/{name}.json": _line(DM) for name in ("wren", "owl")},
        "valid/json/jay.json": _line(DM),
    }
    assert (result.format, result.is_categorized, result.count) == ("dm_v2", True, 3)
    assert result.download is not None
    assert result.download.splits == {"train": 2, "valid": 1}
    assert result.success
    assert result.data_path == result.path == str(world.folder / "out")


def _line(document: JsonObject) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode() + b"\n"


def test_a_download_may_be_flat(world: DatasetWorld) -> None:
    """All in one pair of folders."""
    world.freeze()

    result = world.run(is_categorized=False)

    assert {path.split("/")[0] for path in world.data_of(result)} == {"json", "original_files"}
    assert not result.is_categorized


def test_everything_that_was_annotated_survives(world: DatasetWorld) -> None:
    """D1: points as lists, lines, masks, and what nobody has heard of; documents are not touched."""
    world.freeze({world.add("wren.png", data=EVERY_TOOL): TRAIN})

    result = world.run()

    assert world.documents_of(result) == {"train/json/wren.json": EVERY_TOOL}


V1: JsonObject = {
    "assignmentId": 7,
    "annotations": {"image_1": [{"id": "b1", "tool": "bounding_box", "classification": {"class": "car"}}]},
    "annotationsData": {"image_1": [{"id": "b1", "coordinate": {"x": 10, "y": 20, "width": 30, "height": 15}}]},
}


def test_documents_of_version_1_are_saved_in_version_2(world: DatasetWorld) -> None:
    """D1: with what they were made of beside it, so that nothing of them is lost."""
    world.freeze({world.add("wren.png", data=V1): TRAIN})

    document = world.documents_of(world.run())["train/json/wren.json"]

    box = {"id": "b1", "classification": "car", "attrs": [], "data": [10, 20, 30, 15]}
    assert document["annotation_data"]["images"] == [{"bounding_box": [box]}]
    assert document["annotation_meta"] == V1


def test_a_document_that_version_2_cannot_hold_is_saved_as_it_is(world: DatasetWorld, tmp_path: Path) -> None:
    """Whoever reads the dataset hears what is wrong with it; converted quietly, it would be gone."""
    damaged = {**V1, "annotationsData": {"image_1": [{"id": "b1", "coordinate": "everywhere"}]}}
    world.freeze({world.add("wren.png", data=damaged): TRAIN})

    result = world.run()

    assert world.documents_of(result) == {"train/json/wren.json": damaged}
    assert convert(Path(result.path), tmp_path / "dm", to="dm_v2").annotations.failed == 1


def test_two_files_of_one_name_are_two_items(world: DatasetWorld) -> None:
    """D2: nothing is overwritten; the second gets its id, document and image alike."""
    tasks = [world.add("a/wren.png", b"first"), world.add("b/wren.png", b"second"), world.add("wren.jpg", b"third")]
    world.freeze(dict.fromkeys(tasks, TRAIN))

    result = world.run()

    found = world.data_of(result)
    assert {each for path, each in found.items() if "original_files" in path} == {b"first", b"second", b"third"}
    stems = [
        {Path(path).stem for path in found if Path(path).parent.name == folder} for folder in ("json", "original_files")
    ]
    assert stems[0] == stems[1]
    assert len(stems[0]) == 3
    assert result.download is not None
    assert result.download.renamed > 0


def test_hostile_names_stay_in_the_folder(world: DatasetWorld) -> None:
    """A name is the last part of a path, without what steers terminals."""
    world.freeze({world.add("../../etc/pass\nwd.png", key="x"): TRAIN})

    result = world.run()

    assert set(world.data_of(result)) == {"train/json/pass_wd.json", "train/original_files/pass_wd.png"}


def test_a_failed_item_is_not_in_the_dataset_at_all(world: DatasetWorld) -> None:
    """D3: neither document nor file; it is counted, named, and makes the run end with losses."""
    world.freeze()
    _lose(world, "owl.png")

    result = world.run()

    assert not [path for path in world.data_of(result) if "owl" in path]
    assert result.download is not None
    assert (result.download.total, result.download.downloaded, result.download.failed) == (3, 2, 1)
    assert [each.code for each in result.download.failures] == ["FILE_FAILED"]
    assert (result.success, result.losses, result.count) == (False, 1, 2)
    rows = json.loads((Path(result.report_path).parent / "download" / "report.json").read_text())["items"]
    assert sorted(row["outcome"] for row in rows) == ["exported", "exported", "failed"]


def test_a_changed_file_fails_its_item(world: DatasetWorld) -> None:
    """What is fetched is compared with what the backend knows of it."""
    world.freeze()
    _lose(world, "owl.png").write_bytes(b"something else")

    result = world.run()

    assert result.download is not None
    assert "bytes" in result.download.failures[0].reason


def _lose(world: DatasetWorld, name: str) -> Path:
    unit = world.units()[name]
    path = world.store / unit.files["images"].key
    path.unlink()
    return path


@pytest.mark.parametrize(
    ("params", "may"),
    [
        ({"max_failed": 0}, "2 items cannot be downloaded, and 0 may"),
        ({"max_failed": 1}, "2 items cannot be downloaded, and 1 may"),
        ({"on_error": "stop"}, "2 items cannot be downloaded, and none may fail"),
    ],
)
def test_more_failed_items_than_may_fail_the_run(world: DatasetWorld, params: dict[str, Any], may: str) -> None:
    """D3: and nothing is left of it."""
    world.freeze()
    _lose(world, "owl.png")
    _lose(world, "wren.png")

    with pytest.raises(StepFailedError, match=may):
        world.run(**params)

    assert world.cached == []
    assert not (world.folder / ".synapse" / "datasets").exists()


def test_so_many_failed_items_as_may_do_not_fail_the_run(world: DatasetWorld) -> None:
    """The limit is what still goes."""
    world.freeze()
    _lose(world, "owl.png")

    result = world.run(max_failed=1)

    assert result.losses == 1


def test_a_dataset_without_a_single_good_item_fails(world: DatasetWorld) -> None:
    """D3: whatever the limit."""
    world.freeze()
    for name in ("owl.png", "wren.png", "jay.png"):
        _lose(world, name)

    with pytest.raises(StepFailedError, match="3 items cannot be downloaded, and none is left"):
        world.run()


def test_a_selection_without_items_fails(world: DatasetWorld) -> None:
    """D3: an empty dataset is none."""
    world.freeze()

    with pytest.raises(StepFailedError, match="No ground truth of 'birds@1' fits the filters"):
        world.run(filter={"category": "test"})


def test_splits_may_be_chosen_by_filters(world: DatasetWorld) -> None:
    """Each name is a folder, and `validation` is `valid` there, too; what fits none is left out."""
    tasks = [world.add(f"{number}.png") for number in range(4)]
    world.freeze(dict(zip(tasks, (TRAIN, VALIDATION, TEST, TEST), strict=True)))

    result = world.run(
        splits={"validation": {"category": "test"}, "train": {"tasks": [tasks[0]]}}, filter={"tasks": tasks[:3]}
    )

    assert set(world.documents_of(result)) == {"train/json/0.json", "valid/json/2.json"}
    assert result.download is not None
    assert result.download.total == 2


def test_an_item_in_two_splits_is_refused(world: DatasetWorld) -> None:
    """What a model is judged by must not be what it was trained with."""
    world.freeze()

    with pytest.raises(StepFailedError, match="would be in two splits, 'train' and 'test'"):
        world.run(splits={"train": {"category": "train"}, "test": {}})


def test_files_may_be_left_out(world: DatasetWorld) -> None:
    """Documents alone."""
    world.freeze()

    result = world.run(save_original_file=False)

    assert {Path(path).suffix for path in world.data_of(result)} == {".json"}


def test_other_files_of_an_item_come_with_it(world: DatasetWorld) -> None:
    """Beside the originals, by file specification."""
    world.freeze({world.add("wren.png", labels=("wren.txt", b"text")): TRAIN})

    result = world.run()

    assert world.data_of(result)["train/other_files/labels/wren.txt"] == b"text"


def test_the_default_place_is_of_the_run(world: DatasetWorld) -> None:
    """D9: below the data folder of the user, another one for each run."""
    world.freeze()

    first, second = world.run(), world.run()

    assert first.path != second.path
    for result in (first, second):
        assert Path(result.path) == world.folder / ".synapse" / "datasets" / result.run / "birds@1"


def test_a_dataset_is_found_by_id_and_name(world: DatasetWorld) -> None:
    """As an export finds it: the newest one for a name alone."""
    world.freeze()
    version = world.freeze({world.add("robin.png"): TRAIN})

    found = [world.run(dataset=each) for each in (int(version.id), "birds@2", "birds", "birds@1")]

    assert [result.count for result in found] == [1, 1, 1, 3]


@pytest.mark.parametrize("is_there", [False, True], ids=["new", "empty"])
def test_an_output_is_made_where_there_is_nothing(world: DatasetWorld, *, is_there: bool) -> None:
    """Folders above it, too; an empty folder is as good as none."""
    world.freeze()
    if is_there:
        (world.folder / "deep" / "out").mkdir(parents=True)

    result = world.run(output="deep/out")

    assert result.path == str(world.folder / "deep" / "out")
    assert len(world.data_of(result)) == 6


def test_an_output_is_never_overwritten(world: DatasetWorld) -> None:
    """What is there stays, and so does everything else."""
    world.freeze()
    (world.folder / "out").mkdir()
    (world.folder / "out" / "theirs.txt").write_text("theirs")

    with pytest.raises(StepFailedError, match=r"There is something in .* already") as caught:
        world.run(output="out")

    assert isinstance(caught.value.__cause__, ObjectExistsError)
    assert files_in(world.folder / "out") == {"theirs.txt": b"theirs"}
    assert world.cached == []


@pytest.mark.parametrize("images", ["copy", "hardlink", "symlink"])
def test_files_come_into_the_output_as_it_is_wanted(world: DatasetWorld, images: str) -> None:
    """The same bytes in any case; documents are copies."""
    world.freeze()

    result = world.run(output="out", images=images)

    path = Path(result.path, "train/original_files/owl.png")
    assert path.read_bytes() == picture("owl.png")
    assert path.is_symlink() == (images == "symlink")
    assert (path.stat().st_nlink > 1) == (images == "hardlink")
    assert Path(result.path, "train/json/owl.json").stat().st_nlink == 1


def test_the_manifest_of_an_output_is_true(world: DatasetWorld) -> None:
    """It names the run, and lists every file with size and digest."""
    world.freeze()

    result = world.run(output="out")

    manifest = json.loads((Path(result.path) / "manifest.json").read_text())
    assert manifest["run"] == result.run
    found = files_in(result.path)
    assert {each["path"]: each["size"] for each in manifest["files"]} == {
        path: len(content) for path, content in found.items() if path != "manifest.json"
    }
