"""Pipelines in YAML documents."""

from pathlib import Path

import pytest

from synapse_sdk.errors import ActionNotFoundError, InvalidDocumentError, PipelineError
from synapse_sdk.plugins import run_plugin
from synapse_sdk.plugins.discovery import Origin, find_plugin

GREETER = """
from synapse_sdk.plugins.action import action

@action()
def greet(params: dict, ctx) -> dict:
    return {"greeting": f"Hello, {params['name']}, {ctx.env.get('TITLE')}"}
"""
DOCUMENT = """
pipeline: greetings
description: Greets twice.
actions:
  - action: greeter:greet
    params: {name: Ada}
  - action: greeter:greet
    name: again
    weight: 0.5
    params: {name: "${greet.greeting}"}
"""


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """A pipeline beside the plugin of its actions."""
    plugin = tmp_path / "greeter"
    plugin.mkdir()
    (plugin / "config.yaml").write_text(
        "name: Greeter\ncode: greeter\nenv: {TITLE: Countess}\nactions: {greet: {entrypoint: 'hello:greet'}}\n"
    )
    (plugin / "hello.py").write_text(GREETER)
    path = tmp_path / "greetings.yaml"
    path.write_text(DOCUMENT)
    return path


@pytest.mark.parametrize("mode", ["local", "process"])
def test_a_document_runs_like_a_plugin_with_one_action(document: Path, mode: str) -> None:
    """Its plugins are found beside it, with the settings of their manifests, in whichever process."""
    journal = document.with_name("journal.db")

    result = run_plugin(document, "greetings", mode=mode, journal=journal)

    assert result.results["again"] == {"greeting": "Hello, Hello, Ada, Countess, Countess"}


def test_a_document_is_found_by_its_path_from_anywhere(document: Path) -> None:
    """As is any other plugin; its code is loaded when it is asked for."""
    (document.parent / "greeter" / "hello.py").unlink()

    found = find_plugin(str(document))

    assert (found.code, found.origin, found.reference) == ("greetings", Origin.PIPELINE, str(document.resolve()))
    assert found.actions["greetings"].description == "Greets twice."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pipeline: a\nactons: []", "actions: missing\n  actons: unknown key; did you mean 'actions'?"),
        ("pipeline: a\nactions: [{action: upload, parms: {}}]", r"actions\[1\]\.parms: unknown key; did you mean 'pa"),
        ("pipeline: a\nactions: [upload]", r"actions\[1\]: must be a mapping, found 'upload'"),
        ("pipeline: a\nactions: []", "actions: List should have at least 1 item"),
        ("pipeline: a b\nactions: [{action: upload}]", "pipeline: String should match pattern"),
        (
            "pipeline: a\nactions: [{action: upload, weight: 2}]",
            r"actions\[1\]\.weight: must be less than or equal to 1",
        ),
        ("", "the whole: must be a mapping"),
    ],
)
def test_a_document_that_does_not_fit_is_refused_by_key(tmp_path: Path, text: str, words: str) -> None:
    """Unknown keys with the nearest, missing ones, values of the wrong kind."""
    path = tmp_path / "bad.yaml"
    path.write_text(text)

    with pytest.raises(PipelineError, match=words):
        find_plugin(path)


def test_a_document_that_is_no_yaml_is_refused_by_line(tmp_path: Path) -> None:
    """And column."""
    path = tmp_path / "bad.yaml"
    path.write_text("pipeline: a\n actions: [")

    with pytest.raises(InvalidDocumentError) as caught:
        find_plugin(path)

    assert caught.value.where["line"] == 2


def test_an_unknown_action_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    """Before anything runs."""
    path = tmp_path / "bad.yaml"
    path.write_text("pipeline: a\nactions: [{action: uplod}]")

    with pytest.raises(ActionNotFoundError, match="Did you mean 'upload'"):
        find_plugin(path).action_class("a")
