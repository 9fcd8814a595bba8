"""What is read from DM documents."""

from pathlib import Path
from typing import Any

import pytest
from msgspec import to_builtins

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.base import ExifPolicy, FormatOptions
from synapse_sdk.formats.dm import DmV2Format
from synapse_sdk.formats.losses import LossLog
from synapse_sdk.formats.masks import array_of_mask, mask_of_runs
from synapse_sdk.formats.model import (
    Annotation,
    Box,
    ClassSpec,
    Keypoints,
    Polygon,
    Polyline,
    Relation,
    RotatedBox,
    Verbatim,
)
from tests.unit.formats.dm_datasets import SIZE, Result, image, make, read
from tests.unit.formats.dm_documents import SAMPLE_V1, SAMPLE_V2, annotation, fresh, v1_of, v2_of

PAYLOAD = {"id": "b1", "coordinate": {"x": 10, "y": 20, "width": 30, "height": 15}}


def read_one(folder: Path, document: Any, size: tuple[int, int] = SIZE, **options: Any) -> Result:  # noqa: ANN401  # JSON
    """Read a dataset of one document, which is about `a.png`."""
    return read(make(folder, {"json/a.json": document, "original_files/a.png": size}), **options)


def plain(annotation: Annotation) -> Any:  # noqa: ANN401  # JSON
    """Return an annotation for comparison, with lists for tuples."""
    return to_builtins(annotation)


@pytest.mark.parametrize("sample", [SAMPLE_V2, SAMPLE_V1], ids=["v2", "v1"])
def test_the_sample_is_read_from_either_version(tmp_path: Path, sample: str) -> None:
    """Coordinates of version 1 come from `annotationsData`, and values of attributes are no classes."""
    found = read_one(tmp_path, sample)

    assert found.annotations == [
        Annotation(id="b1", label="car", shape=RotatedBox(25.0, 27.5, 30.0, 15.0, 0.2), attributes={"color": "red"}),
        Annotation(id="p1", label="road", shape=Polygon([[1.0, 2.0, 4.0, 2.0, 4.0, 6.0]])),
        Annotation(id="y1", label="indoor", attributes={"light": "dim"}),
        Annotation(id="r1", label="part_of", shape=Relation("b1", "p1")),
    ]
    assert found.labels == ["car", "indoor", "road"]
    assert found.items[0].document == sample.encode()
    assert found.codes == {}


def test_version_1_says_how_large_the_image_is(tmp_path: Path) -> None:
    """Also where it stands beside version 2; nobody measures an image for anything but masks."""
    wrapped = {"annotation_data": fresh(SAMPLE_V2), "annotation_meta": fresh(SAMPLE_V1)}
    for number, (document, size) in enumerate(((SAMPLE_V1, (640, 480)), (wrapped, (640, 480)), (SAMPLE_V2, (0, 0)))):
        item = read_one(tmp_path / str(number), document).items[0]
        assert (item.width, item.height) == size


@pytest.mark.parametrize(
    "meta", [None, {}, {"annotations": 5}, {"extra": {"image_1": {"width": -1, "height": "x"}}}, [5]]
)
def test_meta_that_makes_no_sense_does_no_harm(tmp_path: Path, meta: Any) -> None:  # noqa: ANN401  # JSON
    """The annotations are in `annotation_data`."""
    found = read_one(tmp_path, {"annotation_data": fresh(SAMPLE_V2), "annotation_meta": meta})

    assert len(found.annotations) == 4
    assert found.codes == {}


