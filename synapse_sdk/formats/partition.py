"""New splits for the items of a dataset, by ratios, with each class in its share."""

from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.formats.model import Item
from synapse_sdk.formats.splits import canonical_split, in_order
from synapse_sdk.ratios import drawn, read_ratios, split_by_ratios

__all__ = ["Partition", "partition", "read_split_ratios"]

type Partition = Mapping[tuple[str, str], str]
"""Split and name of an item to its new split."""


def read_split_ratios(text: str) -> Mapping[str, Fraction]:
    """Return how much each split gets, as parts of 1, in the usual order of splits.

    Raises:
        ConfigurationError: A name cannot be a folder's, or the ratios do not add up.

    Example:
        >>> [*read_split_ratios("train=0.8,test=0.1,val=0.1")]
        ['train', 'valid', 'test']
    """
    ratios = read_ratios(text, _split_named)
    return {split: ratios[split] for split in in_order(ratios)}


def _split_named(name: str) -> str:
    if not name or not name.replace("_", "").replace("-", "").isalnum():
        msg = f"A split cannot be called {name!r}"
        raise ConfigurationError(msg, fix="Use letters, digits, _ and -, such as train=0.8,valid=0.1,test=0.1")
    return canonical_split(name)


def partition(items: Iterable[Item], ratios: Mapping[str, Fraction], *, seed: int, stratified: bool) -> Partition:
    """Return the new split of each item, at random, but always in the same way.

    Stratified, the items of each class are divided by the ratios as well: items are told apart by the rarest class that
    they have, and each is given to the split that is furthest from its share at that moment. All splits together come
    out within one item of their sizes.

    Args:
        items: All items; they are gone through once.
        ratios: How much each split gets; adds up to 1.
        seed: Any number; another one gives other splits.
        stratified: Whether to look at classes.
    """
    labels: dict[str, tuple[str, ...]] = {}
    keys: dict[str, tuple[str, str]] = {}
    for item in items:
        key = f"{item.split}/{item.name}"
        keys[key] = (item.split, item.name)
        labels[key] = tuple({each.label for each in item.annotations}) if stratified else ()
    if not stratified:
        return {keys[key]: split for key, split in split_by_ratios(keys, ratios, seed=seed).items()}
    counts = Counter(label for found in labels.values() for label in found)
    rarest = {key: min(found, key=lambda label: (counts[label], label), default="") for key, found in labels.items()}
    given: Counter[str] = Counter()
    parts: dict[tuple[str, str], str] = {}
    # Items of one stratum follow each other, so that each stratum is divided as evenly as the whole.
    order = sorted(drawn(keys, seed), key=lambda key: (counts[rarest[key]], rarest[key]))
    for number, key in enumerate(order, 1):
        split = max(ratios, key=lambda split: ratios[split] * number - given[split])
        given[split] += 1
        parts[keys[key]] = split
    return parts
