"""The classification object of version 1 as label and attributes of version 2, and back."""

from collections import Counter
from collections.abc import Iterable, Iterator

from synapse_sdk.formats.dm.values import as_list, as_object, as_text
from synapse_sdk.types import JsonValue

__all__ = ["Attribute", "attribute", "classification_of", "label_and_attributes", "read_attributes", "repeated_names"]

LABEL = "class"
INTERNAL = "_"
"""What names of attributes begin with that no user has given."""
ESCAPE = "attribute:"
"""What version 1 puts before the name of an attribute that would be taken for the label, `attribute:class`."""

type Attribute = tuple[str, JsonValue]
"""Name and value."""


def attribute(name: str, value: JsonValue) -> dict[str, JsonValue]:
    """Return an attribute as version 2 has it."""
    return {"name": name, "value": value}


def label_and_attributes(classification: JsonValue) -> tuple[str, list[Attribute]]:
    """Return the label, and everything else that a classification of version 1 says, in its order.

    Example:
        >>> label_and_attributes({"class": "car", "color": "red"})
        ('car', [('color', 'red')])

    Raises:
        ValueError: It is none.
    """
    if classification is None:
        return "", []
    found = as_object(classification, "classification")
    label = found.get(LABEL)
    attributes = [(_unescaped(name), value) for name, value in found.items() if name != LABEL]
    return "" if label is None else as_text(label, "class"), attributes


def classification_of(label: str, attributes: Iterable[Attribute]) -> dict[str, JsonValue]:
    """Return the classification of version 1; of attributes with one name it has the first.

    Example:
        >>> classification_of("car", [("color", "red"), ("class", "suv"), ("_score", 1)])
        {'class': 'car', 'color': 'red', 'attribute:class': 'suv'}
    """
    found: dict[str, JsonValue] = {LABEL: label}
    for name, value in attributes:
        if not name.startswith(INTERNAL):
            found.setdefault(_escaped(name), value)
    return found


def read_attributes(attrs: JsonValue) -> Iterator[Attribute]:
    """Yield the attributes of version 2.

    Raises:
        ValueError: They are none.
    """
    if attrs is None:
        return
    for entry in as_list(attrs, "attrs"):
        found = as_object(entry, "an attribute")
        yield as_text(found.get("name"), "the name of an attribute"), found.get("value")


def repeated_names(attributes: Iterable[Attribute]) -> list[str]:
    """Return the names that several attributes have, those that are internal left out."""
    counts = Counter(name for name, _ in attributes if not name.startswith(INTERNAL))
    return [name for name, count in counts.items() if count > 1]


def _escaped(name: str) -> str:
    return ESCAPE + name if name == LABEL or name.startswith(ESCAPE) else name


def _unescaped(name: str) -> str:
    rest = name.removeprefix(ESCAPE)
    return rest if rest != name and (rest == LABEL or rest.startswith(ESCAPE)) else name
