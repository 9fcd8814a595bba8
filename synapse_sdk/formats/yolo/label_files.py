"""Label files: where that of an image is, which there are, and what is in them."""

import os
from array import array
from collections.abc import Iterable, Iterator

from synapse_sdk.formats.images import is_regular
from synapse_sdk.formats.name_lists import NameList
from synapse_sdk.formats.yolo.layout import IMAGE_FOLDERS

__all__ = ["LABELS", "LABEL_SUFFIX", "LabelFiles", "LabelPaths", "read_rows"]

LABELS = "labels"
LABEL_SUFFIX = ".txt"
LEVELS = tuple(f"/{name}/" for name in IMAGE_FOLDERS)
NO_LABELS = frozenset(("classes.txt",))
"""Text files beside label files that are none."""
MOST_BYTES = 16 * 1024 * 1024
"""Size of a label file: far more than anybody needs."""
CHUNK = 64 * 1024
NOBODY = -1
"""Who owns label files that no image has taken."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class LabelPaths:
    """Finds the label file of an image.

    As trainers have it: the last folder `images` of its path is `labels` there. Beside the image if there is no such
    folder. Folders above the dataset do not count.

    Args:
        root: The dataset.

    Example:
        >>> LabelPaths("/data/images").of("/data/images/images/train/a.b.jpg")
        '/data/images/labels/train/a.b.txt'
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self._known: dict[str, str] = {}

    def of(self, image: str) -> str:
        """Return the path of the label file of an image."""
        folder, _, name = image.rpartition("/")
        labels = self._known.get(folder)
        if labels is None:
            labels = self._known[folder] = self.folder_of(folder)
        return f"{labels}/{name.rpartition('.')[0] or name}{LABEL_SUFFIX}"

    def folder_of(self, folder: str) -> str:
        """Return the folder of the label files of the images in a folder."""
        path = f"{folder}/"
        start = len(self.root) if path.startswith(f"{self.root}/") else 0
        for level in LEVELS:
            at = path.rfind(level, start)
            if at >= 0:
                return f"{path[:at]}/{LABELS}/{path[at + len(level) :]}".rstrip("/")
        return folder


class LabelFiles:
    """The label files that belong to a split; finds out which image has which, and which are left over.

    Args:
        paths: Finds the label file of an image.
        folders: Folders of images, whose label files all belong to the split.
        images: Paths of the images.
    """

    def __init__(self, paths: LabelPaths, folders: Iterable[str], images: Iterable[str]) -> None:
        self._root = paths.root
        self._odd: set[str] = set()
        seen = _folders_below(map(paths.folder_of, folders))
        self._others = {paths.folder_of(folder) for folder in {image.rpartition("/")[0] for image in images}} - seen
        found = (path for folder in (*seen, *self._others) for path in self._list(folder))
        self._above = f"{self._root}/"
        self._names = NameList.in_order(path.removeprefix(self._above) for path in found)
        self._owners = array("i", (NOBODY,)) * len(self._names)

    def take(self, path: str, image: int) -> int | None:
        """Return whose labels a label file is: of this image, unless another has taken it; None if it is not there.

        Args:
            path: The label file.
            image: The number of the image, from 0.
        """
        number = self._names.find(path.removeprefix(self._above))
        if number < 0:
            return None
        if self._owners[number] == NOBODY:
            self._owners[number] = image
        return self._owners[number]

    def is_regular(self, path: str) -> bool:
        """Whether a label file is a file, and not a folder, pipe or broken link."""
        return path not in self._odd

    def left(self) -> list[str]:
        """Return the label files that no image has taken, sorted."""
        names = (self._names[number] for number, owner in enumerate(self._owners) if owner == NOBODY)
        paths = sorted(name if name.startswith("/") else self._above + name for name in names)
        return [path for path in paths if self._is_label(path)]

    def _is_label(self, path: str) -> bool:
        """Whether a left file is about an image that is missing: other text files may be beside images."""
        folder, _, name = path.rpartition("/")
        if folder in self._others or name in NO_LABELS:
            return False
        if f"/{LABELS}/" in path[len(self._root) :]:
            return True
        first = next(filter(None, read_rows(path) or ()), [b"?"])[0]
        return first.replace(b".", b"").isdigit()

    def _list(self, folder: str) -> Iterator[str]:
        """Yield the paths of the label files in a folder."""
        try:
            entries = os.scandir(folder)
        except (FileNotFoundError, NotADirectoryError):
            return
        with entries:
            for entry in entries:
                if not entry.name.endswith(LABEL_SUFFIX) or entry.name.startswith("."):
                    continue
                if not is_regular(entry):
                    self._odd.add(entry.path)
                yield entry.path


def _folders_below(folders: Iterable[str]) -> set[str]:
    """Return folders and all below them; links are not followed."""
    seen: set[str] = set()
    left = [*folders]
    while left:
        folder = left.pop()
        if folder in seen:
            continue
        seen.add(folder)
        try:
            with os.scandir(folder) as entries:
                left += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        except (FileNotFoundError, NotADirectoryError):
            continue
    return seen


def read_rows(path: str) -> list[list[bytes]] | None:
    """Return the words of each line of a label file; None if it is larger than any label file.

    Raises:
        OSError: It cannot be read.
    """
    # A pipe that somebody put there must not make us wait.
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        data = chunk = os.read(file, CHUNK)
        while len(chunk) == CHUNK and len(data) <= MOST_BYTES:
            chunk = os.read(file, CHUNK)
            data += chunk
    finally:
        os.close(file)
    if len(data) > MOST_BYTES:
        return None
    data = data.removeprefix(BYTE_ORDER_MARK)
    if b"_" in data:
        # Python reads 1_0 as ten; nobody else does.
        data = data.replace(b"_", b"?")
    return [line.split() for line in data.splitlines()]
