"""What every format is read into and written from: a dataset as a stream of items.

Coordinates are floats, in pixels of the image as it is shown (turned as its EXIF orientation says), from its upper left
corner: the first pixel covers 0 to 1. Points are flat, `x1, y1, x2, y2, ...`. Angles are radians, clockwise on the
screen.
"""

from collections.abc import Sequence
from enum import StrEnum
from itertools import product

from msgspec import Struct, field

from synapse_sdk.types import JsonObject, JsonValue

__all__ = [
    "Annotation",
    "Box",
    "ClassSpec",
    "DatasetInfo",
    "Item",
    "Keypoints",
    "Mask",
    "Polygon",
    "Polyline",
    "Relation",
    "RotatedBox",
    "Shape",
    "Tool",
    "Verbatim",
    "tools_of",
]


class Tool(StrEnum):
    """The kinds of annotation that reports count, by the names that DM has for them."""

    BOX = "bounding_box"
    ROTATED_BOX = "rotated_box"
    POLYGON = "polygon"
    POLYLINE = "polyline"
    KEYPOINTS = "keypoint"
    MASK = "segmentation"
    CLASSIFICATION = "classification"
    RELATION = "relation"


class Box(Struct, frozen=True, gc=False):
    """An upright rectangle."""

    x: float
    """Of its left edge."""
    y: float
    """Of its upper edge."""
    width: float
    height: float


class RotatedBox(Struct, frozen=True, gc=False, tag=True):
    """A rectangle that is turned around its centre."""

    center_x: float
    center_y: float
    width: float
    height: float
    angle: float
    """Radians, clockwise on the screen."""


class Polygon(Struct, frozen=True, gc=False, tag=True):
    """One or more areas, perhaps with holes."""

    rings: Sequence[Sequence[float]]
    """The outlines: a ring for each part, flat points, not closed by repeating the first point."""
    holes: Sequence[Sequence[float]] = ()
    """What is cut out of them."""


class Polyline(Struct, frozen=True, gc=False, tag=True):
    """An open line."""

    points: Sequence[float]


class Mask(Struct, frozen=True, gc=False, tag=True):
    """The pixels of an object, as COCO's compressed run lengths; `synapse_sdk.formats.masks` reads and makes them."""

    width: int
    height: int
    counts: bytes


class Keypoints(Struct, frozen=True, gc=False):
    """The joints of one object."""

    points: Sequence[float]
    """Flat triples `x, y, visibility`, the latter 0 (not labelled; x and y are 0), 1 (hidden) or 2 (seen)."""
    names: Sequence[str] = ()
    """A name for each joint; empty when the class of the object has them, see `ClassSpec.joints`."""


class Relation(Struct, frozen=True, gc=False, tag=True):
    """A link from one annotation of the item to another, by their ids."""

    source: str
    target: str


class Verbatim(Struct, frozen=True, gc=False, tag=True):
    """Something that only its own format understands, such as a span of a video."""

    tool: str
    media: str
    """What it is on, such as `video_1`."""
    data: JsonValue


type Shape = RotatedBox | Polygon | Polyline | Mask | Relation | Verbatim


class Annotation(Struct, frozen=True, gc=False, kw_only=True):
    """One object of an image, or something else that is said about the image.

    One object has one annotation, whatever says where it is: a box, an outline and joints may be there together. One
    without any of the three says that the image as a whole is of the class.
    """

    id: str
    """Unique within the item. A source without ids numbers them from 1, in its order."""
    label: str
    """The name of the class; may be empty."""
    box: Box | None = None
    """As the source gives it. None if there is none; `geometry.bounds` finds one."""
    shape: Shape | None = None
    keypoints: Keypoints | None = None
    attributes: JsonObject = field(default_factory=dict)
    """What else is said about the object. `truncated`, `difficult` and `occluded` are booleans where they are known."""
    group: str = ""
    """Annotations of one item with the same group belong together; empty for none."""
    is_crowd: bool = False
    """Whether it is a region full of objects, which is not an object itself (COCO's `iscrowd`)."""


class Item(Struct, gc=False, kw_only=True):
    """One image with its annotations."""

    name: str
    """Its path in the dataset without folders that the format prescribes, with slashes: `park/wren.jpg`.

    Together with the split it is what tells items apart.
    """
    split: str = ""
    """`train`, `valid`, `test`, or as the source has it; empty in a dataset without splits."""
    path: str = ""
    """Where the image is; empty if it was not found."""
    width: int = 0
    """Pixels, as shown; 0 until somebody asks `images.measured`."""
    height: int = 0
    annotations: list[Annotation] = field(default_factory=list)
    notes: JsonObject = field(default_factory=dict)
    """What the source says about the image besides, for formats that have a place for it."""
    document: bytes | None = None
    """The DM document that it was read from, which a writer of DM takes over as it is. Whoever changes annotations
    sets it to None."""


class ClassSpec(Struct, frozen=True, kw_only=True):
    """A class of objects."""

    name: str
    supercategory: str = ""
    joints: tuple[str, ...] = ()
    """The names of the keypoints of its objects, in their order."""
    skeleton: tuple[tuple[int, int], ...] = ()
    """Which joints are connected: pairs of positions in `joints`, from 0."""
    flip: tuple[int, ...] = ()
    """For each joint the position of its mirror image, from 0; empty if that is not known."""


class DatasetInfo(Struct, frozen=True, kw_only=True):
    """What is known of a dataset before its items are read."""

    classes: tuple[ClassSpec, ...]
    """All classes of all splits, in the order of the source; of a source without any order, by name."""
    splits: tuple[str, ...] = ()
    """In the order in which their items come; empty in a dataset without splits."""
    count: int | None = None
    """How many items there are, if that is known."""
    notes: JsonObject = field(default_factory=dict)
    """What the source says about itself, such as licenses."""


def tools_of(annotation: Annotation) -> tuple[str, ...]:
    """Return the tools that an annotation has used, as reports count them.

    Example:
        >>> tools_of(Annotation(id="1", label="car", box=Box(0, 0, 10, 10), shape=Polygon([[0, 0, 9, 0, 9, 9]])))
        (<Tool.BOX: 'bounding_box'>, <Tool.POLYGON: 'polygon'>)
    """
    shape = annotation.shape
    if type(shape) is Verbatim:  # `isinstance` takes as long as all the rest: it asks what made the class
        return _used((shape.tool,), has_box=annotation.box is not None, has_keypoints=annotation.keypoints is not None)
    return _USED[annotation.box is not None, type(shape), annotation.keypoints is not None]


def _used(shape: tuple[str, ...], *, has_box: bool, has_keypoints: bool) -> tuple[str, ...]:
    found = ((Tool.BOX,) if has_box else ()) + shape + ((Tool.KEYPOINTS,) if has_keypoints else ())
    return found or (Tool.CLASSIFICATION,)


_SHAPES: dict[type, tuple[str, ...]] = {
    type(None): (),
    RotatedBox: (Tool.ROTATED_BOX,),
    Polygon: (Tool.POLYGON,),
    Polyline: (Tool.POLYLINE,),
    Mask: (Tool.MASK,),
    Relation: (Tool.RELATION,),
}
_USED = {
    (has_box, kind, has_keypoints): _used(tools, has_box=has_box, has_keypoints=has_keypoints)
    for has_box, (kind, tools), has_keypoints in product((False, True), _SHAPES.items(), (False, True))
}
"""The tools by whether there is a box, the kind of shape, and whether there are joints: asked of every annotation."""
