"""From version 2 of a document to version 1."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from synapse_sdk.errors import ConfigurationError, InvalidDocumentError
from synapse_sdk.formats.dm.attributes import read_attributes, repeated_names
from synapse_sdk.formats.dm.document import ANNOTATIONS, DEFAULTS, GROUPS, PAYLOADS, media_of_v2, refusal
from synapse_sdk.formats.dm.document_losses import DocumentLoss
from synapse_sdk.formats.dm.groups import Group, groups_of_v2, v1_group
from synapse_sdk.formats.dm.media import KINDS
from synapse_sdk.formats.dm.reasons import OTHER_MEDIA, REPEATED_ATTRIBUTE, UNKNOWN_TOOL
from synapse_sdk.formats.dm.to_v2 import FindTool
from synapse_sdk.formats.dm.tools import ToolProcessor
from synapse_sdk.formats.dm.tools.image import rotation_and_rest
from synapse_sdk.formats.dm.values import derived_id, list_if_any, shown
from synapse_sdk.formats.losses import Outcome, Reason
from synapse_sdk.formats.reasons import INVALID_RECORD
from synapse_sdk.types import JsonObject, JsonValue

__all__ = ["Downgraded", "DowngradedMedia", "Downgrader", "v1_document"]

GROUP = "group"


@dataclass(slots=True)
class Downgraded:
    """An annotation of version 2, and both entries of version 1 for it."""

    tool: str
    v2: JsonObject
    entry: dict[str, JsonValue]
    payload: dict[str, JsonValue]


@dataclass(slots=True)
class DowngradedMedia:
    """What one medium becomes."""

    kind: str
    id: str
    """By its place among those of its kind."""
    annotations: list[Downgraded] = field(default_factory=list)
    groups: dict[str, Group] = field(default_factory=dict)


class Downgrader:
    """Converts one document; what version 1 said before is put back in by `restore`.

    Args:
        content: The `annotation_data` of the document.
        find_tool: Finds tools.
        losses: Takes what cannot be kept.
        is_strict: As with `Upgrader`.
    """

    def __init__(
        self,
        content: JsonObject,
        find_tool: FindTool,
        losses: list[DocumentLoss],
        *,
        is_strict: bool,
    ) -> None:
        self._content, self._find_tool, self._losses, self._is_strict = content, find_tool, losses, is_strict
        self._tools: dict[str, ToolProcessor | None] = {}

    def media(self, kind: str | None = None) -> list[DowngradedMedia]:
        """Return what the media become.

        Args:
            kind: The kind of media to convert; None for all.

        Raises:
            InvalidDocumentError: It is no document of version 2.
        """
        found = []
        try:
            for each in media_of_v2(self._content):
                if kind is None or each[0] == kind:
                    found.append(self._medium(*each))
                else:
                    self._leave_out(*each[1:])
        except InvalidDocumentError:
            raise
        except ValueError as error:
            raise refusal(error) from error
        return found

    def rest(self) -> dict[str, JsonValue]:
        """Return what the document says besides, which version 1 keeps as it is."""
        known = KINDS.keys() | DEFAULTS.keys() | {"classification"}
        return {key: value for key, value in self._content.items() if key not in known}

    def _medium(self, kind: str, media: str, tools: JsonObject) -> DowngradedMedia:
        found = DowngradedMedia(kind, media)
        for number, (tool, annotation) in enumerate(self._listed(media, tools)):
            annotation_id = annotation.get("id") or derived_id(media, tool, number, dict(annotation))
            done = self._downgraded(media, tool, {**annotation, "id": str(annotation_id)})
            if done is not None:
                found.annotations.append(done)
        try:
            found.groups = groups_of_v2([each.v2 for each in found.annotations], tools.get(GROUP))
        except ValueError as error:
            self._fail(media, GROUP, error)
        return found

    def _leave_out(self, media: str, tools: JsonObject) -> None:
        for _, annotation in self._listed(media, tools):
            self._lose(Outcome.DROPPED, OTHER_MEDIA, media, str(annotation.get("id", "")))

    def _listed(self, media: str, tools: JsonObject) -> Iterator[tuple[str, JsonObject]]:
        for tool, annotations in tools.items():
            if tool == GROUP:
                continue
            for number, annotation in enumerate(list_if_any(annotations, f"{tool} of {media!r}")):
                if isinstance(annotation, Mapping):
                    yield tool, annotation
                else:
                    self._fail(media, f"{tool}[{number}]", ValueError(f"it is {shown(annotation)}, not an object"))

    def _downgraded(self, media: str, tool: str, annotation: JsonObject) -> Downgraded | None:
        """Return an annotation with both entries of version 1; None if there are none, which the losses say."""
        name = str(annotation["id"])
        processor = self._tool(tool)
        if processor is None:
            self._lose(Outcome.DROPPED, UNKNOWN_TOOL, media, name, f"there is no tool {tool!r}")
            return None
        try:
            entry, payload = processor.to_v1(annotation)
            self._tell_repeated(media, tool, annotation)
        except (ValueError, LookupError, TypeError) as error:  # tools of others raise what they like
            self._fail(media, name, error)
            return None
        return Downgraded(tool, annotation, entry, payload)

    def _tool(self, name: str) -> ToolProcessor | None:
        if name not in self._tools:
            try:
                self._tools[name] = self._find_tool(name)
            except ConfigurationError:
                self._tools[name] = None
        return self._tools[name]

    def _tell_repeated(self, media: str, tool: str, annotation: JsonObject) -> None:
        attributes = [*read_attributes(annotation.get("attrs"))]
        if len({name for name, _ in attributes}) == len(attributes):
            return
        if tool == "bounding_box":
            _, attributes = rotation_and_rest(attributes)
        for name in repeated_names(attributes):
            words = f"attribute {name!r} is there twice"
            self._lose(Outcome.CHANGED, REPEATED_ATTRIBUTE, media, str(annotation["id"]), words)

    def _fail(self, media: str, annotation: str, error: Exception) -> None:
        if self._is_strict:
            msg = f"Annotation {annotation!r} of {media!r} cannot be converted"
            fix = "Mend the annotation, or remove it"
            raise InvalidDocumentError(msg, why=str(error), fix=fix, media=media, annotation=annotation) from error
        self._lose(Outcome.FAILED, INVALID_RECORD, media, annotation, str(error))

    def _lose(self, outcome: Outcome, reason: Reason, media: str, annotation: str, words: str = "") -> None:
        loss = DocumentLoss(outcome=outcome, reason=reason, media=media, annotation=annotation, words=words)
        self._losses.append(loss)


def v1_document(media: list[DowngradedMedia]) -> dict[str, JsonValue]:
    """Return a document of version 1 that says nothing but what version 2 does."""
    annotations: dict[str, JsonValue] = {each.id: [one.entry for one in each.annotations] for each in media}
    payloads: dict[str, JsonValue] = {each.id: [one.payload for one in each.annotations] for each in media}
    groups: dict[str, JsonValue] = {
        each.id: [v1_group(group) for group in each.groups.values()] for each in media if each.groups
    }
    return {**DEFAULTS, ANNOTATIONS: annotations, PAYLOADS: payloads, GROUPS: groups}
