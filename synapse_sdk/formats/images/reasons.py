"""Why something is said about images."""

from synapse_sdk.formats.losses import Reason

__all__ = ["MISSING_IMAGE", "NO_IMAGE", "SYMLINK", "TURNED", "UNREADABLE_FOLDER", "UNREADABLE_IMAGE"]

MISSING_IMAGE = Reason("MISSING_IMAGE", "the image is not there", "Put it back, or remove what is said about it")
NO_IMAGE = Reason("NO_IMAGE", "it is no image, and the target has images only", "Choose DM to keep it")
SYMLINK = Reason("SYMLINK", "it is a link that is not followed", "Put the files themselves there")
TURNED = Reason("TURNED", "the image is shown turned, as its EXIF data says", "Or take it as stored: exif=ignore")
UNREADABLE_FOLDER = Reason("UNREADABLE_FOLDER", "the folder cannot be read, whatever is in it", "Make it readable")
UNREADABLE_IMAGE = Reason("UNREADABLE_IMAGE", "the image cannot be read", "Replace it")
