"""The joints of classes, in the order in which COCO has them for every object of a class."""

from collections.abc import Iterable, Sequence
from itertools import chain

from synapse_sdk.formats.model import ClassSpec, Keypoints

__all__ = ["JointOrder"]

NOT_LABELLED = (0.0, 0.0, 0)


class JointOrder:
    """Puts joints into the order of their class. A class that does not name any gets those of its first object.

    Args:
        classes: All classes.
    """

    def __init__(self, classes: Iterable[ClassSpec]) -> None:
        self.names: dict[str, tuple[str, ...]] = {spec.name: spec.joints for spec in classes if spec.joints}
        """The joints of each class that has any, as far as is known."""

    def ordered(self, label: str, keypoints: Keypoints) -> tuple[list[float] | None, str]:
        """Return the joints of an object as flat triples, and what is lost of them, in words.

        Without any that can be written there are no triples.
        """
        points, names = keypoints.points, tuple(keypoints.names)
        known = self.names.get(label)
        if known is None and names:
            known = self.names[label] = names
        if known is None or (names in {(), known} and len(points) == 3 * len(known)):
            return _with_whole_visibility(points), ""
        if len(points) != 3 * len(names):
            return None, f"{len(points)} numbers of keypoints, where the class has {len(known)} joints"
        triples = dict(zip(names, zip(points[0::3], points[1::3], points[2::3], strict=True), strict=True))
        lost = [name for name, triple in triples.items() if name not in known and triple[2]]
        lost += ["joints of the same name"] if len(triples) < len(names) else []
        ordered = [*chain.from_iterable(triples.get(name, NOT_LABELLED) for name in known)]
        return _with_whole_visibility(ordered), ", ".join(lost)


def _with_whole_visibility(points: Sequence[float]) -> list[float]:
    found = [*points]
    found[2::3] = map(int, points[2::3])
    return found
