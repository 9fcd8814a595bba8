"""How instances of plain data classes are taken apart into named parts, and put together again."""

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum, Flag
from typing import Any

__all__ = ["Shape", "is_model", "is_named_tuple", "is_struct", "shape_of"]

# Contents of these are no fields.
_WITH_CONTENTS = (dict, list, set, frozenset, tuple, str, bytes, bytearray, int, float, complex, BaseException)


@dataclass(frozen=True, slots=True)
class Shape:
    """One class of values, whose instances are their parts."""

    take: Callable[[Any], dict[str, Any]]
    """Returns the parts of an instance by name."""
    make: Callable[[dict[str, Any]], object]
    """Returns an instance of these parts, or raises when the class has no such parts."""


def shape_of(kind: type) -> Shape | None:
    """Return how to take instances of a class apart; None when it is no class of plain data.

    Models and structs are known by what their classes look like, so that neither library needs to be there.
    """
    if issubclass(kind, Enum):
        return _enum_shape(kind)
    if is_model(kind):
        return _model_shape(kind)
    if is_struct(kind):
        return _struct_shape(kind)
    if is_named_tuple(kind):
        return _tuple_shape(kind)
    if is_dataclass(kind) and not issubclass(kind, _WITH_CONTENTS):
        return _dataclass_shape(kind)
    return None


def is_model(kind: type) -> bool:
    """Whether this is a class of pydantic models."""
    return hasattr(kind, "__pydantic_validator__") and hasattr(kind, "model_fields")


def is_struct(kind: type) -> bool:
    """Whether this is a class of msgspec structs."""
    return hasattr(kind, "__struct_fields__")


def is_named_tuple(kind: type) -> bool:
    """Whether this is a class of named tuples."""
    return issubclass(kind, tuple) and hasattr(kind, "_fields") and hasattr(kind, "_asdict")


def _enum_shape(kind: type[Enum]) -> Shape:
    if issubclass(kind, Flag):  # several flags together have no name that could be looked up
        return Shape(lambda member: {"value": member.value}, lambda parts: kind(parts["value"]))
    return Shape(lambda member: {"name": member.name}, lambda parts: kind[parts["name"]])


def _tuple_shape(kind: Any) -> Shape:  # noqa: ANN401  # whatever looks like a named tuple
    def make(parts: dict[str, Any]) -> object:
        _check_names(kind, parts, frozenset(kind._fields))
        return kind._make(parts[name] for name in kind._fields)

    return Shape(lambda value: value._asdict(), make)


def _dataclass_shape(kind: type) -> Shape:
    names = tuple(field.name for field in fields(kind))
    known = frozenset(names)

    def take(value: object) -> dict[str, Any]:
        try:
            return {name: getattr(value, name) for name in names}
        except AttributeError:  # a field without a value, which `init=False` allows
            return {name: getattr(value, name) for name in names if hasattr(value, name)}

    def make(parts: dict[str, Any]) -> object:
        _check_names(kind, parts, known)
        instance: object = object.__new__(kind)
        for name, part in parts.items():
            object.__setattr__(instance, name, part)  # also when it is frozen
        return instance

    return Shape(take, make)


def _struct_shape(kind: Any) -> Shape:  # noqa: ANN401  # whatever looks like a struct
    names = tuple(kind.__struct_fields__)
    return Shape(lambda value: {name: getattr(value, name) for name in names}, lambda parts: kind(**parts))


_FIELDS_SET = "__pydantic_fields_set__"
_OPTIONAL_STATE = ("__pydantic_extra__", "__pydantic_private__")


def _model_shape(kind: Any) -> Shape:  # noqa: ANN401  # whatever looks like a model
    names = frozenset({*kind.model_fields, _FIELDS_SET, *_OPTIONAL_STATE})

    # What a model gives `copy`, which is all of it: fields as they are, and which of them were given.
    def take(value: Any) -> dict[str, Any]:  # noqa: ANN401  # as above
        state = value.__getstate__()
        values = {name: part for name, part in state.pop("__dict__").items() if name in names}
        return values | {name: part for name, part in state.items() if part is not None}

    def make(parts: dict[str, Any]) -> object:
        _check_names(kind, parts, names)
        state = dict.fromkeys(_OPTIONAL_STATE) | {_FIELDS_SET: parts.pop(_FIELDS_SET)}
        state |= {name: parts.pop(name) for name in _OPTIONAL_STATE if name in parts}
        instance: Any = kind.__new__(kind)
        instance.__setstate__({"__dict__": parts, **state})
        return instance

    return Shape(take, make)


def _check_names(kind: type, parts: dict[str, Any], names: frozenset[str]) -> None:
    if not parts.keys() <= names:
        msg = f"{kind.__qualname__} has no {', '.join(sorted(parts.keys() - names))}"
        raise ValueError(msg)
