"""What the header of an image says: its size as stored, and which way up it is."""

import os
import warnings
from dataclasses import dataclass
from importlib import import_module
from struct import error as StructError  # noqa: N812  # a class, whatever its name says
from typing import TYPE_CHECKING

from synapse_sdk.formats.base import ExifPolicy
from synapse_sdk.formats.images.plain_headers import ORIENTATION, ORIENTATIONS, HeaderSource, read_plain_header

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

__all__ = ["ImageFacts", "read_facts"]

ON_ITS_SIDE = frozenset((5, 6, 7, 8))
"""Orientations for which width and height are swapped."""
UNKNOWN_TO_PILLOW = "not identified by this driver"
"""What Pillow says where it has nothing to say."""
LONGEST_SIGN = 8
"""Bytes that tell in which format an image is."""
PLUGINS = {
    b"\xff\xd8\xff": "JpegImagePlugin:JpegImageFile",
    b"\x89PNG\r\n\x1a\n": "PngImagePlugin:PngImageFile",
    b"BM": "BmpImagePlugin:BmpImageFile",
    b"GIF8": "GifImagePlugin:GifImageFile",
    b"II*\0": "TiffImagePlugin:TiffImageFile",
    b"MM\0*": "TiffImagePlugin:TiffImageFile",
    b"II+\0": "TiffImagePlugin:TiffImageFile",
    b"MM\0+": "TiffImagePlugin:TiffImageFile",
    b"RIFF": "WebPImagePlugin:WebPImageFile",
}
"""Which part of Pillow reads a file that begins so. No other part is ever offered a file."""


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What the header of an image says."""

    width: int
    """Pixels, as stored."""
    height: int
    orientation: int = 1
    """EXIF: 1 for upright; 5 to 8 for images that are shown on their side."""
    bands: int = 3
    """Channels of a pixel: 1 for grey, 3 for colours, 4 with transparency."""

    def shown(self, exif: ExifPolicy) -> tuple[int, int]:
        """Return width and height as a policy has them."""
        if exif is ExifPolicy.APPLY and self.orientation in ON_ITS_SIDE:
            return self.height, self.width
        return self.width, self.height


def read_facts(path: str) -> ImageFacts:
    """Return what the header of an image says, without decoding the image.

    Raises:
        OSError: It cannot be read, or is no image.
    """
    file = os.open(path, os.O_RDONLY)
    try:
        source = HeaderSource(file)
        head = source.read(0, LONGEST_SIGN)
        header = read_plain_header(source)
    finally:
        os.close(file)
    return _facts_of_pillow(path, head) if header is None else ImageFacts(*header)


def _facts_of_pillow(path: str, head: bytes) -> ImageFacts:
    if not head:
        msg = "it is empty"
        raise OSError(msg)
    plugin = next((PLUGINS[sign] for sign in PLUGINS if head.startswith(sign)), None)
    if plugin is None:
        msg = "it is no JPEG, PNG, BMP, GIF, TIFF or WebP file"
        raise OSError(msg)
    module, _, name = plugin.partition(":")
    with warnings.catch_warnings(action="ignore"):
        try:
            # Not by Image.open, which refuses images of very many pixels: none is decoded here.
            with getattr(import_module(f"PIL.{module}"), name)(path) as image:
                return _facts_of_image(image)
        except OSError:
            raise
        except Exception as error:  # Pillow raises whatever its parsers run into
            raise OSError(_fault_of(error)) from error


def _fault_of(error: Exception) -> str:
    """Return what is wrong with an image that Pillow does not take, in words for people."""
    if isinstance(error.__cause__, StructError | EOFError | IndexError):
        return "its header ends too early"
    words = str(error) or type(error).__name__
    return "its header is damaged" + ("" if UNKNOWN_TO_PILLOW in words else f": {words}")


def _facts_of_image(image: "ImageFile") -> ImageFacts:
    width, height = image.size
    try:
        orientation = image.getexif().get(ORIENTATION, 1) if "exif" in image.info or image.format == "TIFF" else 1
    except Exception:  # noqa: BLE001  # as above; an image is shown whatever is wrong with what the camera noted
        orientation = 1
    if orientation not in ORIENTATIONS:
        orientation = 1
    tags = getattr(image, "tag_v2", {})
    if orientation in ON_ITS_SIDE and tags.get(0x0100) == height:  # Pillow says of TIFF alone how it is shown
        width, height = height, width
    return ImageFacts(width, height, orientation, len(image.getbands()))
