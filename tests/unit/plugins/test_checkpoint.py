from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, make_dataclass
from enum import Enum
from pathlib import Path
from socket import socket
from subprocess import run
from sys import executable
from threading import Lock
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, NewType, Protocol, TypedDict

import pytest
from pydantic import BaseModel, SecretStr

from synapse_sdk.errors import JournalCorruptedError, PlanChangedError, UnencodableValueError
from synapse_sdk.plugins.checkpoint import ContextCheckpoint, handle
from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.steps import BaseStepContext

if TYPE_CHECKING:
    from decimal import Decimal


class Color(Enum):
    """Found within a literal."""

    RED = 1


class Size(NamedTuple):
    """Found within a model."""

    width: int
    parent: "Size | None" = None


class Photo(BaseModel):
    """Found within an alias."""

    size: Size


@dataclass
class Tree[T]:
    """Found with its type argument."""

    value: T
    children: "list[Tree[T]]" = field(default_factory=list)


class Options(TypedDict):
    """A dict, and found by way of it is what it holds."""

    photos: list[Photo]


class Struct:
    """What a struct looks like."""

    __struct_fields__ = ("level",)
    level: "Level"


class Level(Enum):
    """Found within a struct."""

    LOW = 1


type Forest = dict[str, Tree[Path]] | list[Forest]
Key = NewType("Key", str)


@dataclass
class Everything[T](BaseStepContext):
    """A context of every kind of field that can be written."""

    forest: Forest = field(default_factory=dict)
    options: Options | None = None
    color: Annotated[Literal[Color.RED] | None, "a note"] = None
    struct: Struct | None = None
    key: Key = Key("")
    own: "T | None" = None
    anything: Any = None
    whatever: object = None
    sequence: Sequence[int] = ()
    mapping: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    late: int = field(init=False)
    client: socket | None = handle()  # it makes a field


@dataclass
class Copying(BaseStepContext):
    """A small one."""

    done: list[str] = field(default_factory=list)
    total: float = 0


def context_with(annotation: object, value: object = None) -> BaseStepContext:
    """Return a context with one field more."""
    kind = make_dataclass(
        "Odd", [("odd", annotation, field(default=value))], bases=(BaseStepContext,), namespace={"__module__": __name__}
    )
    context = kind(RuntimeContext())
    assert isinstance(context, BaseStepContext)
    return context


def test_every_class_that_an_annotation_names_can_be_written() -> None:
    """Through unions, generics, aliases, literals, and the fields of what was found."""
    context = Everything[int](RuntimeContext())
    context.anything = [Color.RED, Photo(size=Size(1)), Tree(1, [Tree(2)]), Level.LOW]
    checkpoint = ContextCheckpoint(context)

    resumed = Everything[int](RuntimeContext())
    ContextCheckpoint(resumed).restore(checkpoint.changes())

    assert resumed.anything == context.anything


def test_what_the_engine_keeps_and_live_things_are_not_written() -> None:
    """Nor is a field that has no value yet, or an attribute that is no field."""
    context = Everything[int](RuntimeContext(), client=socket())
    with context.client or socket():
        context.extra = 1  # type: ignore[attr-defined]  # it is no field

        written = ContextCheckpoint(context).changes()

    assert set(written) == {
        *("errors", "forest", "options", "color", "struct", "key", "own", "anything", "whatever", "sequence", "mapping")
    }


def test_a_handle_holds_what_it_was_declared_with() -> None:
    """A default, something made for it, or None."""

    @dataclass
    class Handles(BaseStepContext):
        first: object = handle()
        second: object = handle(default=2)
        third: object = handle(default_factory=Lock)

    context = Handles(RuntimeContext())

    assert (context.first, context.second) == (None, 2)
    assert context.third is not Handles(RuntimeContext()).third
    with pytest.raises(ValueError, match="both"):
        handle(default=1, default_factory=Lock)


def test_only_what_changed_is_written_again() -> None:
    """A replaced value as well as one that changed within, but not one that was replaced by an equal one."""
    context = Copying(RuntimeContext())
    checkpoint = ContextCheckpoint(context)
    assert checkpoint.changes() == {"errors": "[]", "done": "[]", "total": "0"}

    context.done.append("a")
    assert checkpoint.changes() == {"done": '["a"]'}
    context.done, context.total = ["a"], 0.0
    assert checkpoint.changes() == {"total": "0.0"}
    context.total = -0.0
    assert checkpoint.changes() == {"total": "-0.0"}
    assert checkpoint.changes() == {}


def test_a_value_that_changes_back_and_forth_is_noticed_each_time() -> None:
    """Also when it is of another type in between."""
    context = context_with(Any, 1)
    checkpoint = ContextCheckpoint(context)
    checkpoint.changes()

    seen = []
    replacements: list[object] = [[], 1, True, 1]
    for value in replacements:
        context.odd = value  # type: ignore[attr-defined]  # made on the spot
        seen.append(checkpoint.changes())

    assert seen == [{"odd": "[]"}, {"odd": "1"}, {"odd": "true"}, {"odd": "1"}]


