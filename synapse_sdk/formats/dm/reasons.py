"""Why things are lost when DM documents and datasets are read, converted or written."""

from synapse_sdk.formats.losses import Reason

__all__ = [
    "AMBIGUOUS_IMAGE",
    "DERIVED_BOX",
    "HOLES",
    "INVALID_MASK",
    "NO_ANNOTATION",
    "NO_DOCUMENT",
    "NO_PAYLOAD",
    "NO_SIZE",
    "ONLY_IN_V1",
    "OTHER_MEDIA",
    "POINTS",
    "REPEATED_ATTRIBUTE",
    "UNKNOWN_MEDIA",
    "UNKNOWN_TOOL",
    "UNNAMED_OBJECT",
    "UNREADABLE_DOCUMENT",
]

AMBIGUOUS_IMAGE = Reason("AMBIGUOUS_IMAGE", "it may be about several files", "Rename all but one of them")
DERIVED_BOX = Reason("DERIVED_BOX", "beside a rotated box there is no place for an upright one", "Nothing need be done")
HOLES = Reason("HOLES", "polygons of DM have no holes: they are filled", "Choose COCO to keep them, as masks")
INVALID_MASK = Reason("INVALID_MASK", "the mask does not fit its image, or its runs overlap", "Draw it anew")
NO_ANNOTATION = Reason("NO_ANNOTATION", "nothing says what the shape is", "Add it to annotations, or remove the shape")
NO_DOCUMENT = Reason("NO_DOCUMENT", "no document speaks of it, so there is nothing in it", "Write one, or remove it")
NO_PAYLOAD = Reason("NO_PAYLOAD", "nothing says where it is", "Draw it anew, or remove it")
NO_SIZE = Reason("NO_SIZE", "a mask needs the size of its image, which nobody knows", "Put the image there")
ONLY_IN_V1 = Reason("ONLY_IN_V1", "version 2 has no place for some of it", "Keep the documents of version 1, too")
OTHER_MEDIA = Reason("OTHER_MEDIA", "media of its kind were not asked for", "Ask for all kinds")
POINTS = Reason("POINTS", "points have more than two numbers, of which the first two count", "Nothing need be done")
REPEATED_ATTRIBUTE = Reason("REPEATED_ATTRIBUTE", "an attribute is there twice, and the first one counts", "Remove one")
UNKNOWN_MEDIA = Reason("UNKNOWN_MEDIA", "there is no such kind of media", "Rename or remove it")
UNKNOWN_TOOL = Reason(
    "UNKNOWN_TOOL", "there is no such tool", "Install the package that offers it under synapse.dm_tools, or remove it"
)
UNNAMED_OBJECT = Reason(
    "UNNAMED_OBJECT", "nothing says of which class joints are, so they are of class 'object'", "Give them a box"
)
UNREADABLE_DOCUMENT = Reason("UNREADABLE_DOCUMENT", "the document cannot be read", "Write it anew, as JSON (RFC 8259)")
