"""Contact sheets: what is drawn, and where."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageColor

from synapse_sdk.errors import ConfigurationError, InvalidDatasetError
from synapse_sdk.formats import draw_preview
from synapse_sdk.formats.preview import COLORS, GAP, PAPER
from tests.unit.formats.coco_datasets import coco, make, thing

SIDE = 100
GREY = (128, 128, 128)
ANT, BEE = (ImageColor.getrgb(color) for color in COLORS[:2])
"""The colours of the two classes."""
JOINTS: dict[str, Any] = {"keypoints": ["left", "right", "tail"], "skeleton": [[1, 2], [1, 3]]}


def listed(name: str = "a.png", number: int = 1) -> dict[str, Any]:
    """Return the record of an image."""
    return {"id": number, "file_name": name, "width": SIDE, "height": SIDE}


def sheet_of(
    tmp_path: Path,
    *annotations: dict[str, Any],
    name: str = "bee",
    **more: Any,  # noqa: ANN401  # what a category may have
) -> Image.Image:
    """Return the picture in the tile of an image, which is a grey square, with annotations of the second class."""
    categories = [{"id": 1, "name": "ant"}, {"id": 2, "name": name, **more}]
    make(tmp_path / "in", {"annotations.json": coco(*annotations, images=[listed()], categories=categories)})
    Image.new("RGB", (SIDE, SIDE), GREY).save(tmp_path / "in/a.png")
    drawn = draw_preview(tmp_path / "in", tmp_path / "out.png", tile=SIDE)
    assert (drawn.items, drawn.annotations, drawn.without_image) == (1, len(annotations), 0)
    return Image.open(tmp_path / "out.png").crop((GAP, GAP, GAP + SIDE, GAP + SIDE))


def test_a_box_is_drawn_on_its_edges(tmp_path: Path) -> None:
    """In the colour of its class, with its label above; inside is the image."""
    found = sheet_of(tmp_path, thing(bbox=[20, 30, 40, 50]))

    assert [found.getpixel(at) for at in ((20, 50), (60, 50), (40, 30), (40, 80))] == [BEE] * 4
    assert [found.getpixel(at) for at in ((40, 50), (10, 50), (90, 90))] == [GREY] * 3
    assert BEE in {found.getpixel((22, y)) for y in range(17, 29)}


def test_outlines_are_drawn_with_all_their_parts(tmp_path: Path) -> None:
    """Along their corners."""
    rings = [[10, 40, 40, 40, 40, 80, 10, 80], [60, 40, 90, 40, 90, 80]]
    found = sheet_of(tmp_path, thing(bbox=[10, 40, 80, 40], segmentation=rings))

    assert [found.getpixel(at) for at in ((40, 60), (75, 60), (90, 60))] == [BEE] * 3
    assert [found.getpixel(at) for at in ((25, 60), (50, 60), (65, 70))] == [GREY] * 3


def test_masks_shine_through(tmp_path: Path) -> None:
    """The pixels of the mask, and no others, have something of its colour."""
    runs = [SIDE * 20, SIDE * 30, SIDE * 50]
    found = sheet_of(tmp_path, thing(bbox=..., segmentation={"size": [SIDE, SIDE], "counts": runs}))

    inside = found.getpixel((30, 50))
    assert inside not in {GREY, BEE}
    assert found.getpixel((48, 90)) == inside
    assert [found.getpixel(at) for at in ((18, 50), (52, 50))] == [GREY] * 2


def test_joints_are_drawn_with_their_skeleton(tmp_path: Path) -> None:
    """Hidden ones as circles; what is not labelled, and what leads there, is not drawn."""
    joints = [20, 60, 2, 80, 60, 1, 0, 0, 0]
    found = sheet_of(tmp_path, thing(bbox=..., keypoints=joints), **JOINTS)

    assert [found.getpixel(at) for at in ((20, 60), (18, 60), (50, 60), (83, 60))] == [BEE] * 4
    assert found.getpixel((10, 30)) == found.getpixel((1, 1)) == GREY


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_images_of_many_bits_are_drawn_from_darkest_to_brightest(tmp_path: Path, mode: str) -> None:
    """Those of instruments; cut to 8 bits they would be white."""
    picture = Image.new(mode if mode != "F" else "I", (SIDE, SIDE), 30_000)
    picture.paste(30_100, (50, 0, SIDE, SIDE))
    make(tmp_path / "in", {"annotations.json": coco(images=[listed("a.tif")])})
    (picture.convert("F") if mode == "F" else picture).save(tmp_path / "in/a.tif")

    draw_preview(tmp_path / "in", tmp_path / "out.png", tile=SIDE)

    sheet = Image.open(tmp_path / "out.png")
    assert [sheet.getpixel((GAP + x, GAP + 50)) for x in (10, 90)] == [(0, 0, 0), (255, 255, 255)]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
def test_images_of_all_kinds_are_drawn(tmp_path: Path, mode: str) -> None:
    """In their colours."""
    make(tmp_path / "in", {"annotations.json": coco(images=[listed("a.tif")])})
    Image.new("RGB", (SIDE, SIDE), "white").convert(mode).save(tmp_path / "in/a.tif")

    draw_preview(tmp_path / "in", tmp_path / "out.png", tile=SIDE)

    assert Image.open(tmp_path / "out.png").getpixel((GAP + 50, GAP + 50)) == (255, 255, 255)


def test_an_image_on_its_side_is_drawn_as_it_is_shown(tmp_path: Path) -> None:
    """So are the annotations, which are in pixels of that."""
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.new("RGB", (SIDE, SIDE // 2), GREY)
    stored.paste("white", (0, 0, 50, 50))
    make(tmp_path / "in", {"annotations.json": coco(images=[{**listed("a.jpg"), "width": SIDE // 2}])})
    stored.save(tmp_path / "in/a.jpg", exif=exif, quality=100)

    draw_preview(tmp_path / "in", tmp_path / "out.png", tile=SIDE)

    sheet = Image.open(tmp_path / "out.png")
    assert sheet.getpixel((GAP + 50, GAP + 10)) == (255, 255, 255)
    assert sheet.getpixel((GAP + 50, GAP + 90)) == GREY
    assert sheet.getpixel((GAP + 5, GAP + 50)) == (255, 255, 255)


def test_names_may_be_in_any_script(tmp_path: Path) -> None:
    """Whether or not there are letters for it on the machine."""
    found = sheet_of(tmp_path, thing(bbox=[20, 30, 40, 50]), name="개미 größer")

    assert found.getpixel((20, 50)) == BEE


def test_items_are_chosen_evenly_or_by_name(tmp_path: Path) -> None:
    """One whose image is not there has an empty tile, and is counted."""
    images = [listed(f"{number}.png", number) for number in range(10)]
    make(tmp_path / "in", {"annotations.json": coco(images=images)})
    for number in range(9):
        Image.new("RGB", (SIDE, SIDE), (number, 0, 0)).save(tmp_path / f"in/{number}.png")

    some = draw_preview(tmp_path / "in", tmp_path / "some.png", tile=SIDE, count=2, columns=2)
    one = draw_preview(tmp_path / "in", tmp_path / "one.png", tile=SIDE, only=["9.png"])

    sheet = Image.open(tmp_path / "some.png")
    assert [sheet.getpixel((GAP + x, GAP + 1)) for x in (1, SIDE + GAP + 1)] == [(0, 0, 0), (5, 0, 0)]
    assert (some.items, some.without_image, one.items, one.without_image) == (2, 0, 1, 1)
    assert Image.open(tmp_path / "one.png").getpixel((GAP + 1, GAP + 1)) == ImageColor.getrgb(PAPER)


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    """By name."""
    make(tmp_path / "in", {"annotations.json": coco(images=[])})

    with pytest.raises(InvalidDatasetError, match="nothing to draw"):
        draw_preview(tmp_path / "in", tmp_path / "out.png")
    with pytest.raises(ConfigurationError, match=r"no item 'b\.png'"):
        draw_preview(tmp_path / "in", tmp_path / "out.png", only=["b.png"])
    with pytest.raises(ConfigurationError, match="suffix of a picture"):
        draw_preview(tmp_path / "in", tmp_path / "out.txt")
    with pytest.raises(ConfigurationError, match="suffix of a picture"):
        draw_preview(tmp_path / "in", tmp_path / "out.psd")


def test_a_picture_replaces_nothing_in_the_dataset(tmp_path: Path) -> None:
    """Which is only read."""
    make(tmp_path / "in", {"annotations.json": coco(images=[listed("a.png", 1)])})
    Image.new("RGB", (SIDE, SIDE)).save(tmp_path / "in/a.png")
    before = (tmp_path / "in/a.png").read_bytes()

    with pytest.raises(ConfigurationError, match="inside of the dataset"):
        draw_preview(tmp_path / "in", tmp_path / "in/a.png")

    assert (tmp_path / "in/a.png").read_bytes() == before


def test_a_picture_that_nobody_can_look_at_is_refused(tmp_path: Path) -> None:
    """Before it is drawn; also where it is the format that has none as large."""
    images = [listed(f"{number}.png", number) for number in range(60)]
    make(tmp_path / "in", {"annotations.json": coco(images=images)})

    with pytest.raises(ConfigurationError, match="16,072 x 14,232 pixels, more than"):
        draw_preview(tmp_path / "in", tmp_path / "out.png", tile=2000, count=56, columns=8)
    with pytest.raises(ConfigurationError, match="cannot have 18,008 x 1,032 pixels"):
        draw_preview(tmp_path / "in", tmp_path / "out.webp", tile=992, count=18, columns=18)
