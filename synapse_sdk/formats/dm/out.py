"""Annotations of version 2, as they are written."""

import re
from typing import Any, Self

from msgspec import UNSET, Struct, UnsetType

from synapse_sdk.formats.dm.attributes import attribute
from synapse_sdk.formats.dm.tools.image import with_rotation
from synapse_sdk.formats.model import Annotation
from synapse_sdk.types import JsonValue

__all__ = ["Out", "OutObject"]

UNFIT = re.compile("[^A-Za-z0-9_-]")
"""What ids do not have."""


class Out(Struct, gc=False):
    """An annotation."""

    id: str
    classification: str
    attrs: list[dict[str, JsonValue]]
    data: Any
    visibility: int | UnsetType = UNSET
    encoding: str | UnsetType = UNSET
    isCompressed: bool | UnsetType = UNSET  # noqa: N815  # as documents have it
    compressionFormat: str | UnsetType = UNSET  # noqa: N815  # as above
    group_id: str | UnsetType = UNSET

    @classmethod
    def of(cls, annotation: Annotation, data: Any) -> Self:  # noqa: ANN401  # by tool
        """Return the annotation of a tool, with everything that is said about one of the model."""
        attributes = annotation.attributes
        attrs = [attribute(name, value) for name, value in attributes.items()] if attributes else []
        if annotation.is_crowd:
            attrs.append(attribute("iscrowd", value=True))
        return cls(annotation.id, annotation.label, attrs, data)


class OutObject:
    """The parts of one object, as they come together.

    Args:
        annotation: The object.
        taken: Ids that something has, to which those of parts are added.
    """

    __slots__ = ("_taken", "annotation", "parts")

    def __init__(self, annotation: Annotation, taken: set[str]) -> None:
        self.annotation, self._taken = annotation, taken
        self.parts: list[tuple[str, Out]] = []
        """Tool and annotation of each."""

    def add(self, tool: str, data: Any, name: str = "") -> Out:  # noqa: ANN401  # as above
        """Add a part, and return it. The first one has the id of the object, and what is said about it."""
        annotation = self.annotation
        is_first = not self.parts
        out = Out.of(annotation, data) if is_first else Out(self.new_id(name or tool), annotation.label, [], data)
        if annotation.is_crowd and not is_first and tool != "keypoint":
            out.attrs.append(attribute("iscrowd", value=True))
        self.parts.append((tool, out))
        return out

    def add_box(self, data: list[float], rotation: float | None) -> None:
        """Add a box, whose rotation comes before its attributes."""
        out = self.add("bounding_box", data)
        if rotation is not None or "rotation" in self.annotation.attributes:
            pairs = [(str(each["name"]), each["value"]) for each in out.attrs]
            out.attrs = [attribute(name, value) for name, value in with_rotation(rotation, pairs)]

    def new_id(self, name: str) -> str:
        """Return an id for another part."""
        wanted = f"{self.annotation.id}_{UNFIT.sub('_', name)}"
        found, number = wanted, 1
        while found in self._taken:
            number += 1
            found = f"{wanted}_{number}"
        self._taken.add(found)
        return found