def test_what_could_not_be_written_is_reported_again() -> None:
    """Changes to other fields are not lost by an error in one."""
    context = Everything[int](RuntimeContext())
    checkpoint = ContextCheckpoint(context)
    checkpoint.changes()
    context.errors.append("late")
    context.anything = [Lock()]

    with pytest.raises(UnencodableValueError, match=r"context\.anything\[0\] cannot"):
        checkpoint.changes()
    context.anything = None

    assert checkpoint.changes() == {"errors": '["late"]'}


def test_what_was_restored_is_not_written_again() -> None:
    """Only what the resumed run changes."""
    context = Copying(RuntimeContext())
    checkpoint = ContextCheckpoint(context)

    checkpoint.restore({"errors": "[]", "done": '["a"]', "total": "2"})

    assert (context.done, context.total) == (["a"], 2)
    assert checkpoint.changes() == {}
    context.done.append("b")
    assert checkpoint.changes() == {"done": '["a","b"]'}


def test_a_field_that_the_journal_does_not_know_is_new() -> None:
    """It keeps what it has, and is written the next time."""
    context = Copying(RuntimeContext())
    checkpoint = ContextCheckpoint(context)

    checkpoint.restore({"errors": "[]", "done": "[]"})

    assert checkpoint.changes() == {"total": "0"}


def test_a_field_that_is_gone_is_a_changed_plan() -> None:
    """Unless whoever resumes the run says that it may go."""
    context = Copying(RuntimeContext())
    checkpoint = ContextCheckpoint(context)

    with pytest.raises(PlanChangedError, match="gone, which Copying no longer writes"):
        checkpoint.restore({"done": '["a"]', "gone": "1"})
    assert context.done == []

    checkpoint.restore({"done": '["a"]', "gone": "1"}, lenient=True)
    assert context.done == ["a"]


def test_nothing_is_restored_when_something_cannot_be() -> None:
    """And the field is named."""
    context = Copying(RuntimeContext())

    with pytest.raises(JournalCorruptedError, match="Field 'total' of Copying"):
        ContextCheckpoint(context).restore({"done": '["a"]', "total": "{"})

    assert context.done == []


class Storage(Protocol):
    """Something with methods."""


class Text(str):
    """A text of a special kind."""

    __slots__ = ()


@dataclass
class Session:
    """A value with a live thing inside."""

    connection: socket | None = None


@pytest.mark.parametrize(
    "annotation",
    [
        socket,
        socket | None,
        list[socket],
        Lock,
        Callable[[int], str],
        Iterator[int],
        IO[str],
        Storage,
        Text,
        Session,
        dict[str, tuple[Session, ...]],
        SecretStr,
        type[int],
    ],
    ids=str,
)
def test_what_can_never_be_written_is_refused_before_anything_runs(annotation: object) -> None:
    """By the annotation, though there is no value yet."""
    with pytest.raises(UnencodableValueError, match=r"^context\.odd.*cannot be written.* (handle\(\)|plain str)$"):
        ContextCheckpoint(context_with(annotation))


def test_the_way_to_a_class_is_told() -> None:
    """When it is not the annotation itself that names it."""
    with pytest.raises(
        UnencodableValueError, match=r"context\.odd, by way of Session\.connection, cannot .* _?socket\.socket"
    ):
        ContextCheckpoint(context_with(list[Session]))


def test_a_present_value_that_cannot_be_written_is_refused_before_anything_runs() -> None:
    """When the annotation says nothing."""
    with pytest.raises(UnencodableValueError, match=r"context\.odd\[0\] cannot"):
        ContextCheckpoint(context_with(Any, (Lock(),)))


type Unknown = list[Decimal]


@dataclass
class HalfTyped:
    """Has a name that only a type checker knows."""

    price: "Decimal | None" = None


class HalfTypedDict(TypedDict):
    """The same in a dict."""

    price: "Decimal"


@pytest.mark.parametrize("annotation", ["Decimal | None", Unknown, HalfTyped, HalfTypedDict], ids=str)
def test_a_name_that_only_a_type_checker_knows_is_refused(annotation: object) -> None:
    """With the way out."""
    with pytest.raises(UnencodableValueError, match=r"context\.odd.*'Decimal' is not defined.*at run time"):
        ContextCheckpoint(context_with(annotation))


def test_an_undecorated_subclass_has_the_fields_it_inherits() -> None:
    """As Python has it: an annotation alone is no field."""

    class Undecorated(Copying):
        count: int = 0

    assert ContextCheckpoint(Undecorated(RuntimeContext())).names == ("errors", "done", "total")


def test_no_library_of_models_is_loaded() -> None:
    """A journal of plain values costs no more than Python itself."""
    code = "import sys, synapse_sdk.plugins.checkpoint; print({'pydantic', 'msgspec'} & sys.modules.keys())"

    found = run([executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout == "set()\n"
