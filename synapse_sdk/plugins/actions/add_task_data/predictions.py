"""Results of models: what of them can be kept, and how they become DM documents."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from synapse_sdk.errors import InvalidDocumentError
from synapse_sdk.formats import Annotation, Box, Item, LossLog, Mask, Polygon
from synapse_sdk.formats.dm import DmDocument, Version
from synapse_sdk.formats.dm.rendering import Renderer
from synapse_sdk.formats.dm.versions import DocumentWriter

__all__ = ["document_of_predictions", "encoded_result"]

OF_A_BOX, OF_A_TRIANGLE = 4, 6
"""How many numbers say where they are."""
FIX = (
    "Have the model return a DM document, or a list of predictions {'label': ..., 'box': [x, y, width, height]}, or "
    "override convert_data_from_inference"
)


def encoded_result(result: object) -> bytes:
    """Return the result of a model as JSON; arrays become lists.

    Raises:
        ValueError: It is None, has a number that is not finite, or something that JSON cannot have.
    """
    if result is None:
        msg = "the model has returned None for it"
        raise ValueError(msg)
    try:
        return json.dumps(result, allow_nan=False, default=_plain).encode()
    except (TypeError, RecursionError) as error:
        msg = f"the model has returned something that JSON cannot have: {error}"
        raise ValueError(msg) from error
    except ValueError as error:
        msg = f"the model has returned a number that is not finite (NaN or infinity): {error}"
        raise ValueError(msg) from error


def document_of_predictions(result: Any) -> dict[str, Any]:  # noqa: ANN401  # whatever a model has returned
    """Return a DM document: the result itself if it is one, else what a list of predictions says.

    A prediction has a `label`, maybe a `score`, and a `box` (x, y, width, height in pixels of the image as it is
    shown), a `polygon` (flat points, or a list of outlines; then `holes` are those of the same object), a `mask`
    (`size` and `counts` of COCO), or none of them: then it is about the whole image.

    Raises:
        InvalidDocumentError: It is neither.

    Example:
        >>> document = document_of_predictions([{"label": "cat", "box": [1, 2, 3, 4], "score": 0.5}])
        >>> [box["data"] for box in document["images"][0]["bounding_box"]]
        [[1.0, 2.0, 3.0, 4.0]]
    """
    if isinstance(result, Mapping) and "label" not in result:
        return DmDocument.of(dict(result)).dump()
    predictions = [result] if isinstance(result, Mapping) else result
    if not isinstance(predictions, Sequence) or isinstance(predictions, str):
        msg = f"The model has returned {type(result).__name__}, which is neither a DM document nor predictions"
        raise InvalidDocumentError(msg, fix=FIX)
    annotations = [_annotation(number, each) for number, each in enumerate(predictions, 1)]
    with LossLog() as losses:
        written = Counter[tuple[str, str]]()
        writer = DocumentWriter(Version.V2, Renderer({}, losses, written), losses, written)
        found: dict[str, Any] = json.loads(writer.content(Item(name="image", annotations=annotations), annotations))
    return found


def _annotation(number: int, prediction: object) -> Annotation:
    if not isinstance(prediction, Mapping) or not isinstance(prediction.get("label"), str):
        msg = f"Prediction {number} has no label"
        raise InvalidDocumentError(msg, fix=FIX)
    box, score = prediction.get("box"), prediction.get("score")
    if box is not None and (len(numbers := _numbers(number, box)) != OF_A_BOX or min(numbers[2:]) < 0):
        msg = f"The box of prediction {number} is {box!r}, and not x, y, width and height"
        raise InvalidDocumentError(msg, fix=FIX)
    return Annotation(
        id=str(number),
        label=prediction["label"],
        box=None if box is None else Box(*_numbers(number, box)),
        shape=_shape(number, prediction),
        attributes={} if score is None else {"score": score},
    )


def _shape(number: int, prediction: Mapping[str, Any]) -> Mask | Polygon | None:
    polygon, mask = prediction.get("polygon"), prediction.get("mask")
    if mask is not None:
        return _mask(number, mask)
    if polygon is None:
        return None
    is_several = isinstance(polygon, Sequence) and polygon and isinstance(polygon[0], Sequence)
    rings = [_ring(number, each) for each in (polygon if is_several else [polygon])]
    return Polygon(rings, [_ring(number, each) for each in prediction.get("holes") or ()])


def _ring(number: int, outline: object) -> list[float]:
    if len(points := _numbers(number, outline)) < OF_A_TRIANGLE or len(points) % 2:
        msg = f"The polygon of prediction {number} is not three points x, y or more, in one list"
        raise InvalidDocumentError(msg, fix=FIX)
    return points


def _mask(number: int, mask: object) -> Mask:
    """Return a mask from COCO's run lengths; a text is compressed."""
    from synapse_sdk.formats.masks import is_valid_counts, mask_of_counts  # noqa: PLC0415  # loads numpy

    try:
        if not isinstance(mask, Mapping):
            raise TypeError(mask)  # noqa: TRY301  # one message for all that it may be instead
        height, width = mask["size"]
        if not isinstance(mask["counts"], str):
            return mask_of_counts(mask["counts"], width, height)
        counts = mask["counts"].encode("ascii")
        if is_valid_counts(counts, width, height):
            return Mask(width, height, counts)
    except (KeyError, TypeError, ValueError):
        pass
    msg = f"The mask of prediction {number} is not the run lengths that COCO has: size (height, width) and counts"
    raise InvalidDocumentError(msg, fix=FIX)


def _numbers(number: int, values: object) -> list[float]:
    if isinstance(values, Sequence) and all(isinstance(each, int | float) and math.isfinite(each) for each in values):
        return [float(each) for each in values]
    msg = f"Prediction {number} has {values!r} where numbers should be"
    raise InvalidDocumentError(msg, fix=FIX)


def _plain(value: object) -> Any:  # noqa: ANN401  # as the JSON encoder wants it
    """Return an array, or a number of a library, as Python has it."""
    convert = getattr(value, "tolist", None)
    if callable(convert):
        return convert()
    msg = f"{type(value).__name__} is not JSON"
    raise TypeError(msg)
