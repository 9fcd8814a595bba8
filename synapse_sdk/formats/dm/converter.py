"""Converting DM documents between versions 1 and 2."""

from collections.abc import Iterable
from typing import Any

from synapse_sdk.errors import InvalidDocumentError
from synapse_sdk.formats.dm.document import DATA, META, DmDocument, Version
from synapse_sdk.formats.dm.document_losses import DocumentLoss, warn_of
from synapse_sdk.formats.dm.media import file_kind
from synapse_sdk.formats.dm.restore import restored
from synapse_sdk.formats.dm.to_v1 import Downgrader, v1_document
from synapse_sdk.formats.dm.to_v2 import Upgrader
from synapse_sdk.formats.dm.tools import DM_TOOLS, ToolProcessor
from synapse_sdk.types import JsonObject

__all__ = ["DocumentConverter", "convert_v1_to_v2", "convert_v2_to_v1"]


class DocumentConverter:
    """Converts documents, with tools of its own besides those that everybody has.

    Args:
        tools: Tools that are used before those of this package and of installed packages.
        file_type: The kind of media to convert, such as `image`; None for all.
        is_strict: Whether an annotation that is not what it should be is an error; else it is left out, and the list of
            losses has it.

    Raises:
        InvalidDocumentError: There is no such kind of media.
    """

    def __init__(
        self, tools: Iterable[ToolProcessor] = (), *, file_type: str | None = None, is_strict: bool = True
    ) -> None:
        self._kind, self._is_strict = file_kind(file_type), is_strict
        self._tools: dict[str, ToolProcessor] = {}
        for tool in tools:
            self.register(tool)

    def register(self, tool: ToolProcessor) -> None:
        """Use a tool from now on; it takes the place of another one of its name."""
        self._tools[tool.tool_name] = tool

    def find_tool(self, name: str) -> ToolProcessor:
        """Return a tool by its name.

        Raises:
            ConfigurationError: There is none.
        """
        if name not in self._tools:
            self._tools[name] = DM_TOOLS.load(name)()
        return self._tools[name]

    def to_v2(self, v1: JsonObject, losses: list[DocumentLoss] | None = None) -> dict[str, Any]:
        """Convert a document to version 2.

        Args:
            v1: The document.
            losses: Takes what cannot be kept. Without it there is a warning.

        Returns:
            The document as `annotation_data`, and what it was made of as `annotation_meta`.

        Raises:
            InvalidDocumentError: It is no document of version 1, or an annotation is not what it should be.
        """
        found: list[DocumentLoss] = []
        upgrader = Upgrader(v1, self.find_tool, found, is_strict=self._is_strict)
        result = {DATA: upgrader.document(self._kind), META: v1}
        _hand_on(found, losses)
        return result

    def to_v1(
        self, v2: JsonObject, annotation_meta: JsonObject | None = None, losses: list[DocumentLoss] | None = None
    ) -> dict[str, Any]:
        """Convert a document to version 1.

        Args:
            v2: The document: `annotation_data` alone, or together with `annotation_meta`.
            annotation_meta: The document of version 1 that it was made of. What version 2 cannot say comes from there.
            losses: Takes what cannot be kept. Without it there is a warning.

        Raises:
            InvalidDocumentError: It is no document of version 2, or an annotation is not what it should be.
        """
        if not v2 or (DATA in v2 and not v2[DATA]):
            msg = "There is no annotation_data, or it is empty"
            raise InvalidDocumentError(msg, fix='An image without annotations is {"images": [{}]}')
        document = DmDocument.unwrapped(v2)
        if document.version is not Version.V2:
            msg = "This is a document of version 1 already"
            raise InvalidDocumentError(msg, fix="Take it as it is")
        meta = annotation_meta or document.meta
        found: list[DocumentLoss] = []
        downgrader = Downgrader(document.content, self.find_tool, found, is_strict=self._is_strict)
        media = downgrader.media(self._kind)
        if meta:
            before = Upgrader(meta, self.find_tool, [], is_strict=False)
            result = restored(meta, media, before, self.find_tool)
        else:
            result = v1_document(media)
        _hand_on(found, losses)
        return downgrader.rest() | result


def convert_v1_to_v2(
    v1: JsonObject, *, file_type: str | None = None, losses: list[DocumentLoss] | None = None
) -> dict[str, Any]:
    """Convert a DM document to version 2; see `DocumentConverter.to_v2`.

    Args:
        v1: The document.
        file_type: The kind of media to convert, such as `image`; None for all.
        losses: Takes what cannot be kept. Without it there is a warning.

    Raises:
        InvalidDocumentError: It is no document of version 1, or an annotation is not what it should be.

    Example:
        >>> box = {"id": "b1", "coordinate": {"x": 10, "y": 20, "width": 30, "height": 15}}
        >>> entry = {"id": "b1", "tool": "bounding_box", "classification": {"class": "car"}}
        >>> v1 = {"annotations": {"image_1": [entry]}, "annotationsData": {"image_1": [box]}}
        >>> convert_v1_to_v2(v1)["annotation_data"]["images"]
        [{'bounding_box': [{'id': 'b1', 'classification': 'car', 'attrs': [], 'data': [10, 20, 30, 15]}]}]
    """
    return DocumentConverter(file_type=file_type).to_v2(v1, losses)


def convert_v2_to_v1(
    v2: JsonObject,
    annotation_meta: JsonObject | None = None,
    *,
    file_type: str | None = None,
    losses: list[DocumentLoss] | None = None,
) -> dict[str, Any]:
    """Convert a DM document to version 1; see `DocumentConverter.to_v1`.

    Args:
        v2: The document: `annotation_data` alone, or together with `annotation_meta`.
        annotation_meta: The document of version 1 that it was made of.
        file_type: The kind of media to convert, such as `image`; None for all.
        losses: Takes what cannot be kept. Without it there is a warning.

    Raises:
        InvalidDocumentError: It is no document of version 2, or an annotation is not what it should be.

    Example:
        >>> v2 = {"images": [{"classification": [{"id": "y1", "classification": "indoor"}]}]}
        >>> convert_v2_to_v1(v2)["annotations"]["image_1"][0]["classification"]
        {'class': 'indoor'}
    """
    return DocumentConverter(file_type=file_type).to_v1(v2, annotation_meta, losses)


def _hand_on(found: list[DocumentLoss], losses: list[DocumentLoss] | None) -> None:
    if losses is None:
        warn_of(found, stacklevel=3)
    else:
        losses += found
