"""What the example promises about a single copy: upright, no wider than asked, transparent where it was."""

import struct
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from image_report.errors import UnreadableImageError
from image_report.images import ResizedImage, resize_image
from PIL import ExifTags, Image

RED, BLUE = (255, 0, 0), (0, 0, 255)


def resized(path: Path, width: int = 100, max_pixels: int = 1_000_000) -> tuple[ResizedImage, Image.Image]:
    """Return the copy, and what a viewer sees when it opens the copy."""
    copy = resize_image(path, width=width, quality=85, max_pixels=max_pixels)
    with Image.open(BytesIO(copy.content)) as image:
        image.load()
        return copy, image


def two_colours(size: tuple[int, int]) -> Image.Image:
    """Return an image whose upper half is red and whose lower half is blue."""
    image = Image.new("RGB", size, BLUE)
    image.paste(RED, (0, 0, size[0], size[1] // 2))
    return image


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_copy_is_upright(tmp_path: Path, orientation: int) -> None:
    """Whichever way the camera was held, red is up in the copy, and the tag is gone."""
    stored_as = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    image = two_colours((400, 200))
    stored = image.transpose(stored_as[orientation]) if orientation > 1 else image
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    stored.save(tmp_path / "a.png", exif=exif)

    copy, seen = resized(tmp_path / "a.png")

    assert copy.original_size == stored.size
    assert copy.new_size == seen.size == (100, 50)
    assert (seen.getpixel((50, 5)), seen.getpixel((50, 45))) == (RED, BLUE)
    assert dict(seen.getexif()) == {}
    assert copy.notes == (("EXIF rotated",) if orientation > 1 else ())


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P", "RGB", "L"])
def test_transparency_is_kept(tmp_path: Path, mode: str) -> None:
    """However a PNG says it, what was transparent stays transparent, and what was not does not."""
    image = Image.new("RGBA", (400, 200), (0, 0, 0, 0))
    image.paste((255, 255, 255, 255), (0, 100, 400, 200))
    if mode in {"P", "PA"}:
        image.quantize().save(tmp_path / "a.png")
    elif mode in {"RGB", "L"}:
        image.convert(mode).save(tmp_path / "a.png", transparency=(0, 0, 0) if mode == "RGB" else 0)
    else:
        image.convert(mode).save(tmp_path / "a.png")

    _, seen = resized(tmp_path / "a.png")

    alpha = seen.convert("RGBA").getchannel("A")
    assert (alpha.getpixel((50, 5)), alpha.getpixel((50, 45))) == (0, 255)


def test_cmyk_becomes_rgb_and_looks_the_same(tmp_path: Path) -> None:
    """A file for print becomes one for screens; the profile of its inks is dropped."""
    two_colours((400, 200)).convert("CMYK").save(tmp_path / "a.jpg", quality=95, icc_profile=b"inks")

    copy, seen = resized(tmp_path / "a.jpg")

    assert (seen.mode, copy.notes) == ("RGB", ("CMYK converted",))
    assert "icc_profile" not in seen.info
    red, green, blue = seen.getpixel((50, 5))  # type: ignore[misc]  # three numbers in an RGB image
    assert red > 240
    assert max(green, blue) < 15


@pytest.mark.parametrize("mode", ["1", "L", "I;16", "RGB", "P"])
def test_every_kind_of_png_can_be_resized(tmp_path: Path, mode: str) -> None:
    """Bitmaps, 16-bit grey and palettes are images, too."""
    Image.new(mode, (400, 200), 1).save(tmp_path / "a.png")

    copy, seen = resized(tmp_path / "a.png")

    assert (seen.format, copy.new_size) == ("PNG", (100, 50))


def test_the_colour_profile_is_kept(tmp_path: Path) -> None:
    """Without its profile a photo of a modern phone looks dull."""
    two_colours((400, 200)).save(tmp_path / "a.jpg", icc_profile=b"a profile")

    _, seen = resized(tmp_path / "a.jpg")

    assert seen.info["icc_profile"] == b"a profile"


def test_where_a_photo_was_taken_is_not_passed_on(tmp_path: Path) -> None:
    """EXIF data is dropped even when the photo needs no other change."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "camera"
    two_colours((40, 20)).save(tmp_path / "a.jpg", exif=exif, quality=20)

    copy, seen = resized(tmp_path / "a.jpg")

    assert dict(seen.getexif()) == {}
    assert copy.notes == ()


def test_a_small_photo_is_not_enlarged_nor_made_to_take_more_space(tmp_path: Path) -> None:
    """What needs no change and would only grow is copied as it is."""
    Image.effect_noise((40, 20), 50).save(tmp_path / "a.jpg", quality=20, optimize=True)

    copy, _ = resized(tmp_path / "a.jpg")

    assert copy.new_size == (40, 20)
    assert copy.content == (tmp_path / "a.jpg").read_bytes()
    assert copy.notes == ("kept as it is",)


def test_a_very_flat_photo_keeps_at_least_one_row(tmp_path: Path) -> None:
    """Rounding never makes a copy disappear."""
    Image.new("RGB", (2000, 3)).save(tmp_path / "a.png")

    copy, _ = resized(tmp_path / "a.png")

    assert copy.new_size == (100, 1)


def test_the_content_decides_not_the_name(tmp_path: Path) -> None:
    """A PNG that is called .jpg stays a PNG, with its transparency."""
    Image.new("RGBA", (400, 200)).save(tmp_path / "a.jpg", format="PNG")

    _, seen = resized(tmp_path / "a.jpg")

    assert (seen.format, seen.mode) == ("PNG", "RGBA")


def test_of_an_animation_the_first_picture_is_kept_and_it_is_said(tmp_path: Path) -> None:
    """Losing pictures is never silent."""
    pictures = [Image.new("RGB", (400, 200), colour) for colour in (RED, BLUE)]
    pictures[0].save(tmp_path / "a.png", save_all=True, append_images=pictures[1:])

    copy, seen = resized(tmp_path / "a.png")

    assert seen.getpixel((50, 25)) == RED
    assert copy.notes == ("first of several pictures kept",)


def png(width: int, height: int, pixels: bytes) -> bytes:
    """Return a PNG that claims a size, whatever its (packed) pixels are."""
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", pixels), (b"IEND", b""))
    packed = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def half_a_jpeg() -> bytes:
    """Return a JPEG whose second half is missing."""
    buffer = BytesIO()
    Image.effect_noise((400, 200), 50).save(buffer, "JPEG")
    return buffer.getvalue()[: len(buffer.getvalue()) // 2]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "not a JPEG or PNG image", id="empty"),
        pytest.param(b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "not a JPEG or PNG image", id="another format"),
        pytest.param(half_a_jpeg(), "truncated", id="truncated"),
        pytest.param(png(200, 100, zlib.compress(b"too few")), "truncated", id="too few pixels"),
        pytest.param(png(200, 100, b"junk"), "broken data stream", id="junk for pixels"),
        pytest.param(png(2000, 1000, b""), "has 2000x1000 pixels, more than max_megapixels allows", id="too large"),
        pytest.param(png(12_000, 12_000, b""), "has 12000x12000 pixels", id="so large that Pillow warns"),
        pytest.param(png(60_000, 60_000, b""), "3600000000 pixels", id="so large that Pillow refuses"),
    ],
)
def test_a_broken_or_hostile_file_gives_a_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    """Whatever is wrong, the caller gets one kind of error, and no warning."""
    (tmp_path / "a.png").write_bytes(content)

    with pytest.raises(UnreadableImageError, match=reason):
        resize_image(tmp_path / "a.png", width=100, quality=85, max_pixels=1_000_000)


def test_a_file_that_is_gone_gives_a_reason(tmp_path: Path) -> None:
    """A link that points nowhere, for example."""
    with pytest.raises(UnreadableImageError, match="No such file or directory"):
        resize_image(tmp_path / "a.jpg", width=100, quality=85, max_pixels=1_000_000)
