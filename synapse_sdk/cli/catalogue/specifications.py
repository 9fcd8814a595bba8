"""File specifications as they are written on the command line and in files."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from synapse_sdk.extensions import one_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from synapse_sdk.backend import FileSpecification
    from synapse_sdk.types import JsonValue

__all__ = ["SpecificationText", "read_specifications", "written"]

WORDS = ("required", "optional", "primary")
KEYS = ("name", "type", "required", "primary", "extensions")


class SpecificationText(click.ParamType[Any]):
    """`NAME:TYPE,.EXT,...,primary,optional`, such as `images:image,.jpg,.png,primary`."""

    name = "specification"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401  # click's
        """Return the file specification that a text describes."""
        from synapse_sdk.backend import FileSpecification, FileType  # noqa: PLC0415  # help needs none of it

        name, _, rest = str(value).partition(":")
        specification = FileSpecification(name=name)
        for word in filter(None, (each.strip() for each in rest.split(","))):
            if word.startswith("."):
                extensions = (*specification.extensions, word.lower())
                specification = replace(specification, extensions=extensions)
            elif word == "primary":
                specification = replace(specification, is_primary=True)
            elif word in WORDS:
                specification = replace(specification, is_required=word == "required")
            elif word in tuple(FileType):
                specification = replace(specification, file_type=FileType(word))
            else:
                known = (*map(str, FileType), *WORDS)
                hint = f"an extension needs its dot: .{word}. {one_of(word, known)}"
                self.fail(
                    f"{value!r} has {word!r}, which is neither a type nor a word that is known; {hint}", param, ctx
                )
        if not name:
            self.fail(f"{value!r} has no name; write NAME:TYPE, such as images:image,.jpg", param, ctx)
        return specification


def read_specifications(path: str) -> "list[FileSpecification]":
    """Return the specifications of a document: a list, or a mapping with a list under `specifications`.

    Raises:
        InvalidDocumentError: It cannot be read.
        ConfigurationError: It does not hold specifications.
    """
    from synapse_sdk.documents import read_document  # noqa: PLC0415  # help needs none of it

    document = read_document(path)
    items = document.get("specifications") if isinstance(document, dict) else document
    if not isinstance(items, list) or not items:
        raise _wrong(path, "it has no list of specifications")
    return [_specification(item, f"{path}: specification {number}") for number, item in enumerate(items, 1)]


def written(specifications: "Iterable[FileSpecification]") -> "Sequence[str]":
    """Return specifications as `--spec` takes them.

    Example:
        >>> from synapse_sdk.backend import FileSpecification, FileType
        >>> written([FileSpecification(name="a", file_type=FileType.IMAGE, is_primary=True, extensions=(".jpg",))])
        ['a:image,.jpg,primary']
    """
    return [f"{each.name}:{','.join([each.file_type, *each.extensions, *_words(each)])}" for each in specifications]


def _words(specification: "FileSpecification") -> "list[str]":
    words = {"primary": specification.is_primary, "optional": not specification.is_required}
    return [word for word, is_said in words.items() if is_said]


def _specification(item: "JsonValue", place: str) -> "FileSpecification":
    from synapse_sdk.backend import FileSpecification, FileType  # noqa: PLC0415  # as above

    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        raise _wrong(place, "it has no name")
    for key in item:
        if key not in KEYS:
            raise _wrong(place, f"unknown key {key!r}", one_of(key, KEYS))
    kind, extensions = item.get("type", "data"), item.get("extensions", [])
    required, primary = item.get("required", True), item.get("primary", False)
    if kind not in tuple(FileType):
        raise _wrong(place, f"type cannot be {kind!r}", one_of(str(kind), map(str, FileType)))
    if not isinstance(required, bool) or not isinstance(primary, bool):
        raise _wrong(place, "required and primary are true or false")
    if not isinstance(extensions, list) or not all(isinstance(each, str) for each in extensions):
        raise _wrong(place, "extensions is a list of texts, such as [.jpg, .png]")
    return FileSpecification(
        name=item["name"],
        file_type=FileType(kind),
        is_required=required,
        is_primary=primary,
        extensions=tuple(each.lower() for each in extensions),
    )


def _wrong(place: str, why: str, fix: str | None = None) -> Exception:
    from synapse_sdk.errors import ConfigurationError  # noqa: PLC0415  # as above

    fix = fix or "Write a list of {name, type, required, primary, extensions}"
    return ConfigurationError(f"{place} cannot be used", why=why, fix=fix)
