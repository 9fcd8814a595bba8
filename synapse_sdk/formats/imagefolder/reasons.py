"""Why things are lost when image folders are read or written."""

from synapse_sdk.formats.losses import Reason

__all__ = ["CLASS_NAME", "NOT_READ", "SEVERAL_LABELS", "UNLABELLED"]

CLASS_NAME = Reason("CLASS_NAME", "the name of the class cannot be that of a folder", "Rename the class")
NOT_READ = Reason("NOT_READ", "there are files that are no images", "Nothing need be done if they are not wanted")
SEVERAL_LABELS = Reason("SEVERAL_LABELS", "an image can be of one class only", "Choose DM to keep them all")
UNLABELLED = Reason("UNLABELLED", "it is in no folder of a class", "Move it into one")
