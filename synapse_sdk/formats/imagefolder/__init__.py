"""Image folders: a folder of images for each class."""

from synapse_sdk.formats.imagefolder.format import ImageFolderFormat

__all__ = ["ImageFolderFormat"]
