"""DM documents from version 1 to version 2, and back without anything to go by."""

import json
import math
from typing import Any

import pytest

from synapse_sdk.errors import InvalidDocumentError
from synapse_sdk.formats.dm import DocumentLossWarning, convert_v1_to_v2, convert_v2_to_v1
from tests.unit.formats.dm_documents import (
    SAMPLE_V1,
    SAMPLE_V2,
    annotation,
    codes,
    fresh,
    to_v1,
    to_v2,
    v1_of,
    v2_of,
)

BOX = {"id": "b1", "coordinate": {"x": 10, "y": 20, "width": 30, "height": 15}}
INDICES: dict[str, Any] = {"isCompressed": False, "compressionFormat": None}
RUNS: dict[str, Any] = {"isCompressed": True, "compressionFormat": "rle"}
PROMPT: dict[str, Any] = {
    "input": [{"type": "text", "value": "Hi?", "changeHistory": []}],
    "model": "m",
    "displayName": "M",
    "generatedBy": "ai",
    "timestamp": "2026-01-01",
}
ANSWER: dict[str, Any] = {
    "output": [{"type": "text", "value": "Yes", "primaryKey": "k", "changeHistory": []}],
    "model": "m",
    "displayName": "M",
    "generatedBy": "ai",
    "promptAnnotationId": "q1",
    "timestamp": "2026-01-01",
}
PSR = {
    "position": {"x": 1, "y": 2, "z": 0},
    "scale": {"x": 4, "y": 2, "z": 1},
    "rotation": {"x": 0, "y": 0, "z": 1.5},
}
ENTITY: dict[str, Any] = {
    "ranges": [{"start": "/p[1]", "end": "/p[1]", "startOffset": 3, "endOffset": 9}],
    "content": "Kyoto",
}


def test_the_sample_converts_exactly() -> None:
    """Section 2 becomes section 3 of the reference, the order of keys included, and stays beside it as it was."""
    v1 = fresh(SAMPLE_V1)

    found = convert_v1_to_v2(v1)

    assert json.dumps(found["annotation_data"]) == json.dumps(fresh(SAMPLE_V2))
    assert found["annotation_meta"] == fresh(SAMPLE_V1)
    assert [*found] == ["annotation_data", "annotation_meta"]


@pytest.mark.parametrize(
    ("media", "tool", "payload", "data", "more"),
    [
        ("image_1", "bounding_box", {"coordinate": BOX["coordinate"]}, [10, 20, 30, 15], {}),
        ("image_1", "polygon", {"coordinate": [{"x": 1, "y": 2}, {"x": 4, "y": 2}]}, [[1, 2], [4, 2]], {}),
        ("image_1", "polyline", {"coordinate": [{"x": 1, "y": 2}, {"x": 4, "y": 2}]}, [[1, 2], [4, 2]], {}),
        ("image_1", "keypoint", {"coordinate": {"x": 12, "y": 9}}, [12, 9], {}),
        (
            "image_1",
            "segmentation",
            {"pixel_indices": [5, 6, 7], **INDICES},
            [5, 6, 7],
            {"encoding": "raw_indices", **INDICES},
        ),
        (
            "image_1",
            "segmentation",
            {"pixel_indices": [[5, 3], [69, 2]], **RUNS},
            [[5, 3], [69, 2]],
            {"encoding": "dm_rle", **RUNS},
        ),
        (
            "video_1",
            "segmentation",
            {"section": {"startFrame": 3, "endFrame": 40}},
            {"startFrame": 3, "endFrame": 40},
            {},
        ),
        ("audio_1", "segmentation", {"section": {"start": 0.5, "end": 2.25}}, {"start": 0.5, "end": 2.25}, {}),
        ("pcd_1", "3d_bounding_box", {"psr": PSR}, PSR, {}),
        ("pcd_1", "3d_segmentation", {"points": [100, 101, 205]}, {"points": [100, 101, 205]}, {}),
        ("text_1", "named_entity", ENTITY, ENTITY, {}),
        ("text_1", "relation", {"annotationId": "b1", "targetAnnotationId": "b2"}, ["b1", "b2"], {}),
        ("prompt_1", "prompt", {"tool": "prompt", **PROMPT}, PROMPT, {}),
        ("prompt_1", "answer", {"tool": "answer", **ANSWER}, ANSWER, {}),
        (
            "data_1",
            "time_range",
            {"section": {"start": 10, "end": 90}, "excludedTracks": ["x"]},
            {"start": 10, "end": 90, "excludedTracks": ["x"]},
            {},
        ),
        *(
            (f"{kind}_1", "classification", {}, {}, {})
            for kind in ("image", "video", "pcd", "text", "audio", "prompt", "data")
        ),
    ],
)
def test_every_tool_converts_both_ways(
    media: str, tool: str, payload: dict[str, Any], data: object, more: dict[str, Any]
) -> None:
    """Section 4: with labels and attributes, into the bucket of its kind of media, and back without meta."""
    entry = {"id": "a1", "tool": tool, "classification": {"class": "thing", "why": ["a", "b"]}}
    v1 = v1_of({media: [(entry, {"id": "a1", **payload})]})

    v2, losses = to_v2(v1)
    back, losses_back = to_v1(v2)

    bucket = f"{media.partition('_')[0]}s"
    assert v2["classification"] == {tool: ["thing"]}
    assert v2[bucket] == [{tool: [annotation("a1", "thing", data, ("why", ["a", "b"]), **more)]}]
    assert losses == losses_back == []
    (back_entry,), (back_payload,) = back["annotations"][media], back["annotationsData"][media]
    points = back_payload.get("coordinate")
    for point in points if isinstance(points, list) else []:
        assert len(point.pop("id")) == 10
    assert back_payload == {"id": "a1", **payload}
    assert {key: back_entry[key] for key in entry} == entry
    again, _ = to_v2(back)
    for each in again[bucket][0][tool]:
        each.pop("isLocked", None)
    assert again == v2


