"""From an item of the model to a document of version 2."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from synapse_sdk.formats.dm.media import BUCKETS, in_natural_order, is_media_id, kind_of
from synapse_sdk.formats.dm.merging import GROUP
from synapse_sdk.formats.dm.out import Out
from synapse_sdk.formats.dm.parts import Parts
from synapse_sdk.formats.dm.place import Place
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.model import Annotation, Item, Verbatim, tools_of
from synapse_sdk.formats.reasons import SHAPE

__all__ = ["Renderer"]

IMAGE = "image_1"
ALWAYS = ("bounding_box", "polygon", "polyline", "keypoint", "relation", GROUP)
"""Lists that every image has, even if they are empty."""

type Media = dict[str, list[Out]]
"""The annotations of a medium by tool."""


class Renderer:
    """Makes documents of items.

    Args:
        joints: The names of the joints of the objects of each class.
        losses: Takes down what version 2 cannot say.
        written: Is told how often each class was written with each tool.
    """

    def __init__(self, joints: Mapping[str, Sequence[str]], losses: LossLog, written: Counter[tuple[str, str]]) -> None:
        self._joints, self._losses, self._written = joints, losses, written

    def document(self, item: Item, annotations: Sequence[Annotation]) -> dict[str, Any]:
        """Return a document.

        Args:
            item: The item.
            annotations: Its annotations.
        """
        image: Media = {tool: [] for tool in ALWAYS}
        media: dict[str, Media] = {IMAGE: image}
        place = Place(item, "", self._losses)
        parts = Parts(annotations, self._joints, place)
        written = self._written
        for annotation in annotations:
            if isinstance(annotation.shape, Verbatim):
                self._add_verbatim(annotation, annotation.shape, media, place)
                continue
            rendered = parts.of(annotation)
            for tool, out in rendered:
                image.setdefault(tool, []).append(out)
            if rendered:
                for tool in tools_of(annotation):
                    written[annotation.label, tool] += 1
        known = {each.id for each in image[GROUP]}
        image[GROUP] += [each for each in parts.groups() if each.id not in known]
        labels: dict[str, set[str]] = {}
        buckets: dict[str, list[Media]] = {}
        for name in in_natural_order(media):
            buckets.setdefault(BUCKETS[kind_of(name)], []).append(media[name])
            for tool, outs in media[name].items():
                if tool != GROUP and outs:
                    labels.setdefault(tool, set()).update([each.classification for each in outs])
        classes = {tool: sorted(names - {""}) for tool, names in sorted(labels.items()) if names != {""}}
        return {"classification": classes, **buckets}

    def _add_verbatim(self, annotation: Annotation, shape: Verbatim, media: dict[str, Media], place: Place) -> None:
        if not is_media_id(shape.media):
            words = f"{shape.tool} on {shape.media!r}"
            place.lose(Outcome.DROPPED, SHAPE, annotation.id, words)
            return
        out = Out.of(annotation, shape.data)
        if annotation.group:
            out.group_id = annotation.group
        media.setdefault(shape.media, {}).setdefault(shape.tool, []).append(out)
        self._written[annotation.label, shape.tool] += 1
