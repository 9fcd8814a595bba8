"""Which names of members are safe, and which of them can lie side by side."""

import re
from unicodedata import normalize

from synapse_sdk.documents.archives.limits import refusal

__all__ = ["Names"]

MOST_BYTES_OF_A_PART = 255
MOST_BYTES = 3_000
"""Systems take paths of about 4,000 bytes, and the target folder has a path, too."""
PROBLEMS = (
    (re.compile(r"[\ud800-\udfff]"), "its name is not UTF-8"),
    (re.compile(r"[\x00-\x1f\x7f]"), "its name holds a control character"),
    (re.compile(r"\\"), "its name holds a backslash"),
    (re.compile(r"\A/|\A[A-Za-z]:"), "its name is absolute"),
    (re.compile(r"(?:\A|/)\.\.(?:/|\Z)"), "its name leads out of the folder"),
)
"""What no name may match, and what is wrong then."""
FIX = "Do not trust the archive; if you do, pack it anew with other names"


class Names:
    """The names of an archive's members so far.

    Args:
        archive: Path of the archive, for errors.
    """

    def __init__(self, archive: str) -> None:
        self._archive = archive
        self._files: dict[str, str] = {}
        self._folders: dict[str, str] = {}

    def add(self, name: str, *, is_folder: bool) -> str:
        """Return the safe path for a member's name; empty for the root folder itself.

        Raises:
            UnsafeArchiveError: The name leaves the target folder, cannot be used, or collides with an earlier one.
        """
        why = _problem(name)
        if why is not None:
            raise refusal(self._archive, why, FIX, member=name)
        parts = [part for part in name.split("/") if part not in {"", "."}]
        if not parts and not is_folder:
            raise refusal(self._archive, "it has no name", FIX, member=name)
        for end in range(1, len(parts)):
            self._claim("/".join(parts[:end]), name, is_folder=True)
        path = "/".join(parts)
        if path:
            self._claim(path, name, is_folder=is_folder)
        return path

    def _claim(self, path: str, name: str, *, is_folder: bool) -> None:
        """Note that a path is used, and refuse one that is another one on some file system."""
        key = normalize("NFC", normalize("NFC", path).casefold())
        file, folder = self._files.get(key), self._folders.get(key)
        other = file if file is not None else folder
        if other is None:
            (self._folders if is_folder else self._files)[key] = path
        elif file is not None and is_folder:
            raise refusal(
                self._archive, f"{other!r} is a file already, and would have to be a folder", FIX, member=name
            )
        elif not is_folder and folder is not None:
            raise refusal(self._archive, f"{other!r} is a folder already", FIX, member=name)
        elif other != path:
            why = f"{other!r} is there, too, and differs only by case or Unicode form"
            raise refusal(self._archive, why, FIX, member=name)
        elif not is_folder:
            raise refusal(self._archive, "it is there twice", FIX, member=name)


def _problem(name: str) -> str | None:
    """Say what is wrong with a name by itself."""
    for pattern, why in PROBLEMS:
        if pattern.search(name):
            return why
    if len(name.encode()) > MOST_BYTES or any(len(part.encode()) > MOST_BYTES_OF_A_PART for part in name.split("/")):
        return f"its name is too long: a part may have {MOST_BYTES_OF_A_PART} bytes, all of it {MOST_BYTES:,}"
    return None
