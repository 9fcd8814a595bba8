"""Which task a dataset is for, decided from what it says and from whole label files, never from one row."""

from collections.abc import Iterable
from dataclasses import dataclass

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.yolo.config import Config
from synapse_sdk.formats.yolo.tasks import Task

__all__ = ["BOX_WORDS", "MOST_SAMPLES", "OBB_WORDS", "Grammar", "decide_grammar"]

BOX_WORDS = 5
"""Words of a row with a box: the class, centre, width and height."""
OBB_WORDS = 9
"""The class and four corners."""
TRIPLE, PAIR = 3, 2
"""Numbers of a joint, with visibility or without."""
MOST_SAMPLES = 50
"""Label files that are looked at."""
VISIBILITIES = frozenset((0.0, 1.0, 2.0))


@dataclass(frozen=True, slots=True)
class Grammar:
    """What rows of a dataset mean."""

    task: Task
    is_declared: bool = True
    """Whether somebody said so; otherwise each file may be of boxes or of outlines."""
    joints: int = 0
    dimensions: int = 0
    """Numbers of a joint: 2 or 3."""


def decide_grammar(config: Config, task: Task | None, samples: Iterable[list[list[bytes]]]) -> Grammar:
    """Return what rows of a dataset mean.

    What the dataset says itself counts most: in a conversion from YOLO to YOLO, a chosen task is that of the target.
    It is a hint about datasets that do not say what they are.

    Args:
        config: What the dataset says about itself.
        task: The task that was chosen, if any.
        samples: The rows of some label files; looked at only if the dataset does not say everything.

    Raises:
        InvalidDatasetError: They are, or look like, poses, and nothing says how many joints they have.
    """
    declared = config.task or (Task.POSE if config.joints else None)
    if declared is Task.POSE and config.joints:
        return Grammar(declared, joints=config.joints, dimensions=config.dimensions)
    if declared not in {None, Task.POSE, Task.CLASSIFY}:
        return Grammar(declared)
    rows = [row for sample in samples for row in sample if row]
    lengths = {len(row) for row in rows}
    if Task.POSE in {declared, task} and (declared or lengths - {BOX_WORDS}):
        joints, dimensions = _joints(config, rows)
        return Grammar(Task.POSE, joints=joints, dimensions=dimensions)
    if task is Task.OBB and lengths <= {OBB_WORDS, BOX_WORDS}:
        # Where there are boxes alone, rotated ones are what is to be written.
        return Grammar(task, is_declared=OBB_WORDS in lengths)
    shape = _shape(rows, (TRIPLE,))
    if shape is not None and task is not Task.SEGMENT:
        msg = f"Dataset {config.root!r} looks like one of poses with {shape[0]} joints, and does not say so"
        fix = f"Add 'kpt_shape: [{shape[0]}, {shape[1]}]' to its YAML file, or say --task segment if it has outlines"
        raise InvalidDatasetError(msg, fix=fix, path=config.origin)
    return Grammar(Task.DETECT if lengths <= {BOX_WORDS} else Task.SEGMENT, is_declared=False)


def _joints(config: Config, rows: list[list[bytes]]) -> tuple[int, int]:
    """Return the shape of poses of which only rows tell it."""
    shape = _shape(rows, (TRIPLE, PAIR)) if rows else (0, TRIPLE)
    if shape is None:
        msg = f"Dataset {config.root!r} does not say how many joints its poses have"
        raise InvalidDatasetError(msg, fix="Add 'kpt_shape: [joints, 2 or 3]' to its YAML file", path=config.origin)
    return shape


def _shape(rows: list[list[bytes]], dimensions: tuple[int, ...]) -> tuple[int, int] | None:
    """Return how many joints of how many numbers all rows have, if they can have joints at all."""
    lengths = {len(row) for row in rows}
    if len(lengths) != 1 or (rest := lengths.pop() - BOX_WORDS) <= 0:
        return None
    for each in dimensions:
        if rest % each == 0 and (each == PAIR or all(map(_has_visibilities, rows))):
            return rest // each, each
    return None


def _has_visibilities(row: list[bytes]) -> bool:
    """Whether every third number behind the box says whether a joint can be seen."""
    try:
        return VISIBILITIES.issuperset(map(float, row[BOX_WORDS + PAIR :: TRIPLE]))
    except ValueError:
        return False
