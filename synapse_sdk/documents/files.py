"""From a file to its document."""

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from synapse_sdk.documents.limits import MAX_BYTES, place, refusal, too_large
from synapse_sdk.documents.regular import open_regular
from synapse_sdk.types import JsonValue

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["read_document"]


def read_document(
    path: str | os.PathLike[str], *, max_json_bytes: int = MAX_BYTES, yaml_as_text: bool = False
) -> JsonValue:
    """Read a document whose suffix says what it is: `.yaml`, `.yml`, `.json` or `.toml`.

    Args:
        path: The file.
        max_json_bytes: Size that it may have if it is JSON, in bytes; other documents have a limit of their own.
        yaml_as_text: Whether keys and values of a YAML document are text, as they are written; see `parse_yaml`.

    Returns:
        JSON data; None for an empty YAML file.

    Raises:
        InvalidDocumentError: It cannot be read, has another suffix, is not what its suffix says, or is built to do
            harm.
    """
    path = Path(path)
    origin, limit = str(path), MAX_BYTES
    match path.suffix.lower():
        case ".yaml" | ".yml":
            from synapse_sdk.documents.yaml import parse_yaml  # noqa: PLC0415  # loads PyYAML

            parse: Callable[[str, str], JsonValue] = partial(parse_yaml, as_text=yaml_as_text)
        case ".json":
            from synapse_sdk.documents.json import parse_json  # noqa: PLC0415  # one format is enough

            parse, limit = partial(parse_json, max_bytes=max_json_bytes), max_json_bytes
        case ".toml":
            from synapse_sdk.documents.toml import parse_toml as parse  # noqa: PLC0415  # as above
        case suffix:
            why = f"its name ends in {suffix!r}" if suffix else "its name has no ending"
            raise refusal(origin, why, "Name it .yaml, .yml, .json or .toml, after what it is")
    return parse(_text(path, origin, limit), origin)


def _text(path: Path, origin: str, limit: int) -> str:
    try:
        with open_regular(path, partial(refusal, origin)) as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise refusal(origin, error.strerror or str(error), "Name a file that may be read") from error
    if len(data) > limit:
        raise too_large(origin, f"more than {limit:,}", limit)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        valid = data[: error.start].decode()
        why = f"byte 0x{data[error.start]:02X} is not UTF-8"
        raise refusal(origin, why, "Save it as UTF-8", **place(valid, len(valid))) from error
