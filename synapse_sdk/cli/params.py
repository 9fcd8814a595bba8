"""From `--params` and `--set` to the parameters of an action."""

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from synapse_sdk.cli.errors import ParamsDocumentError
from synapse_sdk.documents import parse_json, parse_yaml, read_document
from synapse_sdk.errors import InvalidDocumentError, InvalidParamsError
from synapse_sdk.plugins import BaseAction

__all__ = ["check_params", "parse_pairs", "read_params"]


def read_params(source: str | None, assignments: Sequence[str]) -> dict[str, Any]:
    """Return the parameters that the command line gives.

    Args:
        source: The value of `--params`: JSON that begins with `{`, the path of a document, `-` for standard input
            (YAML or JSON), or None.
        assignments: The values of `--set`, `dotted.path=value`; they replace what `source` has there.

    Raises:
        ParamsDocumentError: The document cannot be read or is not a mapping.
        BadParameter: An assignment makes no sense.
    """
    params = {} if source is None else _document(source)
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        if not equals or not all(path.split(".")):
            msg = f"{assignment!r} is not of the form name=value"
            raise click.BadParameter(msg, param_hint="--set")
        _assign(params, path, _value(text))
    return params


def parse_pairs(pairs: Sequence[str], option: str) -> dict[str, str]:
    """Return the values of an option that is given as `NAME=text`.

    Raises:
        BadParameter: One has no name or no equals sign.
    """
    parsed = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            msg = f"{name!r} is not of the form NAME=value"  # without the value: it may be a secret
            raise click.BadParameter(msg, param_hint=option)
        parsed[name] = text
    return parsed


def check_params(action: type[BaseAction[Any]], params: Mapping[str, Any], plugin: str) -> None:
    """Refuse parameters that do not fit the action, and say where to look them up.

    Args:
        action: The action they are for.
        params: What was given.
        plugin: What the user called the plugin.

    Raises:
        InvalidParamsError: It lists every problem.
    """
    try:
        action.validate_params(params)
    except InvalidParamsError as error:
        fix = f"See what it takes: synapse plugin show {shlex.quote(plugin)}"
        raise InvalidParamsError(error.message, problems=error.problems, fix=fix) from error


def _document(source: str) -> dict[str, Any]:
    try:
        if source == "-":
            text = sys.stdin.read()
            data = (parse_json if text.lstrip().startswith("{") else parse_yaml)(text, "standard input")
        elif source.lstrip().startswith("{"):
            data = parse_json(source, "--params")
        else:
            data = read_document(source)
    except InvalidDocumentError as error:
        raise ParamsDocumentError(error.message, why=error.why, fix=error.fix, **error.where) from error
    except UnicodeDecodeError as error:
        msg = "Cannot read standard input"
        raise ParamsDocumentError(msg, why="it is not UTF-8 text", fix="Send YAML or JSON as UTF-8") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        msg = f"Cannot use {source!r} as parameters"
        why = f"it holds a {type(data).__name__}, not names with values"
        raise ParamsDocumentError(msg, why=why, fix="Write a mapping, such as {width: 800}")
    return data


def _assign(params: dict[str, Any], path: str, value: object) -> None:
    *parents, last = path.split(".")
    table: Any = params
    for number, name in enumerate(parents, 1):
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            msg = f"{path!r} leads into {'.'.join(parents[:number])!r}, which has a value already"
            raise click.BadParameter(msg, param_hint="--set")
    table[last] = value


def _value(text: str) -> Any:  # noqa: ANN401  # JSON data
    def refuse(word: str) -> float:
        raise ValueError(word)

    try:
        return json.loads(text, parse_constant=refuse)  # NaN and Infinity are not JSON, and may well be words
    except (ValueError, RecursionError):
        return text
