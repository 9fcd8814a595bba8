"""What a hook is asked about: a task, the files of its unit, and the annotations that there are for it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.types import JsonObject

__all__ = ["Subject", "loaded"]


@dataclass(slots=True, kw_only=True)
class Subject:
    """A task, as long as a hook is asked about it."""

    primary_url: str
    """Where the file is that the unit is shown by; empty if it has none."""
    primary_name: str
    data_url: str
    """Where the annotations are: a file of the unit, or the file for all tasks."""
    data_name: str
    """What the file of the unit is called, or the annotations within the file for all tasks."""
    task: dict[str, Any]
    """The task as hooks get it."""
    read: Callable[[], JsonObject] | None = None
    """Reads the annotations as a DM document."""
    content: Callable[[], bytes] | None = None
    """Returns the file of the unit."""
    image: Callable[[], bytes] | None = None
    """Returns the primary file of the unit."""
    _document: JsonObject | None = field(default=None, init=False)

    def document(self) -> JsonObject:
        """Return the annotations as a DM document; read once.

        Raises:
            InvalidDatasetError, InvalidDocumentError: They make no sense.
        """
        if self._document is None:
            if self.read is None:
                msg = f"There are no annotations in a file for the task {self.task.get('id')}"
                raise InvalidDatasetError(msg, fix="Override convert_data_from_file")
            self._document = self.read()
        return self._document

    def open(self, url: str) -> bytes:
        """Return the content of one of the files that the hook was told of.

        Raises:
            ValueError: It was told of no such file.
            SynapseError: The file cannot be read.
        """
        for known, content in ((self.data_url, self.content), (self.primary_url, self.image)):
            if url and url == known and content is not None:
                return content()
        msg = f"{url!r} is none of the files that this hook was told of, which are in the storages of the backend"
        raise ValueError(msg)


def loaded(content: bytes) -> JsonObject:
    """Return a document as it was read from a file; raises InvalidDatasetError if it is no JSON object."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        msg = "The document is no JSON"
        raise InvalidDatasetError(msg, why=str(error), fix="Mend the document") from error
    if not isinstance(found, dict):
        msg = "The document is no JSON object"
        raise InvalidDatasetError(msg, fix="Mend the document")
    return found