def test_every_tool_of_images_is_read(tmp_path: Path) -> None:
    """With what newer documents add, and without."""
    tools = {
        "bounding_box": [annotation("b1", "car", [10, 20, 30.5, 15])],
        "polygon": [annotation("p1", "road", [[1, 2], [4, 2], [4, 6]], ("a", [1]))],
        "polyline": [annotation("l1", "line", [[1, 2], [4, 2]])],
        "keypoint": [
            annotation("k1", "tip", [12, 9], visibility=1),
            annotation("k2", "tip", [12, 9], ("visibility", "occluded")),
            annotation("k3", "tip", [12, 9]),
            annotation("k4", "tip", [12, 9], ("visibility", "odd"), visibility=0),
        ],
        "segmentation": [
            annotation("s1", "sky", [5, 6, 7]),
            annotation("s2", "sky", [[5, 3], [69, 2]], encoding="dm_rle", isCompressed=True, compressionFormat="rle"),
        ],
        "classification": [annotation("y1", "indoor", {"by": "me"})],
        "relation": [annotation("r1", "on", ["b1", "p1"])],
    }
    mask_1, mask_2 = mask_of_runs([[5, 3]], *SIZE), mask_of_runs([[5, 3], [69, 2]], *SIZE)

    found = read_one(tmp_path, v2_of(tools))

    assert [*map(plain, found.annotations)] == [
        plain(each)
        for each in (
            Annotation(id="b1", label="car", box=Box(10.0, 20.0, 30.5, 15.0)),
            Annotation(id="p1", label="road", shape=Polygon([[1.0, 2.0, 4.0, 2.0, 4.0, 6.0]]), attributes={"a": [1]}),
            Annotation(id="l1", label="line", shape=Polyline([1.0, 2.0, 4.0, 2.0])),
            Annotation(id="k1", label="tip", keypoints=Keypoints([12.0, 9.0, 1])),
            Annotation(id="k2", label="tip", keypoints=Keypoints([12.0, 9.0, 1])),
            Annotation(id="k3", label="tip", keypoints=Keypoints([12.0, 9.0, 2])),
            Annotation(id="k4", label="tip", keypoints=Keypoints([0.0, 0.0, 0]), attributes={"visibility": "odd"}),
            Annotation(id="s1", label="sky", shape=mask_1),
            Annotation(id="s2", label="sky", shape=mask_2),
            Annotation(id="y1", label="indoor", attributes={"by": "me"}),
            Annotation(id="r1", label="on", shape=Relation("b1", "p1")),
        )
    ]
    assert found.labels == ["car", "indoor", "line", "road", "sky", "tip"]
    assert found.info.classes[-1] == ClassSpec(name="tip", joints=("tip",))
    assert found.codes == {}


def test_pixels_of_masks_are_numbered_row_by_row(tmp_path: Path) -> None:
    """Number 64 is the first one of the second row of an image 64 wide."""
    found = read_one(tmp_path, v2_of({"segmentation": [annotation("s1", "sky", [64, 130])]}))

    mask = found.only().shape
    assert mask is not None
    assert [*zip(*array_of_mask(mask).nonzero(), strict=True)] == [(1, 0), (2, 2)]  # type: ignore[arg-type]  # it is one
    assert (found.items[0].width, found.items[0].height) == SIZE


def test_a_mask_is_of_the_image_as_it_is_shown(tmp_path: Path) -> None:
    """Y6: unless images are taken as they are stored."""
    make(tmp_path, {"json/a.json": v2_of({"segmentation": [annotation("s1", "sky", [0])]})})
    image(tmp_path / "original_files/a.jpg", SIZE, orientation=6)

    for exif, size in ((ExifPolicy.APPLY, SIZE[::-1]), (ExifPolicy.IGNORE, SIZE)):
        found = read(tmp_path, exif=exif)
        assert (found.items[0].width, found.items[0].height) == size


def test_a_mask_that_does_not_fit_fails_alone(tmp_path: Path) -> None:
    """With its name; so does one of an image whose size nobody knows."""
    tools = {"segmentation": [annotation("s1", "sky", [64 * 48]), annotation("s2", "sky", [[1, 3], [2, 1]])]}
    runs = annotation("s3", "sky", [5, 6], isCompressed=True)

    found = read_one(tmp_path / "1", v2_of(tools | {"classification": [annotation("y1", "x", {})]}))
    other = read(make(tmp_path / "2", {"json/a.json": v2_of(tools), "original_files/b.png": SIZE}))
    third = read_one(tmp_path / "3", v2_of({"segmentation": [runs]}))

    assert [each.id for each in found.annotations] == ["y1"]
    assert found.codes == {("failed", "INVALID_MASK"): 2}
    assert found.words("INVALID_MASK")[0].startswith("json/a.json s1 pixel 3072 is outside")
    assert other.codes[("failed", "NO_SIZE")] == 2
    assert third.codes == {("failed", "INVALID_MASK"): 1}
    assert found.labels == ["sky", "x"]


