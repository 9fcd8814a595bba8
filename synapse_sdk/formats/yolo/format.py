"""The YOLO format, as commands know it."""

import os
from pathlib import Path

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.base import DatasetFormat, FormatOptions, Reader, Writer
from synapse_sdk.formats.imagefolder.format import check_images
from synapse_sdk.formats.losses import LossLog
from synapse_sdk.formats.model import DatasetInfo
from synapse_sdk.formats.registry import format_named
from synapse_sdk.formats.yolo.tasks import Task, task_named

__all__ = ["YoloFormat"]


class YoloFormat(DatasetFormat):
    """YOLO as Ultralytics has it: boxes, outlines, poses, rotated boxes and classes of images."""

    name = "yolo"
    title = "YOLO"
    divides = True
    looks_at = frozenset(("task",))

    def find(self, folder: Path) -> str | None:
        """Return what shows that a folder, or a YAML file, is a YOLO dataset."""
        from synapse_sdk.formats.yolo.config import find_yaml  # noqa: PLC0415  # only who reads needs it
        from synapse_sdk.formats.yolo.layout import labels_beside, labels_in, tree_of  # noqa: PLC0415  # as above

        if not folder.is_dir():
            return find_yaml(folder.parent, folder.name) if folder.is_file() else None
        found = find_yaml(folder)
        if found:
            return found
        try:
            labels = labels_in(tree_of(os.fspath(folder), None))
        except InvalidDatasetError:
            return "folders named like tasks"
        return os.path.relpath(labels, folder) if labels else labels_beside(os.fspath(folder))

    def reader(self, folder: Path, options: FormatOptions, losses: LossLog) -> Reader:
        """Return what reads a dataset: a folder, or the YAML file in it.

        Raises:
            InvalidDatasetError: It is no YOLO dataset.
            ConfigurationError: There is no such task.
        """
        from synapse_sdk.formats.yolo.config import find_yaml, read_config  # noqa: PLC0415  # as above
        from synapse_sdk.formats.yolo.layout import tree_of  # noqa: PLC0415  # as above
        from synapse_sdk.formats.yolo.reader import YoloReader  # noqa: PLC0415  # as above

        task = None if options.task is None else task_named(options.task)
        yaml = folder if folder.is_file() else None
        if yaml is None and not folder.is_dir():
            msg = f"There is no dataset {str(folder)!r}"
            raise InvalidDatasetError(msg, fix="Name a folder that is there", path=str(folder))
        root = folder.parent if yaml else folder
        if yaml is None and find_yaml(folder) is None:
            root = Path(tree_of(os.fspath(folder), task))
        if yaml is None and _is_for_classification(root, is_certain=task is Task.CLASSIFY):
            return format_named("imagefolder").reader(root, options, losses)
        config = read_config(root, yaml, losses)
        if config.task is Task.CLASSIFY:
            return format_named("imagefolder").reader(root, options, losses)
        return YoloReader(config, task, options, losses)

    def writer(self, folder: Path, info: DatasetInfo, options: FormatOptions, losses: LossLog) -> Writer:
        """Return what writes a dataset for one task, detection if none is chosen.

        Raises:
            ConfigurationError: There is no such task, or annotations are to reach over the edge of their image.
        """
        from synapse_sdk.formats.yolo.classify import ClassifyWriter  # noqa: PLC0415  # as above
        from synapse_sdk.formats.yolo.writer import YoloWriter  # noqa: PLC0415  # as above

        task = task_named(options.task or Task.DETECT)
        if task is Task.CLASSIFY:
            check_images(options)
            return ClassifyWriter(folder, info, options, losses)
        return YoloWriter(folder, info, task, options, losses)


def _is_for_classification(root: Path, *, is_certain: bool) -> bool:
    """Whether a dataset without any labels has a folder for each class; if that is said, nothing may contradict it."""
    from synapse_sdk.formats.yolo.config import find_yaml  # noqa: PLC0415  # as above
    from synapse_sdk.formats.yolo.layout import image_folder, labels_in  # noqa: PLC0415  # as above

    folder, train = os.fspath(root), root / "train"
    if find_yaml(root) or labels_in(folder) or image_folder(folder) or image_folder(os.fspath(train)):
        return False
    return is_certain or (train.is_dir() and any(each.is_dir() for each in train.iterdir()))
