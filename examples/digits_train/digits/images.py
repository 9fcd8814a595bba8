"""Reading images in folders that are named after what they show."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["Images", "read_images"]


@dataclass(frozen=True)
class Images:
    """Images and what they show."""

    classes: tuple[str, ...]
    pixels: NDArray[np.float32]
    """A row for each image, from 0.0 to 1.0."""
    labels: NDArray[np.int64]
    """The number of its class."""
    side: int
    """Width and height in pixels; larger images are made smaller."""


def read_images(folder: Path, *, side: int, classes: tuple[str, ...] | None = None) -> Images:
    """Read all images of a split: a folder of PNG files for each class.

    Args:
        folder: The split.
        side: Width and height in pixels that all images get.
        classes: The classes in their order; by default the names of the folders, sorted.

    Raises:
        ValueError: There are no images, or those of an unknown class.
    """
    found = tuple(sorted(path.name for path in folder.iterdir() if path.is_dir())) if folder.is_dir() else ()
    classes = found if classes is None else classes
    if unknown := set(found) - set(classes):
        msg = f"{folder} has images of classes that the training has not seen: {', '.join(sorted(unknown))}"
        raise ValueError(msg)
    paths = [(path, number) for number, name in enumerate(classes) for path in sorted((folder / name).glob("*.png"))]
    if not paths:
        msg = f"There are no PNG files below {folder}; name a dataset of images in folders, with splits train and test"
        raise ValueError(msg)
    pixels = np.stack([_pixels(path, side) for path, _ in paths])
    return Images(classes, pixels, np.array([number for _, number in paths], dtype=np.int64), side)


def _pixels(path: Path, side: int) -> NDArray[np.float32]:
    with Image.open(path) as image:
        grey = image.convert("L")
        small = grey if grey.size == (side, side) else grey.resize((side, side))
        return np.asarray(small, dtype=np.float32).reshape(-1) / np.float32(255)
