"""What may be said about an object besides its class and its box: flags, attributes, outlines."""

import json
import re
from collections.abc import Mapping
from itertools import chain
from math import isfinite
from xml.etree import ElementTree as ET  # only elements that `document` has read
from xml.sax.saxutils import escape

from synapse_sdk.types import JsonValue

__all__ = [
    "DEFAULTS",
    "DERIVED",
    "SAID",
    "SAYING_NOTHING",
    "escaped",
    "fits_xml",
    "read_attributes",
    "read_flag",
    "read_polygon",
    "written_attributes",
]

DEFAULTS = {"pose": "Unspecified", "truncated": "0", "difficult": "0"}
"""What nearly all files say of nearly all objects: nothing is known. It is no attribute."""
SAID = frozenset((*DEFAULTS, "occluded"))
"""What has elements of its own. `occluded` may be left out, and its 0 says something."""
DERIVED = "derived"
"""Marks a `bndbox` that nobody has drawn, but that encloses the mask of its object."""
TRUTH = {"0": False, "1": True, "false": False, "true": True}
SAYING_NOTHING = frozenset(("", "unspecified"))
"""Poses, in lower case."""
UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, however they are written (production 2, `Char`)."""
SPECIAL = re.compile("[&<>\r]")
RING = 6
"""Numbers of the smallest ring: three points."""


def fits_xml(text: str) -> bool:
    """Whether XML can hold a text, however it is escaped."""
    return UNFIT.search(text) is None


def escaped(text: str) -> str:
    """Return a text as it may stand between two tags.

    Example:
        >>> escaped("R&D <x>")
        'R&amp;D &lt;x&gt;'
    """
    # A bare carriage return is a line feed to whoever reads it.
    return escape(text, {"\r": "&#13;"}) if SPECIAL.search(text) else text


def read_flag(element: ET.Element) -> dict[str, JsonValue]:
    """Return what an element of `SAID` says, as attributes; nothing if it says what is so by default.

    A flag that is neither set nor unset stays a text.
    """
    tag, text = element.tag, (element.text or "").strip()
    if tag == "pose":
        return {tag: text} if text.lower() not in SAYING_NOTHING else {}
    flag = TRUTH.get(text.lower(), text)
    return {tag: flag} if flag or tag == "occluded" else {}


def read_attributes(element: ET.Element) -> dict[str, JsonValue]:
    """Return what an element `attributes` says, which CVAT has invented.

    Values are texts, but for those marked as JSON: `<value type="json">0.5</value>`.
    """
    pairs = ((each.find("name"), each.find("value")) for each in element if each.tag == "attribute")
    return {str(name): _typed(value) for key, value in pairs if key is not None and (name := _typed(key)) != ""}


def _typed(element: ET.Element | None) -> JsonValue:
    if element is None:
        return ""
    text = element.text or ""
    if element.get("type") != "json":
        return text
    try:
        value: JsonValue = json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return text
    return value


def written_attributes(attributes: Mapping[str, JsonValue], indent: str) -> str:
    """Return attributes as an element `attributes`, from which `read_attributes` makes the same."""
    pairs = (
        f"<attribute>{_element('name', name)}{_element('value', value)}</attribute>"
        for name, value in attributes.items()
    )
    return f"{indent}<attributes>{''.join(pairs)}</attributes>\n"


def _element(tag: str, value: JsonValue) -> str:
    if isinstance(value, str) and fits_xml(value):
        return f"<{tag}>{escaped(value)}</{tag}>"
    return f'<{tag} type="json">{escaped(json.dumps(value))}</{tag}>'


def read_polygon(element: ET.Element) -> list[float] | None:
    """Return an outline as flat points, as the file counts; None if there is none that can be read.

    Roboflow writes `<x1/><y1/><x2/><y2/>`, LabelMe `<pt><x/><y/></pt>`.
    """
    try:
        points = [*chain.from_iterable((_number(pt, "x"), _number(pt, "y")) for pt in element if pt.tag == "pt")]
        if not points:
            values = {each.tag: each.text for each in element}
            for number in range(1, len(values) // 2 + 1):
                points += [float(values[f"x{number}"] or ""), float(values[f"y{number}"] or "")]
    except (KeyError, ValueError):
        return None
    return points if len(points) >= RING and isfinite(sum(points)) else None


def _number(element: ET.Element, tag: str) -> float:
    return float(element.findtext(tag) or "")
