"""Holding parameters and results against the models that an action declares for them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any
from weakref import WeakKeyDictionary

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema

from synapse_sdk.errors import InvalidParamsError, InvalidResultError

__all__ = [
    "SECRET",
    "fit_params",
    "fit_result",
    "known_names",
    "problems_of_some",
    "schema_of",
    "secret_names",
    "unknown_name",
]

SECRET = "secret"  # noqa: S105  # a word, and none of them
"""The type of a `PydanticCustomError` by which a validator says that what was given must not be shown."""


def fit_params(action: str, model: Any, params: Mapping[str, Any]) -> Any:  # noqa: ANN401  # an instance of the model
    """Return parameters as the model wants them; the given mapping is not changed.

    Names that the model does not have are refused also where the model itself would drop them: somebody mistyped them.

    Args:
        action: Name of the action, for the message.
        model: A pydantic model, a dataclass, a typed dictionary, or None for any mapping.
        params: What was given.

    Raises:
        InvalidParamsError: They do not fit; every problem is listed with its field path.
    """
    problems: dict[str, str] = {}
    valid = None
    try:
        valid = _adapter(model).validate_python(dict(params))
    except ValidationError as error:
        problems = _problems(error)
        cause: ValidationError | None = None if _secrets_in(error) else error  # it shows what was given
    else:
        cause = None
    known = known_names(model)
    if known is not None:
        problems |= {name: unknown_name(name, known) for name in params if name not in known}
    if problems:
        msg = f"{len(problems)} problem{'s'[: len(problems) > 1]} with the parameters of action {action!r}"
        raise InvalidParamsError(msg, problems=tuple(problems.values())) from cause
    return valid


def fit_result(action: str, model: Any, result: Any) -> Any:  # noqa: ANN401  # an instance of the model
    """Return a result as the model wants it; None as a model accepts anything.

    Raises:
        InvalidResultError: It does not fit.
    """
    if model is None:
        return result
    try:
        return _adapter(model).validate_python(result)
    except ValidationError as error:
        msg = f"Action {action!r} returned a result that does not fit {model!r}"
        raise InvalidResultError(msg, why="; ".join(_problems(error).values())) from error


def problems_of_some(model: Any, params: Mapping[str, Any]) -> list[str]:  # noqa: ANN401  # as above
    """Return what is wrong with parameters while others of the same model are not known yet, a line a problem."""
    try:
        _adapter(model).validate_python(dict(params))
    except ValidationError as error:
        return [line for path, line in _problems(error).items() if path.partition(".")[0] in params]
    return []


def schema_of(model: Any) -> dict[str, Any]:  # noqa: ANN401  # any model pydantic understands
    """Return the JSON Schema of a model; None stands for any mapping."""
    return _adapter(model).json_schema()


def secret_names(model: Any) -> tuple[str, ...]:  # noqa: ANN401  # any model pydantic understands
    """Return the names of a model's fields that are secret, or have something secret in them."""
    return _names_of(model).secret


def known_names(model: Any) -> frozenset[str] | None:  # noqa: ANN401  # any model pydantic understands
    """Return the names of a model's fields; None if it takes any, or cannot say."""
    return _names_of(model).known


@dataclass(frozen=True, slots=True)
class _Names:
    """What is to be known of the fields of a model; nothing of one that has no JSON Schema."""

    known: frozenset[str] | None = None
    secret: tuple[str, ...] = ()


_NAMES: WeakKeyDictionary[type, _Names] = WeakKeyDictionary()
"""Those of the classes that were asked for: to make a schema takes far longer than to check parameters."""


def _names_of(model: Any) -> _Names:  # noqa: ANN401  # as above
    if not isinstance(model, type):
        return _names_in_schema(model)
    names = _NAMES.get(model)
    if names is None:
        names = _NAMES[model] = _names_in_schema(model)
    return names


def _names_in_schema(model: Any) -> _Names:  # noqa: ANN401  # as above
    try:
        schema = schema_of(model)
    except PydanticInvalidForJsonSchema:
        return _Names()
    fields = getattr(model, "model_fields", {})
    properties, definitions = schema.get("properties", {}), schema.get("$defs", {})
    shown = {name: name for name in properties} | {name: field.alias or name for name, field in fields.items()}
    secret = tuple(name for name, key in shown.items() if _is_secret(properties.get(key), definitions, ()))
    takes_any = "properties" not in schema or schema.get("additionalProperties")
    has_other_names = any(field.validation_alias is not None for field in fields.values())
    return _Names(None if takes_any or has_other_names else frozenset({*properties, *fields}), secret)


def _is_secret(schema: Any, definitions: Mapping[str, Any], seen: tuple[str, ...]) -> bool:  # noqa: ANN401  # JSON data
    if isinstance(schema, list):
        return any(_is_secret(each, definitions, seen) for each in schema)
    if not isinstance(schema, dict):
        return False
    if schema.get("writeOnly") is True:  # what pydantic says of SecretStr and SecretBytes
        return True
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if name and name not in seen and _is_secret(definitions.get(name), definitions, (*seen, name)):
        return True
    return any(_is_secret(each, definitions, seen) for each in schema.values())


def _adapter(model: Any) -> TypeAdapter[Any]:  # noqa: ANN401  # any model pydantic understands
    return TypeAdapter(dict[str, Any] if model is None else model)


def _problems(error: ValidationError) -> dict[str, str]:
    """Return a line a problem, by field path: what is wrong, and what was given."""
    lines, secrets = {}, _secrets_in(error)
    for problem in error.errors(include_url=False):
        if problem["type"] != SECRET and problem["loc"][:1] in secrets:
            continue  # what else could have been given there
        path = ".".join(str(part) for part in problem["loc"]) or "(the whole)"
        given = "" if problem["type"] in {"missing", SECRET} else f" (got {problem['input']!r:.80})"
        lines[path] = f"{path}: {problem['msg']}{given}"
    return lines


def _secrets_in(error: ValidationError) -> set[tuple[int | str, ...]]:
    """Return the fields in which there is a secret that should not be there."""
    return {problem["loc"][:1] for problem in error.errors(include_url=False) if problem["type"] == SECRET}


def unknown_name(name: str, known: Collection[str]) -> str:
    """Return what is said of a parameter that a model does not have."""
    near = get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(known)) or 'none'}"
    return f"{name}: there is no such parameter; {hint}"
