"""`synapse dataset diff` and `preview`: two datasets side by side, and one to look at."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from synapse_sdk.cli.catalogue.options import JSON
from synapse_sdk.cli.commands import SynapseCommand
from synapse_sdk.cli.dataset.options import FORMAT, LOOKING, SOURCE, options_of
from synapse_sdk.cli.errors import ExitCode
from synapse_sdk.cli.session import Session

if TYPE_CHECKING:
    from synapse_sdk.formats.compare import DatasetDifference

__all__ = ["diff", "preview"]

MOST_SHOWN = 20
"""Differences that are shown one by one."""


@click.command(
    "diff",
    cls=SynapseCommand,
    examples=(
        "synapse dataset diff birds-coco birds-yolo",
        "synapse dataset diff birds-coco birds-yolo --tolerance 0.01",
    ),
)
@click.argument("one", metavar="A", type=click.Path(path_type=Path))
@click.argument("other", metavar="B", type=click.Path(path_type=Path))
@click.option("--tolerance", type=click.FloatRange(min=0), default=0.5, show_default=True, help="Pixels to ignore.")
@click.option("--no-splits", "ignores_splits", is_flag=True, help="Items may be in another split.")
@click.option("--all", "shows_all", is_flag=True, help="Show the first 1,000 differences.")
@click.option("--from-a", metavar="FORMAT", help="The format of A; found out when it is not given.")
@click.option("--from-b", metavar="FORMAT", help="The format of B, likewise.")
@LOOKING
@JSON
@click.pass_obj
def diff(
    session: Session,
    /,
    *,
    one: Path,
    other: Path,
    tolerance: float,
    ignores_splits: bool,
    shows_all: bool,
    from_a: str | None,
    from_b: str | None,
    as_json: bool,
    **given: Any,  # noqa: ANN401  # how they are read
) -> int:
    """Compare the datasets in A and B item by item, whatever their formats.

    The exit code is 3 when they differ.
    """
    import msgspec  # noqa: PLC0415  # help needs none of these

    from synapse_sdk.cli.rendering import echo_json, write  # noqa: PLC0415
    from synapse_sdk.formats.compare import compare_datasets  # noqa: PLC0415

    session.wants_json = as_json
    found = compare_datasets(
        one,
        other,
        tolerance=tolerance,
        ignores_splits=ignores_splits,
        options=options_of(given),
        formats=(from_a, from_b),
    )
    if as_json:
        echo_json({"are_equal": found.are_equal, **msgspec.to_builtins(found)})
    else:
        _show(found, None if shows_all else MOST_SHOWN)
        for folder, count in zip((one, other), found.unreadable, strict=True):
            if count:
                words = f"Not compared: {count:,} that cannot be read, see synapse dataset validate {folder}"
                write(sys.stderr, words)
    return ExitCode.DONE if found.are_equal else ExitCode.LOSSES


def _show(found: "DatasetDifference", most: int | None) -> None:
    from synapse_sdk.cli.rendering import clean, table, write  # noqa: PLC0415  # help needs none of these

    head = ("", f"A ({found.formats[0]})", f"B ({found.formats[1]})")
    rows = [
        ("items", *(f"{count:,}" for count in found.items)),
        ("annotations", *(f"{count:,}" for count in found.annotations)),
    ]
    write(sys.stdout, table(head, rows))
    if found.are_equal:
        write(sys.stderr, "They are the same.")
        return
    kinds = [(kind.replace("_", " "), f"{count:,}") for kind, count in found.counts.items()]
    write(sys.stdout, "\n" + table(("from A to B", "how many"), kinds) + "\n")
    for each in found.differences[:most]:
        about = f"{each.split}/{each.item}" if each.split else each.item
        named = f"{about} annotation {each.annotation}" if each.annotation else about
        kind = each.kind.replace("_", " ")
        write(sys.stdout, clean(f"{kind}: {f'{named}: ' if named else ''}{each.words}"))
    total = sum(found.counts.values())
    shown = len(found.differences[:most])
    if shown < total:
        write(sys.stdout, f"and {total - shown:,} more")


@click.command(
    "preview",
    cls=SynapseCommand,
    examples=(
        "synapse dataset preview birds-coco --out sheet.png",
        "synapse dataset preview birds-yolo --out wren.png --item wren.jpg --tile 800",
    ),
)
@SOURCE
@click.option("--out", required=True, metavar="FILE", type=click.Path(path_type=Path), help="The picture to write.")
@click.option("--count", type=click.IntRange(1, 400), default=12, show_default=True, help="How many items.")
@click.option("--columns", type=click.IntRange(1, 40), default=4, show_default=True, help="Tiles side by side.")
@click.option("--tile", type=click.IntRange(64, 2000), default=320, show_default=True, help="Pixels of a tile.")
@click.option("--item", "only", metavar="NAME", multiple=True, help="Only this item; may be given again.")
@FORMAT
@LOOKING
@JSON
@click.pass_obj
def preview(
    session: Session,
    /,
    *,
    source: Path,
    out: Path,
    source_format: str | None,
    as_json: bool,
    **given: Any,  # noqa: ANN401  # what is drawn, and how it is read
) -> None:
    """Draw items of the dataset in SRC into one picture: boxes, outlines, masks, joints and labels."""
    import msgspec  # noqa: PLC0415  # help needs none of these

    from synapse_sdk.cli.rendering import echo_json, write  # noqa: PLC0415
    from synapse_sdk.formats.preview import draw_preview  # noqa: PLC0415
    from synapse_sdk.reporting.text import plural  # noqa: PLC0415

    session.wants_json = as_json
    drawn = {name: given.pop(name) for name in ("count", "columns", "tile", "only")}
    made = draw_preview(source, out, source_format=source_format, options=options_of(given), **drawn)
    if as_json:
        echo_json(msgspec.to_builtins(made))
        return
    write(sys.stdout, str(out))
    words = f"Drew {plural(made.items, 'item')} with {plural(made.annotations, 'annotation')}"
    write(sys.stderr, words + (f"; {made.without_image} without image" if made.without_image else ""))
