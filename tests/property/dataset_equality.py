"""In what two datasets in the model differ, said so that a failing test explains itself."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from synapse_sdk.formats.geometry import corners
from synapse_sdk.formats.model import (
    Annotation,
    Box,
    Item,
    Keypoints,
    Mask,
    Polygon,
    Polyline,
    Relation,
    RotatedBox,
    Shape,
    tools_of,
)
from tests.property.datasets import Dataset

__all__ = ["Expected", "assert_equal_within", "differences"]

MOST_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What has to be equal, besides items, labels and shapes; a format may be unable to keep some of it."""

    tolerance_px: float = 0.5
    """How far a corner may be from where it was."""
    class_order: bool = True
    joints: bool = True
    """Names of joints of the classes, and how they are connected."""
    images: bool = True
    """Bytes of images, where both have them."""
    sizes: bool = True
    """Sizes of images, where both say them."""
    attributes: bool = True
    groups: bool = True
    """Which annotations belong together; groups may be called otherwise."""
    ids: bool = False


def assert_equal_within(
    dataset: Dataset, other: Dataset, tolerance_px: float = 0.5, expected: Expected | None = None
) -> None:
    """Fail if a dataset is not what another one says, and name all differences.

    Items are matched by split and name, annotations by what they are: formats may keep them in another order.

    Args:
        dataset: How it should be.
        other: How it is.
        tolerance_px: How far a corner may be from where it was.
        expected: What else has to be equal; it says the tolerance then.
    """
    found = [*differences(dataset, other, expected or Expected(tolerance_px=tolerance_px))]
    shown = "\n".join(found[:MOST_SHOWN])
    assert not found, f"{len(found)} differences:\n{shown}"


def differences(dataset: Dataset, other: Dataset, expected: Expected) -> Iterator[str]:
    """Yield in what two datasets differ, in a sentence each."""
    yield from _differences_of_classes(dataset, other, expected)
    if dataset.info.splits != other.info.splits:
        yield f"splits: {dataset.info.splits} became {other.info.splits}"
    items = {(item.split, item.name): _with_named_joints(item, dataset) for item in dataset.items}
    others = {(item.split, item.name): _with_named_joints(item, other) for item in other.items}
    if len(others) != len(other.items):
        yield "two items have one name"
    yield from (f"item {key} is missing" for key in items if key not in others)
    yield from (f"item {key} is new" for key in others if key not in items)
    for key, item in items.items():
        if key in others:
            yield from (f"item {key}: {each}" for each in _differences_of_items(item, others[key], expected))


def _differences_of_classes(dataset: Dataset, other: Dataset, expected: Expected) -> Iterator[str]:
    names, others = ([spec.name for spec in each.info.classes] for each in (dataset, other))
    if names != others if expected.class_order else sorted(names) != sorted(others):
        yield f"classes: {names} became {others}"
    specs = {spec.name: spec for spec in other.info.classes}
    for spec in dataset.info.classes if expected.joints else ():
        same = specs.get(spec.name, spec)
        # Which joints mirror which, readers may find out from their names.
        if (spec.joints, spec.skeleton) != (same.joints, same.skeleton) or (spec.flip and spec.flip != same.flip):
            yield f"class {spec.name!r}: {spec} became {same}"


def _with_named_joints(item: Item, dataset: Dataset) -> Item:
    """Return an item whose joints have names and are in their order, without those that are not labelled."""
    joints = {spec.name: spec.joints for spec in dataset.info.classes}
    annotations = []
    for annotation in item.annotations:
        posed = annotation.keypoints
        names = () if posed is None else posed.names or joints.get(annotation.label, ())
        if posed is not None and names:
            points = [*zip(names, posed.points[0::3], posed.points[1::3], posed.points[2::3], strict=False)]
            kept = sorted(point for point in points if point[3])
            flat = [value for _, x, y, visibility in kept for value in (x, y, visibility)]
            posed = Keypoints(flat, [name for name, *_ in kept])
        annotations.append(msgspec.structs.replace(annotation, keypoints=posed))
    return msgspec.structs.replace(item, annotations=annotations)


def _differences_of_items(item: Item, other: Item, expected: Expected) -> Iterator[str]:
    size, size_of_other = (item.width, item.height), (other.width, other.height)
    if expected.sizes and all(size) and all(size_of_other) and size != size_of_other:
        yield f"size {size} became {size_of_other}"
    if expected.images and item.path:
        if not other.path:
            yield "its image is missing"
        elif Path(item.path).read_bytes() != Path(other.path).read_bytes():
            yield "its image has other bytes"
    pairs: dict[str, Annotation] = {}
    for are_relations in (False, True):  # which annotations relations are between is known then
        ours, theirs = (
            [each for each in whose.annotations if isinstance(each.shape, Relation) is are_relations]
            for whose in (item, other)
        )
        found = {each.id: [(one, _difference(each, one, expected, pairs)) for one in theirs] for each in ours}
        pairs |= _matched(found)
        kept = {*map(id, pairs.values())}
        yield from (f"annotation {_shown(each, found[each.id])}" for each in ours if each.id not in pairs)
        yield from (f"annotation {each.id} is new: {each}" for each in theirs if id(each) not in kept)
    if expected.groups:
        yield from _differences_of_groups(item, pairs)


def _matched(found: dict[str, list[tuple[Annotation, str]]]) -> dict[str, Annotation]:
    """Return as many pairs of annotations without difference as there can be (Kuhn, 1955), by the id of the first."""
    owners: dict[int, tuple[str, Annotation]] = {}

    def take(key: str, seen: set[int]) -> bool:
        same = [each for each, difference in found[key] if not difference]
        for each in sorted(same, key=lambda each: each.id != key):
            if id(each) in seen:
                continue
            seen.add(id(each))
            owner = owners.get(id(each))
            if owner is None or take(owner[0], seen):
                owners[id(each)] = (key, each)
                return True
        return False

    for key in found:
        take(key, set())
    return dict(owners.values())


