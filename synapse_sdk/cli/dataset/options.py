"""Options and arguments that the commands about datasets in folders share."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from synapse_sdk.formats.conversion import ConversionOptions

__all__ = ["FORMAT", "LOOKING", "READING", "SOURCE", "TARGET", "WRITING", "options_of"]

SOURCE = click.argument("source", metavar="SRC", type=click.Path(path_type=Path))
TARGET = click.argument("target", metavar="DST", type=click.Path(path_type=Path))
FORMAT = click.option(
    "--from", "source_format", metavar="FORMAT", help="The format of SRC; found out when it is not given."
)
TASKS = ("detect", "segment", "pose", "obb", "classify")


def READING(command: Callable[..., Any]) -> Callable[..., Any]:  # noqa: N802  # used like the decorators above
    """Add what may be chosen about reading a dataset."""
    for option in (
        click.option("--voc-origin", type=click.IntRange(0, 1), help="Number of the first pixel in Pascal VOC files."),
        click.option("--exif", type=click.Choice(("apply", "ignore")), help="Take images as shown, or as stored."),
    ):
        command = option(command)
    return command


def LOOKING(command: Callable[..., Any]) -> Callable[..., Any]:  # noqa: N802  # as above
    """Add what may be chosen about reading a dataset of which nothing is written."""
    words = "What a YOLO dataset is for, where it does not say so."
    return click.option("--task", type=click.Choice(TASKS), help=words)(READING(command))


def WRITING(command: Callable[..., Any]) -> Callable[..., Any]:  # noqa: N802  # as above
    """Add what may be chosen about writing a dataset."""
    for option in (
        click.option(
            "--processes",
            type=click.IntRange(min=1),
            metavar="N",
            help="How many processes convert.  [default: one a processor, where that pays]",
        ),
        click.option("--strict", is_flag=True, help="Write nothing if anything would be lost."),
        click.option(
            "--bounds",
            type=click.Choice(("clip", "keep", "drop", "error")),
            help="What to do about annotations over the edge of their image.",
        ),
        click.option(
            "--class-order",
            type=click.Choice(("source", "name")),
            help="How classes are numbered: as the source has them, or by the alphabet.",
        ),
        click.option(
            "--class", "classes", metavar="NAME", multiple=True, help="Only this class; several are numbered as given."
        ),
        click.option(
            "--images",
            type=click.Choice(("copy", "hardlink", "symlink", "none")),
            help="How images come into DST.  [default: copy]",
        ),
        click.option("--task", type=click.Choice(TASKS), help="What a YOLO dataset is for.  [default: detect]"),
    ):
        command = option(command)
    return command


def options_of(given: dict[str, Any]) -> "ConversionOptions":
    """Return the options of a conversion for those of a command.

    Args:
        given: Name to value, None for what was not given.
    """
    from synapse_sdk.formats.base import BoundsPolicy, ExifPolicy, ImageTransfer  # noqa: PLC0415  # help needs none
    from synapse_sdk.formats.conversion import ConversionOptions  # noqa: PLC0415  # as above

    kinds: dict[str, Callable[[str], Any]] = {"bounds": BoundsPolicy, "exif": ExifPolicy, "images": ImageTransfer}
    chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    chosen |= {name: kind(chosen[name]) for name, kind in kinds.items() if name in chosen}
    return ConversionOptions(**chosen)
