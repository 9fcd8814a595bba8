"""What holds for DM documents and datasets whatever is in them."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from synapse_sdk.errors import InvalidDocumentError
from synapse_sdk.formats.base import FormatOptions, ImageTransfer
from synapse_sdk.formats.dm import DM_TOOLS, DocumentLoss, convert_v1_to_v2, convert_v2_to_v1
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.model import RotatedBox, Tool
from tests.property.dataset_equality import Expected, assert_equal_within
from tests.property.datasets import ALL_TOOLS, UNHURRIED, Dataset, datasets, read_dataset
from tests.unit.formats.dm_datasets import FORMATS, make, read

EXACT = Expected(tolerance_px=1e-9, ids=True)
WORDS = st.sampled_from(
    ["id", "a", "b", "image_1", "video_2", "lidar_1", "polygon", "bounding_box", "keypoint", "segmentation", "group"]
)
KEYS = st.one_of(
    WORDS,
    st.sampled_from(
        [
            *("annotations", "annotationsData", "extra", "relations", "annotationGroups", "classification", "images"),
            *("videos", "annotation_data", "annotation_meta", "tool", "class", "coordinate", "data", "attrs", "name"),
            *("value", "x", "y", "width", "height", "annotationIds", "annotationList", "group_id", "pixel_indices"),
        ]
    ),
)
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 9), st.just(1.5), WORDS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=25,
)
POINTS = st.lists(st.tuples(st.integers(-9, 99), st.sampled_from([0.5, -2.25, 7.0])).map(list), min_size=1, max_size=4)
NAMES = st.sampled_from(["color", "class", "rotation", "visibility", "attribute:class", "r\u00f6t", ""])
PAYLOADS: dict[str, st.SearchStrategy[Any]] = {
    "bounding_box": st.lists(st.integers(-9, 99), min_size=4, max_size=4),
    "polygon": POINTS,
    "polyline": POINTS,
    "keypoint": POINTS.map(lambda points: points[0]),
    "relation": st.just(["a", "b"]),
    "segmentation": st.sampled_from([[5, 6, 7], [[5, 3], [69, 2]], {"startFrame": 3, "endFrame": 4}]),
    "time_range": st.just({"start": 1, "end": 2, "excludedTracks": ["x"]}),
}


@st.composite
def annotations(draw: st.DrawFn, tool: str) -> dict[str, Any]:
    """Draw an annotation of version 2, without an id."""
    attrs = draw(st.dictionaries(NAMES, st.sampled_from([0.2, "left", True, ["a"], None]), max_size=3))
    return {
        "classification": draw(st.sampled_from(["", "car"])),
        "attrs": [{"name": name, "value": value} for name, value in attrs.items()],
        "data": draw(PAYLOADS.get(tool, st.just({"x": 1}))),
    }


@st.composite
def media(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a medium of version 2, with annotations by tool."""
    tools = draw(st.lists(st.sampled_from(DM_TOOLS.names()), max_size=3, unique=True))
    return {
        tool: [{"id": f"{tool}{number}", **draw(annotations(tool))} for number in range(draw(st.integers(1, 2)))]
        for tool in tools
    }


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a document of version 2 as the converter makes it."""
    buckets = draw(st.lists(st.sampled_from(["images", "videos", "datas"]), min_size=1, unique=True))
    return {"classification": {}, **{bucket: draw(st.lists(media(), min_size=1, max_size=3)) for bucket in buckets}}


@UNHURRIED
@given(document=documents())
def test_what_version_1_is_made_of_comes_back(document: dict[str, Any]) -> None:
    """Version 2 to version 1 and back, without meta: annotations, attributes, labels and places of media."""
    losses: list[DocumentLoss] = []

    v1 = convert_v2_to_v1(document, losses=losses)
    back = convert_v1_to_v2(v1, losses=losses)["annotation_data"]

    assert losses == []
    for bucket in document.keys() - {"classification"}:
        assert [*map(_bare, back[bucket])] == [*map(_bare, document[bucket])]
    assert convert_v2_to_v1(back, v1) == v1
    assert json.dumps(convert_v2_to_v1(back)) == json.dumps(v1)


def _bare(medium: dict[str, Any]) -> dict[str, Any]:
    """Return a medium without what newer documents say besides."""
    return {
        tool: [(each["id"], each["classification"], sorted(map(repr, each["attrs"])), each["data"]) for each in found]
        for tool, found in medium.items()
    }


@UNHURRIED
@given(document=ANYTHING)
def test_whatever_is_no_document_is_refused(document: Any) -> None:  # noqa: ANN401  # JSON
    """With an error of ours, in either direction; there is no crash."""
    for convert in (convert_v1_to_v2, convert_v2_to_v1):
        try:
            convert(document if isinstance(document, dict) else {"annotation_data": document}, losses=[])
        except InvalidDocumentError:
            continue


@UNHURRIED
@given(document=ANYTHING)
@example(document={"annotation_data": {}})
def test_whatever_a_dataset_has_is_read_or_fails(document: Any) -> None:  # noqa: ANN401  # JSON
    """Nothing ends the reading, and nothing that was read cannot be written in either version."""
    with tempfile.TemporaryDirectory() as folder:
        root = make(Path(folder) / "in", {"json/a.json": json.dumps(document), "original_files/a.png": (8, 8)})

        found = read(root)

        assert len(found.items) + found.losses.items[Outcome.FAILED] == 1
        for name, each in FORMATS.items():
            target, losses = Path(folder) / name, LossLog()
            target.mkdir()
            writer = each.writer(target, found.info, FormatOptions(images=ImageTransfer.NONE), losses)
            assert all(writer.write(item) for item in found.items)
            writer.finish()


@pytest.mark.parametrize("name", [*FORMATS])
@UNHURRIED
@given(dataset=datasets(holes=False, tools=ALL_TOOLS - {Tool.ROTATED_BOX}))
def test_a_dataset_that_was_written_is_read_again(name: str, dataset: Dataset) -> None:
    """In either version: shapes, ids, classes, joints, attributes, flags, groups and images; nothing is lost."""
    _assert_round_trip(name, dataset)


@pytest.mark.parametrize("name", [*FORMATS])
@UNHURRIED
@given(dataset=datasets(holes=False, boxes_of_shapes=False, tools={Tool.ROTATED_BOX, Tool.BOX, Tool.KEYPOINTS}))
def test_boxes_that_are_turned_are_read_again(name: str, dataset: Dataset) -> None:
    """Those that have no upright one beside them, for which there is no place; one turned by nothing is upright."""
    shapes = [each.shape for item in dataset.items for each in item.annotations]
    assume(all(shape.angle for shape in shapes if isinstance(shape, RotatedBox)))
    _assert_round_trip(name, dataset)


def _assert_round_trip(name: str, dataset: Dataset) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source, target, losses = dataset.with_images(Path(folder) / "in"), Path(folder) / "out", LossLog()
        target.mkdir()
        writer = FORMATS[name].writer(target, dataset.info, FormatOptions(), losses)
        assert all([writer.write(item) for item in source.items])  # noqa: C419  # each is written
        writer.finish()

        found = read_dataset(FORMATS[name].reader(target, FormatOptions(), losses))

        assert_equal_within(source, found, expected=EXACT)
        assert not losses.count
