"""What holds for conversions between any two formats, whatever is in the dataset."""

import tempfile
from itertools import permutations
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings

from synapse_sdk.errors import ConfigurationError, InvalidDatasetError
from synapse_sdk.formats import ConversionOptions, FormatOptions, LossLog, Tool, convert, format_named
from synapse_sdk.formats.processes import sharing
from tests.property.dataset_equality import Expected, assert_equal_within
from tests.property.datasets import Dataset, datasets, read_dataset
from tests.unit.formats.voc_schema import faults_of_documents

FEW = settings(deadline=None, max_examples=5, suppress_health_check=[HealthCheck.too_slow])
HAVE_BOXES = ("dm_v1", "dm_v2", "coco", "yolo", "pascal")
HAVE_OUTLINES = ("dm_v1", "dm_v2", "coco")
HAVE_LABELS = ("dm_v1", "dm_v2", "imagefolder")


def written(dataset: Dataset, name: str, folder: Path, task: str | None = None) -> Path:
    """Write a dataset in a format, and return where it is."""
    target = folder / name
    target.mkdir()
    with LossLog() as losses:
        writer = format_named(name).writer(target, dataset.info, FormatOptions(task=task), losses)
        for item in dataset.with_images(folder / "images").items:
            assert writer.write(item)
        writer.finish()
        writer.close()
    return target


def read(folder: Path, name: str) -> Dataset:
    """Read a dataset."""
    with LossLog() as losses:
        reader = format_named(name).reader(folder, FormatOptions(), losses)
        found = read_dataset(reader)
        reader.close()
    return found


def check_round_trip(dataset: Dataset, one: str, other: str, expected: Expected) -> None:
    """Convert a dataset to another format and back, and see that it is what it was, and that nothing is called lost."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = written(dataset, one, folder)
        there = convert(source, folder / "there", to=other, source_format=one)
        back = convert(folder / "there", folder / "back", to=one, source_format=other)

        assert (there.loss_count, back.loss_count) == (0, 0), (there.losses, back.losses)
        assert_equal_within(read(source, one), read(folder / "back", one), expected=expected)


@pytest.mark.parametrize(("one", "other"), [*permutations(HAVE_BOXES, 2)])
@FEW
@given(dataset=datasets(tools={Tool.BOX}, attributes=False, groups=False, crowds=False))
def test_boxes_come_back_from_every_format(one: str, other: str, dataset: Dataset) -> None:
    """With their classes, in their splits and folders, and the same images."""
    check_round_trip(dataset, one, other, Expected(tolerance_px=0.01))


@pytest.mark.parametrize(("one", "other"), [*permutations(HAVE_OUTLINES, 2)])
@FEW
@given(dataset=datasets(tools={Tool.BOX, Tool.POLYGON}, holes=False, boxes_of_shapes=True, groups=False, crowds=False))
def test_outlines_and_attributes_come_back_from_formats_that_have_them(one: str, other: str, dataset: Dataset) -> None:
    """An object of several parts is still one object."""
    check_round_trip(dataset, one, other, Expected(tolerance_px=0.01))


@pytest.mark.parametrize(("one", "other"), [*permutations(HAVE_LABELS, 2)])
@FEW
@given(
    dataset=datasets(
        tools={Tool.CLASSIFICATION},
        max_annotations=1,
        attributes=False,
        groups=False,
        crowds=False,
        folders=False,
        splits=False,
    )
)
def test_labels_of_images_come_back_from_formats_that_have_them(one: str, other: str, dataset: Dataset) -> None:
    """But for images without a label, which a folder for each class has no place for."""
    labelled = [item for item in dataset.items if item.annotations and item.annotations[0].label]
    if not labelled:
        return
    kept = Dataset(dataset.info, tuple(labelled))
    check_round_trip(kept, one, other, Expected(tolerance_px=0.01, class_order=False))


@FEW
@given(dataset=datasets())
@pytest.mark.parametrize("target", ["dm_v1", "dm_v2", "coco", "yolo", "pascal"])
@pytest.mark.parametrize("task", ["detect", "segment"])
def test_whatever_is_in_a_dataset_every_annotation_is_accounted_for(dataset: Dataset, target: str, task: str) -> None:
    """Seen is written, changed, dropped and unreadable, and what was not dropped is in the target."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = written(dataset, "dm_v2", folder)
        report = convert(source, folder / "out", to=target, options=ConversionOptions(task=task))

        for each in (report.items, report.annotations):
            assert each.seen == each.written + each.changed + each.dropped + each.failed
            assert min(each.written, each.changed, each.dropped, each.failed) >= 0
        assert report.items.failed == report.annotations.failed == 0
        assert target != "pascal" or faults_of_documents(folder / "out") == []


@pytest.mark.parametrize(
    ("source", "target", "task"),
    [
        ("dm_v2", "dm_v1", None),
        ("coco", "dm_v2", None),
        ("dm_v2", "yolo", "segment"),
        ("pascal", "yolo", "obb"),
        ("yolo", "pascal", "segment"),
        ("imagefolder", "imagefolder", None),
    ],
)
@settings(FEW, max_examples=2)
@given(dataset=datasets())
def test_several_processes_write_what_one_would(dataset: Dataset, source: str, target: str, task: str | None) -> None:
    """Every byte of the target, the report and the table of losses included."""
    check_processes(dataset, source, target, task)


@pytest.mark.full
@pytest.mark.parametrize("source", ["dm_v1", "dm_v2", "coco", "yolo", "pascal"])
@pytest.mark.parametrize(
    ("target", "task"),
    [("dm_v2", None), ("yolo", "detect"), ("yolo", "segment"), ("yolo", "pose"), ("pascal", "segment")],
)
@settings(FEW, max_examples=4)
@given(dataset=datasets())
def test_several_processes_write_whatever_one_would(
    dataset: Dataset, source: str, target: str, task: str | None
) -> None:
    """The same, for more datasets."""
    check_processes(dataset, source, target, task)


def check_processes(dataset: Dataset, kind: str, target: str, task: str | None) -> None:
    """Convert a dataset by one process and by two, and compare what they write, or why they cannot."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = written(dataset, "dm_v2", folder)
        if kind != "dm_v2":
            try:
                convert(source, folder / kind, to=kind)
            except InvalidDatasetError:  # nothing of it can be written so
                return
            source = folder / kind
        found = [outcome(source, folder / str(count), target, task, count) for count in (1, 2)]
        with patch.object(sharing, "PAYS", -1), patch.object(sharing, "TRIED", 1), patch.object(sharing, "ODD", 0):
            found.append(outcome(source, folder / "tried", target, task, None))

        assert found[0] == found[1]
        assert found[0] == found[2]


def outcome(source: Path, folder: Path, target: str, task: str | None, processes: int | None) -> dict[str, bytes] | str:
    """Convert a dataset, and return every file of the target, or the error."""
    try:
        convert(source, folder, to=target, options=ConversionOptions(task=task, processes=processes))
    except (InvalidDatasetError, ConfigurationError) as error:
        return f"{type(error).__name__}: {error}"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
