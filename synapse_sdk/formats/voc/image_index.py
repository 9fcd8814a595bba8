"""Which image an XML file is about."""

import os
import re
from collections.abc import Mapping

from synapse_sdk.formats.images import IMAGE_SUFFIXES

__all__ = ["ImageIndex", "stem_of"]

SLASHES = re.compile(r"[/\\]")


class ImageIndex:
    """The images of one folder, and which of them are spoken for.

    Args:
        paths: Where the image of each name is, in the order of names.
    """

    def __init__(self, paths: Mapping[str, str]) -> None:
        self._paths = paths
        self._taken: set[str] = set()
        self._of_stems: dict[str, list[str]] | None = None

    def find(self, stem: str, file_name: str) -> list[str]:
        """Return the names of the images that an XML file may be about: one if all is well.

        That is the image with the file name that the XML says, in the folder that its own place says, else the image
        with the name of the XML.

        Args:
            stem: The name of the XML file without suffix.
            file_name: What it says.
        """
        place, slash, _ = stem.rpartition("/")
        place += slash
        if file_name:
            candidates = [place + file_name, file_name]
            parts = SLASHES.split(file_name)
            if len(parts) > 1:  # some tools write whole paths
                candidates = [file_name, place + file_name, place + parts[-1]]
            for name in candidates:
                if name in self._paths and name not in self._taken:
                    return [name]
            if found := self.named(stem_of(place + parts[-1])):
                return found
        return self.named(stem)

    def named(self, stem: str) -> list[str]:
        """Return the images of a name without suffix that are not taken."""
        if self._of_stems is None:
            self._of_stems = {}
            for name in self._paths:
                self._of_stems.setdefault(stem_of(name), []).append(name)
        return [name for name in self._of_stems.get(stem, ()) if name not in self._taken]

    def take(self, name: str) -> bool:
        """Note that an image is spoken for; return whether it was not before."""
        if name in self._taken:
            return False
        self._taken.add(name)
        return True

    def path(self, name: str) -> str:
        """Return where an image is; empty if it is not there."""
        return self._paths.get(name, "")

    def left(self) -> list[str]:
        """Return the images that nothing spoke for, sorted."""
        return [name for name in self._paths if name not in self._taken]


def stem_of(name: str) -> str:
    """Return a name without its suffix, if that is one of images; `scan.v1` has none.

    Example:
        >>> stem_of("park/scan.v1.JPG"), stem_of("scan.v1")
        ('park/scan.v1', 'scan.v1')
    """
    root, suffix = os.path.splitext(name)  # noqa: PTH122  # a name, with slashes
    return root if suffix.lower() in IMAGE_SUFFIXES else name