def test_rotation_is_read_from_the_first_attribute_of_that_name(tmp_path: Path) -> None:
    """L3: one that is no number is an attribute like any other; a box that is not turned is upright."""
    boxes = [
        annotation("b1", "car", [10, 20, 30, 10], ("color", "red"), ("rotation", 0.5), ("rotation", "left")),
        annotation("b2", "car", [10, 20, 30, 10], ("rotation", "left")),
        annotation("b3", "car", [10, 20, 30, 10], ("rotation", 0), ("rotation", 7)),
    ]

    found = read_one(tmp_path, v2_of({"bounding_box": boxes}))

    assert [(each.box, each.shape, each.attributes) for each in found.annotations] == [
        (None, RotatedBox(25.0, 25.0, 30.0, 10.0, 0.5), {"color": "red", "rotation": "left"}),
        (Box(10.0, 20.0, 30.0, 10.0), None, {"rotation": "left"}),
        (Box(10.0, 20.0, 30.0, 10.0), None, {"rotation": 7}),
    ]


def test_a_crowd_is_an_attribute(tmp_path: Path) -> None:
    """C2: only if it is true."""
    boxes = [annotation(f"b{value}", "car", [1, 2, 3, 4], ("iscrowd", value), ("a", 1)) for value in (True, False)]

    found = read_one(tmp_path, v2_of({"bounding_box": boxes}))

    assert [(each.is_crowd, each.attributes) for each in found.annotations] == [
        (True, {"a": 1}),
        (False, {"iscrowd": False, "a": 1}),
    ]


def test_labels_alone_are_enough(tmp_path: Path) -> None:
    """Annotations without ids are numbered, and do not take the numbers of others."""
    document = {"images": [{"classification": [{"classification": "cat"}, {"classification": "dog"}, {"id": "1"}]}]}

    found = read_one(tmp_path, document)

    assert [(each.id, each.label) for each in found.annotations] == [("2", "cat"), ("3", "dog"), ("1", "")]
    assert found.labels == ["cat", "dog"]
    assert found.codes == {}


def test_an_id_that_is_there_twice_gets_a_number(tmp_path: Path) -> None:
    """Noted; both annotations are there."""
    tools: dict[str, Any] = {
        "bounding_box": [annotation("a", "x", [1, 2, 3, 4])] * 2,
        "polyline": [annotation("a_2", "x", [[1, 2]] * 2)],
    }

    found = read_one(tmp_path, v2_of(tools))

    assert [each.id for each in found.annotations] == ["a", "a_3", "a_2"]
    assert found.codes == {("noted", "DUPLICATE_ID"): 1}


def test_an_image_without_annotations_is_an_item(tmp_path: Path) -> None:
    """C3: in all the ways in which documents say it."""
    documents: list[Any] = [
        {"images": [{}]},
        {"images": []},
        {"classification": {}},
        v2_of({tool: [] for tool in ("bounding_box", "polygon", "polyline", "keypoint", "relation", "group")}),
        v1_of({}),
        v1_of({"image_1": []}),
        {"annotation_data": {"images": [{"polygon": None}]}},
    ]
    for number, document in enumerate(documents):
        found = read_one(tmp_path / str(number), document)
        assert (found.names, found.annotations, found.codes) == ([("", "a.png")], [], {})


def test_other_media_are_annotations_that_only_dm_understands(tmp_path: Path) -> None:
    """L10: so that every target says what becomes of them; tools that nobody knows are, too."""
    document = v2_of(
        {"classification": [annotation("y1", "x", {})], "lasso": [annotation("l1", "rope", [1], ("a", 1), score=2)]},
        {"bounding_box": [annotation("y1", "car", [1, 2, 3, 4], group_id="g")]},
        videos=[{"segmentation": [annotation("s1", "run", {"startFrame": 3, "endFrame": 40})]}],
        audios=[{}, {"classification": [annotation("c1", "speech", {})]}],
        lidars=[{"cloud": [{"id": "n1", "data": 5}]}],
        version="2.1",
    )

    found = read_one(tmp_path, document)

    assert [(each.id, each.label, each.shape) for each in found.annotations] == [
        ("y1", "x", None),
        ("l1", "rope", Verbatim("lasso", "image_1", [1])),
        ("y1_2", "car", Verbatim("bounding_box", "image_2", [1, 2, 3, 4])),
        ("s1", "run", Verbatim("segmentation", "video_1", {"startFrame": 3, "endFrame": 40})),
        ("c1", "speech", Verbatim("classification", "audio_2", {})),
        ("n1", "", Verbatim("cloud", "lidars_1", 5)),
    ]
    assert found.annotations[1].attributes == {"a": 1, "score": 2}
    assert found.annotations[2].group == "g"
    assert found.items[0].notes == {"version": "2.1"}
    assert found.labels == ["x"]


