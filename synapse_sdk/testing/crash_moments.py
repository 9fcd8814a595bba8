"""The moments at which a run may die, and which of them are tried when there are too many."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from synapse_sdk.failpoints import FAILPOINTS

__all__ = ["Moment", "least_tried", "moments_of", "spread"]


@dataclass(frozen=True, slots=True)
class Moment:
    """One passing of a failpoint."""

    name: str
    hit: int
    """The how-manieth, from 1."""
    of: int
    """How often it is passed in all."""

    def __str__(self) -> str:
        """Return it as people read it."""
        return f"{self.name} (hit {self.hit} of {self.of}: {FAILPOINTS[self.name]})"


def moments_of(trace: Sequence[str], start: int = 0) -> list[Moment]:
    """Return the moments of a run that has passed these failpoints, from position `start` on."""
    total, seen = Counter(trace), Counter[str]()
    moments = []
    for name in trace:
        seen[name] += 1
        moments.append(Moment(name, seen[name], total[name]))
    return moments[start:]


def spread(moments: Sequence[Moment], limit: int) -> list[Moment]:
    """Return at most so many moments: of every failpoint some, evenly from its first to its last."""
    if len(moments) <= limit:
        return list(moments)
    groups = Counter(moment.name for moment in moments)
    chosen: set[Moment] = set()
    left, names = limit, sorted(groups, key=groups.__getitem__)  # a failpoint with few hits gets them all
    for number, name in enumerate(names):
        share = min(groups[name], left // (len(names) - number))
        left -= share
        chosen.update(_evenly([moment for moment in moments if moment.name == name], share))
    return [moment for moment in moments if moment in chosen]


def _evenly(moments: Sequence[Moment], count: int) -> Iterable[Moment]:
    if count == 1:
        return moments[:1]
    return (moments[number * (len(moments) - 1) // (count - 1)] for number in range(count))


def least_tried(trace: Sequence[str], tried: Counter[str]) -> Moment | None:
    """Return where a recovery that passes these failpoints is to die, so that in time every place has its turn."""
    total = Counter(trace)
    if not total:
        return None
    name = min(total, key=lambda each: (tried[each], each))
    return Moment(name, 1 + tried[name] % total[name], total[name])
