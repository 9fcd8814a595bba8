"""Dividing data units among what they are for: by ratios, by rules over their keys, or by what their metadata says.

Every way gives the same for the same units, in whichever order they come.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from fractions import Fraction
from unicodedata import normalize

from synapse_sdk import ratios
from synapse_sdk.backend.records import Category
from synapse_sdk.errors import ConfigurationError
from synapse_sdk.extensions import one_of
from synapse_sdk.types import JsonObject

__all__ = ["Rule", "read_ratios", "read_rule", "split_by_column", "split_by_rules"]


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
    """Return how much each category gets, as parts of 1; see `synapse_sdk.ratios.read_ratios`.

    Raises:
        ConfigurationError: It names something that is no category or one twice, or the ratios do not add up.

    Example:
        >>> [str(ratio) for ratio in read_ratios("train=0.8,validation=0.1,test=0.1").values()]
        ['4/5', '1/10', '1/10']
    """
    return ratios.read_ratios(text, _category)


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


def _category(name: str) -> Category:
    if name in tuple(Category):
        return Category(name)
    msg = f"There is no category {name!r}"
    raise ConfigurationError(msg, fix=one_of(name, map(str, Category)))
