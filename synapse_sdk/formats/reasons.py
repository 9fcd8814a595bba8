"""Why things are lost that several formats lose."""

from synapse_sdk.formats.losses import Reason

__all__ = [
    "ATTRIBUTES",
    "CROWD",
    "DANGLING",
    "DUPLICATE_ID",
    "GROUP",
    "INVALID_RECORD",
    "LABEL_MISSING",
    "NAME_TAKEN",
    "NOT_A_NUMBER",
    "SHAPE",
    "UNKNOWN_CLASS",
    "UNKNOWN_IMAGE",
    "UNSAFE_NAME",
]

ATTRIBUTES = Reason(
    "ATTRIBUTES", "the target has no place for attributes", "Choose COCO, Pascal VOC or DM to keep them"
)
CROWD = Reason("CROWD", "regions full of objects are no objects of the target", "Choose COCO or DM to keep them")
DANGLING = Reason("DANGLING", "it names an annotation that is not there", "Mend or remove it")
DUPLICATE_ID = Reason("DUPLICATE_ID", "the id is there twice", "Give each its own")
GROUP = Reason("GROUP", "the target does not say which annotations belong together", "Choose DM to keep it")
INVALID_RECORD = Reason("INVALID_RECORD", "it is not what the format says", "Mend it")
LABEL_MISSING = Reason("LABEL_MISSING", "it has no class", "Give it one, or choose a target that needs none")
NAME_TAKEN = Reason("NAME_TAKEN", "another item has the same file in the target", "Rename one of the two images")
NOT_A_NUMBER = Reason("NOT_A_NUMBER", "it holds NaN or infinity", "Mend or remove it")
SHAPE = Reason("SHAPE", "the target has no place for this kind of shape", "Choose a target or --task that has one")
UNKNOWN_CLASS = Reason("UNKNOWN_CLASS", "there is no such class", "Add it to the list of classes, or mend the number")
UNKNOWN_IMAGE = Reason(
    "UNKNOWN_IMAGE", "it is about an image that the dataset does not list", "Add the image, or remove it"
)
UNSAFE_NAME = Reason(
    "UNSAFE_NAME", "the name leads out of the dataset, has a backslash, is too long, or is not UTF-8", "Rename it"
)
