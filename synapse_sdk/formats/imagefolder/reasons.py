"""Why things are lost when image folders are read or written."""

from synapse_sdk.formats.losses import Reason

__all__ = ["CLASS_NAME", "CLASS_RENAMED", "NOT_READ", "NO_LABEL", "SEVERAL_LABELS", "UNLABELLED"]

CLASS_NAME = Reason("CLASS_NAME", "the name of the class cannot be that of a folder", "Rename the class")
CLASS_RENAMED = Reason(
    "CLASS_RENAMED",
    "trainers take the first folder for the class, so that its name has no slashes now",
    "Choose imagefolder to keep it",
)
NO_LABEL = Reason(
    "LABEL_MISSING",
    "nothing says of which class the image as a whole is",
    "Give it a class, or choose a target for what is in images",
)
NOT_READ = Reason("NOT_READ", "there are files that are no images", "Nothing need be done if they are not wanted")
SEVERAL_LABELS = Reason("SEVERAL_LABELS", "an image can be of one class only", "Choose DM to keep them all")
UNLABELLED = Reason("UNLABELLED", "it is in no folder of a class", "Move it into one")
