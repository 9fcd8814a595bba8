from typing import Any

import pytest
import yaml

from synapse_sdk.documents import parse_yaml
from synapse_sdk.documents import yaml as module
from synapse_sdk.documents.limits import MAX_BYTES, MAX_DEPTH
from synapse_sdk.errors import InvalidDocumentError

LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{this}: &{this} [{','.join(['*' + before] * 9)}]\n" for before, this in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.fixture(params=["CSafeLoader", "SafeLoader"], autouse=True)
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every promise holds with the C parser and with the one in Python."""
    if not hasattr(yaml, request.param):
        pytest.skip("PyYAML was built without libyaml")
    monkeypatch.setattr(module, "LOADER", getattr(yaml, request.param))


def refused(text: str) -> InvalidDocumentError:
    """Read what must be refused, and return the refusal."""
    with pytest.raises(InvalidDocumentError) as caught:
        parse_yaml(text, "params.yaml")
    assert "params.yaml" in str(caught.value)
    assert caught.value.fix
    return caught.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# nothing but a comment\n", None),
        ("name: Ada\nsizes: [1, -2.5, 1e3, 0x1F, 0o17]", {"name": "Ada", "sizes": [1, -2.5, 1000.0, 31, 15]}),
        ("{a: true, b: False, c: null, d: ~, e: }", {"a": True, "b": False, "c": None, "d": None, "e": None}),
        ("country: no\nanswer: yes\non: off", {"country": "no", "answer": "yes", "on": "off"}),
        ("[2024-01-02, 12:30, 0123, 1_000, 1.2.3]", ["2024-01-02", "12:30", "0123", "1_000", "1.2.3"]),
        ("['1', \"2\", !!str 3, ! 4, !!float 5]", ["1", "2", "3", "4", 5.0]),
        ("--- |\n  two\n  lines\n", "two\nlines\n"),
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        ("base: &b {x: 1, y: 1}\nmine: {<<: *b, y: 2}", {"base": {"x": 1, "y": 1}, "mine": {"x": 1, "y": 2}}),
        (
            "a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b]}",
            {"a": {"x": 1}, "b": {"x": 2, "y": 2}, "c": {"x": 1, "y": 2}},
        ),
        ("'<<': 1", {"<<": 1}),
        ("k: &k name\n*k : 1", {"k": "name", "name": 1}),
        ("\ufeff고양이: 😀", {"고양이": "😀"}),
    ],
)
def test_a_document_is_json_data(text: str, value: object) -> None:
    """Scalars follow the core schema of YAML 1.2: what could be meant in two ways stays text."""
    assert parse_yaml(text, "params.yaml") == value


def test_a_document_of_names_is_read_as_it_is_written() -> None:
    """Where every value is a name, nothing that looks like a number or null is taken for one, not even as a key."""
    text = "0: no\n1: null\n2: 1.10\n3: [~, 007, '5', !!int 5]\n4:\n"

    assert parse_yaml(text, "data.yaml", as_text=True) == {
        "0": "no",
        "1": "null",
        "2": "1.10",
        "3": ["~", "007", "5", 5],
        "4": "",
    }


def test_an_alias_is_a_copy() -> None:
    """Changing one place changes no other."""
    data: Any = parse_yaml("a: &x [1]\nb: *x", "params.yaml")

    data["a"].append(2)

    assert data["b"] == [1]


@pytest.mark.parametrize(
    "text", ["!!python/object/apply:os.system ['true']", "a: !!python/name:os.system", "!!python/tuple [1]"]
)
def test_a_python_tag_is_refused(text: str) -> None:
    """A document makes data, never objects."""
    assert "Python tag !!python/" in str(refused(text))


@pytest.mark.parametrize("tag", ["!Ref", "!!timestamp", "!!binary", "!!set", "!!omap", "!<tag:example.org,2000:x>"])
def test_an_unknown_tag_is_refused(tag: str) -> None:
    """Nothing is guessed about a tag, on a scalar, a list or a mapping."""
    assert "unknown tag" in str(refused(f"a: {tag} b"))
    assert "unknown tag" in str(refused(f"a: {tag} [b]"))
    assert "unknown tag" in str(refused(f"a: {tag} {{b: c}}"))


def test_an_alias_bomb_is_refused_at_once() -> None:
    """F27: three hundred bytes that would be a billion values."""
    error = refused(LAUGHS)

    assert "once its aliases are expanded" in str(error)
    assert error.where["line"] == 6


def test_an_alias_bomb_of_long_texts_is_refused() -> None:
    """Few values may be many bytes."""
    refused(f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 10_000)}]")


@pytest.mark.parametrize("text", ["a: &a [*a]", "&a {b: {c: *a}}", "&a {<<: *a}"])
def test_an_anchor_that_contains_itself_is_refused(text: str) -> None:
    """What contains itself has no end."""
    assert "contains it" in str(refused(text))


def test_an_alias_without_an_anchor_is_refused() -> None:
    """The error names it."""
    assert "*nobody" in str(refused("a: *nobody"))


@pytest.mark.parametrize("text", ["[" * 200_000, "{a: " * 200_000, "- " * 200_000])
def test_deep_nesting_is_refused_at_once(text: str) -> None:
    """No recursion error and no crash."""
    assert "levels deep" in str(refused(text))


def test_aliases_do_not_get_round_the_depth() -> None:
    """Each part is shallow enough, and the whole is not."""
    half = MAX_DEPTH // 2 + 1
    refused(f"a: &a {'[' * half}{']' * half}\nb: {'[' * half}*a{']' * half}")
    parse_yaml(f"a: {'[' * (MAX_DEPTH - 1)}{']' * (MAX_DEPTH - 1)}", "params.yaml")


def test_a_repeated_key_is_refused_with_both_lines() -> None:
    """Neither the first nor the last silently wins."""
    error = refused("width: 1\nheight: 2\nwidth: 3\n")

    assert "Key 'width' appears twice, first in line 1" in str(error)
    assert (error.where["line"], error.where["column"]) == (3, 1)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("1: a", "1"), ("true: a", "True"), ("~: a", "null"), ("? [a]\n: b", "a list"), ("{{a: 1}: b}", "a mapping")],
)
def test_a_key_that_is_not_text_is_refused(text: str, shown: str) -> None:
    """JSON has no other keys."""
    assert f"Key {shown} is not text" in str(refused(text))


def test_several_documents_are_refused() -> None:
    """It would be unclear which one counts."""
    error = refused("a: 1\n---\nb: 2\n")

    assert "several documents" in str(error)
    assert error.where["line"] == 2


def test_a_tab_is_named_as_such() -> None:
    """The most frequent mistake gets its own words."""
    error = refused("a:\n\t- b")

    assert "Indent with spaces" in str(error)
    assert error.where["line"] == 2


@pytest.mark.parametrize(
    "text", ["a: [1", "a: b: c", 'a: "b', "%BAD", "a: \x01", "a: 'b'c", "@x", "a: *", "<<: 1", "{<<: [1]}"]
)
def test_what_is_not_yaml_is_refused_with_its_place(text: str) -> None:
    """Every syntax error is one of ours."""
    assert refused(text).where["line"] in {1, 2}


@pytest.mark.parametrize(
    "number", [".inf", "-.INF", ".nan", "1e999", "9" * 30, "0x" + "f" * 40, "18446744073709551616"]
)
def test_a_number_json_cannot_hold_is_refused(number: str) -> None:
    """It would be lost on the way to the run."""
    refused(f"a: {number}")


@pytest.mark.parametrize("text", ["!!int a", "!!bool 1", "!!int true", "!!null x", "!!float x"])
def test_a_value_that_contradicts_its_tag_is_refused(text: str) -> None:
    """The tag is a promise."""
    assert "not what its tag says" in str(refused(text))


def test_too_large_a_document_is_refused() -> None:
    """The size is counted before anything is parsed."""
    assert "bytes" in str(refused("a: " + "x" * MAX_BYTES))


def test_half_characters_are_refused() -> None:
    """As such and as an escape."""
    refused("a: \ud800")
    refused('a: "\\ud800"')