def test_an_annotation_has_the_usual_flags_where_nothing_says_otherwise() -> None:
    """And the document says nothing else."""
    found, _ = to_v1(v2_of({"classification": [annotation("y1", "indoor", {})]}))

    assert found == {
        "assignmentId": None,
        "extra": {},
        "annotations": {
            "image_1": [
                {
                    "id": "y1",
                    "tool": "classification",
                    "isLocked": False,
                    "isVisible": True,
                    "isValid": False,
                    "isDrawCompleted": True,
                    "label": [],
                    "classification": {"class": "indoor"},
                }
            ]
        },
        "annotationsData": {"image_1": [{"id": "y1"}]},
        "relations": {},
        "annotationGroups": {},
    }


@pytest.mark.parametrize("key", ["annotations", "annotationsData"])
def test_both_parts_of_version_1_are_needed(key: str) -> None:
    """Each missing one is an error of its own."""
    v1 = fresh(SAMPLE_V1)
    del v1[key]

    with pytest.raises(InvalidDocumentError, match=f"{key!r}") as caught:
        convert_v1_to_v2(v1)
    assert caught.value.where == {"key": key}


@pytest.mark.parametrize("v2", [{}, {"annotation_data": {}}, {"annotation_data": None, "annotation_meta": {}}])
def test_an_empty_document_of_version_2_is_an_error(v2: dict[str, Any]) -> None:
    """Which is another thing than an image without annotations."""
    with pytest.raises(InvalidDocumentError, match="empty"):
        convert_v2_to_v1(v2)
    assert convert_v2_to_v1({"images": [{}]})["annotations"] == {"image_1": []}


def test_media_come_in_natural_order() -> None:
    """`image_10` comes behind `image_2`, and lists of media are by kind."""
    names = ["image_10", "video_1", "image_2", "image_1"]
    v1 = v1_of(
        {name: [({"id": name, "tool": "classification", "classification": {"class": "x"}}, None)] for name in names}
    )

    v2, _ = to_v2(v1)

    assert [image["classification"][0]["id"] for image in v2["images"]] == ["image_1", "image_2", "image_10"]
    assert [video["classification"][0]["id"] for video in v2["videos"]] == ["video_1"]


@pytest.mark.parametrize("name", ["lidar_1", "image", "image_x", "images_1"])
def test_media_of_an_unknown_kind_are_an_error(name: str) -> None:
    """Which names the id."""
    with pytest.raises(InvalidDocumentError, match=f"{name!r}"):
        to_v2(v1_of({name: []}))


