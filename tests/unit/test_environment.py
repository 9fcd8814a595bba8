import os
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.plugins.environment import PluginEnvironment

ENV = PluginEnvironment(
    {"N": "4", "X": "1.5", "YES": " On ", "NO": "", "TAGS": "cat, dog,,", "LIST": ["a", 1], "NONE": None, "WORD": "abc"}
)


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (ENV.get_str("N"), "4"),
        (ENV.get_str("MISSING"), None),
        (ENV.get_str("NONE", "d"), "d"),
        (ENV.get_int("N"), 4),
        (ENV.get_int("MISSING"), None),
        (ENV.get_int("MISSING", 7), 7),
        (ENV.get_float("X"), 1.5),
        (ENV.get_float("N"), 4.0),
        (ENV.get_float("MISSING", 0.5), 0.5),
        (ENV.get_bool("YES"), True),
        (ENV.get_bool("NO"), False),
        (ENV.get_bool("MISSING"), None),
        (ENV.get_bool("MISSING", default=True), True),
        (ENV.get_list("TAGS"), ["cat", "dog"]),
        (ENV.get_list("LIST"), ["a", "1"]),
        (ENV.get_list("MISSING"), []),
        (ENV.get_list("MISSING", ["a"]), ["a"]),
    ],
)
def test_getters_convert(got: object, expected: object) -> None:
    """And fall back when the setting is missing or None."""
    assert got == expected
    assert type(got) is type(expected)


@pytest.mark.parametrize("word", ["1", "true", "TRUE", "Yes", "on"])
def test_words_for_true(word: str) -> None:
    """In any case."""
    assert PluginEnvironment({"A": word}).get_bool("A") is True


@pytest.mark.parametrize("word", ["0", "false", "No", "OFF", "", " "])
def test_words_for_false(word: str) -> None:
    """In any case."""
    assert PluginEnvironment({"A": word}).get_bool("A") is False


@pytest.mark.parametrize(
    ("getter", "wanted"), [("get_int", "a whole number"), ("get_float", "a number"), ("get_bool", "true or false")]
)
def test_what_does_not_fit_is_refused_by_name_and_without_its_value(getter: str, wanted: str) -> None:
    """The value may be a secret in the wrong variable."""
    with pytest.raises(ConfigurationError) as caught:
        getattr(ENV, getter)("WORD")

    assert str(caught.value) == f"Environment setting 'WORD' is not {wanted}. Set WORD to {wanted}"
    assert caught.value.__context__ is None or caught.value.__suppress_context__


@pytest.mark.parametrize("value", [1.5, float("inf"), float("nan"), "1.5", [1]])
def test_a_number_that_is_not_whole_is_no_integer(value: object) -> None:
    """TOML has fractions and infinity; cutting them short would hide a mistake."""
    with pytest.raises(ConfigurationError, match="'N' is not a whole number"):
        PluginEnvironment({"N": value}).get_int("N")

    assert PluginEnvironment({"N": 2.0}).get_int("N") == 2


def test_a_default_list_is_not_shared() -> None:
    """Changing what was returned changes nobody's default."""
    default = ["a"]

    ENV.get_list("MISSING", default).append("b")

    assert default == ["a"]


def test_it_is_a_read_only_mapping() -> None:
    """With all that goes with it."""
    env = PluginEnvironment({"A": "1", "B": "2"})

    assert dict(env) == env.to_dict() == {"A": "1", "B": "2"}
    assert ("A" in env, "C" in env, len(env), env["B"], env.get("C", "d")) == (True, False, 2, "2", "d")
    assert not hasattr(env, "__setitem__")


def test_what_it_was_made_of_may_change() -> None:
    """It keeps a copy, and hands out copies."""
    values = {"A": "1"}
    env = PluginEnvironment(values)

    values["A"] = "2"
    env.to_dict()["A"] = "3"

    assert env["A"] == "1"
    assert len(PluginEnvironment()) == 0


@pytest.mark.parametrize("kind", [ConfigurationError, KeyError])
def test_a_missing_setting_asked_for_by_index_says_the_way_out(kind: type[Exception]) -> None:
    """As ours and as a mapping's."""
    with pytest.raises(kind) as caught:
        ENV["MISSING"]

    assert str(caught.value).startswith("Environment setting 'MISSING' is not set")


def test_values_are_never_shown() -> None:
    """Environments hold secrets."""
    assert repr(PluginEnvironment({"TOKEN": "s3cret", "A": "x"})) == "PluginEnvironment(2 settings: A, TOKEN)"


def test_the_process_environment_is_taken_with_a_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which goes."""
    monkeypatch.setenv("OWN_PLUGIN_WORKERS", "4")

    assert PluginEnvironment.from_environ("OWN_PLUGIN_").to_dict() == {"WORKERS": "4"}
    assert PluginEnvironment.from_environ().to_dict() == dict(os.environ)


def test_a_file_is_taken_with_its_types(tmp_path: Path) -> None:
    """TOML has numbers, words and lists."""
    path = tmp_path / "env.toml"
    path.write_text('workers = 4\ntags = ["cat"]\ndry = true\nname = "übung"\n', encoding="utf-8")

    env = PluginEnvironment.from_file(path)

    assert (env.get_int("workers"), env.get_list("tags"), env.get_bool("dry"), env.get_str("name")) == (
        4,
        ["cat"],
        True,
        "übung",
    )


@pytest.mark.parametrize("content", [None, b"a = ", b"\xff"])
def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path, content: bytes | None) -> None:
    """Missing, broken, or no text."""
    path = tmp_path / "env.toml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigurationError, match="Cannot read environment file") as caught:
        PluginEnvironment.from_file(path)

    assert repr(str(path)) in str(caught.value)
    assert caught.value.__cause__ is not None


def test_merging_makes_a_new_one() -> None:
    """In which the other's values win."""
    base = PluginEnvironment({"A": "1", "B": "2"})
    other: dict[str, Any] = {"B": "3", "C": 4}

    merged = base.merge(other)

    assert merged.to_dict() == {"A": "1", "B": "3", "C": 4}
    assert base.to_dict() == {"A": "1", "B": "2"}
    assert merged.merge(base)["B"] == "2"
