"""Which classes of values the annotations of a data class allow."""

import sys
from collections.abc import Iterator
from dataclasses import Field, fields, is_dataclass
from types import BuiltinFunctionType, FunctionType, SimpleNamespace, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NewType,
    TypeAliasType,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from synapse_sdk.errors import UnencodableValueError
from synapse_sdk.plugins.shapes import is_model, is_named_tuple, is_struct, shape_of
from synapse_sdk.plugins.tags import WRITERS, refusal_of

__all__ = ["ClassCollector"]

_NO_CLASSES = (Union, UnionType, Annotated)


class ClassCollector:
    """Gathers the classes that annotations name, and refuses those of which no value can be written.

    What says nothing about the value, such as `Any`, `object` or a type variable, is let pass.
    """

    def __init__(self) -> None:
        self.classes: dict[type, None] = {}
        """Enums, data classes, named tuples, models and structs found so far, in the order of finding."""
        self._seen: set[object] = {Any}  # a class since Python 3.11

    def add_field(self, kind: type, field: Field[Any], where: str) -> None:
        """Take the annotation of one field of a dataclass.

        Raises:
            UnencodableValueError: It cannot be resolved, or names a class of which no value can be written.
        """
        # The field object is shared by subclasses; the names in its annotation mean what they mean where it was made.
        owner = next(base for base in reversed(kind.__mro__) if _own_field(base, field.name) is field)
        names = {parameter.__name__: parameter for parameter in getattr(owner, "__type_params__", ())}
        holder = SimpleNamespace(__annotations__={field.name: field.type})
        known = getattr(sys.modules.get(owner.__module__), "__dict__", {})
        try:
            hints = get_type_hints(holder, known, names, include_extras=True)
        except Exception as error:
            raise _unresolved(where, error) from error
        self.add(hints[field.name], where)

    def add(self, hint: Any, where: str) -> None:  # noqa: ANN401  # annotations have no type in common
        """Take one resolved annotation. Raises as `add_field` does."""
        origin = get_origin(hint)
        if isinstance(hint, TypeAliasType):
            self._add_alias(hint, where)
        elif isinstance(hint, NewType):
            self.add(hint.__supertype__, where)
        elif origin is Literal:
            for value in get_args(hint):
                self.add(type(value), where)
        elif origin is not None:
            if origin not in _NO_CLASSES:
                self.add(origin, where)
            for argument in get_args(hint)[: 1 if hasattr(hint, "__metadata__") else None]:
                self.add(argument, where)
        elif isinstance(hint, BuiltinFunctionType | FunctionType):  # `threading.Lock` is one up to Python 3.12
            raise _refusal(hint, where)
        elif isinstance(hint, type) and hint not in self._seen:
            self._add_class(hint, where)

    def _add_alias(self, alias: TypeAliasType, where: str) -> None:
        if alias in self._seen:
            return
        self._seen.add(alias)
        try:
            value = alias.__value__  # not looked at before
        except Exception as error:
            raise _unresolved(where, error) from error
        self.add(value, where)

    def _add_class(self, kind: type, where: str) -> None:
        if shape_of(kind) is not None:
            self.classes[kind] = None
        elif not is_typeddict(kind) and not _may_be_plain(kind):
            raise _refusal(kind, where)
        self._seen.add(kind)
        self._add_parts(kind, where)

    def _add_parts(self, kind: type, where: str) -> None:
        if is_dataclass(kind):
            for field in fields(kind):
                self.add_field(kind, field, _within(kind, field.name, where))
        else:
            for name, hint in _hints(kind, where):
                self.add(hint, _within(kind, name, where))


def _own_field(kind: type, name: str) -> Field[Any] | None:
    own: dict[str, Field[Any]] = vars(kind).get("__dataclass_fields__", {})
    return own.get(name)


def _hints(kind: Any, where: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401  # models and structs have no type here
    if is_model(kind):
        for name, field in kind.model_fields.items():
            yield name, field.annotation
    elif is_struct(kind) or is_typeddict(kind) or is_named_tuple(kind):
        try:
            yield from get_type_hints(kind, include_extras=True).items()
        except Exception as error:
            raise _unresolved(where, error) from error


def _may_be_plain(kind: type) -> bool:
    """Whether a value of this type, maybe an abstract one, may be one that needs no class to be read."""
    try:
        return any(issubclass(plain, kind) for plain in WRITERS)
    except TypeError:  # a protocol that can be told by a type checker only
        return False


def _within(kind: type, name: str, where: str) -> str:
    return f"{where}, by way of {kind.__qualname__}.{name},"


def _refusal(kind: object, where: str) -> UnencodableValueError:
    refusal = refusal_of(kind)
    msg = f"{where} cannot be written into the journal as it is annotated: {refusal.why}"
    return UnencodableValueError(msg, fix=refusal.fix, path=where)


def _unresolved(where: str, error: Exception) -> UnencodableValueError:
    msg = f"The annotation of {where} cannot be resolved: {error}"
    fix = "Import what it names at run time, not under TYPE_CHECKING alone, or make the field a handle()"
    return UnencodableValueError(msg, fix=fix, path=where)
