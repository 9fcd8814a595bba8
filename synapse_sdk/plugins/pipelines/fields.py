"""What models say about their fields: what each names, whether it is needed, and which JSON it may be."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_type_hints

from pydantic import BaseModel, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError

from synapse_sdk.plugins.kinds import Names

__all__ = ["FieldFacts", "fields_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFacts:
    """What is known of one field of a model."""

    names: str | None
    """What its value names, if its annotation says so."""
    is_required: bool
    types: frozenset[str] | None
    """The types of JSON that it may have; None if any, or if nobody knows."""


def fields_of(model: Any, mode: Literal["validation", "serialization"]) -> dict[str, FieldFacts] | None:  # noqa: ANN401  # any model pydantic understands
    """Return what is known of each field of a model; None if it may have any, as a plain dictionary.

    Args:
        model: The model of parameters or of a result.
        mode: `validation` for what goes in, `serialization` for what comes out.
    """
    if model is None:
        return None
    try:
        schema = TypeAdapter(model).json_schema(mode=mode)
    except (PydanticInvalidForJsonSchema, PydanticSchemaGenerationError):
        return None
    definitions = schema.get("$defs", {})
    shape = _followed(schema, definitions)
    if "properties" not in shape:
        return None
    annotations, required = _annotations(model), set(shape.get("required", ()))
    return {
        name: FieldFacts(
            names=next(_named(annotations.get(name)), None),
            is_required=name in required,
            types=_types(each, definitions),
        )
        for name, each in shape["properties"].items()
    }


def _annotations(model: Any) -> dict[str, Any]:  # noqa: ANN401  # any model pydantic understands
    if isinstance(model, type) and issubclass(model, BaseModel):
        found = {name: (field.annotation, *field.metadata) for name, field in model.model_fields.items()}
        return {**found, **{name: each.return_type for name, each in model.model_computed_fields.items()}}
    try:
        return get_type_hints(model, include_extras=True)
    except (NameError, TypeError):
        return {}


def _named(annotation: Any) -> Iterator[str]:  # noqa: ANN401  # whatever stands in an annotation
    """Yield what an annotation says that its values name, at any depth: the union with None is around it."""
    if isinstance(annotation, Names):
        yield annotation.what
    elif isinstance(annotation, tuple):
        for each in annotation:
            yield from _named(each)
    else:
        yield from _named((*get_args(annotation), *getattr(annotation, "__metadata__", ())))


def _types(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> frozenset[str] | None:
    schema = _followed(schema, definitions)
    for several in ("anyOf", "oneOf"):
        if several in schema:
            parts = [_types(each, definitions) for each in schema[several]]
            return None if None in parts else frozenset[str]().union(*filter(None, parts))
    kind = schema.get("type")
    if kind is None:
        return None
    found = {kind} if isinstance(kind, str) else set(kind)
    return frozenset(found | ({"integer"} if "number" in found else set()))


def _followed(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a reference stands for."""
    while "$ref" in schema:
        schema = definitions.get(str(schema["$ref"]).rpartition("/")[2], {})
    return schema
