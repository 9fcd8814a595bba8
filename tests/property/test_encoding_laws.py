"""Whatever is written into the journal is what is read back."""

from dataclasses import dataclass
from datetime import UTC
from enum import Enum
from math import copysign, isnan
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synapse_sdk.errors import UnencodableValueError
from synapse_sdk.plugins.encoding import ValueCodec


class Kind(Enum):
    """A few names."""

    FIRST = 1
    SECOND = "two"


class Pair(NamedTuple):
    """A tuple with a class of its own."""

    left: object
    right: object


@dataclass(frozen=True, slots=True)
class Box:
    """What can be in anything, and hold anything."""

    content: object


CODEC = ValueCodec([Kind, Pair, Box])

texts = st.text(st.characters(codec=None, exclude_categories=()), max_size=8) | st.sampled_from(["$tuple", "$", "\\ud"])
atoms = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    texts,
    st.binary(max_size=8),
    st.complex_numbers(),
    st.decimals(allow_nan=False),
    st.uuids(),
    st.dates(),
    st.times(),
    st.datetimes() | st.datetimes(timezones=st.just(UTC)),
    st.timedeltas(),
    st.sampled_from([*Kind, Path("a/b"), Path("\udcff")]),
)
keys = st.recursive(atoms, lambda inner: st.frozensets(inner, max_size=3) | st.tuples(inner, inner), max_leaves=3)


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(texts, inner, max_size=4),
        st.dictionaries(keys, inner, max_size=3),
        st.sets(keys, max_size=3),
        st.builds(Pair, inner, inner),
        st.builds(Box, inner),
    )


values = st.recursive(atoms, _containers, max_leaves=12)


def is_same(found: Any, expected: Any) -> bool:  # noqa: ANN401, PLR0911  # any values at all, one line for each kind
    """Whether two values are one down to types, order of keys, signs of zero, and NaN."""
    if type(found) is not type(expected):
        return False
    match expected:
        case float():
            return (isnan(found) and isnan(expected)) or (found, copysign(1, found)) == (
                expected,
                copysign(1, expected),
            )
        case complex():
            return is_same([found.real, found.imag], [expected.real, expected.imag])
        case list() | tuple():
            return len(found) == len(expected) and all(map(is_same, found, expected))
        case dict():
            return is_same([*found.items()], [*expected.items()])
        case set() | frozenset():
            return len(found) == len(expected) and all(any(is_same(one, other) for one in found) for other in expected)
        case Box():
            return is_same(found.content, expected.content)
        case _:
            return bool(found == expected)


@given(value=values)
def test_a_value_comes_back_exactly(value: object) -> None:
    """Types, order, signs and all."""
    text = CODEC.encode(value, "it")

    assert text.isascii()
    assert is_same(CODEC.decode(text), value)
    assert is_same(CODEC.from_json(CODEC.to_json(value, "it")), value)


@given(value=values)
def test_what_was_read_is_written_as_before(value: object) -> None:
    """Restoring a run changes nothing, so that nothing is written again."""
    text = CODEC.encode(value, "it")

    assert CODEC.encode(CODEC.decode(text), "it") == text


@given(value=values, places=st.lists(st.sampled_from(["list", "tuple", "dict", "pairs", "box"]), max_size=6))
def test_what_is_refused_is_named_by_its_place(value: object, places: list[str]) -> None:
    """However deep it is, and whatever stands beside it."""
    path, refused = "", object()
    whole: object = refused
    for place in places:
        step, whole = {
            "list": ("[1]", [value, whole]),
            "tuple": ("[0]", (whole, value)),
            "dict": ("['a']", {"b": value, "a": whole}),
            "pairs": ("[1]", {0: value, 1: whole}),
            "box": (".content", Box(whole)),
        }[place]
        path = step + path

    with pytest.raises(UnencodableValueError) as raised:
        CODEC.encode(whole, "context.it")

    assert raised.value.message.startswith(f"context.it{path} cannot be written")
    assert "object" in str(raised.value)
