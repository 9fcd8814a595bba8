"""The classes of a YOLO dataset, by their number."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import nan
from pathlib import Path

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.yolo.reasons import CONFIGURATION
from synapse_sdk.types import JsonObject, JsonValue

__all__ = ["as_whole", "class_names", "classes_file"]

MOST_CLASSES = 100_000
MOST_BYTES = 16 * 1024 * 1024
"""Size of a list of classes."""


def as_whole(value: JsonValue) -> int:
    """Return a whole number that a document has, as text or number.

    Raises:
        ValueError: It is none.
    """
    try:
        number = float(value) if isinstance(value, str | int | float) else nan
    except ValueError:
        number = nan
    if not number.is_integer():
        msg = f"{str(value)[:80]!r} is no whole number"
        raise ValueError(msg)
    return int(number)


def classes_file(path: Path) -> tuple[str, ...] | None:
    """Return the classes of a file with one a line; None if there is no such file.

    An empty line between others is a class without a name, so that none behind it gets another number.

    Raises:
        InvalidDatasetError: It cannot be read.
    """
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"Cannot read the list of classes {path.name!r}: {error}"
        raise InvalidDatasetError(msg, fix="Save it as UTF-8, one class a line", path=path.name) from error
    lines = [line.strip() for line in text.rstrip().split("\n")] if text.strip() else []
    return tuple(line or f"class_{index}" for index, line in enumerate(lines))


def class_names(document: JsonObject, beside: tuple[str, ...] | None, origin: str, losses: LossLog) -> tuple[str, ...]:
    """Return the classes that a configuration names, each at the place of its number.

    Numbers without a name get one, `class_<number>`, so that nothing shifts.

    Args:
        document: The configuration.
        beside: The classes of a `classes.txt`, which count if the configuration has none.
        origin: Name of the configuration.
        losses: Takes down contradictions.

    Raises:
        ValueError: They cannot be read.
        InvalidDatasetError: There are none.
    """

    def tell(words: str) -> None:
        losses.of_item(Outcome.NOTED, CONFIGURATION, item="", where=origin, words=words)

    said = document.get("names")
    count = _count(document.get("nc"), tell)
    if said not in (None, ""):
        names = _names(said)
    elif beside is not None:
        names = dict(enumerate(beside))
    elif count is not None:
        names = {}
    else:
        msg = f"{origin!r} does not say which classes there are"
        raise InvalidDatasetError(msg, fix="Add 'names', or a classes.txt with one class a line", path=origin)
    length = max(names, default=-1) + 1
    if names and count is not None and count != length:
        tell(f"nc is {count}, and names has {length}")
    if isinstance(said, Mapping) or not names:
        length = max(length, count or 0)
    found = tuple(names.get(index) or f"class_{index}" for index in range(length))
    if len({*found}) < len(found):
        twice = sorted(name for name, times in Counter(found).items() if times > 1)
        tell(f"classes of one name become one: {', '.join(twice)[:80]}")
    return found


def _count(value: JsonValue, tell: Callable[[str], None]) -> int | None:
    if value in (None, ""):
        return None
    try:
        count = as_whole(value)
    except (ValueError, OverflowError):
        count = -1
    if 0 <= count <= MOST_CLASSES:
        return count
    tell(f"nc is {str(value)[:80]!r}, which is no number of classes")
    return None


def _names(said: JsonValue) -> dict[int, str]:
    if isinstance(said, Mapping):
        pairs = [(as_whole(key), name) for key, name in said.items()]
    elif isinstance(said, Sequence) and not isinstance(said, str):
        pairs = [*enumerate(said)]
    else:
        msg = f"names is {str(said)[:80]!r}, and must be a list or a mapping from numbers"
        raise ValueError(msg)  # noqa: TRY004  # one kind of error for what is wrong in a document
    names: dict[int, str] = {}
    for index, name in pairs:
        if not 0 <= index < MOST_CLASSES or index in names:
            msg = f"names has the number {index}, " + ("twice" if index in names else f"beyond 0 to {MOST_CLASSES}")
            raise ValueError(msg)
        if not isinstance(name, str | int | float):
            msg = f"names has {str(name)[:80]!r} for {index}, which is no name"
            raise ValueError(msg)  # noqa: TRY004  # as above
        names[index] = str(name)
    return names
