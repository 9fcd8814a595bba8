"""Names of exported files: safe anywhere, unique, and the same for an item's document and its file."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from pathlib import PurePosixPath

from synapse_sdk.plugins.actions.export.ledger import Ledger
from synapse_sdk.plugins.actions.export.records import DOCUMENTS, ORIGINALS, OTHERS, Rename, writable
from synapse_sdk.plugins.actions.names import CONTROLS

__all__ = ["LONGEST", "Namer", "fit", "folded", "safe_name"]

LONGEST = 255
"""Bytes that a name may have on the file systems there are."""
LONGEST_EXTENSION = 100
"""Bytes up to which what comes behind the last dot is kept whole when a name has to be cut."""
DOCUMENT = ".json"
HALVES = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"""Halves of characters, but those by which Python shows bytes that are no text."""
HIDDEN = ".synapse-"
"""What no exported name begins with: unfinished files do."""


def safe_name(name: str) -> str:
    r"""Return the last part of a path as the name of a file that stays where it is put.

    Example:
        >>> safe_name("2024/cat.jpg"), safe_name("../../etc/passwd"), safe_name("a\nb.jpg"), safe_name("..")
        ('cat.jpg', 'passwd', 'a_b.jpg', 'unnamed')
    """
    name = HALVES.sub("\ufffd", name).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    name = CONTROLS.sub("_", name.rstrip("/").rpartition("/")[2])
    if name.startswith(HIDDEN):
        name = f"_{name}"
    return "unnamed" if name in {"", ".", ".."} else name


def fit(stem: str, extension: str) -> str:
    """Return stem and extension as a name of at most 255 bytes; what is cut off is told apart by a digest.

    Example:
        >>> fit("cat", ".jpg"), len(fit("x" * 300, ".jpg"))
        ('cat.jpg', 255)
    """
    whole = stem + extension
    if len(whole.encode()) <= LONGEST:
        return whole
    if len(extension.encode()) > LONGEST_EXTENSION:
        stem, extension = whole, ""
    mark = f"~{hashlib.sha256(stem.encode()).hexdigest()[:8]}{extension}"
    return stem.encode()[: LONGEST - len(mark.encode())].decode("utf-8", "ignore") + mark


def folded(name: str) -> str:
    """Return a name as file systems compare names that tell neither case nor Unicode forms apart."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


class Namer:
    """Finds names for items, in their order, so that the same items always get the same names.

    Names differ even where upper and lower case, or the composed and decomposed form of a letter (NFC and NFD), are
    the same to a file system. Of two items with one name the second one's get `__ID` at the end of the stem.

    Args:
        ledger: Remembers which names are taken.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.renames: list[Rename] = []
        """What could not keep its name, since the last time that this was emptied."""

    def name(self, number: int, identity: int, wanted: str | None) -> tuple[str, str | None]:
        """Return the names of an item's document and of its primary file.

        Args:
            number: The item's place in the export.
            identity: Its id.
            wanted: What its primary file was called; None if it has none.
        """
        safe = str(identity) if wanted is None else safe_name(wanted)
        path = PurePosixPath(safe)
        stem, extension = (path.stem, path.suffix) if wanted is not None else (safe, "")
        for candidate in _candidates(stem, identity):
            document = fit(candidate, DOCUMENT)
            if not self._ledger.claim(DOCUMENTS, folded(document)):
                continue
            file = None if wanted is None else fit(candidate, extension)
            if file is None or self._ledger.claim(ORIGINALS, folded(file)):
                break
        if document != stem + DOCUMENT:
            self.renames.append(Rename(number, f"{DOCUMENTS}/{stem}{DOCUMENT}", f"{DOCUMENTS}/{document}"))
        if file is not None and wanted is not None and file != (last := wanted.rpartition("/")[2]):
            self.renames.append(Rename(number, f"{ORIGINALS}/{writable(last)}", f"{ORIGINALS}/{file}"))
        return document, file

    def beside(self, number: int, identity: int, specification: str, wanted: str) -> str:
        """Return the path of a file that an item has besides its primary one: in the folder of its specification."""
        folder = f"{OTHERS}/{fit(safe_name(specification), '')}"
        path, last = PurePosixPath(safe_name(wanted)), wanted.rpartition("/")[2]
        names = (fit(candidate, path.suffix) for candidate in _candidates(path.stem, identity))
        given = next(name for name in names if self._ledger.claim(folded(folder), folded(name)))
        if given != last:
            self.renames.append(Rename(number, f"{folder}/{writable(last)}", f"{folder}/{given}"))
        return f"{folder}/{given}"


def _candidates(stem: str, identity: int) -> Iterator[str]:
    """Yield stems to try: the one that is wanted, then with the item's id, then with a counter as well."""
    yield stem
    yield f"{stem}__{identity}"
    number = 1
    while True:
        number += 1
        yield f"{stem}__{identity}_{number}"
