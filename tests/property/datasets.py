"""Datasets of every kind, in no format: for what must hold whatever a dataset has in it.

What the tests of one format cannot expect is left out by the arguments of `datasets`. Images are written when a test
has a folder for them, see `Dataset.with_images`.
"""

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from pathlib import Path

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from PIL import Image

from synapse_sdk.formats.base import Reader
from synapse_sdk.formats.geometry import bounds
from synapse_sdk.formats.model import (
    Annotation,
    Box,
    ClassSpec,
    DatasetInfo,
    Item,
    Keypoints,
    Mask,
    Polygon,
    Relation,
    RotatedBox,
    Shape,
    Tool,
)
from tests.property.shapes import boxes, keypoints, masks, polygons, polylines, rotated_boxes

__all__ = ["ALL_TOOLS", "UNHURRIED", "Dataset", "datasets", "image_bytes", "read_dataset"]

ALL_TOOLS = frozenset(Tool)
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Settings of tests that make datasets and write files, on machines that are busy."""
KINDS = {"jpg": "JPEG", "jpeg": "JPEG", "png": "PNG", "bmp": "BMP", "webp": "WEBP", "tif": "TIFF"}

LEAST, MOST = 24, 64
"""Pixels of an image's side."""

STEMS = st.one_of(
    st.sampled_from(
        ["a", "wren", "a b", "a.b.c", "1", "000001", "x'y", "a & b", "50%", "a#b", "한국", "été", "-", "nan"]
    ),
    st.text("abAB01 ._-한é", min_size=1, max_size=8),
)
FOLDERS = st.sampled_from(["", "", "camA/", "camB/", "camA/day 1/", "한국/", "v1.2/"])
LABELS = st.one_of(
    st.sampled_from(["car", "no", "1", "null", "a: b", "a & b <c>", "한국", "Été", "#5", "it's", '"x"', "car ", "-"]),
    st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=6),
)
VALUES = st.one_of(
    st.booleans(), st.integers(-9, 9), st.sampled_from([0.5, -2.25]), st.text("abc é한<&\"'", max_size=5)
)

