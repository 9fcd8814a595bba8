"""From version 1 of a document to version 2."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from itertools import chain

from synapse_sdk.errors import ConfigurationError, InvalidDocumentError
from synapse_sdk.formats.dm.document import ANNOTATIONS, GROUPS, PAYLOADS, media_of_v1, refusal, size_in
from synapse_sdk.formats.dm.document_losses import DocumentLoss
from synapse_sdk.formats.dm.groups import add_groups, groups_of_v1
from synapse_sdk.formats.dm.media import BUCKETS, kind_of
from synapse_sdk.formats.dm.reasons import INVALID_MASK, NO_ANNOTATION, NO_PAYLOAD, OTHER_MEDIA, UNKNOWN_TOOL
from synapse_sdk.formats.dm.tools import ToolProcessor
from synapse_sdk.formats.dm.tools.segmentation import check_mask
from synapse_sdk.formats.dm.values import as_object, list_if_any, object_if_any, shown
from synapse_sdk.formats.losses import Outcome, Reason
from synapse_sdk.formats.reasons import DANGLING, INVALID_RECORD
from synapse_sdk.types import JsonObject, JsonValue

__all__ = ["FindTool", "Upgraded", "Upgrader"]

WITHOUT_PAYLOAD = frozenset(("classification",))
"""Tools that say nothing about where something is."""

type FindTool = Callable[[str], ToolProcessor]
"""Returns a tool by its name, or raises ConfigurationError."""
type Upgraded = tuple[JsonObject, JsonObject | None, dict[str, JsonValue]]
"""Both entries of version 1, and the annotation of version 2."""


class Upgrader:
    """Converts one document.

    Args:
        v1: The document.
        find_tool: Finds tools.
        losses: Takes what cannot be kept.
        is_strict: Whether what is wrong with an annotation ends it all; else the annotation is left out, and `losses`
            has it.

    Raises:
        InvalidDocumentError: It is no document of version 1.
    """

    def __init__(self, v1: JsonObject, find_tool: FindTool, losses: list[DocumentLoss], *, is_strict: bool) -> None:
        self._v1, self._find_tool, self._losses, self._is_strict = v1, find_tool, losses, is_strict
        for key in (ANNOTATIONS, PAYLOADS):
            if v1.get(key) is None:
                msg = f"A document of version 1 needs {key!r}, which is not there"
                raise InvalidDocumentError(msg, fix=f"Add {key}: a map from ids of media to lists", key=key)
        try:
            self._entries, self._payloads = (as_object(v1[key], key) for key in (ANNOTATIONS, PAYLOADS))
            self._groups = object_if_any(v1.get(GROUPS), GROUPS)
            self.media = media_of_v1(v1)
        except ValueError as error:
            raise refusal(error) from error
        self.kinds = {media: kind_of(media) for media in self.media}

    def document(self, kind: str | None = None) -> dict[str, JsonValue]:
        """Return the document of version 2.

        Args:
            kind: The kind of media to convert; None for all.
        """
        buckets: dict[str, list[JsonValue]] = {}
        labels: dict[str, set[str]] = {}
        for media in self.media:
            if kind is not None and self.kinds[media] != kind:
                self._leave_out(media)
                continue
            tools: dict[str, list[JsonValue]] = {}
            for entry, _, annotation in self.annotations(media):
                tool, label = str(entry["tool"]), annotation.get("classification")
                tools.setdefault(tool, []).append(annotation)
                if isinstance(label, str) and label:
                    labels.setdefault(tool, set()).add(label)
            by_id = {str(each["id"]): each for tool in tools.values() for each in tool if isinstance(each, dict)}
            if bucket := self._add_groups(media, by_id):
                tools["group"] = bucket
            buckets.setdefault(BUCKETS[self.kinds[media]], []).append(tools)
        classes: dict[str, JsonValue] = {tool: sorted(names) for tool, names in sorted(labels.items())}
        return {"classification": classes, **buckets}

    def annotations(self, media: str) -> Iterator[Upgraded]:
        """Yield the annotations of a medium that version 2 can have."""
        payloads: dict[JsonValue, deque[JsonObject]] = {}
        for payload in self._list(self._payloads, PAYLOADS, media):
            payloads.setdefault(_key(payload.get("id")), deque()).append(payload)
        size = size_in(self._v1, media)
        for number, entry in enumerate(self._list(self._entries, ANNOTATIONS, media)):
            annotation_id = entry.get("id")
            waiting = payloads.get(_key(annotation_id))
            mine = waiting.popleft() if waiting else None
            name = annotation_id if isinstance(annotation_id, str) else ""
            try:
                annotation = self._upgraded(media, entry, mine, size)
            except (ValueError, LookupError, TypeError) as error:  # tools of others raise what they like
                reason = UNKNOWN_TOOL if isinstance(error, ConfigurationError) else INVALID_RECORD
                self._fail(media, name or f"{ANNOTATIONS}[{number}]", error, reason)
                continue
            if annotation is not None:
                yield entry, mine, annotation
        for orphan in chain.from_iterable(payloads.values()):
            words = "it is in annotationsData alone"
            self._lose(Outcome.FAILED, NO_ANNOTATION, media, str(orphan.get("id", "")), words)

    def _upgraded(
        self, media: str, entry: JsonObject, payload: JsonObject | None, size: tuple[int, int] | None
    ) -> dict[str, JsonValue] | None:
        """Return an annotation of version 2; None if there can be none, which the losses say."""
        annotation_id, tool = entry.get("id"), entry.get("tool")
        if not isinstance(annotation_id, str) or not annotation_id:
            msg = "it has no id"
            raise ValueError(msg)
        if not isinstance(tool, str) or not tool:
            self._lose(Outcome.FAILED, INVALID_RECORD, media, annotation_id, "it does not say of which tool it is")
            return None
        processor = self._find_tool(tool)
        if payload is None and tool not in WITHOUT_PAYLOAD:
            self._lose(Outcome.FAILED, NO_PAYLOAD, media, annotation_id, "nothing in annotationsData has its id")
            return None
        found = processor.to_v2(entry, {"id": annotation_id} if payload is None else payload)
        data = found.get("data")
        if tool == "segmentation" and isinstance(data, list | tuple) and (wrong := check_mask(data, size)):
            self._lose(Outcome.FAILED, INVALID_MASK, media, annotation_id, wrong)
            return None
        return found

    def _add_groups(self, media: str, by_id: Mapping[str, dict[str, JsonValue]]) -> list[JsonValue]:
        try:
            groups = [group for group, _ in groups_of_v1(self._groups.get(media))]
        except ValueError as error:
            self._fail(media, GROUPS, error)
            return []
        for group in groups:
            missing = [member for member in group.members if member not in by_id]
            for member in missing:
                self._lose(Outcome.NOTED, DANGLING, media, group.id, f"there is no annotation {member!r}")
            if missing:
                group.members = [member for member in group.members if member in by_id]
        return add_groups((group for group in groups if group.members), by_id)

    def _leave_out(self, media: str) -> None:
        for entry in self._list(self._entries, ANNOTATIONS, media):
            self._lose(Outcome.DROPPED, OTHER_MEDIA, media, str(entry.get("id", "")), "")

    def _list(self, where: JsonObject, key: str, media: str) -> Iterator[JsonObject]:
        """Yield the objects of a list; what is none is an error, or a loss."""
        try:
            found = list_if_any(where.get(media), f"{key} of {media!r}")
        except ValueError as error:
            raise refusal(error) from error
        for number, each in enumerate(found):
            if isinstance(each, Mapping):
                yield each
            else:
                self._fail(media, f"{key}[{number}]", ValueError(f"it is {shown(each)}, not an object"))

    def _fail(self, media: str, annotation: str, error: Exception, reason: Reason = INVALID_RECORD) -> None:
        words = str(error)
        if self._is_strict:
            msg = f"Annotation {annotation!r} of {media!r} cannot be converted"
            fix = "Mend the annotation, or remove it"
            raise InvalidDocumentError(msg, why=words, fix=fix, media=media, annotation=annotation) from error
        self._lose(Outcome.FAILED, reason, media, annotation, words)

    def _lose(self, outcome: Outcome, reason: Reason, media: str, annotation: str, words: str) -> None:
        loss = DocumentLoss(outcome=outcome, reason=reason, media=media, annotation=annotation, words=words)
        self._losses.append(loss)


def _key(value: JsonValue) -> JsonValue:
    """Return an id as a key; what is no text is none."""
    return value if isinstance(value, str) else None
