"""Copies the held-out images of a dataset, named after what they show: `python hold_out.py digits held_out`."""

import shutil
import sys
from pathlib import Path

__all__ = ["hold_out"]


def hold_out(dataset: Path, folder: Path) -> int:
    """Copy `test/3/0045.png` of a dataset to `images/3-0045.png`, and so on; return how many there are."""
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    paths = sorted((dataset / "test").glob("*/*.png"))
    for path in paths:
        shutil.copyfile(path, images / f"{path.parent.name}-{path.name}")
    return len(paths)


if __name__ == "__main__":
    sys.stdout.write(f"{hold_out(Path(sys.argv[1]), Path(sys.argv[2]))} images\n")
