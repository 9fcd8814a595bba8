"""Converting: what was downloaded, or is in a folder, becomes a dataset of another format, or nothing is left."""

import json
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.errors import DatasetLossError, InvalidDatasetError, StepFailedError
from synapse_sdk.formats import read_report
from synapse_sdk.plugins.actions.dataset import (
    ConvertDatasetStep,
    DatasetAction,
    DatasetContext,
    DatasetOperation,
    DatasetParams,
    ExportDatasetStep,
)
from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.steps import StepRegistry
from tests.unit.plugins.actions.dataset.test_cache import Fail, Failing
from tests.unit.plugins.actions.dataset.world import DM, TRAIN, VALIDATION, DatasetWorld, boxes, picture
from tests.unit.plugins.actions.export.world import files_in

CONVERT = DatasetOperation.CONVERT


def test_a_version_becomes_a_yolo_dataset(world: DatasetWorld) -> None:
    """With `dataset` it is downloaded first; what comes out is what a trainer is given."""
    world.freeze()

    result = world.run(operation=CONVERT, target_format="yolo", output="out")

    found = files_in(result.path)
    assert found["train/images/owl.png"] == picture("owl.png")
    assert found["valid/labels/jay.txt"].startswith(b"0 ")
    assert (result.format, result.is_categorized, result.count) == ("yolo", True, 3)
    assert result.path == str(world.folder / "out")
    assert result.data_path == result.config_path == str(world.folder / "out" / "dataset.yaml")
    assert result.download is not None
    assert result.download.downloaded == 3
    assert result.conversion is not None
    assert result.conversion.items.seen == result.conversion.items.written == 3
    assert result.conversion.annotations.seen == 6
    assert result.success


def test_a_conversion_uses_what_was_downloaded_before(world: DatasetWorld) -> None:
    """The second format does not need the storage any more."""
    world.freeze()
    world.run(operation=CONVERT, target_format="yolo")
    world.store.rename(world.folder / "gone")

    result = world.run(operation=CONVERT, target_format="voc")

    assert result.download is not None
    assert result.download.is_cached
    assert result.format == "pascal"
    assert result.config_path is None  # D5: this format has none
    assert result.data_path == result.path


def test_by_default_what_is_converted_is_of_the_run(world: DatasetWorld) -> None:
    """D9: a folder below the data folder for a download; nothing is beside what other runs use, too."""
    world.freeze()

    first, second = (world.run(operation=CONVERT) for _ in range(2))

    assert first.path != second.path
    for result in (first, second):
        assert Path(result.path) == world.folder / ".synapse" / "datasets" / result.run / "birds@1_yolo"
    assert len(world.cached) == 1


@pytest.fixture
def folder(world: DatasetWorld) -> Path:
    """A DM dataset of the user."""
    world.freeze()
    return Path(world.run(output="mine").path)


def test_a_folder_is_converted_beside_it(world: DatasetWorld, folder: Path) -> None:
    """Its format is found out; a second time gets a name of its own, and the source stays as it was."""
    before = files_in(folder)

    first, second = (world.run(operation=CONVERT, path=str(folder)) for _ in range(2))

    assert (first.path, second.path) == (f"{folder}_yolo", f"{folder}_yolo(1)")
    assert first.source_path == str(folder)
    assert first.download is None
    assert files_in(folder) == before
    assert world.data_of(first).keys() == world.data_of(second).keys()


def test_the_format_of_a_folder_may_be_said(world: DatasetWorld, folder: Path) -> None:
    """D5: it alone chooses the reader."""
    result = world.run(operation=CONVERT, path=str(folder), source_format="dm")

    assert result.conversion is not None
    assert result.conversion.source_format == "dm_v2"
    with pytest.raises(StepFailedError):
        world.run(operation=CONVERT, path=str(folder), source_format="pascal")


def test_a_dataset_comes_back_from_its_format(world: DatasetWorld, folder: Path) -> None:
    """Both directions."""
    yolo = world.run(operation=CONVERT, path=str(folder))

    result = world.run(operation=CONVERT, path=yolo.path, target_format="pascal")

    assert result.conversion is not None
    assert result.conversion.annotations.written == 6


def test_losses_are_in_the_result(world: DatasetWorld) -> None:
    """Counted by reason; the run ends with losses."""
    document = boxes("cat")
    images: Any = document["images"]
    images[0]["polyline"] = [{"id": "l", "classification": "lane", "attrs": [], "data": [[1, 2], [3, 4]]}]
    world.freeze({world.add("wren.png", picture("wren.png"), document): TRAIN})

    result = world.run(operation=CONVERT)

    assert result.conversion is not None
    assert result.conversion.losses == result.losses == 1
    assert result.conversion.reasons[0]["count"] == 1
    assert not result.success
    assert (Path(result.path) / "losses.csv").exists()


def test_a_strict_conversion_leaves_nothing(world: DatasetWorld) -> None:
    """Neither the dataset nor the download."""
    document = boxes("cat")
    images: Any = document["images"]
    images[0]["bounding_box"][0]["data"] = [-20, 2, 30, 4]
    world.freeze({world.add("wren.png", picture("wren.png"), document): TRAIN})

    with pytest.raises(StepFailedError) as caught:
        world.run(operation=CONVERT, strict=True, output="out")

    assert isinstance(caught.value.__cause__, DatasetLossError)
    assert not (world.folder / "out").exists()
    assert not (world.folder / ".synapse" / "datasets").exists()


