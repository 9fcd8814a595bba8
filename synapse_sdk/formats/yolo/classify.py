"""Writes datasets for classification: image folders, as trainers read them."""

from itertools import count
from pathlib import Path

from synapse_sdk.formats.base import FormatOptions
from synapse_sdk.formats.imagefolder.writer import ImageFolderWriter
from synapse_sdk.formats.losses import LossLog
from synapse_sdk.formats.model import DatasetInfo

__all__ = ["ClassifyWriter"]


class ClassifyWriter(ImageFolderWriter):
    """Writes image folders whose classes are one folder deep.

    Trainers take the first folder for the class: of `animals/cat` and `animals/dog` they would make one class. So a
    slash in the name of a class becomes `_`, and that is reported.

    Args:
        folder: Where to write.
        info: Classes and splits.
        options: What was chosen.
        losses: Takes down what cannot be written, or not as it is.
    """

    def __init__(self, folder: Path, info: DatasetInfo, options: FormatOptions, losses: LossLog) -> None:
        self._flat = {spec.name: spec.name for spec in info.classes if "/" not in spec.name}
        super().__init__(folder, info, options, losses)

    def name_of(self, label: str) -> str:
        """Return the name of a class without slashes; a number behind it tells it from another of this name."""
        flat = self._flat.get(label)
        if flat is None:
            plain, taken = label.replace("/", "_"), {*self._flat.values()}
            names = (plain if number == 1 else f"{plain}_{number}" for number in count(1))
            flat = self._flat[label] = next(name for name in names if name not in taken)
        return flat