def test_what_is_not_understood_becomes_an_attribute(tmp_path: Path) -> None:
    """Keys beside those that annotations have, and labels and ids that are numbers or nothing."""
    boxes: list[Any] = [
        {"id": 7, "classification": None, "attrs": None, "data": [1, 2, 3, 4], "score": 0.5, "isLocked": True},
        {"id": None, "classification": 5, "data": [1, 2, 3, 4], "group_id": None},
    ]

    found = read_one(tmp_path, v2_of({"bounding_box": boxes}))

    assert [(each.id, each.label, each.attributes) for each in found.annotations] == [
        ("7", "", {"score": 0.5, "isLocked": True}),
        ("1", "5", {}),
    ]
    assert found.codes == {}


def test_points_with_three_numbers_lose_the_third_and_say_so(tmp_path: Path) -> None:
    """They are not dropped."""
    tools = {
        "polygon": [annotation("p1", "x", [[1, 2, 9], [4, 2], [4, 6]])],
        "keypoint": [annotation("k1", "tip", [1, 2, 3])],
    }

    found = read_one(tmp_path, v2_of(tools))

    assert found.annotations[0].shape == Polygon([[1.0, 2.0, 4.0, 2.0, 4.0, 6.0]])
    assert found.annotations[1].keypoints is not None
    assert found.codes == {("changed", "POINTS"): 2}


@pytest.mark.parametrize(
    ("tool", "record", "code", "words"),
    [
        ("bounding_box", annotation("z", "x", [1, 2, 3]), "INVALID_RECORD", "length 4"),
        ("bounding_box", annotation("z", "x", [1, 2, 3, "4"]), "INVALID_RECORD", "`float`, got `str`"),
        ("bounding_box", annotation("z", "x", None), "INVALID_RECORD", "missing required field `data`"),
        ("bounding_box", {"id": "z"}, "INVALID_RECORD", "missing required field `data`"),
        (
            "bounding_box",
            {"id": "z", "classification": ["x"], "data": [1, 2, 3, 4]},
            "INVALID_RECORD",
            "`str`, got `array`",
        ),
        ("bounding_box", annotation("z", "x", [1, 2, 3, 4], attrs=[5]), "INVALID_RECORD", "an attribute is a number"),
        ("bounding_box", annotation("z", "x", [1, 2, 3, 4], attrs=[{}]), "INVALID_RECORD", "`str`, got `null`"),
        ("polygon", annotation("z", "x", [[1, 2], [3, 4]]), "INVALID_RECORD", "a polygon of 2 points"),
        ("polygon", annotation("z", "x", [[[1, 2], [3, 4], [5, 6]]]), "INVALID_RECORD", "polygon: "),
        ("polyline", annotation("z", "x", [[1, 2]]), "INVALID_RECORD", "a polyline of 1 points"),
        ("keypoint", annotation("z", "x", [1]), "INVALID_RECORD", "length 2"),
        ("relation", annotation("z", "x", ["a"]), "INVALID_RECORD", "length 2"),
        ("segmentation", annotation("z", "x", {"startFrame": 1}), "INVALID_RECORD", "`array`, got `object`"),
        ("lasso", 5, "INVALID_RECORD", "not an object"),
    ],
)
def test_a_record_that_cannot_be_read_fails_alone(
    tmp_path: Path, tool: str, record: object, code: str, words: str
) -> None:
    """With document, id and what is wrong; the others are there."""
    tools: dict[str, Any] = {tool: [record], "classification": [annotation("y1", "x", {})]}

    found = read_one(tmp_path, v2_of(tools))

    assert [each.id for each in found.annotations] == ["y1"]
    assert found.codes == {("failed", code): 1}
    (said,) = found.words(code)
    assert said.startswith("json/a.json z " if isinstance(record, dict) else "json/a.json ")
    assert words in said