ATTRIBUTES = st.dictionaries(st.sampled_from(["color", "speed limit", "색", "a:b"]), VALUES, max_size=2)
FLAGS = st.dictionaries(st.sampled_from(["truncated", "occluded", "difficult"]), st.booleans(), max_size=2)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset as readers give it, all at once."""

    info: DatasetInfo
    items: tuple[Item, ...]

    def with_images(self, folder: Path) -> "Dataset":
        """Return it with images, which are written into a folder: `<split>/<name>`, of one colour each."""
        items = []
        for number, item in enumerate(self.items):
            path = folder / item.split / item.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(image_bytes(path.suffix, item.width, item.height, number))
            items.append(msgspec.structs.replace(item, path=str(path)))
        return replace(self, items=tuple(items))


def read_dataset(reader: Reader) -> Dataset:
    """Return all that a reader gives."""
    return Dataset(reader.info, tuple(reader.items()))


@cache
def image_bytes(suffix: str, width: int, height: int, color: int = 0) -> bytes:
    """Return an image file of one colour."""
    found = BytesIO()
    shade = (color * 37 % 256, color * 101 % 256, 90)
    Image.new("RGB", (width, height), shade).save(found, KINDS[suffix.lower().lstrip(".")])
    return found.getvalue()


@st.composite
def datasets(  # each says one thing
    draw: st.DrawFn,
    *,
    tools: Collection[Tool] = ALL_TOOLS,
    max_items: int = 4,
    max_annotations: int = 4,
    splits: bool | None = None,
    folders: bool = True,
    boxes_of_shapes: bool | None = None,
    holes: bool = True,
    parts: bool = True,
    attributes: bool = True,
    groups: bool = True,
    crowds: bool = True,
    labels: st.SearchStrategy[str] = LABELS,
    suffixes: Sequence[str] = (".jpg", ".JPG", ".jpeg", ".png", ".bmp"),
) -> Dataset:
    """Draw a small dataset in which everything is inside of its image and has an extent.

    Items are in order, by split and name; no two have a name that differs only in its suffix, in case, or in how its
    letters are composed. Annotations are numbered from 1.

    Args:
        draw: Given by Hypothesis.
        tools: The kinds of annotation that may be there.
        max_items: How many items there are at the most; at least one.
        max_annotations: How many annotations an item has at the most.
        splits: Whether there are splits; None for either.
        folders: Whether items may be in folders of their split.
        boxes_of_shapes: Whether objects with a shape have a box as well, which fits it; None for either.
        holes: Whether polygons may have holes.
        parts: Whether polygons may have several parts.
        attributes: Whether annotations may have attributes.
        groups: Whether annotations may be in groups.
        crowds: Whether regions may be full of objects.
        labels: Names of classes.
        suffixes: Of images.
    """
    classes = draw(_classes(labels, has_joints=Tool.KEYPOINTS in tools))
    kinds = _Kinds(
        tools=tuple(tool for tool in Tool if tool in tools),
        classes=classes,
        has_boxes=boxes_of_shapes,
        has_holes=holes,
        has_parts=parts,
        has_attributes=attributes,
        has_groups=groups,
        has_crowds=crowds,
    )
    are_split = draw(st.booleans()) if splits is None else splits
    names = draw(_names(max_items, folders=folders, are_split=are_split, suffixes=suffixes))
    items = [draw(_items(split, name, kinds, max_annotations)) for split, name in names]
    used = [each for each in ("train", "valid", "test") if any(split == each for split, _ in names)]
    return Dataset(DatasetInfo(classes=classes, splits=tuple(used), count=len(items)), tuple(items))


@dataclass(frozen=True, slots=True)
class _Kinds:
    """What annotations may be."""

    tools: tuple[Tool, ...]
    classes: tuple[ClassSpec, ...]
    has_boxes: bool | None
    has_holes: bool
    has_parts: bool
    has_attributes: bool
    has_groups: bool
    has_crowds: bool


@st.composite
def _classes(draw: st.DrawFn, labels: st.SearchStrategy[str], *, has_joints: bool) -> tuple[ClassSpec, ...]:
    names = draw(st.lists(labels.map(str.strip).filter(bool), min_size=1, max_size=4, unique=True))
    if not has_joints:
        return tuple(ClassSpec(name=name) for name in names)
    joints = ("nose", "left eye", "right eye")[: draw(st.integers(1, 3))]
    skeleton = draw(st.lists(st.tuples(*[st.integers(0, len(joints) - 1)] * 2), max_size=2, unique=True))
    posed = ClassSpec(name=names[0], joints=joints, skeleton=tuple(pair for pair in skeleton if pair[0] != pair[1]))
    return (posed, *(ClassSpec(name=name) for name in names[1:]))


@st.composite
def _names(
    draw: st.DrawFn, count: int, *, folders: bool, are_split: bool, suffixes: Sequence[str]
) -> list[tuple[str, str]]:
    """Draw the splits and names of items, in order."""
    rank = {"": 0, "train": 0, "valid": 1, "test": 2}
    # The letters of a name may be composed or not, and stay as they are.
    stems = st.tuples(st.sampled_from(["NFC", "NFD"]), STEMS.map(str.strip).filter(_is_stem)).map(_normalized)
    names = st.tuples(
        st.sampled_from(["train", "valid", "test"]) if are_split else st.just(""),
        st.tuples(FOLDERS if folders else st.just(""), stems).map("".join),
        st.sampled_from(suffixes),
    )
    found = draw(st.lists(names, min_size=1, max_size=count, unique_by=lambda each: (each[0], _key(each[1]))))
    return sorted(((split, stem + suffix) for split, stem, suffix in found), key=lambda each: (rank[each[0]], each[1]))


def _is_stem(stem: str) -> bool:
    """Whether a file that is named so is not hidden, and no link to its folder."""
    return bool(stem) and not stem.startswith(".")


def _normalized(pair: tuple[str, str]) -> str:
    form, name = pair
    return unicodedata.normalize("NFD" if form == "NFD" else "NFC", name)


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


@st.composite
def _items(draw: st.DrawFn, split: str, name: str, kinds: _Kinds, most: int) -> Item:
    width, height = draw(st.integers(LEAST, MOST)), draw(st.integers(LEAST, MOST))
    annotations: list[Annotation] = []
    for number in range(1, draw(st.integers(0, most)) + 1):
        annotation = draw(_annotations(str(number), width, height, kinds))
        if isinstance(annotation.shape, Relation):
            if len(annotations) < 2:
                continue
            ends = draw(st.permutations([each.id for each in annotations]))
            annotation = msgspec.structs.replace(annotation, shape=Relation(ends[0], ends[-1]))
        annotations.append(msgspec.structs.replace(annotation, id=str(len(annotations) + 1)))
    return Item(name=name, split=split, width=width, height=height, annotations=annotations)


@st.composite
def _annotations(draw: st.DrawFn, number: str, width: int, height: int, kinds: _Kinds) -> Annotation:
    tool = draw(st.sampled_from(kinds.tools))
    spec = kinds.classes[0] if tool is Tool.KEYPOINTS else draw(st.sampled_from(kinds.classes))
    box: Box | None = None
    shape: Shape | None = None
    joints: Keypoints | None = None
    match tool:
        case Tool.BOX:
            box = draw(boxes(width, height))
        case Tool.KEYPOINTS:
            joints, box = draw(keypoints(len(spec.joints), width, height)), draw(boxes(width, height))
        case Tool.ROTATED_BOX:
            shape = draw(rotated_boxes(width, height))
        case Tool.POLYGON:
            shape = draw(polygons(width, height, has_parts=kinds.has_parts, has_holes=kinds.has_holes))
        case Tool.POLYLINE:
            shape = draw(polylines(width, height))
        case Tool.MASK:
            shape = draw(masks(width, height))
        case Tool.RELATION:
            return Annotation(id=number, label=spec.name, shape=Relation("", ""))
        case Tool.CLASSIFICATION:
            pass
    return _with_rest(draw, Annotation(id=number, label=spec.name, box=box, shape=shape, keypoints=joints), kinds)


def _with_rest(draw: st.DrawFn, annotation: Annotation, kinds: _Kinds) -> Annotation:
    """Return an annotation with what else it may have."""
    has_box = annotation.box is None and isinstance(annotation.shape, Polygon | RotatedBox | Mask)
    if has_box and (draw(st.booleans()) if kinds.has_boxes is None else kinds.has_boxes):
        annotation = msgspec.structs.replace(annotation, box=bounds(annotation))
    attributes = draw(ATTRIBUTES) | draw(FLAGS) if kinds.has_attributes else {}
    group = draw(st.sampled_from(["", "", "g1", "g2"])) if kinds.has_groups else ""
    is_region = isinstance(annotation.shape, Polygon | Mask)
    is_crowd = kinds.has_crowds and is_region and draw(st.integers(0, 4)) == 4  # one in five
    return msgspec.structs.replace(annotation, attributes=attributes, group=group, is_crowd=is_crowd)
