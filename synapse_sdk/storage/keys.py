"""Keys of objects: which text may be one, and what a storage can hold."""

from dataclasses import dataclass

from synapse_sdk.errors import InvalidKeyError
from synapse_sdk.storage.unfinished import TEMPORARY

__all__ = ["KeyRules"]

SHORT = 255
"""Bytes that every storage takes in a part and in a key."""
NEVER = frozenset({"", ".", ".."})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRules:
    """Which keys a storage can hold, besides what holds for all of them.

    Every key consists of parts between slashes, none of which is empty, `.` or `..`, so that it cannot leave the
    storage's root; and none contains NUL. Names are data: all else is kept as it is, without any normalisation.
    """

    part_bytes: int | None = None
    """Bytes that a part may have in UTF-8; None: any number."""
    key_bytes: int | None = None
    """Bytes that a whole key may have in UTF-8, with what the storage puts before it; None: any number."""
    controls: bool = True
    """Whether ASCII control characters, such as a newline, can be held."""
    raw_bytes: bool = False
    """Whether names that are not valid UTF-8 can be held, as `os.fsdecode` returns them."""
    final_dot: bool = True
    """Whether a part may end with a dot."""
    backslash: bool = True
    """Whether a backslash can be held, rather than being taken for a slash."""
    temporary: bool = False
    """Whether parts that begin as those of unfinished files do are refused."""

    def check(self, key: str, before: str = "") -> list[str]:
        """Return the parts of a key.

        Args:
            key: Any text.
            before: What the storage puts before each key.

        Raises:
            InvalidKeyError: It cannot be a key here.
        """
        parts = key.split("/")
        if len(before) + len(key) <= SHORT and key.isascii() and key.isprintable() and self._is_plain(key, parts):
            return parts
        why = next((why for part in parts if (why := self._wrong(part)) is not None), None)
        if why is None and self.key_bytes is not None and len(_encoded(before + key)) > self.key_bytes:
            why = f"It is longer than {self.key_bytes} bytes"
        if why is not None:
            msg = f"The key {key!r} cannot be used here"
            raise InvalidKeyError(msg, why=why, fix="Give the object another key", key=key)
        return parts

    def _is_plain(self, key: str, parts: list[str]) -> bool:
        """Whether nothing can be wrong with a short key of printable ASCII; most are so, and this is quick."""
        return self.final_dot and self.backslash and NEVER.isdisjoint(parts) and TEMPORARY not in key

    def _wrong(self, part: str) -> str | None:
        """Return what is wrong with a part of a key; None if nothing is."""
        if part in NEVER:
            return f"A part of it is {part!r}" if part else "A part of it is empty"
        if "\0" in part:
            return "It contains NUL"
        if not self.raw_bytes and not _is_unicode(part):
            return "It contains a surrogate, which is not a character"
        if not self.controls and any(each < " " or each == "\x7f" for each in part):
            return "It contains a control character"
        if not self.backslash and "\\" in part:
            return "It contains a backslash"
        return self._wrong_name(part)

    def _wrong_name(self, part: str) -> str | None:
        """Return what is wrong with a part as the name of a file."""
        if not self.final_dot and part.endswith("."):
            return "A part of it ends with a dot"
        if self.raw_bytes and not _is_unicode(part, "surrogateescape"):
            return "It contains a surrogate that stands for no byte"
        if self.part_bytes is not None and len(_encoded(part)) > self.part_bytes:
            return f"A part of it is longer than {self.part_bytes} bytes"
        if self.temporary and part.startswith(TEMPORARY):
            return f"Names that begin with {TEMPORARY!r} are those of unfinished files"
        return None


def _is_unicode(text: str, errors: str = "strict") -> bool:
    """Whether a text can be encoded."""
    if text.isascii():
        return True
    try:
        text.encode("utf-8", errors)
    except UnicodeEncodeError:
        return False
    return True


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
