"""DM documents from version 2 to version 1, with the document of version 1 that they were made of."""

import json
from typing import Any

import pytest

from synapse_sdk.formats.dm import convert_v1_to_v2, convert_v2_to_v1
from tests.unit.formats.dm_documents import SAMPLE_V1, SAMPLE_V2, annotation, codes, fresh, to_v1, to_v2, v1_of, v2_of

ODD: dict[str, Any] = {
    "assignmentId": None,
    "editor": {"version": 3},
    "extra": {"image_1": {"width": 640, "height": 480, "angle": 90}, "image_3": {"width": 4, "height": 3}, "note": 1},
    "annotations": {
        "image_3": [
            {"id": "k1", "tool": "keypoint", "shape": "circle", "classification": {"class": "nose", "visibility": 7}},
            {"id": "b1", "tool": "bounding_box", "classification": None, "isLocked": True},
            {"id": "lost", "tool": "polygon", "classification": {"class": "x", "_internal": 1}},
            {"id": "none"},
            {"id": "y1", "tool": "classification", "classification": {"class": "x"}, "label": ["x", "y"]},
            {"id": "b1", "tool": "bounding_box", "classification": {"class": "second of its id"}},
        ],
        "image_1": [],
        "video_2": [{"id": "b1", "tool": "segmentation", "classification": {"class": "a", "class2": {"deep": [1]}}}],
    },
    "annotationsData": {
        "video_2": [{"id": "b1", "section": {"startFrame": 1, "endFrame": 2}, "more": True}],
        "image_3": [
            {"id": "b1", "coordinate": {"x": 1, "y": 2.5, "width": 3, "height": 4, "rotation": None, "z": 1}},
            {"id": "orphan", "coordinate": []},
            {"id": "k1", "coordinate": {"x": 1, "y": 2, "id": "pt"}},
            {"id": "b1", "coordinate": {"x": 5, "y": 6, "width": 7, "height": 8}},
        ],
    },
    "relations": {"image_3": [{"any": "thing"}]},
    "annotationGroups": {
        "image_3": [
            {"id": "g1", "annotationIds": ["k1", "y1", "gone"]},
            {
                "id": "g2",
                "tool": "annotationGroup",
                "isLocked": True,
                "classification": {"class": "pair"},
                "annotationList": [{"annotationId": "k1", "children": [{"annotationId": "b1", "children": []}]}],
            },
            {"id": "empty", "annotationIds": []},
        ]
    },
}
"""Everything that a document may have which version 2 cannot say."""


@pytest.mark.parametrize("v1", [fresh(SAMPLE_V1), ODD], ids=["sample", "odd"])
def test_there_and_back_with_meta_nothing_changes(v1: dict[str, Any]) -> None:
    """Ids of points, flags, groups, sizes, unknown keys and what version 2 cannot have: all is as it was."""
    losses: list[Any] = []
    v2 = json.loads(json.dumps(convert_v1_to_v2(v1, losses=losses)))

    assert json.dumps(convert_v2_to_v1(v2)) == json.dumps(v1)
    assert json.dumps(convert_v2_to_v1(v2["annotation_data"], v1)) == json.dumps(v1)


def test_what_cannot_be_converted_is_reported_on_the_way_there() -> None:
    """Each annotation by name."""
    _, losses = to_v2(ODD)

    assert codes(losses) == [
        ("failed", "NO_PAYLOAD", "image_3", "lost"),
        ("failed", "INVALID_RECORD", "image_3", "none"),
        ("failed", "NO_ANNOTATION", "image_3", "orphan"),
        ("noted", "DANGLING", "image_3", "g1"),
    ]


def test_labels_come_from_version_2_and_flags_from_before() -> None:
    """So do attributes: those of version 2 win where both have them."""
    v1, v2 = fresh(SAMPLE_V1), fresh(SAMPLE_V2)
    box = v2["images"][0]["bounding_box"][0]
    box["classification"] = "bus"
    box["attrs"] = [{"name": "rotation", "value": 0.2}, {"name": "doors", "value": 3}]
    v1["annotations"]["image_1"][0]["isLocked"] = True

    found = convert_v2_to_v1(v2, v1)

    assert found["annotations"]["image_1"][0] == {
        **v1["annotations"]["image_1"][0],
        "classification": {"class": "bus", "color": "red", "doors": 3},
    }
    assert found["annotations"]["image_1"][1:] == v1["annotations"]["image_1"][1:]
    assert found["annotationsData"] == v1["annotationsData"]


def test_a_point_that_was_moved_gets_another_id_and_the_others_keep_theirs() -> None:
    """L9: also if one was put in between."""
    v1, v2 = fresh(SAMPLE_V1), fresh(SAMPLE_V2)
    v2["images"][0]["polygon"][0]["data"] = [[1, 2], [3, 3], [5, 2], [4, 6]]

    points = convert_v2_to_v1(v2, v1)["annotationsData"]["image_1"][1]["coordinate"]

    assert [(point["x"], point["y"]) for point in points] == [(1, 2), (3, 3), (5, 2), (4, 6)]
    assert [point["id"] for point in points][::3] == ["pt0000001", "pt0000003"]
    assert len({point["id"] for point in points}) == 4


def test_a_box_that_was_moved_keeps_what_else_was_said_about_it() -> None:
    """Keys of the payload that version 2 does not have."""
    v1 = v1_of(
        {
            "image_1": [
                (
                    {"id": "b1", "tool": "bounding_box"},
                    {"id": "b1", "coordinate": {"x": 1, "y": 2, "width": 3, "height": 4}, "by": "hand"},
                )
            ]
        }
    )
    v2 = v2_of({"bounding_box": [annotation("b1", "", [1, 2, 3, 5])]})

    found = convert_v2_to_v1(v2, v1)["annotationsData"]["image_1"]

    assert found == [{"id": "b1", "by": "hand", "coordinate": {"x": 1, "y": 2, "width": 3, "height": 5}}]


