"""What is written for an item: its own document if it has one, in the version that is wanted."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from synapse_sdk.formats.dm.converter import DocumentConverter
from synapse_sdk.formats.dm.document import (
    ANNOTATIONS,
    BYTE_ORDER_MARK,
    DATA,
    DEFAULTS,
    EXTRA,
    PAYLOADS,
    DmDocument,
    Version,
    version_of,
)
from synapse_sdk.formats.dm.document_losses import DocumentLoss
from synapse_sdk.formats.dm.reasons import ONLY_IN_V1
from synapse_sdk.formats.dm.rendering import IMAGE, Renderer
from synapse_sdk.formats.dm.tools.base import default_flags
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.model import Annotation, Item, tools_of
from synapse_sdk.types import JsonObject, JsonValue

__all__ = ["DocumentWriter"]

ASSIGNMENT = "assignmentId"
SIZE = {"width", "height"}
UNDERSTOOD = {"id", "tool", "classification", *default_flags()}
"""What an entry in `annotations` has that version 2 says, too, or that is the same nearly everywhere."""


class DocumentWriter:
    """Makes the documents of a dataset.

    Args:
        version: Their version.
        renderer: Makes documents of items that have none.
        losses: Takes down what cannot be written.
        written: Is told how often each class was written with each tool, where the renderer is not.
    """

    def __init__(
        self, version: Version, renderer: Renderer, losses: LossLog, written: Counter[tuple[str, str]]
    ) -> None:
        self._version, self._renderer, self._losses, self._written = version, renderer, losses, written
        self._converter = DocumentConverter(is_strict=False)

    def content(self, item: Item, annotations: Sequence[Annotation]) -> bytes:
        """Return what is written for an item.

        Args:
            item: The item.
            annotations: Its annotations, where it has no document.
        """
        if item.document is None:
            rendered = self._renderer.document(item, annotations)
            if self._version is Version.V2:
                return _indented(rendered)
            return _indented(self._downgraded(msgspec.to_builtins(rendered), item, annotations))
        content, lost = self._converted(item.document, item)
        for annotation in item.annotations:
            if annotation.id not in lost:
                for tool in tools_of(annotation):
                    self._written[annotation.label, tool] += 1
        return content

    def _converted(self, document: bytes, item: Item) -> tuple[bytes, set[str]]:
        """Return the document of an item in the version that is wanted, and the ids of what that cannot have."""
        if version_of(document) is self._version:
            return document, set()
        found = DmDocument.unwrapped(msgspec.json.decode(document.removeprefix(BYTE_ORDER_MARK)))
        if found.version is self._version:
            return document, set()
        losses: list[DocumentLoss] = []
        if self._version is Version.V2:
            # What this loses was said when the item was read, which is done in the same way.
            content = _indented(self._converter.to_v2(found.content, losses)[DATA])
            self._tell_left(found.content, item)
            return content, set()
        content = _indented(self._sized(self._converter.to_v1(found.dump(), losses=losses), item))
        return content, self._tell(losses, item)

    def _downgraded(self, v2: JsonObject, item: Item, annotations: Sequence[Annotation]) -> dict[str, Any]:
        losses: list[DocumentLoss] = []
        found = self._sized(self._converter.to_v1(v2, losses=losses), item)
        lost = self._tell(losses, item)
        for annotation in annotations:
            if annotation.id in lost:
                for tool in tools_of(annotation):
                    self._written[annotation.label, tool] -= 1
        return found

    def _sized(self, v1: dict[str, Any], item: Item) -> dict[str, Any]:
        """Say how large the image is, where that is known."""
        if item.width and item.height and not v1.get(EXTRA):
            v1[EXTRA] = {IMAGE: {"width": item.width, "height": item.height}}
        return v1

    def _tell(self, losses: Sequence[DocumentLoss], item: Item) -> set[str]:
        """Take down what version 1 cannot have, and return the ids of what is not there."""
        handed_on = {each.id for each in item.annotations}
        lost: set[str] = set()
        for loss in losses:
            if loss.annotation not in handed_on:
                continue  # the reader has said so
            is_lost = loss.outcome in {Outcome.FAILED, Outcome.DROPPED}
            self._losses.of_annotation(
                Outcome.DROPPED if is_lost else loss.outcome,
                loss.reason,
                item=item.name,
                split=item.split,
                annotation=loss.annotation,
                words=f"{loss.media}: {loss.words or loss.reason.words}",
            )
            if is_lost:
                lost.add(loss.annotation)
        return lost

    def _tell_left(self, v1: JsonObject, item: Item) -> None:
        words = ", ".join(_left_behind(v1))
        if words:
            self._losses.of_item(Outcome.NOTED, ONLY_IN_V1, item=item.name, split=item.split, words=words)


def _indented(document: Mapping[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _left_behind(v1: JsonObject) -> Iterator[str]:
    """Yield what version 2 does not say: what was done in the editor, and what nobody here understands."""
    for key, value in v1.items():
        is_said = value is not None if key == ASSIGNMENT else key == "relations" and any(_values(value))
        if key not in DEFAULTS or is_said:
            yield key
    if any(set(each) - SIZE for each in _values(v1.get(EXTRA)) if isinstance(each, Mapping)):
        yield EXTRA
    usual = default_flags()
    found: set[str] = set()
    for entries in _values(v1.get(ANNOTATIONS)):
        for entry in _objects(entries):
            found.update(key for key in entry if key not in UNDERSTOOD)
            found.update(
                key for key, value in usual.items() if isinstance(value, bool) and entry.get(key, value) != value
            )
    yield from (f"{ANNOTATIONS}.{key}" for key in sorted(found))
    if any(_has_point_ids(payload) for payloads in _values(v1.get(PAYLOADS)) for payload in _objects(payloads)):
        yield f"{PAYLOADS}.coordinate.id"


def _has_point_ids(payload: JsonObject) -> bool:
    """Whether the points of an outline or a line have ids, which the editor gives to all or none."""
    return any("id" in point for point in islice(_objects(payload.get("coordinate")), 1))


def _objects(value: JsonValue) -> Iterator[JsonObject]:
    return (each for each in value if isinstance(each, Mapping)) if isinstance(value, list) else iter(())


def _values(value: JsonValue) -> Sequence[JsonValue]:
    return [*value.values()] if isinstance(value, Mapping) else ()
