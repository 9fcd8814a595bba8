"""`synapse dataset convert`, `split` and `merge`: a dataset in a folder becomes another one."""

from pathlib import Path
from typing import Any

import click

from synapse_sdk.cli.catalogue.options import JSON
from synapse_sdk.cli.commands import SynapseCommand
from synapse_sdk.cli.dataset.options import FORMAT, READING, SOURCE, TARGET, WRITING, options_of
from synapse_sdk.cli.dataset.progress import progress_line
from synapse_sdk.cli.session import Session

__all__ = ["convert", "merge", "split"]

TO = click.option("--to", metavar="FORMAT", help="The format of DST; by default that of SRC.")


@click.command(
    "convert",
    cls=SynapseCommand,
    examples=(
        "synapse dataset convert birds-coco birds --to yolo",
        "synapse dataset convert birds-coco wrens --to yolo --class wren",
        "synapse dataset convert birds-yolo birds-voc --to pascal --images none",
    ),
)
@SOURCE
@TARGET
@FORMAT
@click.option("--to", metavar="FORMAT", required=True, help="The format of DST.")
@WRITING
@READING
@JSON
@click.pass_obj
def convert(
    session: Session,
    /,
    *,
    source: Path,
    as_json: bool,
    **given: Any,  # noqa: ANN401  # what is to be written, and options of the conversion
) -> int:
    """Write the dataset in SRC in another format to DST.

    Formats: dm_v1, dm_v2 (dm), yolo, coco, pascal (voc), imagefolder, and those that installed packages add. DST
    appears when all is written. What the format cannot hold is counted, with the reason, and listed in DST/losses.csv;
    the exit code is 3 then.
    """
    session.wants_json = as_json
    return _convert([source], given, session)


@click.command(
    "split",
    cls=SynapseCommand,
    examples=(
        "synapse dataset split birds-coco tenths --ratios train=80,valid=10,test=10",
        "synapse dataset split birds-yolo halves --ratios a=1/2,b=1/2 --stratify",
    ),
)
@SOURCE
@TARGET
@click.option("--ratios", required=True, metavar="SPLIT=PART,...", help="How much each split gets; adds up to 1.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another number gives other splits.")
@click.option("--stratify", "stratified", is_flag=True, help="Divide the items of each class by the ratios, too.")
@FORMAT
@TO
@WRITING
@READING
@JSON
@click.pass_obj
def split(
    session: Session,
    /,
    *,
    source: Path,
    ratios: str,
    as_json: bool,
    **given: Any,  # noqa: ANN401  # as above
) -> int:
    """Write the dataset in SRC to DST with new splits, at random but always the same for one seed."""
    from synapse_sdk.errors import ConfigurationError  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.formats.partition import read_split_ratios  # noqa: PLC0415

    session.wants_json = as_json
    try:
        given["ratios"] = read_split_ratios(ratios)
    except ConfigurationError as error:
        raise click.BadParameter(str(error), param_hint="--ratios") from error
    return _convert([source], given, session)


@click.command(
    "merge",
    cls=SynapseCommand,
    examples=("synapse dataset merge birds-coco birds-yolo --out birds-all --to coco",),
)
@click.argument("sources", metavar="SRC...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", "target", required=True, metavar="DST", type=click.Path(path_type=Path), help="What to write.")
@FORMAT
@TO
@WRITING
@READING
@JSON
@click.pass_obj
def merge(
    session: Session,
    /,
    *,
    sources: tuple[Path, ...],
    as_json: bool,
    **given: Any,  # noqa: ANN401  # as above
) -> int:
    """Write several datasets as one: classes of one name are one class, and splits of one name are one split.

    An image that has the name of one in an earlier dataset is put into a folder that is called as its dataset.
    """
    session.wants_json = as_json
    return _convert(list(sources), given, session)


def _convert(sources: list[Path], given: dict[str, Any], session: Session) -> int:
    from synapse_sdk.cli.dataset.showing import show_conversion  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.formats.conversion import convert as convert_dataset  # noqa: PLC0415
    from synapse_sdk.formats.registry import find_format  # noqa: PLC0415

    target, source_format, to = given.pop("target"), given.pop("source_format"), given.pop("to")
    to = to or source_format or find_format(sources[0])[0].name
    options = options_of(given)
    with progress_line("Converted", is_quiet=session.wants_json) as on_progress:
        report = convert_dataset(
            sources, target, to=to, source_format=source_format, options=options, on_progress=on_progress
        )
    return show_conversion(report, target, session)
