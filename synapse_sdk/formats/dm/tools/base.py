"""What a tool must be able to do, and what tools have in common."""

from abc import ABC, abstractmethod
from typing import ClassVar, Protocol

from synapse_sdk.formats.dm.attributes import (
    Attribute,
    attribute,
    classification_of,
    label_and_attributes,
    read_attributes,
)
from synapse_sdk.formats.dm.values import as_object, as_text
from synapse_sdk.types import JsonObject, JsonValue

__all__ = ["BaseTool", "ObjectTool", "ToolProcessor", "default_flags"]

FRAME = frozenset(("id", "tool", "classification", "attrs", "data", "group_id"))
"""What every annotation of version 2 may have."""


class ToolProcessor(Protocol):
    """Converts the annotations of one tool. Installed packages offer theirs under `synapse.dm_tools`."""

    @property
    def tool_name(self) -> str:
        """What documents call the tool."""

    def to_v2(self, v1_annotation: JsonObject, v1_data: JsonObject) -> dict[str, JsonValue]:
        """Return an annotation of version 2.

        Args:
            v1_annotation: What it means: its entry in `annotations`.
            v1_data: Where it is: its entry in `annotationsData`.

        Raises:
            ValueError: They are not what they should be.
        """

    def to_v1(self, v2_annotation: JsonObject) -> tuple[dict[str, JsonValue], dict[str, JsonValue]]:
        """Return the two entries of version 1, for `annotations` and for `annotationsData`.

        Raises:
            ValueError: The annotation is not what it should be.
        """


class BaseTool(ABC):
    """A tool whose annotations differ from others in their data only."""

    tool_name: ClassVar[str]
    known: ClassVar[frozenset[str]] = frozenset()
    """Keys besides `id`, `classification`, `attrs`, `data` and `group_id` that go into data or classification."""

    def to_v2(self, v1_annotation: JsonObject, v1_data: JsonObject) -> dict[str, JsonValue]:
        """Return an annotation of version 2."""
        label, attributes = label_and_attributes(v1_annotation.get("classification"))
        return _framed(v1_annotation, label, attributes, self.data_of(v1_data))

    def to_v1(self, v2_annotation: JsonObject) -> tuple[dict[str, JsonValue], dict[str, JsonValue]]:
        """Return the two entries of version 1."""
        attributes = [*read_attributes(v2_annotation.get("attrs"))]
        return self.entry_of(v2_annotation, attributes), {
            "id": v2_annotation["id"],
            **self.payload_of(v2_annotation),
        }

    @abstractmethod
    def data_of(self, v1_data: JsonObject) -> JsonValue:
        """Return the data of version 2 for an entry in `annotationsData`."""

    @abstractmethod
    def payload_of(self, v2_annotation: JsonObject) -> dict[str, JsonValue]:
        """Return the entry in `annotationsData`, but for its id."""

    def entry_of(self, v2_annotation: JsonObject, attributes: list[Attribute]) -> dict[str, JsonValue]:
        """Return the entry in `annotations`; what is not understood stays there."""
        label = v2_annotation.get("classification")
        text = "" if label is None else as_text(label, "classification")
        known = FRAME | self.known
        more = {key: value for key, value in v2_annotation.items() if key not in known}
        return {
            "id": v2_annotation["id"],
            "tool": self.tool_name,
            **default_flags(),
            **more,
            "classification": classification_of(text, attributes),
        }


class ObjectTool(BaseTool):
    """A tool whose data is an object of the same keys in both versions, whatever they are."""

    is_named_in_payload: ClassVar[bool] = False
    """Whether the entry in `annotationsData` says which tool it is of, too."""

    def data_of(self, v1_data: JsonObject) -> JsonValue:
        """Return what the payload says, but for the id."""
        return {key: value for key, value in v1_data.items() if key not in {"id", "tool"}}

    def payload_of(self, v2_annotation: JsonObject) -> dict[str, JsonValue]:
        """Return what the data says."""
        head: dict[str, JsonValue] = {"tool": self.tool_name} if self.is_named_in_payload else {}
        data = v2_annotation.get("data")
        return head | dict(as_object({} if data is None else data, "data"))


def default_flags() -> dict[str, JsonValue]:
    """Return what version 1 says of an annotation about which nobody has said anything."""
    return {"isLocked": False, "isVisible": True, "isValid": False, "isDrawCompleted": True, "label": []}


def _framed(
    v1_annotation: JsonObject, label: str, attributes: list[Attribute], data: JsonValue
) -> dict[str, JsonValue]:
    attrs = [attribute(name, value) for name, value in attributes]
    return {"id": v1_annotation["id"], "classification": label, "attrs": attrs, "data": data}
