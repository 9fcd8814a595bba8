"""Reads a COCO dataset, and prints how many items and annotations it has, and the most private memory that took."""

import sys
from pathlib import Path

from synapse_sdk.formats.base import FormatOptions
from synapse_sdk.formats.coco import CocoFormat
from synapse_sdk.formats.losses import LossLog


def private_bytes() -> int:
    """Return the memory of this process that no file can be read for again."""
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Anonymous:"))


def main(folder: Path) -> None:
    """Read a dataset."""
    reader = CocoFormat().reader(folder, FormatOptions(), LossLog())
    _ = reader.info
    most, items, annotations = private_bytes(), 0, 0
    for item in reader.items():
        if items % 1000 == 0:
            most = max(most, private_bytes())
        items += 1
        annotations += len(item.annotations)
    print(items, annotations, most)  # noqa: T201  # what it is for


main(Path(sys.argv[1]))