def test_media_without_annotations_keep_their_place() -> None:
    """In both directions."""
    entry = {"id": "y1", "tool": "classification", "classification": {"class": "x"}}

    v2, _ = to_v2(v1_of({"image_1": [], "image_2": [(entry, None)]}, extra={"image_3": {"width": 4, "height": 3}}))

    assert v2["images"] == [{}, {"classification": [annotation("y1", "x", {})]}, {}]
    assert [*to_v1(v2)[0]["annotations"]] == ["image_1", "image_2", "image_3"]


@pytest.mark.parametrize("classification", [None, {}, {"class": None}, {"class": ""}])
def test_no_class_is_an_empty_label(classification: object) -> None:
    """Which the list of classes does not have."""
    v2, _ = to_v2(v1_of({"image_1": [({"id": "b1", "tool": "bounding_box", "classification": classification}, BOX)]}))

    assert v2["images"][0]["bounding_box"][0]["classification"] == ""
    assert v2["classification"] == {}


def test_an_unknown_tool_of_version_1_is_an_error_that_lists_the_known_ones() -> None:
    """With medium and annotation."""
    with pytest.raises(InvalidDocumentError, match="lasso") as caught:
        to_v2(v1_of({"image_1": [({"id": "b1", "tool": "lasso"}, BOX)]}))

    assert "bounding_box" in str(caught.value)
    assert "time_range" in str(caught.value)
    assert caught.value.where == {"media": "image_1", "annotation": "b1"}


def test_an_unknown_tool_of_version_2_is_a_loss() -> None:
    """Every annotation of it, by name; the others are there."""
    v2 = v2_of({"lasso": [annotation("l1", "x", [])], "classification": [annotation("y1", "x", {})]})

    found, losses = to_v1(v2)

    assert codes(losses) == [("dropped", "UNKNOWN_TOOL", "image_1", "l1")]
    assert [each["id"] for each in found["annotations"]["image_1"]] == ["y1"]


def test_losses_that_nobody_asks_for_are_a_warning() -> None:
    """Which names the first of them."""
    with pytest.warns(DocumentLossWarning, match="'l1'"):
        convert_v2_to_v1(v2_of({"lasso": [annotation("l1", "x", [])]}))


def test_an_annotation_without_payload_is_reported() -> None:
    """It never becomes a box at 0, 0 with no size."""
    v1 = v1_of({"image_2": [({"id": "b1", "tool": "bounding_box"}, None)]})

    v2, losses = to_v2(v1)

    assert v2 == {"classification": {}, "images": [{}]}
    assert codes(losses) == [("failed", "NO_PAYLOAD", "image_2", "b1")]


def test_a_payload_without_annotation_and_an_entry_without_tool_are_reported() -> None:
    """Neither says what it is."""
    v1 = v1_of({"image_1": [({"id": "b2"}, {**BOX, "id": "b2"}), ({}, None)]})
    v1["annotations"]["image_1"].pop()
    v1["annotationsData"]["image_1"].append(BOX)

    _, losses = to_v2(v1)

    assert codes(losses) == [
        ("failed", "INVALID_RECORD", "image_1", "b2"),
        ("failed", "NO_ANNOTATION", "image_1", "b1"),
    ]


