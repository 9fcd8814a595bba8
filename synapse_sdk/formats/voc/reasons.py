"""Why things are lost when Pascal VOC is read or written."""

from synapse_sdk.formats.losses import Reason

__all__ = [
    "MASK",
    "NOT_READ",
    "NOT_XML",
    "ORIGIN",
    "OTHER_FILE",
    "OVERLAP",
    "RASTERISED",
    "SPLIT_TWICE",
    "UNLABELLED",
    "UNLISTED",
]

MASK = Reason("MASK", "the image of its masks does not fit", "Mend or remove it")
NOT_READ = Reason("NOT_READ", "there is something in it that is not read", "Nothing need be done if it is not wanted")
NOT_XML = Reason("NOT_XML", "its name has characters that XML cannot hold", "Rename it")
ORIGIN = Reason("ORIGIN", "a corner is 0, and pixels count from 1", "Say --voc-origin 0 if what wrote it counts from 0")
OTHER_FILE = Reason(
    "OTHER_FILE", "the file name in the XML is not the name of the XML", "Nothing need be done if the former is right"
)
OVERLAP = Reason("OVERLAP", "other masks cover a part of it", "Choose COCO or DM, where a pixel may have many objects")
RASTERISED = Reason("RASTERISED", "its outline became pixels", "Choose COCO or DM to keep outlines")
SPLIT_TWICE = Reason(
    "SPLIT_TWICE", "it is listed in two splits, and read in the first", "Remove it from one of the lists"
)
UNLABELLED = Reason("UNLABELLED", "no XML speaks of it, so there is nothing in it", "Write one, or remove the image")
UNLISTED = Reason("UNLISTED", "no list of ImageSets/Main has it", "List it, or remove the lists to read all as one")
