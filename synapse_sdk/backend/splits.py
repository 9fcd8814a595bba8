"""Dividing data units among what they are for: by ratios, by rules over their keys, or by what their metadata says.

Every way gives the same for the same units, in whichever order they come.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from fractions import Fraction
from unicodedata import normalize

from synapse_sdk.backend.records import Category
from synapse_sdk.errors import ConfigurationError
from synapse_sdk.extensions import one_of
from synapse_sdk.types import JsonObject

__all__ = ["Rule", "read_ratios", "read_rule", "sizes", "split_by_column", "split_by_ratios", "split_by_rules"]

RATIO = re.compile(r"\d{1,12}(?:\.\d{0,12})?(?:/\d{1,12})?|\.\d{1,12}", re.ASCII)
WHOLE = (1, 100)
"""What ratios add up to: parts of one, or of a hundred."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What the units are for whose keys match a pattern."""

    pattern: str
    """As in `fnmatch`: `*` stands for any text, with slashes, `?` for one character, `[ab]` for one of some."""
    category: Category

    def fits(self, key: str) -> bool:
        """Whether a unit key matches, however its letters are composed."""
        return fnmatchcase(normalize("NFC", key), normalize("NFC", self.pattern))


def read_ratios(text: str) -> Mapping[Category, Fraction]:
    """Return how much each category gets, as parts of 1.

    Args:
        text: Ratios that add up to 1 or to 100, as decimal numbers or fractions.

    Raises:
        ConfigurationError: It names something that is no category or one twice, or the ratios do not add up.

    Example:
        >>> [str(ratio) for ratio in read_ratios("train=0.8,validation=0.1,test=0.1").values()]
        ['4/5', '1/10', '1/10']
    """
    ratios = dict[Category, Fraction]()
    for part in text.split(","):
        name, _, number = part.strip().partition("=")
        category, ratio = _category(name.strip()), _ratio(part, number.strip())
        if category in ratios:
            msg = f"The split {text!r} names {category} twice"
            raise ConfigurationError(msg, fix="Give each its ratio once")
        ratios[category] = ratio
    total = sum(ratios.values())
    if total not in WHOLE:
        msg = f"The ratios of the split {text!r} add up to {_decimal(total)}"
        raise ConfigurationError(msg, fix="Let them add up to 1, such as train=0.8,validation=0.1,test=0.1")
    return {category: ratio / total for category, ratio in ratios.items()}


def read_rule(text: str) -> Rule:
    """Return the rule `PATTERN=CATEGORY`.

    Raises:
        ConfigurationError: It has no pattern, or names no category.

    Example:
        >>> read_rule("night/*=test")
        Rule(pattern='night/*', category=<Category.TEST: 'test'>)
    """
    pattern, _, name = text.rpartition("=")
    if not pattern:
        msg = f"The rule {text!r} has no pattern"
        raise ConfigurationError(msg, fix="Write it as PATTERN=CATEGORY, such as 'night/*=test'")
    return Rule(pattern=pattern, category=_category(name.strip()))


def sizes(count: int, ratios: Mapping[Category, Fraction]) -> Mapping[Category, int]:
    """Return how many of some units each category gets; together, all of them.

    Each gets its part, rounded down; what is left goes one by one to those that lost most by it (the method of largest
    remainders), and among equals to the one named first.

    Example:
        >>> from fractions import Fraction
        >>> list(sizes(5, {Category.TRAIN: Fraction(3, 4), Category.TEST: Fraction(1, 4)}).values())
        [4, 1]
    """
    exact = {category: count * ratio for category, ratio in ratios.items()}
    found = {category: int(part) for category, part in exact.items()}
    by_remainder = sorted(exact, key=lambda category: found[category] - exact[category])
    for category in by_remainder[: count - sum(found.values())]:
        found[category] += 1
    return found


def split_by_ratios(
    keys: Iterable[str], ratios: Mapping[Category, Fraction], *, seed: int = 0
) -> Mapping[str, Category]:
    """Return at random, but always in the same way, what each unit is for.

    Units are drawn by a digest of seed and key. Another seed gives another split; a unit more or less changes little:
    nearly all others stay where they are.

    Args:
        keys: The keys of the units.
        ratios: How much each category gets; adds up to 1.
        seed: Any number.
    """
    drawn = sorted(set(keys), key=lambda key: (_digest(seed, key), key))
    parts = dict[str, Category]()
    start = 0
    for category, size in sizes(len(drawn), ratios).items():
        parts.update(dict.fromkeys(drawn[start : start + size], category))
        start += size
    return parts


def split_by_rules(keys: Iterable[str], rules: Sequence[Rule]) -> Mapping[str, Category]:
    """Return what each unit is for by the first rule that fits; units that none fits are left out."""
    found = ((key, next((rule.category for rule in rules if rule.fits(key)), None)) for key in keys)
    return {key: category for key, category in found if category is not None}


def split_by_column(metas: Mapping[str, JsonObject], column: str) -> Mapping[str, Category]:
    """Return what each unit is for by its metadata; units whose metadata names no category are left out.

    Args:
        metas: Metadata, by unit key.
        column: Under which name it stands there; capital and small letters are the same in what it says.
    """
    said = ((key, str(meta.get(column, "")).strip().lower()) for key, meta in metas.items())
    return {key: Category(word) for key, word in said if word in tuple(Category)}


def _digest(seed: int, key: str) -> bytes:
    return hashlib.sha256(f"{seed}\n{key}".encode("utf-8", "surrogatepass")).digest()


def _category(name: str) -> Category:
    if name in tuple(Category):
        return Category(name)
    msg = f"There is no category {name!r}"
    raise ConfigurationError(msg, fix=one_of(name, map(str, Category)))


def _ratio(part: str, number: str) -> Fraction:
    try:
        ratio = Fraction(number) if RATIO.fullmatch(number) else Fraction(0)
    except (ValueError, ZeroDivisionError):
        ratio = Fraction(0)
    if not ratio:
        msg = f"The ratio {part.strip()!r} is no number above 0"
        raise ConfigurationError(msg, fix="Write ratios as train=0.8,validation=0.1,test=0.1")
    return ratio


def _decimal(number: Fraction | int) -> str:
    return f"{float(number):.6g}"