@pytest.mark.parametrize(
    ("tool", "payload", "words"),
    [
        ("bounding_box", {"coordinate": {"x": 1, "y": 2, "width": 3}}, "height is null"),
        ("bounding_box", {"coordinate": {"x": math.nan, "y": 2, "width": 3, "height": 4}}, "x is .*nan"),
        ("bounding_box", {}, "coordinate is null"),
        ("polygon", {"coordinate": [{"x": 1, "y": "2"}]}, "y is text"),
        ("polygon", {"coordinate": [[1, 2, 3, 4]]}, "a point is a list"),
        ("polygon", {"coordinate": {"x": 1}}, "not a list"),
        ("keypoint", {"coordinate": [1]}, "a point is a list"),
        ("relation", {"annotationId": "b1"}, "targetAnnotationId"),
        ("segmentation", {}, "neither pixel_indices nor section"),
        ("segmentation", {"pixel_indices": [5], "isCompressed": True}, "said to be runs"),
        ("3d_bounding_box", {"psr": []}, "psr is a list"),
        ("time_range", {}, "section is null"),
    ],
)
def test_a_payload_that_makes_no_sense_is_an_error_with_its_name(
    tool: str, payload: dict[str, Any], words: str
) -> None:
    """Medium, annotation and what was found."""
    v1 = v1_of({"audio_3": [({"id": "b1", "tool": tool}, {"id": "b1", **payload})]})

    with pytest.raises(InvalidDocumentError, match=words) as caught:
        to_v2(v1)
    assert "'b1' of 'audio_3'" in str(caught.value)


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ({"annotations": [], "annotationsData": {}}, "annotations is a list"),
        ({"annotations": {"image_1": {}}, "annotationsData": {}}, "annotations of 'image_1'"),
        ({"annotations": {"image_1": [3]}, "annotationsData": {}}, "not an object"),
        ({"annotations": {"image_1": [{"tool": "polygon"}]}, "annotationsData": {}}, "no id"),
        ({"annotations": {}, "annotationsData": {}, "annotationGroups": {"image_1": [5]}}, "a group is a number"),
        ({"annotations": {}, "annotationsData": {}, "annotationGroups": 5}, "annotationGroups is a number"),
    ],
)
def test_a_document_of_another_shape_is_an_error(value: dict[str, Any], what: str) -> None:
    """Not a crash."""
    with pytest.raises(InvalidDocumentError, match=what):
        to_v2(value)


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ({"images": {}}, "images is an object"),
        ({"images": [[]]}, r"images\[0\] is a list"),
        ({"images": [{"polygon": {}}]}, "polygon of 'image_1'"),
        ({"images": [{"polygon": [None]}]}, "null, not an object"),
        ({"images": [{"polygon": [annotation("p", "", [[1]])]}]}, "a point is a list"),
        ({"images": [{"bounding_box": [annotation("p", "", [1, 2, 3])]}]}, "not 4 numbers"),
        ({"images": [{"relation": [annotation("p", "", ["a"])]}]}, "between two annotations"),
        ({"images": [{"polygon": [{"id": "p", "data": [], "attrs": [{"value": 1}]}]}]}, "name of an attribute"),
        ({"images": [{"group": [{"id": "p", "data": 5}]}]}, "data of a group"),
        ({"nothing": 1}, "none of annotations"),
        ({"annotation_data": [1]}, "annotation_data is a list"),
    ],
)
def test_a_document_of_version_2_of_another_shape_is_an_error(value: dict[str, Any], what: str) -> None:
    """Not a crash."""
    with pytest.raises(InvalidDocumentError, match=what):
        to_v1(value)


def test_a_document_of_version_1_is_none_of_version_2() -> None:
    """Nobody converts twice by mistake."""
    with pytest.raises(InvalidDocumentError, match="version 1 already"):
        to_v1(fresh(SAMPLE_V1))


def test_a_kind_of_media_can_be_chosen() -> None:
    """The others are said to be left out; one that does not exist is an error."""
    entry = {"id": "y1", "tool": "classification", "classification": {"class": "x"}}
    v1 = v1_of({"image_1": [(entry, None)], "video_1": [({**entry, "id": "y2"}, None)]})
    losses: list[Any] = []

    v2 = convert_v1_to_v2(v1, file_type="video", losses=losses)["annotation_data"]
    both = to_v2(v1)[0]
    back = convert_v2_to_v1(both, file_type="image", losses=losses)

    assert [*v2] == ["classification", "videos"]
    assert [*back["annotations"]] == ["image_1"]
    assert codes(losses) == [
        ("dropped", "OTHER_MEDIA", "image_1", "y1"),
        ("dropped", "OTHER_MEDIA", "video_1", "y2"),
    ]
    with pytest.raises(InvalidDocumentError, match="'vide'"):
        convert_v1_to_v2(v1, file_type="vide")


def test_internal_attributes_stay_behind() -> None:
    """Those whose names begin with an underscore."""
    found, losses = to_v1(v2_of({"classification": [annotation("y1", "x", {}, ("_score", 1), ("light", "dim"))]}))

    assert found["annotations"]["image_1"][0]["classification"] == {"class": "x", "light": "dim"}
    assert losses == []


def test_an_attribute_called_rotation_survives_beside_that_of_the_box() -> None:
    """Whatever it is: text, or a number beside a box that is turned or not."""
    for value in ("left", 5, 0.5):
        for rotation in ({"rotation": 0.2}, {}):
            entry = {"id": "b1", "tool": "bounding_box", "classification": {"class": "car", "rotation": value}}
            payload = {"id": "b1", "coordinate": {**BOX["coordinate"], **rotation}}  # type: ignore[dict-item]  # of two kinds

            back, losses = to_v1(to_v2(v1_of({"image_1": [(entry, payload)]}))[0])

            found = back["annotationsData"]["image_1"][0]["coordinate"].get("rotation", 0)
            assert back["annotations"]["image_1"][0]["classification"] == {"class": "car", "rotation": value}
            assert found == rotation.get("rotation", 0)
            assert losses == []


