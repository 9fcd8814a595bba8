import os
import random
import struct
import warnings
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from synapse_sdk.formats.images.headers import ImageFacts, read_facts
from synapse_sdk.formats.images.plain_headers import HeaderSource, read_plain_header

SIZE = (64, 48)
MUTATIONS = 500
"""Of headers, in one run of the tests."""


def encoded(kind: str, mode: str = "RGB", **options: object) -> bytes:
    """Return an image file."""
    found = BytesIO()
    Image.new(mode, SIZE, 1).save(found, kind, **options)
    return found.getvalue()


def exif(orientation: int | None = None, maker: str = "A maker of cameras") -> Image.Exif:
    """Return what a camera notes."""
    found = Image.Exif()
    found[0x010F] = maker
    if orientation is not None:
        found[0x0112] = orientation
    return found


def facts_of(folder: Path, data: bytes) -> ImageFacts:
    """Return what is said about a file."""
    path = folder / "image.jpg"
    path.write_bytes(data)
    return read_facts(str(path))


def is_plain(folder: Path, data: bytes) -> bool:
    """Whether a header is read without Pillow."""
    path = folder / "plain.jpg"
    path.write_bytes(data)
    with path.open("rb") as file:
        return read_plain_header(HeaderSource(file.fileno())) is not None


def what_pillow_says(data: bytes) -> ImageFacts | None:
    """Return the same from Pillow alone."""
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(BytesIO(data)) as image:
            orientation = image.getexif().get(0x0112, 1) if "exif" in image.info else 1
            is_known = orientation in range(1, 9)
            return ImageFacts(*image.size, orientation if is_known else 1, len(image.getbands()))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None


@pytest.mark.parametrize(
    ("kind", "mode", "bands"),
    [
        ("JPEG", "RGB", 3),
        ("JPEG", "L", 1),
        ("JPEG", "CMYK", 4),
        ("PNG", "RGB", 3),
        ("PNG", "RGBA", 4),
        ("PNG", "L", 1),
        ("PNG", "LA", 2),
        ("PNG", "P", 1),
        ("PNG", "1", 1),
        ("PNG", "I;16", 1),
        ("WEBP", "RGB", 3),
        ("WEBP", "RGBA", 4),
        ("TIFF", "RGB", 3),
        ("TIFF", "L", 1),
        ("BMP", "RGB", 3),
        ("GIF", "L", 1),
    ],
)
def test_headers_say_size_and_bands(tmp_path: Path, kind: str, mode: str, bands: int) -> None:
    """Of every kind of image that datasets have."""
    assert facts_of(tmp_path, encoded(kind, mode)) == ImageFacts(64, 48, 1, bands)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_sizes_are_those_that_are_stored(tmp_path: Path, kind: str, orientation: int) -> None:
    """Y6: and the orientation says which of them are turned; Pillow turns those of TIFF itself."""
    data = encoded(kind, exif=exif(orientation)) if kind != "TIFF" else encoded(kind, tiffinfo={0x0112: orientation})

    assert facts_of(tmp_path, data) == ImageFacts(64, 48, orientation, 3)


@pytest.mark.parametrize("orientation", [None, 0, 9, 65535])
def test_orientations_that_there_are_not_are_none(tmp_path: Path, orientation: int | None) -> None:
    """The image is shown as it is stored then."""
    assert facts_of(tmp_path, encoded("JPEG", exif=exif(orientation))).orientation == 1


@pytest.mark.parametrize(
    "data", [b"", b"MM", b"MM\0*", b"MM\0*\xff\xff\xff\xff", b"XX\0*\0\0\0\x08", b"MM\0*\0\0\0\x08\xff\xff"]
)
def test_damaged_exif_data_is_no_matter(tmp_path: Path, data: bytes) -> None:
    """Everybody else shows such an image."""
    for kind in ("JPEG", "PNG", "WEBP"):
        image = encoded(kind, exif=b"Exif\0\0" + data if kind == "JPEG" else data)

        assert facts_of(tmp_path, image) == ImageFacts(64, 48, 1, 3)


def test_exif_data_may_be_long_and_come_late(tmp_path: Path) -> None:
    """Behind a colour profile, with a picture in it."""
    long = exif(6, maker="m" * 40_000)
    data = encoded("JPEG", icc_profile=b"p" * 200_000, exif=long, comment=b"c" * 60_000)

    assert facts_of(tmp_path, data) == ImageFacts(64, 48, 6, 3)
    assert is_plain(tmp_path, data)
    assert facts_of(tmp_path, encoded("PNG", exif=exif(6, maker="m" * 40_000))) == ImageFacts(64, 48, 6, 3)


