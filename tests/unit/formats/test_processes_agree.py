"""What one process would write, several write, where what becomes of an item has to do with others."""

import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats import ConversionOptions, ConversionReport, FormatOptions, ImageTransfer, LossLog, convert
from synapse_sdk.formats.coco import CocoFormat
from synapse_sdk.formats.coco import reader as coco_reader
from synapse_sdk.formats.dm import reader as dm_reader
from synapse_sdk.formats.processes import sharing
from synapse_sdk.formats.voc import reader as voc_reader
from tests.unit.formats.yolo_datasets import ROW, SIZE, YAML, Content, make

OBJECT = (
    "<object><name>bird</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>5</ymax></bndbox>"
    "<odd><z>1</z></odd></object>"
)
ANNOTATION = {"category_id": 1, "bbox": [1, 1, 3, 3], "area": 9, "iscrowd": 0}


@pytest.fixture(autouse=True)
def _helps_after_three(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let another process help after three items, whatever they take, or at once where datasets are merged."""
    monkeypatch.setattr(sharing, "TRIED", 3)
    monkeypatch.setattr(sharing, "ODD", 0)
    monkeypatch.setattr(sharing, "PAYS", -1)
    monkeypatch.setattr(sharing, "MERGED", 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def birds(folder: Path, names: Sequence[str]) -> Path:
    """Make a YOLO dataset of images with these names, each with one row."""
    files: dict[str, Content] = {f"images/{name}.jpg": SIZE for name in names}
    return make(folder, {"dataset.yaml": YAML, **files, **{f"labels/{name}.txt": ROW for name in names}})


def coco(folder: Path, names: Sequence[str], *more: dict[str, Any]) -> Path:
    """Make a COCO dataset without image files; each image has one annotation, which says more than usual."""
    images = [{"id": n, "file_name": name, "width": 10, "height": 10} for n, name in enumerate(names)]
    annotations = [{"id": n, "image_id": n, **ANNOTATION, **more[n % len(more)]} for n in range(len(names))]
    document = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "bird"}]}
    folder.mkdir()
    (folder / "annotations.json").write_text(json.dumps(document))
    return folder


def converted(tmp_path: Path, source: Path | list[Path], to: str) -> ConversionReport:
    """Convert a dataset by one process, by several, and by those that help later; return what all of them say.

    Once several processes find out side by side what there is, as if the dataset were large.
    """
    found = []
    for count, is_large in ((1, False), (2, False), (3, False), (3, True), (None, False), (None, True)):
        target = tmp_path / f"{to}-{count}-{is_large}"
        chosen = ConversionOptions(processes=count, images=ImageTransfer.NONE)
        with ExitStack() as stack:
            for reader in (coco_reader, dm_reader, voc_reader) if is_large else ():
                stack.enter_context(patch.object(reader, "LARGE", 0))
            report = convert(source, target, to=to, options=chosen)
        files = {path.relative_to(target): path.read_bytes() for path in target.rglob("*") if path.is_file()}
        found.append((report, files))
    for other in found[1:]:
        assert other == found[0]
    return found[0][0]


def test_elements_that_are_not_read_are_noted_once(tmp_path: Path) -> None:
    """At the first of all files that has them, whoever converts it."""
    folder = tmp_path / "voc" / "Annotations"
    folder.mkdir(parents=True)
    for number in range(12):
        head = f"<filename>{number}.jpg</filename><size><width>10</width><height>10</height></size><weird>3</weird>"
        (folder / f"{number:02}.xml").write_text(f"<annotation>{head}{OBJECT}</annotation>")

    report = converted(tmp_path, tmp_path / "voc", "dm")

    assert [(each.code, each.count) for each in report.losses] == [("NOT_READ", 2)]


def test_items_of_merged_datasets_get_the_same_names(tmp_path: Path) -> None:
    """The second one of a name is renamed, even if the first one is among the first of all."""
    names = [f"{number:02}" for number in range(20)]
    sources = [birds(tmp_path / "one", names), birds(tmp_path / "other", names)]

    report = converted(tmp_path, sources, "dm")

    assert report.items.written == 40
    assert [(each.code, each.count) for each in report.losses] == [("RENAMED", 20)]


@pytest.mark.parametrize("to", ["dm", "yolo"])
def test_documents_that_differ_in_the_case_of_their_suffix_are_told_apart(to: str, tmp_path: Path) -> None:
    """The second one is refused, even if another process has read the first one."""
    source = tmp_path / "source"
    convert(birds(tmp_path / "birds", [f"{number:02}" for number in range(4, 24)]), source, to="dm")
    for path in sorted((source / "json").iterdir()):
        path.with_suffix(".JSON").write_bytes(path.read_bytes())

    report = converted(tmp_path, source, to)

    assert report.items.failed == 20


@pytest.mark.parametrize("to", ["dm", "yolo", "pascal"])
def test_names_whose_suffix_is_none_of_an_image_are_in_order(to: str, tmp_path: Path) -> None:
    """Nobody knows what their stem is: one process converts them."""
    names = [f"bird.v{number}x{suffix}" for number in range(12) for suffix in (".jpg", "")]

    report = converted(tmp_path, coco(tmp_path / "coco", names, {}), to)

    assert report.items.seen == 24


def test_attributes_have_one_order(tmp_path: Path) -> None:
    """It does not depend on which keys a process has seen before."""
    odd = {"gamma": 1, "attributes": {"gamma": 2, "beta": 3}, "beta": 3}
    source = coco(
        tmp_path / "coco", [f"{n}.jpg" for n in range(16)], {"beta": 1, "alpha": 2}, {"alpha": 1, "beta": 2}, odd
    )

    report = converted(tmp_path, source, "dm")

    assert report.annotations.seen == 16


def test_what_is_wrong_with_lists_of_images_is_told_once(tmp_path: Path) -> None:
    """By the process that has found where all records are, which tells the others; whatever the order of the file."""
    for split in ("train", "valid"):
        source = coco(tmp_path / f"{split}-images", [f"{n}.jpg" for n in range(16)], {}, {"colour": "red"})
        document = json.loads((source / "annotations.json").read_text())
        document["images"] += [
            {"id": 3, "file_name": "again.jpg"},
            {"id": 20, "file_name": "5.jpg"},
            {"id": 21},
            {"id": 22, "file_name": "../up.jpg", "width": 10, "height": 10},
        ]
        owners = [20, 21, 22, 99, *range(0, 16, 3)]
        document["annotations"] += [{"id": 100 + n, "image_id": n, **ANNOTATION} for n in owners]
        (tmp_path / "coco" / split).mkdir(parents=True)
        (tmp_path / "coco" / split / "_annotations.coco.json").write_text(json.dumps(document))

    report = converted(tmp_path, tmp_path / "coco", "yolo")

    assert report.items.written == 32
    assert report.annotations.seen == 2 * (16 + 10)
    assert {each.code: each.count for each in report.losses} == {
        "DUPLICATE_ID": 2,
        "INVALID_RECORD": 2,
        "UNSAFE_NAME": 2,
        "UNKNOWN_IMAGE": 4,
        "REPEATED_NAME": 2,
        "ATTRIBUTES": 16,
        "DUPLICATE_ROW": 14,
    }


def test_a_file_that_has_grown_meanwhile_is_no_dataset(tmp_path: Path) -> None:
    """Where its records are is not where another process has found them."""
    source = coco(tmp_path / "coco", ["a.jpg", "b.jpg"], {})
    options, losses = FormatOptions(), LossLog()
    found = CocoFormat().reader(source, options, losses).survey(0, 1)
    path = source / "annotations.json"
    path.write_text(path.read_text().replace("a.jpg", "ant.jpg"))
    reader = CocoFormat().reader(source, options, losses)
    reader.know([found])

    with pytest.raises(InvalidDatasetError, match=r"It has \d+ bytes, and had \d+ a moment ago"):
        list(reader.items())


def test_a_reader_that_does_not_ask_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that it does, as the one does that it is derived from; and so one process does it all."""
    info = tmp_path / "site" / "silent-1.0.dist-info"
    info.mkdir(parents=True)
    (tmp_path / "site" / "silent_format.py").write_text(SILENT)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: silent\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[synapse.formats]\nsilent = silent_format:SilentFormat\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    source = coco(tmp_path / "coco", ["a.jpg"], {})
    options = ConversionOptions(processes=2, images=ImageTransfer.NONE)

    report = convert(source, tmp_path / "out", to="dm", source_format="silent", options=options)

    assert report.items.seen == 30


SILENT = """
from synapse_sdk.formats import Item
from synapse_sdk.formats.coco.format import CocoFormat
from synapse_sdk.formats.coco.reader import CocoReader

class SilentReader(CocoReader):
    def items(self):
        for number in range(30):
            yield Item(name=f"{number}.jpg", width=9, height=9)

class SilentFormat(CocoFormat):
    name, title = "silent", "Silent"
    def find(self, folder):
        return None
    def reader(self, folder, options, losses):
        return SilentReader(folder, options, losses)
"""