def test_an_attribute_called_class_survives_beside_the_label() -> None:
    """And so does one that is called like what keeps it apart."""
    attrs = [("class", "suv"), ("attribute:class", 1), ("attribute:other", 2)]
    v2 = v2_of({"bounding_box": [annotation("b1", "car", [1, 2, 3, 4], *attrs)]})

    back, losses = to_v1(v2)

    assert back["annotations"]["image_1"][0]["classification"]["class"] == "car"
    assert to_v2(back)[0]["images"] == v2["images"]
    assert losses == []


def test_attributes_with_one_name_are_reported() -> None:
    """Version 1 can have one of them."""
    v2 = v2_of({"bounding_box": [annotation("b1", "car", [1, 2, 3, 4], ("a", 1), ("a", 2))]})

    back, losses = to_v1(v2)

    assert back["annotations"]["image_1"][0]["classification"] == {"class": "car", "a": 1}
    assert codes(losses) == [("changed", "REPEATED_ATTRIBUTE", "image_1", "b1")]


def test_points_as_tuples_and_points_with_three_numbers_are_kept() -> None:
    """Neither is dropped."""
    v2 = v2_of({"polygon": [annotation("p1", "x", [(1, 2), [4, 2, 9], (4, 6)])], "keypoint": []})

    back, losses = to_v1(v2)

    points = back["annotationsData"]["image_1"][0]["coordinate"]
    assert [(point["x"], point["y"], point.get("z")) for point in points] == [(1, 2, None), (4, 2, 9), (4, 6, None)]
    assert to_v2(back)[0]["images"][0]["polygon"][0]["data"] == [[1, 2], [4, 2, 9], [4, 6]]
    assert losses == []


def test_points_of_version_1_may_be_lists() -> None:
    """As some programs write them."""
    v1 = v1_of({"image_1": [({"id": "p1", "tool": "polyline"}, {"id": "p1", "coordinate": [(1, 2), [3, 4]]})]})

    assert to_v2(v1)[0]["images"][0]["polyline"][0]["data"] == [[1, 2], [3, 4]]


def test_the_same_document_becomes_the_same_every_time() -> None:
    """L8: ids of points, and of annotations that have none, are made of what is there."""
    v2 = v2_of(
        {"polygon": [annotation("p1", "x", [[1, 2], [4, 2], [4, 6]])], "classification": [{"classification": "c"}]}
    )

    one, other = to_v1(v2)[0], to_v1(json.loads(json.dumps(v2)))[0]

    assert one == other
    ids = [each["id"] for each in one["annotationsData"]["image_1"]]
    ids += [point["id"] for point in one["annotationsData"]["image_1"][0]["coordinate"]]
    assert len(set(ids)) == 5
    assert all(len(name) == 10 for name in ids[1:])


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        ([5, 6, 48], "pixel 48 is outside of 8 x 6"),
        ([-1, 6], "pixel -1 is outside"),
        ([[40, 8], [46, 3]], "overlap"),
        ([[40, 9]], "pixel 48 is outside"),
        ([[4, 0]], "a run is a list"),
        ([[4]], "a run is a list"),
        ([4.5], "a pixel is a number"),
    ],
)
def test_a_mask_stays_in_its_image_and_its_runs_apart(pixels: list[Any], words: str) -> None:
    """What is wrong is said with medium and annotation, and the mask is left out."""
    v1 = v1_of(
        {"image_1": [({"id": "s1", "tool": "segmentation"}, {"id": "s1", "pixel_indices": pixels})]},
        extra={"image_1": {"width": 8, "height": 6}},
    )

    v2, losses = to_v2(v1)

    assert v2["images"] == [{}]
    assert codes(losses) == [("failed", "INVALID_MASK", "image_1", "s1")]
    assert words in losses[0].words


