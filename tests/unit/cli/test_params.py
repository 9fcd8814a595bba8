"""Parameters: from files, JSON, standard input and `--set`, checked all at once."""

import io
from pathlib import Path
from typing import Any

import click
import pytest
from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from synapse_sdk.cli.errors import ParamsDocumentError
from synapse_sdk.cli.params import check_params, parse_pairs, read_params
from synapse_sdk.errors import InvalidParamsError
from synapse_sdk.plugins import BaseAction


class Lenient(BaseModel):
    """A model that silently drops names it does not know, as pydantic's do by default."""

    width: int
    height: int = 1


class Open(BaseModel):
    """A model that keeps every name."""

    model_config = ConfigDict(extra="allow")


class Renamed(BaseModel):
    """A model whose field has several names."""

    width: int = Field(validation_alias=AliasChoices("width", "w"))


class Resize(BaseAction[Lenient]):
    """An action with a lenient model."""


class Anything(BaseAction[dict[str, Any]]):
    """An action that takes everything."""


class OpenAction(BaseAction[Open]):
    """An action with an open model."""


class RenamedAction(BaseAction[Renamed]):
    """An action with a renamed field."""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.yaml", "width: 800\ntags: [a, b]\n"),
        ("p.json", '{"width": 800, "tags": ["a", "b"]}'),
        ("p.toml", 'width = 800\ntags = ["a", "b"]\n'),
    ],
)
def test_a_file_is_read_as_its_suffix_says(tmp_path: Path, name: str, text: str) -> None:
    """The same parameters in three formats are the same parameters."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")

    assert read_params(str(path), []) == {"width": 800, "tags": ["a", "b"]}


def test_json_may_stand_on_the_command_line() -> None:
    """It begins with a brace, which no sensible file does."""
    assert read_params(' {"width": 800}', []) == {"width": 800}


@pytest.mark.parametrize("text", ['{"width": 800}', "width: 800\n"])
def test_a_dash_reads_standard_input(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON or YAML, whichever comes."""
    monkeypatch.setattr("sys.stdin", io.StringIO(text))

    assert read_params("-", []) == {"width": 800}


def test_nothing_is_no_parameters(tmp_path: Path) -> None:
    """An empty file says the same as no file."""
    (tmp_path / "p.yaml").touch()

    assert read_params(None, []) == read_params(str(tmp_path / "p.yaml"), []) == {}


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("width=800", {"width": 800}),
        ("name=Ada", {"name": "Ada"}),
        ("name=", {"name": ""}),
        ('name="800"', {"name": "800"}),
        ("code=007", {"code": "007"}),
        ("loss=NaN", {"loss": "NaN"}),
        ("flag=true", {"flag": True}),
        ("tags=[1, 2]", {"tags": [1, 2]}),
        ("url=http://a/?b=c", {"url": "http://a/?b=c"}),
        ("a.b.c=1", {"a": {"b": {"c": 1}}}),
        ("deep=" + "[" * 100_000, {"deep": "[" * 100_000}),
    ],
)
def test_a_value_is_json_if_it_parses_and_else_text(assignment: str, expected: dict[str, Any]) -> None:
    """Numbers and lists need no file, and words need no quotes."""
    assert read_params(None, [assignment]) == expected


def test_assignments_go_over_the_document() -> None:
    """What is next to them in the document stays."""
    document = '{"size": {"w": 1, "h": 2}, "name": "a"}'

    assert read_params(document, ["size.w=9", "name=b"]) == {"size": {"w": 9, "h": 2}, "name": "b"}


@pytest.mark.parametrize("assignments", [["width"], ["=3"], ["a..b=1"], ["a=1", "a.b=2"]])
def test_an_assignment_that_makes_no_sense_is_a_usage_error(assignments: list[str]) -> None:
    """It names the option."""
    with pytest.raises(click.BadParameter) as caught:
        read_params(None, assignments)

    assert "--set" in caught.value.format_message()


@pytest.mark.parametrize(
    "source", ["[1, 2]", "nowhere.yaml", "{not json", '{"a": 1, "a": 2}', '{"loss": NaN}', "params.exe"]
)
def test_a_document_that_cannot_be_used_says_why(source: str) -> None:
    """It is a mistake of whoever typed the command, not of a plugin's manifest."""
    with pytest.raises(ParamsDocumentError) as caught:
        read_params(source, [])

    assert caught.value.why
    assert caught.value.fix


def test_a_list_is_no_parameters(tmp_path: Path) -> None:
    """Parameters have names."""
    (tmp_path / "p.json").write_text("[1]", encoding="utf-8")

    with pytest.raises(ParamsDocumentError, match="it holds a list, not names with values"):
        read_params(str(tmp_path / "p.json"), [])


def test_a_value_without_a_name_is_not_repeated() -> None:
    """It may be a secret in the wrong place."""
    with pytest.raises(click.BadParameter) as caught:
        parse_pairs(["=hunter2"], "--env")

    assert "hunter2" not in caught.value.format_message()
    assert parse_pairs(["A=b=c", "D="], "--env") == {"A": "b=c", "D": ""}


def test_all_problems_are_listed_at_once_with_names_that_nobody_has() -> None:
    """A mistyped name must not be dropped, whatever the model does with it."""
    with pytest.raises(InvalidParamsError) as caught:
        check_params(Resize, {"width": "wide", "heigth": 3, "zoom": 1}, "./my plugin")

    assert caught.value.message == "3 problems with the parameters of action 'resize'"
    assert caught.value.fix == "See what it takes: synapse plugin show './my plugin'"
    [width, heigth, zoom] = caught.value.problems
    assert width.startswith("width: ")
    assert heigth == "heigth: there is no such parameter; did you mean 'height'?"
    assert zoom == "zoom: there is no such parameter; there are height, width"


@pytest.mark.parametrize(
    ("action", "params"),
    [(Resize, {"width": 3}), (Anything, {"x": 1}), (OpenAction, {"x": 1}), (RenamedAction, {"w": 1})],
)
def test_what_the_model_takes_is_taken(action: type[BaseAction[Any]], params: dict[str, Any]) -> None:
    """Only names that would be lost are refused."""
    check_params(action, params, "plugin")
