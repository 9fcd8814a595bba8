import pytest

from synapse_sdk.documents import parse_toml
from synapse_sdk.documents.limits import MAX_BYTES
from synapse_sdk.errors import InvalidDocumentError


def refused(text: str) -> InvalidDocumentError:
    """Read what must be refused, and return the refusal."""
    with pytest.raises(InvalidDocumentError) as caught:
        parse_toml(text, "synapse.toml")
    assert "synapse.toml" in str(caught.value)
    assert caught.value.fix
    return caught.value


def test_a_document_is_json_data() -> None:
    """Dates and times become text."""
    text = 'a.b = [1, 2.5, true]\nday = 2024-01-02\nat = 2024-01-02T03:04:05Z\nnoon = 12:00:00\n[t]\nx = "..."'

    assert parse_toml(text, "synapse.toml") == {
        "a": {"b": [1, 2.5, True]},
        "day": "2024-01-02",
        "at": "2024-01-02T03:04:05+00:00",
        "noon": "12:00:00",
        "t": {"x": "..."},
    }


@pytest.mark.parametrize("text", ["a", "a = ", "a = 1\na = 2", "[a]\n[a]", 'a = "\\ud800"', "a = 'b"])
def test_what_is_not_toml_is_refused_with_its_place(text: str) -> None:
    """Repeated keys included."""
    error = refused(text)

    assert error.where.get("line") or "end of document" in str(error)


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e999", "9" * 30, "9" * 10_000])
def test_a_number_json_cannot_hold_is_refused(number: str) -> None:
    """The error names the key."""
    error = refused(f"[t]\na = [1, {number}]")

    assert "t.a.1" in str(error) or "too many digits" in str(error)


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 100_000,
        "a = " + "[" * 70 + "]" * 70,
        "a." * 300_000 + "a = 1",
        "[" + "a." * 300_000 + "a]",
        'a = {"b" . ' + "'c'." * 100_000 + "d = 1}",
    ],
)
def test_deep_nesting_is_refused_at_once(text: str) -> None:
    """A dotted key of thousands of parts takes the standard library minutes."""
    assert "levels deep" in str(refused(text))


def test_too_large_a_document_is_refused() -> None:
    """The size is counted before anything is parsed."""
    assert "bytes" in str(refused("#" + "x" * MAX_BYTES))