def test_a_mask_of_an_image_of_unknown_size_is_taken_as_it_is() -> None:
    """Also one without what newer documents say about masks."""
    for pixels in ([5, 6, 4_800_000], [[5, 3], [69, 2]], []):
        v1 = v1_of({"image_1": [({"id": "s1", "tool": "segmentation"}, {"id": "s1", "pixel_indices": pixels})]})
        v2, losses = to_v2(v1)
        found = v2["images"][0]["segmentation"][0]

        bare = v2_of({"segmentation": [annotation("s1", "", pixels)]})
        back = to_v1(bare)[0]["annotationsData"]["image_1"][0]

        assert found["data"] == pixels
        assert back["pixel_indices"] == pixels
        assert back["isCompressed"] is found["isCompressed"] is bool(pixels and isinstance(pixels[0], list))
        assert losses == []


def test_seconds_stay_seconds() -> None:
    """Spans of sounds never become spans of frames from 0 to 0."""
    v2 = {"classification": {}, "audios": [{"segmentation": [annotation("s3", "speech", {"start": 0.5, "end": 2.25})]}]}

    assert to_v1(v2)[0]["annotationsData"] == {"audio_1": [{"id": "s3", "section": {"start": 0.5, "end": 2.25}}]}


@pytest.mark.parametrize(("word", "number"), [("missing", 0), ("occluded", 1), ("visible", 2), ("perhaps", None)])
def test_how_well_a_joint_is_seen_converts_both_ways(word: str, number: int | None) -> None:
    """A word in version 1; a number in version 2, where the attribute stays for those who look there."""
    entry = {"id": "k1", "tool": "keypoint", "classification": {"class": "nose", "visibility": word}}
    v1 = v1_of({"image_1": [(entry, {"id": "k1", "coordinate": {"x": 1, "y": 2}})]})

    v2, _ = to_v2(v1)

    found = v2["images"][0]["keypoint"][0]
    assert found["attrs"] == [{"name": "visibility", "value": word}]
    assert found.get("visibility") == number
    found["attrs"] = found["attrs"] if number is None else []
    assert to_v1(v2)[0]["annotations"]["image_1"][0]["classification"] == entry["classification"]


def test_what_version_2_says_besides_is_kept() -> None:
    """Keys of annotations and of the document that nobody here understands."""
    v2 = v2_of({"bounding_box": [annotation("b1", "car", [1, 2, 3, 4], score=0.5, isLocked=True)]}, source="x")

    back, _ = to_v1(v2)

    entry = back["annotations"]["image_1"][0]
    assert (entry["score"], entry["isLocked"], back["source"]) == (0.5, True, "x")


def test_whether_a_box_in_a_point_cloud_is_locked_passes_through() -> None:
    """In both directions."""
    v1 = v1_of({"pcd_1": [({"id": "c1", "tool": "3d_bounding_box", "isLocked": True}, {"id": "c1", "psr": PSR})]})

    v2, _ = to_v2(v1)

    assert v2["pcds"][0]["3d_bounding_box"][0]["isLocked"] is True
    assert to_v1(v2)[0]["annotations"]["pcd_1"][0]["isLocked"] is True


def test_one_id_in_two_media_or_twice_in_one_is_kept_apart() -> None:
    """Each has its own payload, in their order."""
    pairs = [({"id": "b1", "tool": "classification"}, {"id": "b1", "number": number}) for number in range(3)]
    v1 = v1_of({"text_1": pairs[:2], "text_2": pairs[2:]})

    v2, _ = to_v2(v1)

    assert [[each["data"] for each in text["classification"]] for text in v2["texts"]] == [
        [{"number": 0}, {"number": 1}],
        [{"number": 2}],
    ]
    assert to_v1(v2, v1)[0] == v1


def test_many_annotations_convert_one_after_the_other() -> None:
    """Ten times as many take about ten times as many look-ups: every id is looked up, none is searched for."""
    count = 5000
    entries = [
        {"id": f"b{number}", "tool": "bounding_box", "classification": {"class": "x"}} for number in range(count)
    ]
    v1 = v1_of({"image_1": [(entry, {**BOX, "id": entry["id"]}) for entry in entries]})
    v1["annotationGroups"] = {"image_1": [{"id": "g1", "annotationIds": [entry["id"] for entry in entries]}]}

    v2, _ = to_v2(v1)
    back, _ = to_v1(v2, v1)

    assert len(v2["images"][0]["bounding_box"]) == count
    assert back == v1
