"""Files of a target that must not be there yet: which names are taken, the file system knows."""

import os
from pathlib import Path

__all__ = ["NewFiles"]

NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class NewFiles:
    """Opens new files below a folder, and makes the folders that they are in.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = os.fspath(root)
        self._made: set[str] = set()

    def add_folder(self, name: str) -> None:
        """Make a folder, unless it is there.

        Args:
            name: Its name below the root, with slashes.

        Raises:
            NotADirectoryError: There is a file in its place.
        """
        if name in self._made:
            return
        try:
            os.makedirs(f"{self._root}/{name}", exist_ok=True)  # noqa: PTH103  # text is what we have, once an item
        except FileExistsError as error:
            raise NotADirectoryError(*error.args) from error
        self._made.add(name)

    def open(self, name: str) -> int:
        """Open a file for writing, and return its descriptor.

        Args:
            name: Its name below the root, with slashes.

        Raises:
            FileExistsError: It is there already, or a folder in its place.
            NotADirectoryError: There is a file in the place of its folder.
            OSError: The system does not take the name, or cannot write.
        """
        self.add_folder(name.rpartition("/")[0])
        return os.open(f"{self._root}/{name}", NEW_FILE, 0o666)
