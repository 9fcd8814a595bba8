"""What an XML file of Pascal VOC has to be like; there is no official schema.

The rules are those of the development kit of VOC2012:

- its documentation, section 2.5 (class, bounding box, view, truncated, occluded, difficult) and 2.7 (parts, which have
  a class and a bounding box);
- `VOCreadrecxml.m` in its folder `VOCcode`, the reader that the documentation, section 10, calls `PASreadrecord`: it
  fails without `folder`, `filename`, `source/database`, `size` with three numbers and `segmented`, and in an object
  without `name` and the four numbers of `bndbox`; flags are set by the text `1` alone; `pose`, `truncated`,
  `difficult` and `part` may be missing;
- the files themselves, for the order of elements up to `segmented`, and of those of an object.

`path` is what LabelImg adds, `attributes` what CVAT adds, and `derived` and `type` are marks of ours.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from xml.etree import ElementTree as ET  # only what our own writer has made

__all__ = ["faults_of_document", "faults_of_documents"]

type Check = Callable[[str], bool]
type Children = tuple[tuple[str, str, "Rule"], ...]
"""Name, how often (one, `?` for at most one, `*` for any number), and rule of each child, in their order."""
type Rule = Check | Children


def _is_text(text: str) -> bool:
    return bool(text.strip())


def _is_flag(text: str) -> bool:
    return text in {"0", "1"}


def _is_count(text: str) -> bool:
    return re.fullmatch(r"[1-9]\d*", text) is not None


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


def _is_anything(text: str) -> bool:
    return text is not None


BOX: Children = tuple((tag, "", _is_number) for tag in ("xmin", "ymin", "xmax", "ymax"))
ATTRIBUTES: Children = (("attribute", "*", (("name", "", _is_text), ("value", "", _is_anything))),)
PART: Children = (("name", "", _is_text), ("bndbox", "", BOX), ("attributes", "?", ATTRIBUTES))
OBJECT: Children = (
    ("name", "", _is_text),
    ("pose", "?", _is_text),
    ("truncated", "?", _is_flag),
    ("difficult", "?", _is_flag),
    ("occluded", "?", _is_flag),
    ("bndbox", "", BOX),
    ("part", "*", PART),
    ("attributes", "?", ATTRIBUTES),
)
ANNOTATION: Children = (
    ("folder", "", _is_text),
    ("filename", "", _is_text),
    ("path", "?", _is_text),
    ("source", "", (("database", "", _is_text),)),
    ("size", "", (("width", "", _is_count), ("height", "", _is_count), ("depth", "", _is_count))),
    ("segmented", "", _is_flag),
    ("object", "*", OBJECT),
)
MARKS: Mapping[str, Mapping[str, str]] = {
    "bndbox": {"derived": "mask"},
    "name": {"type": "json"},
    "value": {"type": "json"},
}


def faults_of_documents(folder: Path) -> list[str]:
    """Return what is wrong with the XML files below a folder."""
    return [
        f"{path.name}: {fault}" for path in folder.rglob("*.xml") for fault in faults_of_document(path.read_bytes())
    ]


def faults_of_document(content: bytes) -> list[str]:
    """Return what is wrong with an XML file."""
    root = ET.fromstring(content)  # noqa: S314  # as above
    if root.tag != "annotation":
        return [f"the root is {root.tag!r}"]
    return [*_faults(root, ANNOTATION, "annotation")]


def _faults(element: ET.Element, rule: Rule, path: str) -> list[str]:
    found = [f"{path} has {key}={value!r}" for key, value in element.attrib.items() if _is_strange(element, key, value)]
    if callable(rule):
        text = element.text or ""
        return found + ([] if not len(element) and rule(text) else [f"{path} is {text!r}"])
    if (element.text or "").strip() or any((child.tail or "").strip() for child in element):
        found.append(f"{path} has text between its elements")
    left = [*element]
    for tag, often, inner in rule:
        count = 0
        while left and left[0].tag == tag and (often == "*" or not count):
            found += _faults(left.pop(0), inner, f"{path}/{tag}")
            count += 1
        if not often and not count:
            found.append(f"{path} has no {tag} in its place")
    return found + [f"{path} has {each.tag} where it should not" for each in left]


def _is_strange(element: ET.Element, key: str, value: str) -> bool:
    return MARKS.get(element.tag, {}).get(key) != value
