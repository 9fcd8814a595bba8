"""Pascal VOC: one XML file an image, with boxes; masks are images beside them."""

from synapse_sdk.formats.voc.format import PascalFormat

__all__ = ["PascalFormat"]
