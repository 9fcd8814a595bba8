"""Looking into JSON that anybody may have written: what is not as it should be is a ValueError that says what it is."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from math import isfinite

import msgspec

from synapse_sdk.types import JsonObject, JsonValue

__all__ = [
    "as_list",
    "as_number",
    "as_object",
    "as_text",
    "derived_id",
    "is_finite",
    "list_if_any",
    "object_if_any",
    "shown",
]

ID_LENGTH = 10
"""Characters of an id, as the annotation editor makes them."""
MOST_SHOWN = 60
"""Characters of a value that a message shows."""
KINDS = {str: "text", bool: "true or false", int: "a number", float: "a number", type(None): "null"}


def as_object(value: JsonValue, what: str) -> JsonObject:
    """Return a value that must be an object."""
    if isinstance(value, Mapping):
        return value
    msg = f"{what} is {shown(value)}, not an object"
    raise ValueError(msg)


def as_list(value: JsonValue, what: str) -> Sequence[JsonValue]:
    """Return a value that must be a list; a tuple is one."""
    if isinstance(value, list | tuple):
        return value
    msg = f"{what} is {shown(value)}, not a list"
    raise ValueError(msg)


def list_if_any(value: JsonValue, what: str) -> Sequence[JsonValue]:
    """Return a value that may be missing, and else must be a list."""
    return () if value is None else as_list(value, what)


def object_if_any(value: JsonValue, what: str) -> JsonObject:
    """Return a value that may be missing, and else must be an object."""
    return {} if value is None else as_object(value, what)


def as_text(value: JsonValue, what: str) -> str:
    """Return a value that must be text."""
    if isinstance(value, str):
        return value
    msg = f"{what} is {shown(value)}, not text"
    raise ValueError(msg)


def as_number(value: JsonValue, what: str) -> float:
    """Return a value that must be a finite number; whole numbers stay whole."""
    if isinstance(value, int | float) and not isinstance(value, bool) and is_finite(value):
        return value
    msg = f"{what} is {shown(value)}, not a finite number"
    raise ValueError(msg)


def is_finite(value: float) -> bool:
    """Whether a number is one that a float can be; whole numbers may have any number of digits."""
    try:
        return isfinite(value)
    except OverflowError:
        return False


def shown(value: JsonValue) -> str:
    """Return how a message shows a value: what it is, and its beginning.

    Example:
        >>> shown(None), shown([1, 2])
        ('null', 'a list ([1, 2])')
    """
    if value is None:
        return "null"
    text = repr(value)
    kind = KINDS.get(type(value), "an object" if isinstance(value, Mapping) else "a list")
    return f"{kind} ({text if len(text) <= MOST_SHOWN else f'{text[:MOST_SHOWN]}...'})"


def derived_id(*parts: JsonValue) -> str:
    """Return an id that is made of content: the same for the same, in every run.

    Example:
        >>> len(derived_id("image_1", 0)), derived_id("image_1", 0) == derived_id("image_1", 0)
        (10, True)
    """
    content = msgspec.json.encode(parts, order="deterministic")
    digest = hashlib.blake2b(content, digest_size=ID_LENGTH).digest()
    return base64.urlsafe_b64encode(digest)[:ID_LENGTH].decode()
