"""Categories of COCO files: read into the classes of a dataset, and written from them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
from msgspec import Raw, Struct

from synapse_sdk.formats.coco.document import BAD_JSON, Document
from synapse_sdk.formats.coco.reasons import CATEGORIES
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.model import ClassSpec

__all__ = ["Classes", "WrittenCategory", "flip_of", "written_category"]

SIDE = re.compile(r"(?<![a-z])(?:left|right)(?![a-z])|(?<![a-z])[lr](?=[_\- .])", re.IGNORECASE)
"""What tells the joints of the two sides apart: `left_eye`, `Right hip`, `l_knee`."""
OTHER_SIDE = {"left": "right", "right": "left", "l": "r", "r": "l"}


class _Category(Struct, gc=False):
    """A category, as COCO has it."""

    id: int
    name: str | int
    supercategory: str | None = None
    keypoints: list[str] | None = None
    skeleton: list[list[int]] | None = None
    """Pairs of joints, counted from 1."""


_decode = msgspec.json.Decoder(_Category, strict=False).decode  # ids may be `1.0` or `"1"`, as in `records.WHOLE`


@dataclass(slots=True)
class _Named:
    """What all files say about the class of one name."""

    lowest: int
    order: int
    supercategory: str = ""
    joints: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = field(default=())


class Classes:
    """Collects the categories of all files of a dataset. One name is one class, whatever its ids.

    Args:
        losses: Takes down contradictions.
    """

    def __init__(self, losses: LossLog) -> None:
        self._losses = losses
        self._named: dict[str, _Named] = {}

    def add(self, document: Document) -> dict[int, str]:
        """Take in the categories of a file, and return the name behind each id in it."""
        labels: dict[int, str] = {}
        for number, raw in enumerate(document.categories):
            where = f"{document.name}:categories[{number}]"
            category = self._read(raw, where)
            if category is None:
                continue
            name = str(category.name)
            if category.id in labels:
                self._tell(where, f"id {category.id} is {labels[category.id]!r} already, and {name!r} is left out")
                continue
            if name in labels.values():
                self._tell(where, f"{name!r} is there twice, and taken for one class")
            labels[category.id] = name
            self._add(name, category, where)
        return labels

    def specs(self) -> tuple[ClassSpec, ...]:
        """Return all classes: by the lowest id that each has in any file, then in the order of the files."""
        named = sorted(self._named.items(), key=lambda each: (each[1].lowest, each[1].order))
        return tuple(
            ClassSpec(
                name=name,
                supercategory=each.supercategory,
                joints=each.joints,
                skeleton=each.skeleton,
                flip=flip_of(each.joints),
            )
            for name, each in named
        )

    def _read(self, raw: Raw, where: str) -> _Category | None:
        try:
            return _decode(raw)
        except BAD_JSON as error:
            self._tell(where, f"it is left out: {error}")
            return None

    def _add(self, name: str, category: _Category, where: str) -> None:
        known = self._named.setdefault(name, _Named(category.id, len(self._named)))
        known.lowest = min(known.lowest, category.id)
        if not known.supercategory and category.supercategory != name:
            known.supercategory = category.supercategory or ""
        joints = tuple(category.keypoints or ())
        if joints and not known.joints:
            known.joints = joints
            known.skeleton = self._skeleton(category.skeleton or (), len(joints), where)
        elif joints and joints != known.joints:
            self._tell(where, f"{name!r} has other keypoints than before, and keeps those")

    def _skeleton(self, pairs: Sequence[Sequence[int]], count: int, where: str) -> tuple[tuple[int, int], ...]:
        sound = [pair for pair in pairs if len(pair) == 2 and all(0 < each <= count for each in pair)]  # noqa: PLR2004
        if len(sound) < len(pairs):
            self._tell(where, f"{len(pairs) - len(sound)} lines of the skeleton are not between two of its keypoints")
        return tuple((one - 1, other - 1) for one, other in sound)

    def _tell(self, where: str, words: str) -> None:
        self._losses.of_item(Outcome.NOTED, CATEGORIES, item="", where=where, words=words)


def flip_of(joints: Sequence[str]) -> tuple[int, ...]:
    """Return the position of the mirror image of each joint, by `left` and `right` in the names; empty without them.

    Example:
        >>> flip_of(["nose", "left_eye", "right_eye"])
        (0, 2, 1)
    """
    places = {name.lower(): at for at, name in enumerate(joints)}
    flip = [places.get(SIDE.sub(lambda side: OTHER_SIDE[side[0].lower()], name.lower()), -1) for name in joints]
    return tuple(flip) if flip != [*range(len(joints))] and sorted(flip) == [*range(len(joints))] else ()


class WrittenCategory(Struct, gc=False, omit_defaults=True):
    """A category, as it is written."""

    id: int
    name: str
    supercategory: str
    keypoints: list[str] | None = None
    skeleton: list[list[int]] | None = None


def written_category(number: int, spec: ClassSpec, joints: Mapping[str, Sequence[str]]) -> WrittenCategory:
    """Return the category of a class.

    Args:
        number: Its id.
        spec: The class.
        joints: The joints of classes, where they are only known from their objects.
    """
    names = [*(spec.joints or joints.get(spec.name, ()))]
    pairs = [[one + 1, other + 1] for one, other in spec.skeleton]
    return WrittenCategory(
        id=number,
        name=spec.name,
        supercategory=spec.supercategory or spec.name,
        keypoints=names or None,
        skeleton=pairs if names else None,
    )
