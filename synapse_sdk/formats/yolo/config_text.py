"""The YAML file of a dataset, as it is written."""

import json
import re
from collections.abc import Iterable, Sequence

from synapse_sdk.formats.model import ClassSpec
from synapse_sdk.formats.yolo.tasks import Task

__all__ = ["config_text", "flip_of", "stand_ins"]

UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""What YAML has only escaped, besides what JSON escapes as well."""
PLAIN = re.compile(r"images|(?:train|val|valid|test)(?:/images)?")
KEYS = {"valid": "val"}
"""Of splits, where they are called something else."""
ALL_IMAGES = "images"
NEEDED = ("train", "val")
"""Keys without which trainers take no dataset: `check_det_dataset` of ultralytics raises."""


def config_text(classes: Sequence[ClassSpec], splits: Sequence[str], task: Task, joints: int) -> str:
    """Return the text of a dataset's YAML file.

    Paths are relative, and there is no `path`: the folder of the file is the root, wherever the dataset is moved.

    Args:
        classes: Its classes.
        splits: Its splits, in their order; see `stand_ins` for those that are missing.
        task: What it is for.
        joints: How many joints its poses have.
    """
    folders = {**dict.fromkeys(NEEDED, ""), **stand_ins(splits), **_folders(splits)}
    lines = [f"{_plain(key)}: {_plain(path)}" for key, path in folders.items()]
    lines += [f"nc: {len(classes)}", f"names: {_listed(spec.name for spec in classes)}"]
    if task is not Task.DETECT:
        lines.append(f"task: {task}")
    if task is Task.POSE:
        lines += _pose_lines(classes, joints)
    return "\n".join(lines) + "\n"


def stand_ins(splits: Iterable[str]) -> dict[str, str]:
    """Return the folder of images that stands in for each split which trainers insist on, and which is not there.

    It is that of the first split that there is; a dataset without splits trains and validates with all images.

    Example:
        >>> stand_ins(["train", "test"]), stand_ins(["train", "valid"])
        ({'val': 'train/images'}, {})
    """
    folders = _folders(splits)
    first = next(iter(folders.values()), ALL_IMAGES)
    return {key: first for key in NEEDED if key not in folders}


def _folders(splits: Iterable[str]) -> dict[str, str]:
    return {KEYS.get(split, split): f"{split}/{ALL_IMAGES}" for split in splits}


def _pose_lines(classes: Sequence[ClassSpec], joints: int) -> list[str]:
    lines = [f"kpt_shape: [{joints}, 3]"]
    flip = flip_of(classes, joints)
    if flip:
        lines.append(f"flip_idx: {[*flip]}")
    if any(spec.joints for spec in classes):
        lines.append("kpt_names:")
        lines += [f"  {index}: {_listed(spec.joints)}" for index, spec in enumerate(classes) if spec.joints]
    if any(spec.skeleton for spec in classes):
        lines.append("kpt_skeleton:")
        lines += [
            f"  {index}: {[[*pair] for pair in spec.skeleton]}" for index, spec in enumerate(classes) if spec.skeleton
        ]
    return lines


def flip_of(classes: Iterable[ClassSpec], joints: int) -> tuple[int, ...]:
    """Return the mirror image of every joint; nothing if classes differ in it, as all must share one."""
    found = {spec.flip for spec in classes if len(spec.flip) == joints}
    others = {spec.flip for spec in classes if spec.flip} - found
    flip = found.pop() if len(found) == 1 else ()
    return flip if all(flip[: len(other)] == other for other in others) else ()


def _listed(names: Iterable[str]) -> str:
    return f"[{', '.join(map(_quoted, names))}]"


def _quoted(text: str) -> str:
    """Return a text so that every reader of YAML takes it for this text, and for nothing else."""
    return UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


def _plain(text: str) -> str:
    """Return a key or path, quoted if it needs to be."""
    return text if PLAIN.fullmatch(text) else _quoted(text)
