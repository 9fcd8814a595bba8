"""What parameters of built-in actions consist of: text, references, places, and choices that all of them offer."""

import re
from enum import StrEnum
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from synapse_sdk.plugins.models import SECRET

__all__ = ["OnError", "Place", "Reference", "StorageReference", "Text"]


def refuse_blank[T: (str, int | str)](value: T) -> T:
    """Refuse text with nothing but white space.

    Raises:
        ValueError: It is blank.
    """
    if isinstance(value, str) and not value.strip():
        msg = "must not be blank"
        raise ValueError(msg)
    return value


def refuse_secret[T: (str, int | str)](value: T) -> T:
    """Refuse a URL with something in it that nobody but the storage should see: parameters are recorded and shown.

    Raises:
        PydanticCustomError: It has a password, or an option that is named like a secret; the message shows neither.
    """
    if not isinstance(value, str) or "://" not in value:
        return value
    split = urlsplit(value)
    named = [name for name, _ in parse_qsl(split.query, keep_blank_values=True) if SECRET_NAME.search(name)]
    if ":" in split.netloc.rpartition("@")[0] or named:
        what = f"the option {named[0]!r}" if named else "a password"
        msg = "has {what} in its URL, which would be seen in the journal and in reports; use a storage with credentials"
        raise PydanticCustomError(SECRET, msg, {"what": what})
    return value


SECRET_NAME = re.compile(r"sig|token|secret|password|credential|key", re.IGNORECASE)
"""What names of options have that are no business of a journal."""
Text = Annotated[str, AfterValidator(refuse_blank)]
"""Text that says something."""
Reference = Annotated[int | str, AfterValidator(refuse_blank)]
"""An id or a name."""
Place = Annotated[str, AfterValidator(refuse_blank), AfterValidator(refuse_secret)]
"""A path or URL."""
StorageReference = Annotated[int | str, AfterValidator(refuse_blank), AfterValidator(refuse_secret)]
"""An id, a name, a path or a URL."""


class OnError(StrEnum):
    """What to do when one of many things cannot be done."""

    STOP = "stop"
    """Fail the run, and undo what it has done."""
    CONTINUE = "continue"
    """Leave it out, say so in the result, and go on with the others."""
