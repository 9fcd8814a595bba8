"""Objects of which DM documents have several annotations: put together when read."""

from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.formats.dm.joints import PERSON_JOINTS
from synapse_sdk.formats.model import Annotation, Box, ClassSpec, Polygon, Relation, RotatedBox, Verbatim
from tests.unit.formats.dm_datasets import SIZE, Result, make, read
from tests.unit.formats.dm_documents import annotation, v1_of, v2_of

BOX, RING, OTHER_RING = [1, 2, 30, 4], [[1, 2], [4, 2], [4, 6]], [[7, 7], [9, 7], [9, 9]]


def read_tools(folder: Path, **tools: Any) -> Result:  # noqa: ANN401  # JSON
    """Read a dataset of one document, whose annotations are given by tool."""
    return read(make(folder, {"json/a.json": v2_of(tools), "original_files/a.png": SIZE}))


def member(name: str, label: str, data: Any, *attrs: tuple[str, Any], group: str = "g", **more: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
    """Return an annotation of a group."""
    return annotation(name, label, data, *attrs, **({"group_id": group} if group else {}), **more)


def joint(name: str, label: str, *attrs: tuple[str, Any], seen: int = 2, group: str = "g") -> dict[str, Any]:  # JSON
    """Return a joint of a group."""
    return member(name, label, [3, 4], *attrs, group=group, visibility=seen)


def test_box_outline_and_joints_of_a_group_are_one_object(tmp_path: Path) -> None:
    """It has the id of the box; several polygons are its parts; visibility and names of joints stay (L6)."""
    found = read_tools(
        tmp_path,
        keypoint=[joint("k1", "nose", ("sure", 0.5)), joint("k2", "left_eye", seen=1), joint("k3", "tail", seen=0)],
        bounding_box=[member("b1", "dog", BOX, ("color", "red"))],
        polygon=[member("p1", "dog", RING), member("p2", "dog", OTHER_RING, ("color", "red"))],
    )

    whole = found.only()
    assert (whole.id, whole.label, whole.group, whole.box) == ("b1", "dog", "", Box(1.0, 2.0, 30.0, 4.0))
    assert whole.shape == Polygon([[1.0, 2.0, 4.0, 2.0, 4.0, 6.0], [7.0, 7.0, 9.0, 7.0, 9.0, 9.0]])
    assert whole.keypoints is not None
    assert [*whole.keypoints.points] == [3.0, 4.0, 2, 3.0, 4.0, 1, 0.0, 0.0, 0]
    assert whole.keypoints.names == ()
    assert whole.attributes == {"color": "red", "nose.sure": 0.5}
    assert found.info.classes == (ClassSpec(name="dog", joints=("nose", "left_eye", "tail")),)
    assert found.codes == {}


def test_several_people_stay_apart(tmp_path: Path) -> None:
    """P1: by their groups; joints of persons are all joints of persons, with their lines and mirror images."""
    found = read_tools(
        tmp_path,
        keypoint=[joint(f"k{group}{label}", label, group=group) for group in "ab" for label in ("left_eye", "nose")],
    )

    assert [(each.id, each.label) for each in found.annotations] == [("a", "person"), ("b", "person")]
    (spec,) = found.info.classes
    assert (spec.name, spec.joints, len(spec.skeleton)) == ("person", PERSON_JOINTS, 19)
    assert [PERSON_JOINTS[at] for at in spec.flip[:3]] == ["nose", "right_eye", "left_eye"]
    assert sorted(spec.flip) == [*range(17)]


def test_joints_that_a_document_leaves_out_are_not_labelled(tmp_path: Path) -> None:
    """An object has all joints of its class, in their order, whatever the order in its document."""
    found = read_tools(
        tmp_path,
        bounding_box=[member(group, "dog", BOX, group=group) for group in "ab"],
        keypoint=[
            *(joint("1", "x", group="a"), joint("2", "y", group="a", seen=1)),
            *(joint("3", "z", group="b"), joint("4", "x", group="b")),
        ],
    )

    points = [each.keypoints and [*each.keypoints.points] for each in found.annotations]
    assert points == [[3.0, 4.0, 2, 3.0, 4.0, 1, 0.0, 0.0, 0], [3.0, 4.0, 2, 0.0, 0.0, 0, 3.0, 4.0, 2]]


def test_version_1_groups_joints_likewise(tmp_path: Path) -> None:
    """And says of which class they are."""
    pairs = [
        (
            {"id": name, "tool": "keypoint", "classification": {"class": label, "visibility": "occluded"}},
            {"id": name, "coordinate": {"x": 1, "y": 2}},
        )
        for name, label in (("k1", "tip"), ("k2", "tail"))
    ]
    groups = {"image_1": [{"id": "g", "classification": {"class": "fish", "old": True}, "annotationIds": ["k1", "k2"]}]}
    make(tmp_path, {"json/a.json": v1_of({"image_1": pairs}, annotationGroups=groups), "original_files/a.png": SIZE})

    found = read(tmp_path)

    whole = found.only()
    assert (whole.id, whole.label, whole.attributes) == ("g", "fish", {"old": True})
    assert found.info.classes == (ClassSpec(name="fish", joints=("tip", "tail")),)


def test_joints_of_one_label_have_no_names(tmp_path: Path) -> None:
    """Some programs give joints the class of their object."""
    found = read_tools(tmp_path, keypoint=[joint("k1", "fish"), joint("k2", "fish")])

    whole = found.only()
    assert whole.label == "fish"
    assert whole.keypoints is not None
    assert (whole.keypoints.names, len(whole.keypoints.points)) == ((), 6)
    assert found.info.classes == (ClassSpec(name="fish"),)


def test_joints_of_which_nobody_knows_the_class_are_an_object(tmp_path: Path) -> None:
    """Noted: it is a name that nobody gave."""
    found = read_tools(tmp_path, keypoint=[joint("k1", "tip"), joint("k2", "tail")])

    assert found.only().label == "object"
    assert found.codes == {("noted", "UNNAMED_OBJECT"): 1}


@pytest.mark.parametrize(
    ("tools", "why"),
    [
        ({"bounding_box": [member("b1", "dog", BOX), member("b2", "dog", BOX)]}, "two boxes"),
        (
            {"bounding_box": [member("b1", "dog", BOX), member("b2", "dog", BOX, ("rotation", 1))]},
            "two boxes, one of them turned",
        ),
        ({"bounding_box": [member("b1", "dog", BOX)], "polygon": [member("p1", "cat", RING)]}, "two classes"),
        (
            {
                "bounding_box": [member("b1", "dog", BOX)],
                "polyline": [member("l1", "dog", RING)],
                "polygon": [member("p1", "dog", RING)],
            },
            "two kinds of shapes",
        ),
        (
            {
                "bounding_box": [member("b1", "dog", BOX)],
                "keypoint": [joint("k1", "eye"), joint("k2", "eye"), joint("k3", "nose")],
            },
            "a joint twice",
        ),
        (
            {"bounding_box": [member("b1", "dog", BOX)], "classification": [member("y1", "dog", {})]},
            "what the image is",
        ),
        ({"bounding_box": [member("b1", "dog", BOX)], "relation": [member("r1", "dog", ["b1", "b1"])]}, "a link"),
        (
            {"bounding_box": [member("b1", "dog", BOX, ("a", 1))], "polygon": [member("p1", "dog", RING, ("a", 2))]},
            "attributes that contradict each other",
        ),
        (
            {"bounding_box": [member("b1", "dog", BOX, ("iscrowd", True))], "polygon": [member("p1", "dog", RING)]},
            "a crowd and an object",
        ),
        (
            {
                "bounding_box": [member("b1", "dog", BOX)],
                "polygon": [member("p1", "dog", RING)],
                "group": [annotation("g", "", ["b1", "p1", "elsewhere"])],
            },
            "members that are not there",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_group_that_may_be_several_objects_stays_a_group(tmp_path: Path, tools: dict[str, Any], why: str) -> None:
    """Nothing is put together that might not belong together."""
    found = read_tools(tmp_path, **tools)

    ids = {each["id"] for name, tool in tools.items() for each in tool if name != "group"}
    assert {each.id for each in found.annotations} == ids, why
    assert {each.group for each in found.annotations} == {"g"}


def test_a_group_of_another_class_than_its_members_stays_a_group(tmp_path: Path) -> None:
    """What is said about it is an annotation that only DM understands."""
    found = read_tools(
        tmp_path,
        bounding_box=[member("b1", "dog", BOX, group="")],
        polygon=[member("p1", "dog", RING, group="")],
        group=[annotation("g", "pair", ["b1", "p1"], ("why", "near"))],
    )

    assert [(each.id, each.group) for each in found.annotations] == [("b1", "g"), ("p1", "g"), ("g", "")]
    assert found.annotations[2] == Annotation(
        id="g", label="pair", shape=Verbatim("group", "image_1", ["b1", "p1"]), attributes={"why": "near"}
    )
    assert found.labels == ["dog"]


def test_links_lead_to_the_object_that_a_part_has_become(tmp_path: Path) -> None:
    """And not to a part that is none any more."""
    found = read_tools(
        tmp_path,
        bounding_box=[member("b1", "dog", BOX), annotation("b2", "cat", BOX)],
        polygon=[member("p1", "dog", RING)],
        relation=[annotation("r1", "chases", ["p1", "b2"])],
    )

    assert found.annotations[-1].shape == Relation("b1", "b2")


def test_a_rotated_box_may_have_an_outline_as_little_as_an_upright_one_two(tmp_path: Path) -> None:
    """An object has one shape besides its box."""
    found = read_tools(
        tmp_path, bounding_box=[member("b1", "dog", BOX, ("rotation", 1))], keypoint=[joint("k1", "nose")]
    )

    whole = found.only()
    assert isinstance(whole.shape, RotatedBox)
    assert whole.keypoints is not None


def test_one_joint_alone_is_an_object_of_its_own_class(tmp_path: Path) -> None:
    """Unless its group says of which class it is."""
    found = read_tools(
        tmp_path,
        keypoint=[joint("k1", "tip", group=""), joint("k2", "tip", group="h")],
        group=[annotation("h", "fish", ["k2"])],
    )

    assert [(each.id, each.label) for each in found.annotations] == [("k1", "tip"), ("h", "fish")]
    assert found.info.classes == (ClassSpec(name="fish", joints=("tip",)), ClassSpec(name="tip", joints=("tip",)))


def test_many_groups_are_read_one_after_the_other(tmp_path: Path) -> None:
    """Members are looked up, not searched for."""
    count = 2000
    found = read_tools(
        tmp_path,
        bounding_box=[member(f"b{number}", "dog", BOX, group=f"g{number}") for number in range(count)],
        polygon=[member(f"p{number}", "dog", RING, group=f"g{number}") for number in range(count)],
    )

    assert len(found.annotations) == count