@pytest.mark.parametrize("number", ["1e999", "-1e999"])
def test_numbers_beyond_all_bounds_fail_alone(tmp_path: Path, number: str) -> None:
    """They would be infinite."""
    boxes = f'[{{"id": "z", "data": [1, 2, 3, {number}]}}]'
    text = f'{{"images": [{{"bounding_box": {boxes}, "classification": [{{"id": "y"}}]}}]}}'

    found = read_one(tmp_path, text)

    assert [each.id for each in found.annotations] == ["y"]
    assert found.codes == {("failed", "NOT_A_NUMBER"): 1}


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        ("", "UNREADABLE_DOCUMENT", "json/b.json:1 it ends"),
        ('{"images": [\n{"polygon": [', "UNREADABLE_DOCUMENT", "json/b.json:2 it ends"),
        ('{"images": [\n{"polygon"; []}]}', "UNREADABLE_DOCUMENT", "json/b.json:2 JSON is malformed"),
        ('\ufeff{"images": [\n\n{"polygon": [{"data": NaN}]}]}', "NOT_A_NUMBER", "json/b.json:3 JSON is malformed"),
        ('{"images": [{"polygon": [{"data": -Infinity}]}]}', "NOT_A_NUMBER", "json/b.json:1"),
        (b'{"images": [{"polygon": [{"id": "\xff"}]}]}', "UNREADABLE_DOCUMENT", "json/b.json:1 it is not UTF-8"),
        ("[]", "UNREADABLE_DOCUMENT", "json/b.json Expected `object`, got `array`"),
        ("{}", "UNREADABLE_DOCUMENT", "json/b.json there are neither annotations nor media"),
        ('{"shapes": []}', "UNREADABLE_DOCUMENT", "json/b.json there are neither annotations nor media"),
        ('{"images": [5]}', "UNREADABLE_DOCUMENT", "json/b.json Expected `object`"),
        ('{"images": [{"polygon": 5}]}', "UNREADABLE_DOCUMENT", "json/b.json Expected `array"),
        ('{"annotation_data": {"images": 5}}', "UNREADABLE_DOCUMENT", "json/b.json Expected `array"),
        ('{"annotation_data": 5}', "UNREADABLE_DOCUMENT", "json/b.json Expected `object`"),
        ('{"annotations": {}}', "UNREADABLE_DOCUMENT", "json/b.json A document of version 1 needs 'annotationsData'"),
        ('{"annotations": {"lidar_1": []}, "annotationsData": {}}', "UNREADABLE_DOCUMENT", "'lidar_1'"),
        ('{"images": [{"polygon": [' + "[" * 100_000, "UNREADABLE_DOCUMENT", "json/b.json"),
        ('{"videos": [{"x": [' + "[" * 500_000 + "]" * 500_000 + "]}]}", "UNREADABLE_DOCUMENT", "too deep"),
    ],
)
def test_a_document_that_cannot_be_read_fails_with_its_name(
    tmp_path: Path, content: str | bytes, code: str, said: str
) -> None:
    """Defect 11: file, line and what is wrong; all others are read."""
    make(tmp_path, {f"json/{name}.json": SAMPLE_V2 for name in "ac"})
    make(tmp_path, {f"original_files/{name}.png": SIZE for name in "abc"} | {"json/b.json": content})

    found = read(tmp_path)

    assert found.names == [("", "a.png"), ("", "c.png")]
    assert found.codes == {("failed", code): 1}
    assert said in found.words(code)[0]


def test_a_document_that_was_removed_meanwhile_fails(tmp_path: Path) -> None:
    """One that may not be read, likewise."""
    make(tmp_path, {"json/a.json": SAMPLE_V2, "json/b.json": SAMPLE_V2, "original_files/a.png": SIZE})
    losses = LossLog()
    reader = DmV2Format().reader(tmp_path, FormatOptions(), losses)
    assert reader.info.count == 2
    (tmp_path / "json/b.json").unlink()

    assert [item.name for item in reader.items()] == ["a.png"]
    assert [(outcome, reason.code) for outcome, reason in losses.reasons] == [("failed", "UNREADABLE_DOCUMENT")]