def test_images_of_very_many_pixels_have_a_size(tmp_path: Path) -> None:
    """Satellites make them; none is decoded here."""
    header = struct.pack(">IIBBBBB", 100_000, 90_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I4s", 13, b"IHDR") + header + zlib.crc32(header, zlib.crc32(b"IHDR")).to_bytes(4)
    data = b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I4s", 100, b"IDAT")

    assert facts_of(tmp_path, data) == ImageFacts(100_000, 90_000, 1, 3)
    text = struct.pack(">I4s", 3, b"tEXt") + b"a\0b" + zlib.crc32(b"tEXta\0b").to_bytes(4)
    assert facts_of(tmp_path, data[:33] + text + data[33:]) == ImageFacts(100_000, 90_000, 1, 3)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe0\0\x10JFIF",
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIHDR",
        b"GIF89a",
        b"BM",
        b"II*\0\xff\xff\xff\xff",
        b"MM\0*",
        b"RIFF\0\0\0\0WEBPVP8 ",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 48\n",
        b"%PDF-1.7",
        b"version https://git-lfs.github.com/spec/v1\n",
        b"\0" * 10_000,
        encoded("JPEG")[:200],
        encoded("PNG")[:30],
        encoded("TIFF")[:20],
        encoded("JPEG").replace(b"\xff\xc0\x00\x11\x08\x00\x30", b"\xff\xc0\x00\x11\x08\x00\x00"),
    ],
)
def test_what_is_no_image_is_an_error_of_the_file(tmp_path: Path, data: bytes) -> None:
    """Whatever Pillow, which has readers for many things, makes of it."""
    with pytest.raises(OSError, match=r"."):
        facts_of(tmp_path, data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it is empty"),
        (b"\xff\xd8\xff", "its header is damaged"),
        (b"\x89PNG\r\n\x1a\n", "its header ends too early"),
        (b"II*\0", "its header ends too early"),
        (b"BM12", "its header ends too early"),
        (b"RIFFaaaaWAVEfmt ", "its header is damaged: not a WEBP file"),
        (b"<html>", "it is no JPEG, PNG, BMP, GIF, TIFF or WebP file"),
    ],
)
def test_it_is_said_in_words_what_is_wrong(tmp_path: Path, data: bytes, words: str) -> None:
    """And not in those of the functions that were tried."""
    path = tmp_path / "a.jpg"
    path.write_bytes(data)

    with pytest.raises(OSError) as caught:  # noqa: PT011  # its words are what is looked at
        read_facts(str(path))

    assert str(caught.value) == words


def test_the_fast_way_is_taken_by_plain_headers(tmp_path: Path) -> None:
    """Those that nearly all files have."""
    plain = [encoded("JPEG"), encoded("JPEG", progressive=True), encoded("JPEG", icc_profile=b"p" * 500)]
    plain += [encoded("PNG"), encoded("PNG", dpi=(72, 72))]
    plain += [encoded(kind, exif=exif(6)) for kind in ("JPEG", "PNG")]
    assert all(is_plain(tmp_path, each) for each in plain)
    assert not is_plain(tmp_path, encoded("BMP"))


def repaired(data: bytes) -> bytes:
    """Return a PNG file with the checksums that its chunks should have."""
    found, at = bytearray(data), 8
    while data.startswith(b"\x89PNG") and at + 8 <= len(found):
        end = at + 8 + int.from_bytes(found[at : at + 4])
        if end + 4 > len(found):
            break
        found[end : end + 4] = zlib.crc32(found[at + 4 : end]).to_bytes(4)
        at = end + 4
    return bytes(found)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return a file with a few bytes of its header changed, left out or doubled."""
    found = bytearray(data)
    for _ in range(chance.randrange(1, 5)):
        reach = min(len(found), chance.choice([40, 120, 700, 5000]))
        if not reach:
            break
        at, start = chance.randrange(reach), chance.randrange(reach)
        match chance.randrange(6):
            case 0 | 1 | 2:
                found[at] = chance.choice([0, 1, 2, 3, 8, 0xFF, 0xD8, 0xDA, 0xC0, 0xC4, 0xDB, 0xE0, 0xE1, 0x80])
            case 3:
                del found[at : at + chance.randrange(1, 30)]
            case 4:
                found[at:at] = found[start : start + chance.randrange(1, 60)]
            case _:
                del found[at:]
    return repaired(bytes(found)) if chance.random() < 0.7 else bytes(found)


def test_damaged_headers_never_say_something_else_than_to_pillow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either the same, or nothing: then Pillow is asked."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    text = PngImagePlugin.PngInfo()
    text.add_text("Software", "a program")
    files = [encoded(kind, mode) for kind, mode in (("JPEG", "RGB"), ("JPEG", "L"), ("PNG", "RGB"), ("PNG", "P"))]
    files += [encoded(kind, exif=exif(6)) for kind in ("JPEG", "PNG")]
    files += [encoded("PNG", pnginfo=text), encoded("JPEG", icc_profile=b"p" * 300), encoded("JPEG", progressive=True)]
    chance = random.Random(os.urandom(8))  # noqa: S311  # no secret
    agreed = 0
    for _ in range(MUTATIONS):
        data = mutated(chance.choice(files), chance)
        if is_plain(tmp_path, data):
            facts = facts_of(tmp_path, data)
            assert facts == what_pillow_says(data), data.hex()
            agreed += 1
    assert agreed
