from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import InitVar, dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, Flag, IntEnum, StrEnum, auto
from functools import cached_property
from inspect import stack
from json import dumps
from math import inf, isnan, nan
from pathlib import Path, PurePosixPath, PureWindowsPath
from sys import getrecursionlimit
from threading import Lock
from typing import Any, ClassVar, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, RootModel, SecretStr

from synapse_sdk.errors import JournalCorruptedError, UnencodableValueError
from synapse_sdk.plugins.encoding import ValueCodec


class Color(Enum):
    """A plain enum, with an alias."""

    RED = "red"
    CRIMSON = "red"  # noqa: PIE796  # another name of the same


class Level(IntEnum):
    """A number as well."""

    LOW = 1


class Mode(StrEnum):
    """A text as well."""

    FAST = "fast"


class Access(Flag):
    """Several at once."""

    READ = auto()
    WRITE = auto()


class Point(NamedTuple):
    """Where."""

    x: int
    y: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One that cannot be changed."""

    path: Path
    size: Point | None = None


@dataclass
class Counted:
    """One whose constructor has effects."""

    name: str
    seed: InitVar[int] = 1
    length: int = field(init=False)
    unset: int = field(init=False)
    made: ClassVar[int] = 0

    def __post_init__(self, seed: int) -> None:
        """Count, and work something out."""
        Counted.made += 1
        self.length = len(self.name) + seed

    @cached_property
    def shout(self) -> str:
        """What is no field."""
        return self.name.upper()


class Model(BaseModel):
    """A model of which everything may be odd."""

    model_config = ConfigDict(extra="allow")

    name: str = Field(alias="other")
    other: int = Field(default=0, alias="name")
    tags: set[str] = set()
    _calls: int = PrivateAttr(default=0)


class Names(RootModel[list[str]]):
    """A model that is a list."""


class Struct:
    """What a struct looks like."""

    __struct_fields__ = ("a", "b")

    def __init__(self, a: int, b: object) -> None:
        self.a, self.b = a, b

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Struct) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(self.a)


CODEC = ValueCodec([Color, Level, Mode, Access, Point, Image, Counted, Model, Names, Struct])

VALUES: list[Any] = [
    None,
    True,
    1,
    1.0,
    -0.0,
    inf,
    -inf,
    10**5000,
    -(10**5000),
    "",
    "na\u00efve \U0001f600",
    "half \ud83d",
    "two halves \ud83d\ude00",
    {"\ud83d\ude00": 1},
    [[], {}, (), set(), frozenset()],
    {"a": {"b": [1, 2.5, None, "x"]}},
    {"$tuple": [1]},
    {"price": "$5", "$": 1},
    {1: "int", "1": "str", (1, 2): "tuple", None: "none"},
    {1, "a", 2.5, (1,)},
    frozenset({frozenset({1}), "x"}),
    b"\x00\xff",
    bytearray(b"ab"),
    complex(-0.0, inf),
    Decimal("1.10"),
    UUID(int=7),
    timedelta(days=-1, microseconds=3),
    date(1, 1, 1),
    time(1, 2, 3, 4, tzinfo=UTC),
    datetime(2024, 10, 27, 2, 30, fold=1),  # noqa: DTZ001  # naive on purpose
    datetime(2024, 5, 1, tzinfo=timezone(timedelta(hours=5, minutes=30, seconds=1))),
    Path("a/\udcff.jpg"),
    PurePosixPath("a/b"),
    PureWindowsPath("c:\\a"),
    Color.CRIMSON,
    Level.LOW,
    Mode.FAST,
    Access.READ | Access.WRITE,
    {Color.RED: [Point(1, 2)]},
    Image(path=Path("a.jpg"), size=Point(3, 4)),
    [Image(path=Path(name)) for name in "ab"],
    Names(["a"]),
    Struct(1, (2,)),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_comes_back_as_it_was(value: Any) -> None:  # noqa: ANN401  # any value at all
    """Whatever its type, and by either way of writing."""
    text = CODEC.encode(value, "it")

    assert text.isascii()
    assert type(CODEC.decode(text)) is type(value)
    assert CODEC.decode(text) == value
    assert CODEC.from_json(CODEC.to_json(value, "it")) == value
    assert dumps(CODEC.to_json(value, "it"), allow_nan=False)


def test_what_json_has_is_written_as_it_is() -> None:
    """A journal can be read by people and by other programs."""
    assert ValueCodec().encode({"n": 1, "x": [1.5, True, None, "a"]}, "it") == '{"n":1,"x":[1.5,true,null,"a"]}'


def test_numbers_keep_what_equality_does_not_tell() -> None:
    """NaN is NaN, zero keeps its sign, and True is not 1."""
    assert isnan(CODEC.decode(CODEC.encode(nan, "it")))
    assert str(CODEC.decode(CODEC.encode([-0.0, 1.0, True], "it"))) == "[-0.0, 1.0, True]"


def test_a_time_zone_becomes_its_offset_at_that_instant() -> None:
    """The instant is the same, and the second of two equal hours stays the second."""
    value = datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1)

    back = CODEC.decode(CODEC.encode(value, "it"))

    assert back.utcoffset() == timedelta(hours=1)
    assert back.isoformat() == value.isoformat()
    assert back.fold == 1


def test_a_dict_keeps_its_order() -> None:
    """With text for keys and without."""
    for value in ({"b": 1, "a": 2}, {2: "b", 1: "a"}):
        assert [*CODEC.decode(CODEC.encode(value, "it"))] == [*value]


def test_an_instance_is_restored_without_running_its_constructor() -> None:
    """What it works out or does there is not done again, and a field without a value stays without."""
    value = Counted("ab", 5)
    assert value.shout == "AB"
    made = Counted.made

    back = CODEC.decode(CODEC.encode([value], "it"))[0]

    assert vars(back) == {"name": "ab", "length": 7}
    assert Counted.made == made


def test_a_model_comes_back_whole() -> None:
    """Aliases that cross, extra values, private attributes, and which fields were given."""
    value = Model(other="a", extra=Path("x"))  # type: ignore[call-arg]  # extra values are allowed
    value._calls = 3  # noqa: SLF001  # what it keeps to itself

    back = CODEC.decode(CODEC.encode(value, "it"))

    assert back == value
    assert (back.name, back.other, back.extra, back._calls) == ("a", 0, Path("x"), 3)  # noqa: SLF001  # as above
    assert back.model_fields_set == {"name", "extra"}


def test_equal_sets_are_written_alike() -> None:
    """However they came to be, so that a set that was made anew does not count as changed."""
    forwards, backwards = set(range(0, 4000, 16)), set(range(3984, -1, -16))

    assert CODEC.encode(forwards | {"a"}, "it") == CODEC.encode({"a"} | backwards, "it")


class Text(str):
    """A text of a special kind."""

    __slots__ = ()


class Secretive(BaseModel):
    """A model that holds a secret."""

    token: SecretStr


@pytest.mark.parametrize(
    "value",
    [Text("a"), Counter("a"), OrderedDict(a=1), defaultdict(list), deque([1]), object(), Lock(), len, int, iter([])],
    ids=lambda value: type(value).__name__,
)
def test_what_would_come_back_as_something_else_is_refused(value: object) -> None:
    """By its name and its place."""
    with pytest.raises(UnencodableValueError) as raised:
        CODEC.encode({"a": [1, (2, value)]}, "context.found")

    assert "context.found['a'][1][1] cannot be written into the journal" in str(raised.value)
    assert type(value).__name__ in str(raised.value)
    assert raised.value.fix


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": Lock()}, "['a']"),
        ({1: Lock()}, "[1]"),
        ({(1, len): 1}, "[<tuple>][1]"),
        ({1, len}, "{...}"),
        ([Struct(1, Lock())], "[0].b"),
        (time(1, tzinfo=ZoneInfo("Europe/Berlin")), ""),
    ],
)
def test_the_message_leads_to_the_place(value: object, place: str) -> None:
    """Through keys, indices and fields."""
    with pytest.raises(UnencodableValueError) as raised:
        CODEC.encode(value, "it")

    assert raised.value.message.startswith(f"it{place} cannot")


def test_a_secret_is_refused_for_what_it_is() -> None:
    """A journal is a file that many may read."""
    with pytest.raises(UnencodableValueError, match=r"it\.token .*secret.*environment"):
        ValueCodec([Secretive]).encode(Secretive(token=SecretStr("s3cret")), "it")


def test_an_instance_of_an_unknown_class_is_refused() -> None:
    """Even though it could be written: nobody could read it."""
    with pytest.raises(UnencodableValueError, match=r"Point.*name its own class in the annotation"):
        ValueCodec().encode(Point(1), "it")


def test_values_that_contain_themselves_are_refused() -> None:
    """Instead of exhausting the stack."""
    endless: list[object] = []
    endless.append({"a": endless})

    with pytest.raises(UnencodableValueError, match=r"it\[0\]\['a'\].*\.\.\. cannot.*contains itself") as raised:
        CODEC.encode(endless, "it")

    assert len(str(raised.value)) < 400


def test_values_may_be_nested_a_hundred_levels_deep() -> None:
    """In the most costly way, and no deeper."""
    value: Any = 0
    for _ in range(99):
        value = {1: value}

    assert CODEC.decode(CODEC.encode(value, "it")) == value
    with pytest.raises(UnencodableValueError, match="levels deep"):
        CODEC.encode([[value, [1]]], "it")


def test_a_stack_that_is_nearly_used_up_is_no_other_error() -> None:
    """Code may call from deep down."""

    def call_from(depth: int) -> str:
        return call_from(depth - 1) if depth else CODEC.encode(nested, "it")

    nested: list[Any] = []
    for _ in range(90):
        nested = [1, nested, {}]

    with pytest.raises(UnencodableValueError, match="too deep"):
        call_from(getrecursionlimit() - len(stack()) - 100)


def _class_named_point() -> type:
    @dataclass
    class Point:
        """Another one."""

        z: int

    Point.__qualname__ = "Point"
    Point.__module__ = "elsewhere"
    return Point


def test_two_classes_of_one_name_are_told_apart() -> None:
    """By module, also in text from before there were two."""
    other = _class_named_point()
    both = ValueCodec([Point, other])

    assert both.decode(both.encode([Point(1), other(2)], "it")) == [Point(1), other(2)]
    assert ValueCodec([Point]).decode(both.encode(Point(1), "it")) == Point(1)
    with pytest.raises(JournalCorruptedError, match="'Point'"):
        both.decode(ValueCodec([Point]).encode(Point(1), "it"))


def test_a_codec_refuses_classes_that_it_cannot_tell_apart_or_write() -> None:
    """When it is made, not when the first value comes."""
    with pytest.raises(UnencodableValueError, match="second class of this name"):
        ValueCodec([_class_named_point(), _class_named_point()])
    with pytest.raises(UnencodableValueError, match="no class of plain data"):
        ValueCodec([deque])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "NaN",
        "[" * 100_000,
        "1" * 5000,
        '{"$nobody": 1}',
        '{"$tuple": "ab"}',
        '{"$tuple": [1], "x": 2}',
        '{"x": 2, "$tuple": [1]}',
        '{"$set": [[1]]}',
        '{"$dict": [[1]]}',
        '{"$bytes": "?"}',
        '{"$decimal": "x"}',
        '{"$date": "yesterday"}',
        '{"$path": {"$path": "a"}}',
        '{"$float": "one"}',
        '{"$str": [-1]}',
        '{"$object": ["Point"]}',
        '{"$object": ["Unknown", {}]}',
        '{"$object": [["Point"], {}]}',
        '{"$object": ["Point", {"z": 1}]}',
        '{"$object": ["Point", {"x": 1}]}',
        '{"$object": ["Color", {"name": "BLUE"}]}',
        '{"$object": ["Image", {"colour": 1}]}',
        '{"$object": ["Model", {}]}',
    ],
    ids=lambda text: text[:40],
)
def test_text_that_no_codec_wrote_is_corruption(text: str) -> None:
    """One kind of error, whatever is wrong with it, and a message that can be read."""
    with pytest.raises(JournalCorruptedError) as raised:
        CODEC.decode(text)

    assert len(str(raised.value)) < 500


@pytest.mark.parametrize("data", [nan, object(), {"$nobody": 1}], ids=["NaN", "object", "tag"])
def test_data_that_no_codec_made_is_corruption(data: Any) -> None:  # noqa: ANN401  # any data at all
    """As with text."""
    with pytest.raises(JournalCorruptedError):
        CODEC.from_json(data)
