"""Why things are lost, or worth a word, that only YOLO datasets lose."""

from synapse_sdk.formats.losses import Reason

__all__ = [
    "BOX_MADE",
    "BRIDGED",
    "CONFIGURATION",
    "DUPLICATE_ROW",
    "ELSEWHERE",
    "FLIPS",
    "FOLDER_RENAMED",
    "HIDDEN_NAME",
    "JOINTS",
    "LISTED_TWICE",
    "MISSING_PLACE",
    "MIXED",
    "PADDED",
    "SAME_LABELS",
    "SPLIT_MISSING",
    "TWO_SPLITS",
    "UNLISTED",
    "UNREADABLE_LABELS",
]

BOX_MADE = Reason("BOX_MADE", "a box was put around its joints, as poses need one", "Nothing is to be done")
BRIDGED = Reason("BRIDGED", "its parts or holes were joined into one outline", "Choose COCO to keep them apart")
CONFIGURATION = Reason("CONFIGURATION", "the configuration contradicts itself", "Mend the YAML file")
DUPLICATE_ROW = Reason("DUPLICATE_ROW", "the same row is there twice; trainers drop one", "Remove one")
ELSEWHERE = Reason("ELSEWHERE", "images are read from another place than the YAML file says", "Mend its paths")
FLIPS = Reason("FLIPS", "classes differ in which joints mirror which; trainers know one way, none is written", "Agree")
HIDDEN_NAME = Reason(
    "HIDDEN_NAME", "its name began with a dot, and trainers pass over such files", "Rename it in the dataset"
)
JOINTS = Reason("JOINTS", "it has joints that its class has not", "Give the class all joints")
LISTED_TWICE = Reason("LISTED_TWICE", "a list of images has it twice; it was read once", "Remove one")
MISSING_PLACE = Reason(
    "MISSING_PLACE", "the YAML file names images that are not there", "Put them there, or remove them from the file"
)
MIXED = Reason("MIXED", "its rows are for different tasks", "Keep one kind of rows in a dataset")
PADDED = Reason(
    "PADDED", "its poses have fewer joints, and were filled up with unlabelled ones", "Nothing is to be done"
)
FOLDER_RENAMED = Reason(
    "FOLDER_RENAMED",
    "a folder was renamed, as trainers would seek labels in the wrong place",
    "Rename it in the dataset",
)
SAME_LABELS = Reason("SAME_LABELS", "another image has the same label file", "Rename one of the two images")
SPLIT_MISSING = Reason(
    "SPLIT_MISSING",
    "trainers insist on images to train and to validate with; another split stands in",
    "Divide the dataset: synapse dataset split",
)
TWO_SPLITS = Reason("TWO_SPLITS", "the image is in another split, too", "Keep it in one of them")
UNLISTED = Reason("UNLISTED", "the YAML file does not name this folder of images", "Add it to the YAML file")
UNREADABLE_LABELS = Reason("UNREADABLE_LABELS", "its label file cannot be read", "Replace the file")