def test_a_folder_that_is_not_there_fails(world: DatasetWorld) -> None:
    """Nothing is made for it."""
    with pytest.raises(StepFailedError) as caught:
        world.run(operation=CONVERT, path="nowhere", output="deep/out")

    assert isinstance(caught.value.__cause__, InvalidDatasetError)
    assert not (world.folder / "deep").exists()


def test_a_later_failure_removes_what_was_converted(world: DatasetWorld, folder: Path) -> None:
    """And only that: an empty folder that was there is there again."""
    (world.folder / "out").mkdir()

    for params in ({"output": "out"}, {}):
        with pytest.raises(StepFailedError):
            world.run(Failing, operation=CONVERT, path=str(folder), **params)

    assert list((world.folder / "out").iterdir()) == []
    assert not Path(f"{folder}_yolo").exists()


def test_what_somebody_else_has_put_at_the_place_stays(world: DatasetWorld, folder: Path) -> None:
    """A run removes only what it has written itself."""

    class Swap(Fail):
        """Puts another dataset at the place, and fails."""

        name = "swap"

        def execute(self, context: DatasetContext) -> Any:  # noqa: ANN401  # as above
            """Do it."""
            target = Path(context.dataset["path"])
            target.rename(world.folder / "moved")
            target.mkdir()
            (target / "theirs.txt").write_text("theirs")
            return super().execute(context)

    class Swapping(DatasetAction[DatasetParams]):
        """Runs it."""

        def setup_steps(self, registry: StepRegistry[DatasetContext]) -> None:
            """Register one more step."""
            super().setup_steps(registry)
            registry.register(Swap())

    with pytest.raises(StepFailedError):
        world.run(Swapping, operation=CONVERT, path=str(folder), output="out")

    assert files_in(world.folder / "out") == {"theirs.txt": b"theirs"}


def test_the_options_reach_the_formats(world: DatasetWorld, folder: Path) -> None:
    """Classes, their order, and how images come; they are in the report of the conversion."""
    result = world.run(operation=CONVERT, path=str(folder), classes=["dog"], images="hardlink")

    report = read_report(Path(result.path))
    assert report is not None
    assert report.options == {"classes": ["dog"], "images": "hardlink", "run": result.run}
    assert result.conversion is not None
    assert result.conversion.annotations.left_out == 3
    assert (Path(result.path) / "train/images/owl.png").stat().st_nlink > 1


def test_the_report_of_the_run_tells_all(world: DatasetWorld) -> None:
    """What was asked for, what was downloaded, and what was converted."""
    world.freeze()

    result = world.run(operation=CONVERT)

    report = json.loads(Path(result.report_path).read_text())
    assert report["status"] == "succeeded"
    assert report["params"]["operation"] == "convert"
    assert report["download"]["downloaded"] == report["conversion"]["items"]["written"] == 3


def test_a_summary_says_it_in_a_few_lines(world: DatasetWorld) -> None:
    """For people."""
    world.freeze()

    result = world.run(operation=CONVERT, output="out")

    lines = list(result.summary_lines())
    assert lines[0] == "3 items of yolo in out"
    assert lines[1] == "  version    birds@1 (train 2, valid 1)"


@pytest.mark.parametrize("flat", [True, False])
def test_a_flat_dataset_stays_flat(world: DatasetWorld, *, flat: bool) -> None:
    """And the result says whether it has splits."""
    world.freeze(
        {
            world.add("a.png", picture("a.png"), DM): TRAIN,
            world.add("b.png", picture("b.png"), DM): VALIDATION,
        }
    )

    result = world.run(operation=CONVERT, is_categorized=not flat)

    assert result.is_categorized != flat
    assert (Path(result.path) / "images").is_dir() == flat


def test_documents_without_files_are_converted_with_losses(world: DatasetWorld) -> None:
    """Nothing crashes where there is no image to measure."""
    world.freeze()

    with pytest.raises(StepFailedError, match="yolo"):
        world.run(operation=CONVERT, save_original_file=False)


def test_steps_have_the_weights_that_they_are_given() -> None:
    """By default those of a workflow in which there is more to do."""
    assert (ExportDatasetStep().progress_weight, ConvertDatasetStep().progress_weight) == (0.3, 0.2)
    assert ExportDatasetStep(weight=0.7).progress_weight == 0.7


@pytest.mark.parametrize(
    ("params", "steps"),
    [
        ({"dataset": 1}, ["export_dataset", "place_dataset"]),
        ({"dataset": 1, "operation": CONVERT}, ["export_dataset", "convert_dataset"]),
        ({"path": "x", "operation": CONVERT}, ["convert_dataset"]),
    ],
)
def test_the_weights_of_an_action_sum_to_one(params: dict[str, Any], steps: list[str]) -> None:
    """Whichever steps it has."""
    action = DatasetAction(DatasetParams(**params), RuntimeContext())
    registry = action.build_registry()

    assert [step.name for step in registry.get_steps()] == steps
    assert registry.total_weight == pytest.approx(1.0)
