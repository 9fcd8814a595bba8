"""The text of an XML file, put together from templates: the devkit's elements, in its order."""

from collections.abc import Mapping, Sequence

from synapse_sdk.formats.model import Box
from synapse_sdk.formats.voc.extras import DEFAULTS, DERIVED, SAYING_NOTHING, escaped, fits_xml, written_attributes
from synapse_sdk.formats.voc.fitting import Fitted
from synapse_sdk.types import JsonValue

__all__ = ["document_text", "object_text", "part_text", "plain_text"]

OWN = ("pose", "truncated", "difficult", "occluded")
"""Attributes with elements of their own, in their order."""


def document_text(
    name: str,
    *,
    folder: str,
    database: str,
    size: tuple[int, int, int],
    has_masks: bool,
    objects: Sequence[str],
) -> str:
    """Return the text of an XML file.

    Args:
        name: The name of the image, with slashes.
        folder: The folder that all images are in.
        database: Where the image is from.
        size: Width, height and depth.
        has_masks: Whether there are images of its masks.
        objects: The texts of its objects.
    """
    place, _, file_name = escaped(f"{folder}/{name}").rpartition("/")
    width, height, depth = size
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<annotation>\n'
        f"  <folder>{place}</folder>\n  <filename>{file_name}</filename>\n  <path>{place}/{file_name}</path>\n"
        f"  <source><database>{escaped(database)}</database></source>\n"
        f"  <size><width>{width}</width><height>{height}</height><depth>{depth}</depth></size>\n"
        f"  <segmented>{int(has_masks)}</segmented>\n{''.join(objects)}</annotation>\n"
    )


def plain_text(name: str, box: Box, origin: int) -> str:
    """Return the text of an object of which nothing is said but its class, escaped, and where it is."""
    corners = _corners(box, origin)
    return f"  <object>\n    <name>{name}</name>{_OWN_NOTHING}\n    <bndbox>{corners}</bndbox>\n  </object>\n"


def object_text(fitted: Fitted, origin: int, parts: Sequence[str]) -> str:
    """Return the text of an object.

    Args:
        fitted: The object.
        origin: The number of the first pixel.
        parts: The texts of its parts.
    """
    own, rest = _own(fitted.source.attributes)
    mark = f' {DERIVED}="mask"' if fitted.is_derived else ""
    return (
        f"  <object>\n    <name>{fitted.name}</name>{own}\n"
        f"    <bndbox{mark}>{_corners(fitted.box, origin)}</bndbox>\n{''.join(parts)}{rest}  </object>\n"
    )


def part_text(name: str, box: Box, origin: int, attributes: Mapping[str, JsonValue]) -> str:
    """Return the text of a part of an object, for which the devkit has nothing but a class and a box."""
    rest = written_attributes(attributes, "") if attributes else ""
    return f"    <part><name>{name}</name><bndbox>{_corners(box, origin)}</bndbox>{rest.rstrip()}</part>\n"


def _own(attributes: Mapping[str, JsonValue]) -> tuple[str, str]:
    """Return what elements of their own say, and the element for all others."""
    rest = {**attributes}
    texts = dict(DEFAULTS)
    pose = attributes.get("pose")
    if isinstance(pose, str) and pose.strip() == pose and pose.lower() not in SAYING_NOTHING and fits_xml(pose):
        texts["pose"] = escaped(str(rest.pop("pose")))
    for flag in ("truncated", "difficult", "occluded"):
        if attributes.get(flag) is True or (flag == "occluded" and attributes.get(flag) is False):
            texts[flag] = str(int(bool(rest.pop(flag))))
    own = "".join(f"<{tag}>{texts[tag]}</{tag}>" for tag in OWN if tag in texts)
    return own, written_attributes(rest, "    ") if rest else ""


_OWN_NOTHING = _own({})[0]


def _corners(box: Box, origin: int) -> str:
    x, y, right, bottom = box.x, box.y, box.x + box.width, box.y + box.height
    x, y = x + origin, y + origin
    if x.is_integer() and y.is_integer() and right.is_integer() and bottom.is_integer():
        return f"<xmin>{int(x)}</xmin><ymin>{int(y)}</ymin><xmax>{int(right)}</xmax><ymax>{int(bottom)}</ymax>"
    left_top = f"<xmin>{_decimal(x)}</xmin><ymin>{_decimal(y)}</ymin>"
    return f"{left_top}<xmax>{_decimal(right)}</xmax><ymax>{_decimal(bottom)}</ymax>"


def _decimal(value: float) -> str:
    return f"{value:.9f}".rstrip("0").rstrip(".")