def _shown(annotation: Annotation, found: list[tuple[Annotation, str]]) -> str:
    return f"{annotation.id} is missing: {annotation}; {_nearest(annotation, found)}"


def _nearest(annotation: Annotation, found: list[tuple[Annotation, str]]) -> str:
    same = [(each, difference) for each, difference in found if each.id == annotation.id]
    alike = [(each, difference) for each, difference in found if tools_of(each) == tools_of(annotation)]
    shown = [*same, *(pair for pair in alike if pair not in same)] or found
    return "; ".join(f"{each.id} is not it: {difference}" for each, difference in shown) or "nothing is left"


def _differences_of_groups(item: Item, pairs: dict[str, Annotation]) -> Iterator[str]:
    known: dict[str, str] = {"": ""}
    for annotation in item.annotations:
        if annotation.id in pairs:
            group = pairs[annotation.id].group
            if known.setdefault(annotation.group, group) != group:
                yield f"annotation {annotation.id}: group {annotation.group!r} became {group!r}"
    if len({*known.values()}) != len(known):
        yield f"groups became one: {known}"


def _difference(annotation: Annotation, other: Annotation, expected: Expected, pairs: dict[str, Annotation]) -> str:
    """Return in what an annotation differs from another, the first thing; nothing if in none."""
    checks: list[tuple[str, object, object]] = [
        ("label", annotation.label, other.label),
        ("tools", tools_of(annotation), tools_of(other)),
        ("crowd", annotation.is_crowd, other.is_crowd),
    ]
    if expected.ids:
        checks.append(("id", annotation.id, other.id))
    if expected.attributes:
        checks.append(("attributes", _typed(annotation.attributes), _typed(other.attributes)))
    for name, value, found in checks:
        if value != found:
            return f"{name} {value!r} became {found!r}"
    return (
        _moved(_edges(annotation.box), _edges(other.box), expected, "box")
        or _difference_of_shapes(annotation.shape, other.shape, expected, pairs)
        or _difference_of_joints(annotation.keypoints, other.keypoints, expected)
    )


def _typed(values: object) -> object:
    """Return JSON values so that `1`, `1.0` and `true` are told apart."""
    if isinstance(values, dict):
        return {key: _typed(value) for key, value in sorted(values.items())}
    return (type(values).__name__, values)


def _edges(box: Box | None) -> list[float]:
    return [] if box is None else [box.x, box.y, box.x + box.width, box.y + box.height]


def _moved(points: Sequence[float], others: Sequence[float], expected: Expected, what: str) -> str:
    if len(points) != len(others):
        return f"{what} of {len(points)} numbers became one of {len(others)}"
    most = max((abs(one - other) for one, other in zip(points, others, strict=True)), default=0.0)
    return f"{what} moved by {most:g}: {[*points]} became {[*others]}" if not most <= expected.tolerance_px else ""


def _difference_of_shapes(
    shape: Shape | None, other: Shape | None, expected: Expected, pairs: dict[str, Annotation]
) -> str:
    match shape, other:
        case Polygon(), Polygon():
            return _difference_of_rings(shape.rings, other.rings, expected, "ring") or _difference_of_rings(
                shape.holes, other.holes, expected, "hole"
            )
        case RotatedBox(), RotatedBox():
            return _difference_of_rings([corners(shape)], [corners(other)], expected, "corners")
        case Polyline(), Polyline():
            return _moved(shape.points, other.points, expected, "line")
        case Mask(), Mask():
            return "" if shape == other else f"mask {shape} became {other}"
        case Relation(), Relation():
            ends = [pairs[each].id if each in pairs else each for each in (shape.source, shape.target)]
            return "" if ends == [other.source, other.target] else f"relation {shape} became {other}"
        case _:
            return "" if shape == other else f"shape {shape} became {other}"


def _difference_of_rings(
    rings: Sequence[Sequence[float]], others: Sequence[Sequence[float]], expected: Expected, what: str
) -> str:
    """Return in what rings differ; in which order they are, where they begin and which way round they go is nothing."""
    if len(rings) != len(others):
        return f"{len(rings)} of {what} became {len(others)}"
    left = [*others]
    for ring in rings:
        found = [(each, _moved_round(ring, each, expected, what)) for each in left]
        same = next((each for each, difference in found if not difference), None)
        if same is None:
            return min((difference for _, difference in found), key=len)
        left.remove(same)
    return ""


def _moved_round(ring: Sequence[float], other: Sequence[float], expected: Expected, what: str) -> str:
    if len(ring) != len(other):
        return f"{what} of {len(ring)} numbers became one of {len(other)}"
    points = [*zip(other[0::2], other[1::2], strict=True)]
    for way in (points, points[::-1]):
        for start in range(len(way)):
            turned = [value for point in (*way[start:], *way[:start]) for value in point]
            if not _moved(ring, turned, expected, what):
                return ""
    return _moved(ring, other, expected, what) or f"{what} {ring} became {other}"


def _difference_of_joints(joints: Keypoints | None, others: Keypoints | None, expected: Expected) -> str:
    if joints is None or others is None:
        return "" if joints is others else f"joints {joints} became {others}"
    if joints.names and others.names and [*joints.names] != [*others.names]:
        return f"names of joints: {joints.names} became {others.names}"
    if [*joints.points[2::3]] != [*others.points[2::3]]:
        return f"visibility {joints.points[2::3]} became {others.points[2::3]}"
    return _moved(joints.points, others.points, expected, "joints")
