"""A contact sheet: images of a dataset with what is said about them drawn in. Loads Pillow, for masks numpy."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import cache
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from synapse_sdk.errors import ConfigurationError, InvalidDatasetError
from synapse_sdk.formats.base import ExifPolicy, FormatOptions
from synapse_sdk.formats.geometry import bounds, corners
from synapse_sdk.formats.losses import LossLog
from synapse_sdk.formats.model import Annotation, ClassSpec, Item, Keypoints, Mask, Polygon, Polyline, RotatedBox
from synapse_sdk.formats.sources import open_dataset
from synapse_sdk.formats.staging import check_is_apart, named_when_full

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont
    from PIL.ImageFont import ImageFont as BitmapFont

__all__ = ["Preview", "draw_preview"]

COLORS = ("#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#008080", "#9a6324", "#808000", "#000075", "#aa3377")
"""Of the classes, in turn."""
GAP = 8
"""Pixels around a tile."""
LINE = 24
"""Pixels of the line of text under a tile."""
FILLED = 110
"""Opacity of masks, of 255."""
JOINT = 3
"""Radius of a joint, in pixels."""
LETTERS = 11
"""Height of letters, in pixels."""
FONTS = ("NotoSansCJK-Regular.ttc", "NanumGothic.ttf", "AppleSDGothicNeo.ttc", "malgun.ttf", "DejaVuSans.ttf")
"""Those that are looked for on the machine, for names that are not in ASCII; Pillow brings one for those that are."""
PICTURES = frozenset(("BMP", "GIF", "JPEG", "PDF", "PNG", "TIFF", "WEBP"))
"""Formats in which pictures are written."""
MOST_PIXELS = 150_000_000
"""Of a picture: Pillow, as others, takes one of more for an attack."""
WHITE = 255
BACKGROUND, INK, PAPER = "#ffffff", "#202020", "#d0d0d0"


class Preview(Struct, frozen=True, kw_only=True):
    """What was drawn."""

    path: str
    items: int
    annotations: int
    without_image: int
    """Items that are drawn on an empty tile, since their image is not there or cannot be read."""


def draw_preview(
    folder: Path,
    out: Path,
    *,
    source_format: str | None = None,
    options: FormatOptions | None = None,
    count: int = 12,
    columns: int = 4,
    tile: int = 320,
    only: Sequence[str] = (),
) -> Preview:
    """Draw items of a dataset, with boxes, outlines, masks, joints and labels, into one picture.

    Args:
        folder: The folder, or file, of the dataset.
        out: The picture to write; its suffix says in which format. It is replaced if it is there.
        source_format: The format of the dataset; None to find out.
        options: How it is read.
        count: How many items, evenly from the whole dataset.
        columns: Tiles side by side.
        tile: Width and height of a tile, in pixels.
        only: Names of the items to draw instead; nothing else is drawn then.

    Raises:
        InvalidDatasetError: The dataset is not there, makes no sense, or has nothing to draw.
        ConfigurationError: An item is not there, or the picture is inside of the dataset, too large, or cannot be
            written in this format.
        OSError: The picture cannot be written.
    """
    from PIL import Image  # noqa: PLC0415  # costs 30 ms

    if Image.registered_extensions().get(out.suffix.lower()) not in PICTURES:
        msg = f"{out.name!r} has no suffix of a picture that can be written"
        raise ConfigurationError(msg, fix="Call it something like sheet.png", path=str(out))
    check_is_apart(out, [folder])
    options = options or FormatOptions()
    with LossLog() as losses:
        reader, _ = open_dataset(folder, source_format, options, losses)
        with closing(reader):
            chosen = [*_chosen(reader.items(), reader.info.count, count, only)]
            classes = {spec.name: (number, spec) for number, spec in enumerate(reader.info.classes)}
    if not chosen:
        msg = f"There is nothing to draw in {str(folder)!r}"
        raise InvalidDatasetError(msg, fix="Look at it with synapse dataset info", path=str(folder))
    columns = min(columns, len(chosen))
    _check_size(columns, -(-len(chosen) // columns), tile, out)
    drawn = [_tile(item, classes, tile, options.exif) for item in chosen]
    _save(_sheet([image for image, _ in drawn], columns), out)
    return Preview(
        path=str(out),
        items=len(chosen),
        annotations=sum(len(item.annotations) for item in chosen),
        without_image=sum(not has_image for _, has_image in drawn),
    )


def _chosen(items: Iterator[Item], total: int | None, count: int, only: Sequence[str]) -> Iterator[Item]:
    if only:
        missing = set(only)
        for item in items:
            if item.name in missing:
                missing.discard(item.name)
                yield item
        if missing:
            msg = f"The dataset has no item {min(missing)!r}"
            raise ConfigurationError(msg, fix="Name items as losses.csv and synapse dataset validate do")
    elif total is None or total <= count:
        yield from islice(items, count)
    else:
        wanted = {number * total // count for number in range(count)}
        yield from (item for number, item in enumerate(items) if number in wanted)


def _check_size(columns: int, rows: int, tile: int, out: Path) -> None:
    """See that a picture is one that can be looked at, before it takes all memory."""
    width, height = _size(columns, rows, tile)
    if width * height > MOST_PIXELS:
        msg = f"{out.name!r} would have {width:,} x {height:,} pixels, more than any viewer takes"
        raise ConfigurationError(msg, fix="Draw fewer items, or smaller tiles", path=str(out))


def _size(columns: int, rows: int, tile: int) -> tuple[int, int]:
    return columns * (tile + GAP) + GAP, rows * (tile + LINE + GAP) + GAP


def _save(sheet: "Image", out: Path) -> None:
    """Write a picture.

    Raises:
        ConfigurationError: The format has no pictures of its size.
        OSError: It cannot be written.
    """
    try:
        with named_when_full(out):
            sheet.save(out)
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        msg = f"{out.name!r} cannot have {sheet.width:,} x {sheet.height:,} pixels"
        fix = "Call it something like sheet.png, or draw fewer items or smaller tiles"
        raise ConfigurationError(msg, why=str(error), fix=fix, path=str(out)) from error


def _sheet(tiles: "Sequence[Image]", columns: int) -> "Image":
    from PIL import Image  # noqa: PLC0415  # as above

    width, height = tiles[0].size
    sheet = Image.new("RGB", _size(columns, -(-len(tiles) // columns), width), BACKGROUND)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        sheet.paste(tile, (GAP + column * (width + GAP), GAP + row * (height + GAP)))
    return sheet


def _tile(item: Item, classes: dict[str, tuple[int, ClassSpec]], size: int, exif: ExifPolicy) -> "tuple[Image, bool]":
    """Return the tile of an item, and whether its image is on it."""
    from PIL import Image, ImageDraw  # noqa: PLC0415  # as above

    tile = Image.new("RGB", (size, size + LINE), BACKGROUND)
    image = _opened(item, exif)
    width, height = image.size if image is not None else (item.width or size, item.height or size)
    # What the dataset says is measured in the size that it says, which need not be that of the file.
    said_width, said_height = item.width or width, item.height or height
    scale = min(size / said_width, size / said_height)
    shown = (max(1, round(said_width * scale)), max(1, round(said_height * scale)))
    picture = Image.new("RGB", shown, PAPER) if image is None else _in_colors(image).resize(shown)
    picture = _with_masks(picture, item, classes)
    draw = ImageDraw.Draw(picture)
    for annotation in item.annotations:
        number, spec = classes.get(annotation.label, (0, None))
        _draw(draw, annotation, spec, COLORS[number % len(COLORS)], scale)
    tile.paste(picture, ((size - shown[0]) // 2, (size - shown[1]) // 2))
    labels = ", ".join(each.label for each in item.annotations if bounds(each) is None and each.label)
    words = f"{item.split}/{item.name}" if item.split else item.name
    text = f"{words}  {labels}".strip()[: size // 6]
    ImageDraw.Draw(tile).text((4, size + 4), text, INK, _font(text.isascii()))
    return tile, image is not None


def _opened(item: Item, exif: ExifPolicy) -> "Image | None":
    from PIL import Image, ImageOps  # noqa: PLC0415  # as above

    if not item.path:
        return None
    try:
        image = Image.open(item.path)
        image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    return ImageOps.exif_transpose(image) if exif is ExifPolicy.APPLY else image


def _in_colors(image: "Image") -> "Image":
    """Return an image in colours of 8 bits; one of more bits, or of fractions, from its darkest to its brightest."""
    if not image.mode.startswith("I") and image.mode != "F":
        return image.convert("RGB")
    values = image.convert("I").convert("F") if image.mode != "F" else image
    low, high = map(float, values.getextrema())  # type: ignore[arg-type]  # two numbers, as there is one channel
    if not (isfinite(low) and low < high < low + float("inf")):
        return values.convert("RGB")
    scale = WHITE / (high - low)
    return values.point(lambda value: value * scale - low * scale).convert("RGB")


@cache
def _font(is_ascii: bool) -> "FreeTypeFont | BitmapFont":  # noqa: FBT001  # the key of a cache
    """Return what names are written with."""
    from PIL import ImageFont  # noqa: PLC0415  # as above

    for name in () if is_ascii else FONTS:
        try:
            return ImageFont.truetype(name, LETTERS)
        except OSError:  # it is not on this machine
            continue
    return ImageFont.load_default(LETTERS)


def _with_masks(picture: "Image", item: Item, classes: dict[str, tuple[int, ClassSpec]]) -> "Image":
    from PIL import Image  # noqa: PLC0415  # as above

    for annotation in item.annotations:
        if isinstance(annotation.shape, Mask):
            from synapse_sdk.formats.masks import array_of_mask  # noqa: PLC0415  # loads numpy

            number, _ = classes.get(annotation.label, (0, None))
            pixels = Image.fromarray(array_of_mask(annotation.shape).astype("uint8") * FILLED).resize(picture.size)
            picture.paste(Image.new("RGB", picture.size, COLORS[number % len(COLORS)]), mask=pixels)
    return picture


def _draw(draw: "ImageDraw", annotation: Annotation, spec: ClassSpec | None, color: str, scale: float) -> None:
    match annotation.shape:
        case Polygon(rings=rings, holes=holes):
            for ring in [*rings, *holes]:
                _line(draw, [*ring, *ring[:2]], color, scale)
        case Polyline(points=points):
            _line(draw, points, color, scale)
        case RotatedBox() as rotated:
            points = corners(rotated)
            _line(draw, [*points, *points[:2]], color, scale)
        case _:
            pass
    if annotation.keypoints is not None:
        _draw_joints(draw, annotation.keypoints, spec, color, scale)
    box = annotation.box
    if box is not None:
        edges = [box.x, box.y, box.x + box.width, box.y, box.x + box.width, box.y + box.height, box.x]
        _line(draw, [*edges, box.y + box.height, box.x, box.y], color, scale)
    around = bounds(annotation)
    if around is not None and annotation.label:
        place = (max(0.0, around.x * scale), max(0.0, around.y * scale - 11))
        font = _font(annotation.label.isascii())
        draw.rectangle(draw.textbbox(place, annotation.label, font), fill=color)
        draw.text(place, annotation.label, BACKGROUND, font)


def _line(draw: "ImageDraw", points: Sequence[float], color: str, scale: float) -> None:
    draw.line([value * scale for value in points], fill=color, width=2)


def _draw_joints(draw: "ImageDraw", keypoints: Keypoints, spec: ClassSpec | None, color: str, scale: float) -> None:
    values = keypoints.points
    joints = [(values[at] * scale, values[at + 1] * scale, values[at + 2]) for at in range(0, len(values), 3)]
    for start, end in spec.skeleton if spec is not None else ():
        if max(start, end) < len(joints) and joints[start][2] and joints[end][2]:
            draw.line([joints[start][:2], joints[end][:2]], fill=color, width=1)
    for x, y, visibility in joints:
        if visibility:
            around = (x - JOINT, y - JOINT, x + JOINT, y + JOINT)
            draw.ellipse(around, fill=color if visibility > 1 else None, outline=color)
