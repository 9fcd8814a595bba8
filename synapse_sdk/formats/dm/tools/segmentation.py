"""Segmentation: pixels of an image, frames of a video, or seconds of a sound."""

from collections.abc import Sequence
from itertools import pairwise

from synapse_sdk.formats.dm.tools.base import BaseTool, ObjectTool
from synapse_sdk.formats.dm.values import as_list, as_object, shown
from synapse_sdk.types import JsonObject, JsonValue

__all__ = ["SegmentationTool", "TimeRangeTool", "are_runs", "check_mask"]

RUN = 2
"""Numbers of a run: the first pixel, and how many there are."""
RUNS_ENCODING: JsonObject = {"encoding": "dm_rle", "isCompressed": True, "compressionFormat": "rle"}
INDEX_ENCODING: JsonObject = {"encoding": "raw_indices", "isCompressed": False, "compressionFormat": None}
PIXELS = "pixel_indices"


class SegmentationTool(BaseTool):
    """Masks of images, as numbers of pixels or as runs of them, and spans of videos and sounds."""

    tool_name = "segmentation"
    known = frozenset(RUNS_ENCODING)

    def to_v2(self, v1_annotation: JsonObject, v1_data: JsonObject) -> dict[str, JsonValue]:
        """Return an annotation of version 2, which says how a mask is written."""
        found = super().to_v2(v1_annotation, v1_data)
        if PIXELS in v1_data:
            runs = are_runs(as_list(v1_data[PIXELS], PIXELS), v1_data)
            found |= RUNS_ENCODING if runs else INDEX_ENCODING
        return found

    def data_of(self, v1_data: JsonObject) -> JsonValue:
        """Return pixels, or a span with the units that it has."""
        if PIXELS in v1_data:
            return v1_data[PIXELS]
        if "section" in v1_data:
            return dict(as_object(v1_data["section"], "section"))
        msg = f"there is neither {PIXELS} nor section in it"
        raise ValueError(msg)

    def payload_of(self, v2_annotation: JsonObject) -> dict[str, JsonValue]:
        """Return the entry in `annotationsData`, but for its id."""
        data = v2_annotation.get("data")
        if not isinstance(data, list | tuple):
            return {"section": dict(as_object(data, "data"))}
        encoding = RUNS_ENCODING if are_runs(data, v2_annotation) else INDEX_ENCODING
        rest = {key: value for key, value in encoding.items() if key != "encoding"}
        return {PIXELS: [*data], **rest}


class TimeRangeTool(ObjectTool):
    """Ranges of an axis in whole units, and what is left out of them."""

    tool_name = "time_range"

    def data_of(self, v1_data: JsonObject) -> JsonValue:
        """Return the range, and what else is said about it."""
        rest = {key: value for key, value in v1_data.items() if key not in {"id", "tool", "section"}}
        return dict(as_object(v1_data.get("section"), "section")) | rest

    def payload_of(self, v2_annotation: JsonObject) -> dict[str, JsonValue]:
        """Return the entry in `annotationsData`, but for its id."""
        data = as_object(v2_annotation.get("data"), "data")
        ends = ("start", "end")
        rest = {key: value for key, value in data.items() if key not in ends}
        return {"section": {key: data[key] for key in ends if key in data}, **rest}


def are_runs(pixels: Sequence[JsonValue], about: JsonObject) -> bool:
    """Whether a mask is given as runs rather than as numbers of pixels.

    Args:
        pixels: The mask.
        about: What is said about it: the keys `isCompressed` and `encoding`, neither of which need be there.

    Raises:
        ValueError: What is said about it is not so.
    """
    is_said = about.get("isCompressed") is True or about.get("encoding") == RUNS_ENCODING["encoding"]
    if not pixels:
        return is_said
    are_pairs = isinstance(pixels[0], list | tuple)
    if is_said and not are_pairs:
        msg = f"it is said to be runs of pixels, and begins with {shown(pixels[0])}"
        raise ValueError(msg)
    return are_pairs


def check_mask(pixels: Sequence[JsonValue], size: tuple[int, int] | None) -> str:
    """Say what is wrong with a mask; nothing if all is well.

    Args:
        pixels: The mask, as runs or as numbers of pixels.
        size: Width and height of its image, if they are known.
    """
    if not pixels:
        return ""
    try:
        if not isinstance(pixels[0], list | tuple):
            found = [*map(_whole, pixels)]
            return _check_ends(min(found), max(found), size)
        runs = sorted(map(_run, pixels))
    except ValueError as error:
        return str(error)
    for (start, length), (after, after_length) in pairwise(runs):
        if start + length > after:
            return f"runs {[start, length]} and {[after, after_length]} overlap"
    return _check_ends(runs[0][0], sum(runs[-1]) - 1, size)


def _check_ends(first: int, last: int, size: tuple[int, int] | None) -> str:
    if size is None:
        return f"pixel {first} is outside of the image" if first < 0 else ""
    width, height = size
    if first >= 0 and last < width * height:
        return ""
    outside = first if first < 0 else last
    return f"pixel {outside} is outside of {width} x {height} pixels, which are 0 to {width * height - 1}"


def _run(value: JsonValue) -> tuple[int, int]:
    if isinstance(value, list | tuple) and len(value) == RUN:
        start, length = _whole(value[0]), _whole(value[1])
        if length >= 1:
            return start, length
    msg = f"a run is {shown(value)}, not the first pixel and how many there are"
    raise ValueError(msg)


def _whole(value: JsonValue) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    msg = f"a pixel is {shown(value)}, not a whole number"
    raise ValueError(msg)