def test_annotations_that_were_removed_are_gone_and_new_ones_come_behind() -> None:
    """With the usual flags; one whose tool was changed is a new one."""
    v1, v2 = fresh(SAMPLE_V1), fresh(SAMPLE_V2)
    image = v2["images"][0]
    del image["polygon"]
    image["bounding_box"].append(annotation("new", "car", [0, 0, 1, 1]))
    image["classification"][0]["id"] = "b9"

    found = convert_v2_to_v1(v2, v1)

    assert [each["id"] for each in found["annotations"]["image_1"]] == ["b1", "r1", "new", "b9"]
    assert [each["id"] for each in found["annotationsData"]["image_1"]] == ["b1", "r1", "new", "b9"]
    assert found["annotations"]["image_1"][2]["isVisible"] is True


def test_media_that_are_numbered_anew_take_along_what_is_said_about_them() -> None:
    """Sizes, relations and groups, when a medium was removed."""
    entry = {"tool": "classification", "classification": {"class": "x"}, "isLocked": True}
    v1 = v1_of(
        {name: [({"id": f"y{name}", **entry}, {"id": f"y{name}"})] for name in ("image_1", "image_2", "image_3")},
        extra={
            name: {"width": number, "height": 9} for number, name in enumerate(("image_1", "image_2", "image_3"), 1)
        },
        relations={"image_3": [3], "image_1": [1]},
        annotationGroups={"image_2": [{"id": "g", "annotationIds": ["yimage_2"]}]},
    )
    v2 = to_v2(v1)[0]
    del v2["images"][0]

    found = convert_v2_to_v1(v2, v1)

    assert found["extra"] == {"image_1": {"width": 2, "height": 9}, "image_2": {"width": 3, "height": 9}}
    assert found["relations"] == {"image_2": [3]}
    assert found["annotationGroups"] == {"image_1": [{"id": "g", "annotationIds": ["yimage_2"]}]}
    assert [each["id"] for each in found["annotations"]["image_1"]] == ["yimage_2"]
    assert found["annotations"]["image_1"][0]["isLocked"] is True


def test_media_in_another_order_and_new_ones_are_numbered_by_their_places() -> None:
    """Which one is which shows in their annotations."""
    entry = {"tool": "classification", "classification": {"class": "x"}}
    v1 = v1_of(
        {name: [({"id": name, **entry}, {"id": name})] for name in ("image_1", "image_2")},
        extra={"image_1": {"width": 1, "height": 9}, "image_2": {"width": 2, "height": 9}},
    )
    v2 = to_v2(v1)[0]
    v2["images"] = [v2["images"][1], v2["images"][0], {"classification": [annotation("new", "x", {})]}]

    found = convert_v2_to_v1(v2, v1)

    assert found["extra"] == {"image_1": {"width": 2, "height": 9}, "image_2": {"width": 1, "height": 9}}
    assert {name: [each["id"] for each in entries] for name, entries in found["annotations"].items()} == {
        "image_1": ["image_2"],
        "image_2": ["image_1"],
        "image_3": ["new"],
    }


def test_ids_with_gaps_stay_while_all_media_are_there() -> None:
    """Even if another program has left out those without annotations."""
    entry = {"id": "y1", "tool": "classification", "classification": {"class": "x"}}
    v1 = v1_of({"image_2": [], "image_5": [(entry, {"id": "y1"})]}, extra={"image_5": {"width": 1, "height": 9}})

    for v2 in (to_v2(v1)[0], v2_of({"classification": [annotation("y1", "x", {})]})):
        assert convert_v2_to_v1(v2, v1) == v1


def test_meta_that_is_no_document_says_nothing() -> None:
    """An empty one is as good as none."""
    v2 = fresh(SAMPLE_V2)

    assert to_v1(v2, {})[0] == to_v1(v2)[0] == to_v1({"annotation_data": v2, "annotation_meta": None})[0]


def test_groups_that_were_changed_are_as_version_2_has_them() -> None:
    """The others as they were; a group is gone if its annotations say so."""
    ids = ["a", "b", "c", "d"]
    v1 = v1_of(
        {"image_1": [({"id": name, "tool": "classification"}, {"id": name}) for name in ids]},
        annotationGroups={
            "image_1": [
                {"id": "g1", "annotationIds": ["a", "b"], "color": "red"},
                {"id": "g2", "annotationIds": ["c"]},
                {"id": "g3", "annotationIds": ["d"]},
            ]
        },
    )
    v2 = to_v2(v1)[0]
    annotations = {each["id"]: each for each in v2["images"][0]["classification"]}
    annotations["c"]["group_id"] = "g1"
    annotations["b"]["group_id"] = "new"

    found = convert_v2_to_v1(v2, v1)["annotationGroups"]["image_1"]

    assert found == [
        {"id": "g1", "annotationIds": ["a", "c"], "color": "red"},
        {"id": "g3", "annotationIds": ["d"]},
        {"id": "new", "annotationIds": ["b"]},
    ]


def test_groups_stay_where_version_2_does_not_speak_of_groups() -> None:
    """Older programs have left them out of it."""
    v1 = fresh(SAMPLE_V1)
    v1["annotationGroups"]["image_1"] = [{"id": "g1", "annotationIds": ["b1", "p1"]}]

    assert convert_v2_to_v1(fresh(SAMPLE_V2), v1) == v1
