"""From YAML text to JSON data, built from the parser's events so that nothing grows before it is counted."""

import copy
import re
from dataclasses import dataclass, field
from typing import NoReturn

import yaml

from synapse_sdk.documents.limits import (
    LONE_SURROGATE,
    MAX_DEPTH,
    MAX_NODES,
    check_text,
    place,
    refusal,
    too_deep,
    unfit_number,
)
from synapse_sdk.types import JsonValue

__all__ = ["parse_yaml"]

LOADER: type[yaml.SafeLoader] | type[yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

NULL = re.compile(r"|~|null|Null|NULL")
TRUE = re.compile(r"true|True|TRUE")
FALSE = re.compile(r"false|False|FALSE")
WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
DECIMAL = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
CHARACTERS_OF_A_NODE = 64
"""A longer text counts as several values, because an alias repeats all of it."""
LONG_NUMBER = 25
"""Characters from which on a whole number is not worth converting: it is refused anyway."""

CORE_TAG = "tag:yaml.org,2002:"
PYTHON_TAG = CORE_TAG + "python/"
TYPES = {CORE_TAG + "null": type(None), CORE_TAG + "bool": bool, CORE_TAG + "int": int, CORE_TAG + "float": float}


def parse_yaml(text: str, origin: str, *, as_text: bool = False) -> JsonValue:
    """Read a YAML document as JSON data, with the core schema of YAML 1.2.

    `yes`, `no`, `on`, `off`, dates, `12:30`, `0123` and `1_000` are text: what a parameter's type makes of them is
    decided where the type is known. Aliases and merge keys (`<<`) work, as far as they do not blow the document up.

    Args:
        text: The document.
        origin: Names it in errors, such as its path.
        as_text: Whether every key and value without a tag is text, as it is written: for documents whose names may
            look like something else (the failsafe schema).

    Returns:
        JSON data; None when the document is empty.

    Raises:
        InvalidDocumentError: It is not YAML, is too large, too deep or too large once its aliases are expanded, has a
            tag beyond those of JSON, repeats a key, has a key that is not text, or consists of several documents.

    Example:
        >>> parse_yaml("{width: 800, crop: yes}", "--params")
        {'width': 800, 'crop': 'yes'}
    """
    check_text(text, origin)
    builder = _Builder(origin, as_text=as_text)
    try:
        for event in yaml.parse(text, Loader=LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        raise _syntax_refusal(text, origin, error) from error
    except yaml.reader.ReaderError as error:
        why = f"it holds the control character U+{ord(text[error.position]):04X}"
        raise refusal(origin, why, "Remove it", **place(text, error.position)) from error
    return builder.document


@dataclass(slots=True)
class _Anchored:
    """What an alias stands for."""

    value: JsonValue
    nodes: int
    height: int


@dataclass(slots=True)
class _Frame:
    """A list or mapping that is not complete yet."""

    value: "list[JsonValue] | dict[str, JsonValue]"
    anchor: str | None
    nodes_before: int
    height: int = 1
    key: str | None = None
    is_merge: bool = False
    """Whether the value to come is that of a merge key."""
    merged: dict[str, JsonValue] = field(default_factory=dict)
    key_lines: dict[str, int] = field(default_factory=dict)


class _Builder:
    """Puts a document together, event by event."""

    def __init__(self, origin: str, *, as_text: bool) -> None:
        self.document: JsonValue = None
        self._origin = origin
        self._as_text = as_text
        self._at: dict[str, int] = {}  # place of the event in hand, for refusals
        self._documents = 0
        self._nodes = 0
        self._frames: list[_Frame] = []
        self._anchors: dict[str, _Anchored] = {}

    def take(self, event: yaml.Event) -> None:
        """Take one event of the parser."""
        if event.start_mark is not None:
            self._at = {"line": event.start_mark.line + 1, "column": event.start_mark.column + 1}
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self._refuse("it consists of several documents", "Keep one, without a line '---' after it")
            case yaml.ScalarEvent():
                nodes = 1 + len(event.value) // CHARACTERS_OF_A_NODE
                self._count(nodes)
                self._add(_Anchored(self._scalar(event), nodes, 0), event.anchor, is_plain=_is_plain(event))
            case yaml.AliasEvent():
                self._add_alias(event)
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                self._open(event)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self._close()

    def _open(self, event: yaml.SequenceStartEvent | yaml.MappingStartEvent) -> None:
        is_list = isinstance(event, yaml.SequenceStartEvent)
        if event.tag is not None and event.tag not in {"!", CORE_TAG + ("seq" if is_list else "map")}:
            self._refuse_tag(event.tag)
        self._check_depth(1)
        frame = self._frames[-1] if self._frames else None
        if frame is not None and isinstance(frame.value, dict) and frame.key is None and not frame.is_merge:
            self._refuse_key("a list" if is_list else "a mapping")
        self._frames.append(_Frame([] if is_list else {}, event.anchor, self._nodes))
        self._count(1)

    def _close(self) -> None:
        frame = self._frames.pop()
        if isinstance(frame.value, dict) and frame.merged:
            frame.value = {**frame.merged, **frame.value}
        self._add(_Anchored(frame.value, self._nodes - frame.nodes_before, frame.height), frame.anchor)

    def _add_alias(self, event: yaml.AliasEvent) -> None:
        name = event.anchor
        if any(frame.anchor == name for frame in self._frames):
            self._refuse(f"alias *{name} stands for something that contains it", "Write the value out")
        anchored = self._anchors.get(name or "")
        if anchored is None:
            self._refuse(f"alias *{name} has no anchor &{name} before it", "Define it first, or put it in quotes")
        self._count(anchored.nodes)
        self._check_depth(anchored.height)
        self._add(_Anchored(copy.deepcopy(anchored.value), anchored.nodes, anchored.height), None)

    def _add(self, item: _Anchored, anchor: str | None, *, is_plain: bool = False) -> None:
        """Put a complete value where it belongs: into the list or mapping that is open, as key or as value."""
        if anchor is not None:
            self._anchors[anchor] = item
        if not self._frames:
            self.document = item.value
            return
        frame = self._frames[-1]
        frame.height = max(frame.height, item.height + 1)
        if isinstance(frame.value, list):
            frame.value.append(item.value)
        elif frame.is_merge:
            self._merge(frame, item.value)
        elif frame.key is None:
            self._take_key(frame, item.value, is_plain=is_plain)
        else:
            frame.value[frame.key] = item.value
            frame.key = None

    def _take_key(self, frame: _Frame, key: JsonValue, *, is_plain: bool) -> None:
        if not isinstance(key, str):
            self._refuse_key("null" if key is None else str(key))
        if key in frame.key_lines:
            why = f"key {key!r} appears twice, first in line {frame.key_lines[key]}"
            self._refuse(why, "Remove one of the two")
        frame.key_lines[key] = self._at["line"]
        if key == "<<" and is_plain:
            frame.is_merge = True
        else:
            frame.key = key

    def _merge(self, frame: _Frame, value: JsonValue) -> None:
        frame.is_merge = False
        for source in value if isinstance(value, list) else [value]:
            if not isinstance(source, dict):
                self._refuse("the merge key '<<' is not followed by a mapping", "Give it an alias of a mapping")
            frame.merged = {**source, **frame.merged}  # of several sources the first wins

    def _scalar(self, event: yaml.ScalarEvent) -> JsonValue:
        text, tag = event.value, event.tag
        if LONE_SURROGATE.search(text):
            self._refuse("a text holds half of a character", "Write both halves, or leave it out")
        if tag in {"!", CORE_TAG + "str"} or (tag is None and not event.implicit[0]):
            return text
        if tag is None and self._as_text:
            return text
        value = self._resolved(text)
        if tag is None:
            return value
        wanted = TYPES.get(tag)
        if wanted is None:
            self._refuse_tag(tag)
        if wanted is float and isinstance(value, int):
            value = float(value)
        if type(value) is not wanted:  # not isinstance: true is no whole number
            self._refuse(f"{text:.40} is not what its tag says", "Correct the value, or remove the tag")
        return value

    def _resolved(self, text: str) -> JsonValue:
        """Return the value that unquoted text stands for."""
        if NULL.fullmatch(text):
            return None
        if TRUE.fullmatch(text) or FALSE.fullmatch(text):
            return text.lower() == "true"
        number = _number(text)
        if number is None:
            return text
        why = unfit_number(number, text)
        if why is not None:
            self._refuse(why, "Leave it out, write null, or put it in quotes")
        return number

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            why = f"it has more than {MAX_NODES:,} values once its aliases are expanded"
            self._refuse(why, "Use fewer aliases, or name large data in it by path")

    def _check_depth(self, height: int) -> None:
        if len(self._frames) + height > MAX_DEPTH:
            raise too_deep(self._origin, **self._at)

    def _refuse_key(self, shown: str) -> NoReturn:
        self._refuse(f"key {shown:.40} is not text", "Write it in quotes" if " " not in shown else "Use text as a key")

    def _refuse_tag(self, tag: str) -> NoReturn:
        shown = "!!" + tag.removeprefix(CORE_TAG) if tag.startswith(CORE_TAG) else tag
        kind = "the Python tag" if tag.startswith(PYTHON_TAG) else "the unknown tag"
        self._refuse(f"it has {kind} {shown:.80}", "Remove the tag: a document holds data, never objects")

    def _refuse(self, why: str, fix: str) -> NoReturn:
        raise refusal(self._origin, why, fix, **self._at)


def _is_plain(event: yaml.ScalarEvent) -> bool:
    return event.tag is None and bool(event.implicit[0])


def _number(text: str) -> float | None:
    if WHOLE.fullmatch(text):
        return int(text[:LONG_NUMBER])
    if OTHER_BASE.fullmatch(text):
        return int(text[:LONG_NUMBER], 0)
    if DECIMAL.fullmatch(text) or NOT_FINITE.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return None


def _syntax_refusal(text: str, origin: str, error: yaml.MarkedYAMLError) -> Exception:
    mark = error.problem_mark or error.context_mark
    why = "; ".join(part for part in (error.context, error.problem) if part)
    if mark is None:
        return refusal(origin, why, "Correct the document")
    fix = "Correct the document here; text with a colon in it needs quotes"
    line = "".join(text.splitlines()[mark.line : mark.line + 1])
    if "\t" in line[: len(line) - len(line.lstrip())]:
        why, fix = "a tab stands where spaces must", "Indent with spaces"
    return refusal(origin, why, fix, line=mark.line + 1, column=mark.column + 1)
