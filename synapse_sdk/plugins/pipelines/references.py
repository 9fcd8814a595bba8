"""Text in parameters that stands for a result of an earlier action: `${upload.collection}`."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from synapse_sdk.errors import PipelineError

__all__ = ["Reference", "filled_in", "reference_in", "references_in"]

REFERENCE = re.compile(r"\$\$(?=\{)|\$\{([^{}]*)\}")
"""A reference; or `$$` before a brace, which stands for the dollar itself."""

type Reference = tuple[str, ...]
"""The action, the field of its result, and fields within."""


def references_in(value: Any) -> Iterator[Reference]:  # noqa: ANN401  # JSON data
    """Yield every reference in a parameter, at any depth."""
    if isinstance(value, str):
        for found in REFERENCE.finditer(value):
            if found[1] is not None:
                yield _split(found[1])
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from references_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from references_in(each)


def reference_in(value: Any) -> Reference | None:  # noqa: ANN401  # JSON data
    """Return the reference that a value is as a whole; None if it is something else."""
    found = REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return None if found is None or found[1] is None else _split(found[1])


def filled_in(value: Any, results: Mapping[str, Any]) -> Any:  # noqa: ANN401  # JSON data
    """Return a parameter with results in the place of references.

    A reference that is the whole text becomes the result itself, whatever its type; within other text, its text.

    Args:
        value: The parameter.
        results: The results of earlier actions as JSON data, by the names of these.

    Raises:
        PipelineError: A result has no such field.

    Example:
        >>> filled_in(["${count.files}", "${count.files} of $${all}"], {"count": {"files": 3}})
        [3, '3 of ${all}']
    """
    if (whole := reference_in(value)) is not None:
        return _look_up(whole, results)
    if isinstance(value, str):
        return REFERENCE.sub(lambda at: "$" if at[1] is None else str(_look_up(_split(at[1]), results)), value)
    if isinstance(value, Mapping):
        return {name: filled_in(each, results) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [filled_in(each, results) for each in value]
    return value


def _split(text: str) -> Reference:
    return tuple(part.strip() for part in text.split("."))


def _look_up(reference: Reference, results: Mapping[str, Any]) -> Any:  # noqa: ANN401  # JSON data
    value: Any = results
    for number, name in enumerate(reference):
        if not isinstance(value, Mapping) or name not in value:
            there = ", ".join(map(str, value)) if isinstance(value, Mapping) else f"{value!r:.60}"
            msg = f"${{{'.'.join(reference)}}} stands for nothing"
            why = f"{'.'.join(reference[:number]) or 'the pipeline'} has {there or 'nothing'}"
            raise PipelineError(msg, why=why, fix="Name a field of the result of an earlier action")
        value = value[name]
    return value
