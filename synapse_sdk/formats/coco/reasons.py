"""Why things are lost in COCO that other formats do not lose."""

from synapse_sdk.formats.losses import Reason

__all__ = [
    "BACKSLASHES",
    "CATEGORIES",
    "HOLES",
    "JOINTS",
    "MASK_SIZE",
    "NOT_LABELLED",
    "NOT_READ",
    "REPEATED_NAME",
    "SEGMENT",
]

BACKSLASHES = Reason("BACKSLASHES", "its name has backslashes, which are taken for slashes", "Write slashes")
CATEGORIES = Reason("CATEGORIES", "the list of categories contradicts itself", "Mend it")
HOLES = Reason("HOLES", "the polygon has holes, which COCO has no place for: it is a mask now", "Nothing need be done")
JOINTS = Reason("JOINTS", "its joints are not those of its class", "Give all objects of a class the same joints")
MASK_SIZE = Reason("MASK_SIZE", "the mask is not of the size of its image, and was cut to that", "Mend it")
NOT_LABELLED = Reason(
    "NOT_LABELLED",
    "joints of visibility 0 are not labelled, and lose the place that the file gives them",
    "Give those joints visibility 1 or 2 that are to stay where they are",
)
NOT_READ = Reason("NOT_READ", "the file is not read", "Name it instead of the folder to read it alone")
REPEATED_NAME = Reason("REPEATED_NAME", "the image is listed twice: it is one with all its annotations", "Remove one")
SEGMENT = Reason("SEGMENT", "the panoptic file and the image of its segments do not agree", "Mend one of the two")
