"""Writes the handwritten digits of scikit-learn as images in folders: `python write_digits.py digits`.

They are 1,797 images of 8 x 8 pixels, from the UCI repository (Alpaydin and Kaynak, 1998). Every fifth is held out for
the split `test`.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits  # type: ignore[import-untyped]  # has no types

__all__ = ["write_digits"]

WHITEST = 16
"""The greatest value of a pixel in the data set."""
HELD_OUT = 5


def write_digits(folder: Path, most: int | None = None) -> int:
    """Write all images, or the first ones, and return how many there are."""
    digits = load_digits()
    images, labels = digits.images[:most], digits.target[:most]
    for number, (pixels, label) in enumerate(zip(images, labels, strict=True)):
        split = "test" if number % HELD_OUT == 0 else "train"
        path = folder / split / str(label) / f"{number:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.rint(pixels * (255 / WHITEST)).astype(np.uint8)).save(path)
    return len(labels)


if __name__ == "__main__":
    sys.stdout.write(f"{write_digits(Path(sys.argv[1]))} images\n")
