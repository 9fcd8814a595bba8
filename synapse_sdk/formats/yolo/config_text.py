"""The YAML file of a dataset, as it is written."""

import json
import re
from collections.abc import Iterable, Sequence

from synapse_sdk.formats.model import ClassSpec
from synapse_sdk.formats.yolo.tasks import Task

__all__ = ["config_text", "flip_of"]

UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""What YAML has only escaped, besides what JSON escapes as well."""
PLAIN = re.compile(r"(?:train|val|valid|test)(?:/images)?")
KEYS = {"valid": "val"}
"""Of splits, where they are called something else."""
ALL_IMAGES = "images"


def config_text(classes: Sequence[ClassSpec], splits: Iterable[str], task: Task, joints: int) -> str:
    """Return the text of a dataset's YAML file.

    Paths are relative, and there is no `path`: the folder of the file is the root, wherever the dataset is moved.

    Args:
        classes: Its classes.
        splits: Its splits; none if it has none, and trains and validates with all images then.
        task: What it is for.
        joints: How many joints its poses have.
    """
    folders = {KEYS.get(split, split): f"{split}/{ALL_IMAGES}" for split in splits}
    lines = [f"{_plain(key)}: {_plain(path)}" for key, path in folders.items()]
    lines = lines or [f"train: {ALL_IMAGES}", f"val: {ALL_IMAGES}"]
    lines += [f"nc: {len(classes)}", f"names: {_listed(spec.name for spec in classes)}"]
    if task is not Task.DETECT:
        lines.append(f"task: {task}")
    if task is Task.POSE:
        lines += _pose_lines(classes, joints)
    return "\n".join(lines) + "\n"


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
