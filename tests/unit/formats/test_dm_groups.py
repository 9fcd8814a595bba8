"""Annotations that belong together, in both versions of DM documents."""

from typing import Any

import pytest

from tests.unit.formats.dm_documents import annotation, codes, to_v1, to_v2, v1_of, v2_of

PAIR = {
    "id": "g1",
    "tool": "annotationGroup",
    "isLocked": False,
    "classification": {"class": "pair", "why": "near"},
    "annotationList": [{"annotationId": "k1", "children": [{"annotationId": "k2", "children": []}]}],
}


def posed(*groups: dict[str, Any]) -> dict[str, Any]:
    """Return a document of version 1 with three joints, and groups."""
    pairs = [
        (
            {"id": name, "tool": "keypoint", "classification": {"class": label}},
            {"id": name, "coordinate": {"x": 1, "y": 2}},
        )
        for name, label in (("k1", "nose"), ("k2", "left_eye"), ("k3", "nose"))
    ]
    found: dict[str, Any] = v1_of({"image_1": pairs}, annotationGroups={"image_1": list(groups)})
    return found


def test_groups_become_group_ids_and_back() -> None:
    """L6: without meta, too."""
    v1 = posed({"id": "g1", "annotationIds": ["k1", "k2"]}, {"id": "g2", "annotationIds": ["k3"]})

    v2, losses = to_v2(v1)

    assert [each.get("group_id") for each in v2["images"][0]["keypoint"]] == ["g1", "g1", "g2"]
    assert "group" not in v2["images"][0]
    assert to_v1(v2)[0]["annotationGroups"] == v1["annotationGroups"]
    assert losses == []


def test_a_group_with_a_class_is_in_the_bucket_of_groups_as_well() -> None:
    """Members in the other shape are read at any depth; back come both shapes, as programs read one or the other."""
    v2, losses = to_v2(posed(PAIR))

    assert [each.get("group_id") for each in v2["images"][0]["keypoint"]] == ["g1", "g1", None]
    assert v2["images"][0]["group"] == [annotation("g1", "pair", ["k1", "k2"], ("why", "near"))]
    assert "group" not in v2["classification"]
    assert losses == []
    assert to_v1(v2)[0]["annotationGroups"]["image_1"] == [
        {
            **PAIR,
            "annotationList": [{"annotationId": "k1", "children": []}, {"annotationId": "k2", "children": []}],
            "annotationIds": ["k1", "k2"],
        }
    ]


def test_an_annotation_in_two_groups_stays_in_both() -> None:
    """The second one is in the bucket."""
    groups = [{"id": "g1", "annotationIds": ["k1", "k2"]}, {"id": "g2", "annotationIds": ["k2", "k3"]}]

    v2, _ = to_v2(posed(*groups))

    assert v2["images"][0]["group"] == [annotation("g2", "", ["k2", "k3"])]
    assert to_v1(v2)[0]["annotationGroups"]["image_1"] == groups
    assert to_v2(to_v1(v2)[0])[0] == v2


def test_a_group_without_id_gets_one_that_is_made_of_its_members() -> None:
    """The same in every run."""
    (one,), (other,) = (
        {each["group_id"] for each in to_v2(posed({"annotationIds": ["k1", "k2"]}))[0]["images"][0]["keypoint"][:2]}
        for _ in range(2)
    )

    assert one == other
    assert len(one) == 10


def test_members_that_are_not_there_are_noted() -> None:
    """The group has the others; one without any is in none of the annotations."""
    v2, losses = to_v2(posed({"id": "g1", "annotationIds": ["k1", "gone"]}, {"id": "g2", "annotationIds": ["gone"]}))

    assert [each.get("group_id") for each in v2["images"][0]["keypoint"]] == ["g1", None, None]
    assert codes(losses) == [("noted", "DANGLING", "image_1", "g1"), ("noted", "DANGLING", "image_1", "g2")]


@pytest.mark.parametrize("bucket", [[], None])
def test_an_empty_bucket_of_groups_is_read(bucket: list[Any] | None) -> None:
    """Writers put it beside the others."""
    found, losses = to_v1(v2_of({"group": bucket, "classification": [annotation("y1", "x", {})]}))  # type: ignore[dict-item]  # null, on purpose

    assert found["annotationGroups"] == {}
    assert losses == []
