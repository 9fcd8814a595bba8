"""Images as files: which there are, how large they are shown, and how they come into a target."""

from synapse_sdk.formats.images.below import Images, PassedOver, images_below, why_not_followed
from synapse_sdk.formats.images.headers import ImageFacts
from synapse_sdk.formats.images.names import IMAGE_SUFFIXES, is_folder, is_regular, is_safe_name, visible
from synapse_sdk.formats.images.placer import ImagePlacer
from synapse_sdk.formats.images.reasons import (
    MISSING_IMAGE,
    NO_IMAGE,
    SYMLINK,
    TURNED,
    UNREADABLE_FOLDER,
    UNREADABLE_IMAGE,
)
from synapse_sdk.formats.images.sizes import ImageSizes, is_called_image

__all__ = [
    "IMAGE_SUFFIXES",
    "MISSING_IMAGE",
    "NO_IMAGE",
    "SYMLINK",
    "TURNED",
    "UNREADABLE_FOLDER",
    "UNREADABLE_IMAGE",
    "ImageFacts",
    "ImagePlacer",
    "ImageSizes",
    "Images",
    "PassedOver",
    "images_below",
    "is_called_image",
    "is_folder",
    "is_regular",
    "is_safe_name",
    "visible",
    "why_not_followed",
]
