"""Dividing things by ratios, at random and yet always in the same way."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

from synapse_sdk.errors import ConfigurationError

__all__ = ["drawn", "read_ratios", "sizes", "split_by_ratios"]

RATIO = re.compile(r"\d{1,12}(?:\.\d{0,12})?(?:/\d{1,12})?|\.\d{1,12}", re.ASCII)
WHOLE = (1, 100)
"""What ratios add up to: parts of one, or of a hundred."""


def read_ratios[K: str](text: str, part_named: Callable[[str], K]) -> Mapping[K, Fraction]:
    """Return how much each part gets, as parts of 1.

    Args:
        text: Ratios that add up to 1 or to 100, as decimal numbers or fractions.
        part_named: Returns the part that a name stands for, or raises.

    Raises:
        ConfigurationError: It names a part twice, or the ratios do not add up.

    Example:
        >>> [str(ratio) for ratio in read_ratios("train=0.8,test=0.2", str).values()]
        ['4/5', '1/5']
    """
    ratios = dict[K, Fraction]()
    for part in text.split(","):
        name, _, number = part.strip().partition("=")
        key, ratio = part_named(name.strip()), _ratio(part, number.strip())
        if key in ratios:
            msg = f"The split {text!r} names {key} twice"
            raise ConfigurationError(msg, fix="Give each its ratio once")
        ratios[key] = ratio
    total = sum(ratios.values())
    if total not in WHOLE:
        msg = f"The ratios of the split {text!r} add up to {_decimal(total)}"
        raise ConfigurationError(msg, fix="Let them add up to 1, such as train=0.8,validation=0.1,test=0.1")
    return {key: ratio / total for key, ratio in ratios.items()}


def sizes[K: str](count: int, ratios: Mapping[K, Fraction]) -> Mapping[K, int]:
    """Return how many of some things each part gets; together, all of them.

    Each gets its share, rounded down; what is left goes one by one to those that lost most by it (the method of largest
    remainders), and among equals to the one named first.

    Example:
        >>> list(sizes(5, {"train": Fraction(3, 4), "test": Fraction(1, 4)}).values())
        [4, 1]
    """
    exact = {key: count * ratio for key, ratio in ratios.items()}
    found = {key: int(part) for key, part in exact.items()}
    by_remainder = sorted(exact, key=lambda key: found[key] - exact[key])
    for key in by_remainder[: count - sum(found.values())]:
        found[key] += 1
    return found


def split_by_ratios[K: str](keys: Iterable[str], ratios: Mapping[K, Fraction], *, seed: int = 0) -> Mapping[str, K]:
    """Return at random, but always in the same way, which part each thing is in.

    Things are drawn by a digest of seed and key. Another seed gives another split; a thing more or less changes little:
    nearly all others stay where they are.

    Args:
        keys: The names of the things.
        ratios: How much each part gets; adds up to 1.
        seed: Any number.
    """
    order = drawn(set(keys), seed)
    parts = dict[str, K]()
    start = 0
    for key, size in sizes(len(order), ratios).items():
        parts.update(dict.fromkeys(order[start : start + size], key))
        start += size
    return parts


def drawn(keys: Iterable[str], seed: int) -> list[str]:
    """Return names in an order that looks random, and depends on seed and names alone."""
    return sorted(keys, key=lambda key: (_digest(seed, key), key))


def _digest(seed: int, key: str) -> bytes:
    return hashlib.sha256(f"{seed}\n{key}".encode("utf-8", "surrogatepass")).digest()


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
