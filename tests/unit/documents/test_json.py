import pytest

from synapse_sdk.documents import parse_json
from synapse_sdk.documents.limits import MAX_BYTES, MAX_DEPTH
from synapse_sdk.errors import InvalidDocumentError


def refused(text: str) -> InvalidDocumentError:
    """Read what must be refused, and return the refusal."""
    with pytest.raises(InvalidDocumentError) as caught:
        parse_json(text, "--params")
    assert "'--params'" in str(caught.value)
    assert caught.value.fix
    return caught.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        (' {"a": [1, -2.5e3, true, "NaN", "\\u00e9 \\ud83d\\ude00"]} ', {"a": [1, -2500.0, True, "NaN", "é 😀"]}),
        ('[{"a": 1}, {"a": 2}, {"b": {"a": "a"}}]', [{"a": 1}, {"a": 2}, {"b": {"a": "a"}}]),
        ('"a \\" quote, {a brace} and \\\\"', 'a " quote, {a brace} and \\'),
        ("[18446744073709551615, -9223372036854775808, -0, 0.1]", [2**64 - 1, -(2**63), 0, 0.1]),
        ("[" * MAX_DEPTH + "]" * MAX_DEPTH, None),
    ],
)
def test_a_document_is_read(text: str, value: object) -> None:
    """Everything RFC 8259 means in one way."""
    data = parse_json(text, "--params")

    assert value is None or data == value


@pytest.mark.parametrize(
    "text", ["", "{", "{'a': 1}", '{"a": 1,}', "[1 2]", "nul", '"a', '{"a": 01}', "// x\n1", "{a: 1}"]
)
def test_what_is_not_json_is_refused_with_its_place(text: str) -> None:
    """The error says where, and what JSON looks like."""
    error = refused(text)

    assert error.where["column"]
    assert "double quotes" in str(error)


def test_a_repeated_key_is_refused_with_its_place() -> None:
    """F26: the last one must not win silently."""
    error = refused('{\n  "a": 1,\n  "b": {"a": 1},\n  "\\u0061": 2\n}')

    assert "'a' appears twice" in str(error)
    assert (error.where["line"], error.where["column"]) == (4, 3)


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e999", "-1E400", "9" * 30, "9" * 100_000, "-9223372036854775809"]
)
def test_a_number_json_cannot_hold_is_refused(number: str) -> None:
    """F26: Python's reader would take them."""
    error = refused(f'{{"a": {number}}}')

    assert (error.where["line"], error.where["column"]) == (1, 7)
    assert len(str(error)) < 300


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 150_000])
@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_deep_nesting_is_refused_at_once(depth: int, opening: str) -> None:
    """F26: no recursion error and no crash."""
    closing = "]" if opening == "[" else "}"

    assert "levels deep" in str(refused(opening * depth + "1" + closing * depth))


@pytest.mark.parametrize("text", ['"\\ud800"', '{"\\udc00": 1}', '"\\ud800\\u0041"', '"\ud800"'])
def test_half_characters_are_refused(text: str) -> None:
    """F26: nothing could store them."""
    assert "half of a character" in str(refused(text))


def test_too_large_a_document_is_refused() -> None:
    """F26: the size is counted in bytes, before anything is parsed."""
    assert "bytes" in str(refused('"' + "가" * (MAX_BYTES // 3) + '"'))


def test_a_document_may_be_larger_where_the_reader_says_so() -> None:
    """And not larger than that."""
    text = f'["{"a" * MAX_BYTES}"]'

    assert parse_json(text, "a.json", max_bytes=MAX_BYTES + 4) == ["a" * MAX_BYTES]
    with pytest.raises(InvalidDocumentError, match="may have 1,048,579"):
        parse_json(text, "a.json", max_bytes=MAX_BYTES + 3)