def test_a_record_of_version_1_that_cannot_be_read_fails_alone(tmp_path: Path) -> None:
    """With document, medium and id; unknown tools as well."""
    v1 = v1_of(
        {
            "image_1": [
                ({"id": "b1", "tool": "bounding_box", "classification": {"class": "car"}}, PAYLOAD),
                ({"id": "b2", "tool": "bounding_box", "classification": {"class": "bus"}}, None),
                ({"id": "b3", "tool": "bounding_box"}, {"id": "b3", "coordinate": {}}),
                ({"id": "b4", "tool": "lasso"}, {"id": "b4"}),
            ]
        }
    )

    found = read_one(tmp_path, v1)

    assert [each.id for each in found.annotations] == ["b1"]
    assert found.codes == {("failed", "NO_PAYLOAD"): 1, ("failed", "INVALID_RECORD"): 1, ("failed", "UNKNOWN_TOOL"): 1}
    assert found.words("INVALID_RECORD") == ["json/a.json b3 image_1: x is null, not a finite number"]
    assert found.losses.annotations["failed"] == 3  # type: ignore[index]  # an outcome is text


def test_the_image_of_an_item_is_the_first_one(tmp_path: Path) -> None:
    """Whatever its number."""
    entry = {"id": "b1", "tool": "bounding_box", "classification": {"class": "car"}}
    v1 = v1_of(
        {"image_10": [({**entry, "id": "b9"}, {**PAYLOAD, "id": "b9"})], "image_2": [(entry, PAYLOAD)]},
        extra={"image_2": {"width": 5, "height": 6}},
    )

    found = read_one(tmp_path, v1)

    assert [(each.id, each.box) for each in found.annotations] == [("b1", Box(10.0, 20.0, 30.0, 15.0)), ("b9", None)]
    assert (found.items[0].width, found.items[0].height) == (5, 6)


def test_classes_are_those_of_all_documents_by_name(tmp_path: Path) -> None:
    """N1: over all splits, those that only the lists of documents name included; no relations, joints or spans."""
    one = v2_of(
        {
            "bounding_box": [annotation("b1", "zebra", [1, 2, 3, 4])],
            "relation": [annotation("r1", "near", ["b1", "b1"])],
        },
        classification={"bounding_box": ["zebra", "yak"], "relation": ["near"], "keypoint": ["nose"]},
    )
    other = {"classification": {"segmentation": ["speech"]}, "audios": [{}]}
    third = v1_of({"image_1": [({"id": "b1", "tool": "bounding_box", "classification": {"class": "ant"}}, PAYLOAD)]})
    for split, document in (("train", one), ("valid", other), ("test", third)):
        make(tmp_path, {f"{split}/json/a.json": document, f"{split}/original_files/a.png": SIZE})

    assert read(tmp_path).labels == ["ant", "yak", "zebra"]


def test_classes_txt_gives_the_order_and_unused_classes(tmp_path: Path) -> None:
    """Y8: those that it does not list come behind, by name."""
    boxes = [annotation(f"b{label}", label, [1, 2, 3, 4]) for label in ("bee", "ant", "yak")]
    make(tmp_path, {"classes.txt": "yak\nunused\n"})

    assert read_one(tmp_path, v2_of({"bounding_box": boxes})).labels == ["yak", "unused", "ant", "bee"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[", "truncated"),
        ('[{"name": "a", "joints": ["x"], "skeleton": [[0, 1]]}]', "skeleton"),
        ('[{"name": "a", "flip": [0]}]', "flip"),
    ],
)
def test_a_list_of_classes_that_makes_no_sense_is_an_error(tmp_path: Path, content: str, words: str) -> None:
    """It is about the dataset as a whole."""
    make(tmp_path, {"classes.json": content})

    with pytest.raises(InvalidDatasetError, match=words):
        read_one(tmp_path, SAMPLE_V2)
