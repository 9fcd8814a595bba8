"""`synapse dataset info` and `validate`: what is in a dataset, and what is wrong with it."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from synapse_sdk.cli.catalogue.options import JSON
from synapse_sdk.cli.commands import SynapseCommand
from synapse_sdk.cli.dataset.options import FORMAT, LOOKING, SOURCE, options_of
from synapse_sdk.cli.dataset.progress import progress_line
from synapse_sdk.cli.errors import ExitCode
from synapse_sdk.cli.session import Session

if TYPE_CHECKING:
    from synapse_sdk.formats.check import DatasetCheck
    from synapse_sdk.formats.describe import DatasetDescription, Size
    from synapse_sdk.formats.losses import Loss

__all__ = ["info", "validate"]

MOST_CLASSES = 20
"""Classes that are shown one by one."""
BAR = 30
"""Columns of the longest bar of a histogram."""


@click.command(
    "info",
    cls=SynapseCommand,
    examples=("synapse dataset info birds-coco", "synapse dataset info birds-yolo --json"),
)
@SOURCE
@FORMAT
@click.option("--all", "shows_all", is_flag=True, help="Show all classes, however many.")
@LOOKING
@JSON
@click.pass_obj
def info(
    session: Session,
    /,
    *,
    source: Path,
    source_format: str | None,
    shows_all: bool,
    as_json: bool,
    **given: Any,  # noqa: ANN401  # how it is read
) -> None:
    """Show the format of the dataset in SRC, and count its items, classes and sizes of images."""
    import msgspec  # noqa: PLC0415  # help needs none of these

    from synapse_sdk.cli.rendering import echo_json, write  # noqa: PLC0415
    from synapse_sdk.formats.describe import describe_dataset  # noqa: PLC0415

    session.wants_json = as_json
    with progress_line("Counted", is_quiet=as_json) as on_progress:
        found = describe_dataset(
            source, source_format=source_format, options=options_of(given), on_progress=on_progress
        )
    if as_json:
        echo_json(msgspec.to_builtins(found))
        return
    for line in _description(found, None if shows_all else MOST_CLASSES):
        write(sys.stdout, line)


def _description(found: "DatasetDescription", most: int | None) -> Iterator[str]:
    from synapse_sdk.cli.rendering import key_values, table  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.reporting.text import plural  # noqa: PLC0415

    facts: dict[str, object] = {
        "format": f"{found.title} ({found.format})",
        "items": found.items,
        **({"splits": dict(found.splits)} if found.splits else {}),
        "without annotations": found.without_annotations,
        "without image": found.without_image,
        "annotations": found.annotations,
        "classes": len(found.classes),
        "smallest image": _size(found.smallest),
        "typical image": _size(found.typical),
        "largest image": _size(found.largest),
    }
    yield key_values(facts)
    shown = sorted(found.classes, key=lambda each: -each.annotations)[:most]
    highest = max((each.annotations for each in shown), default=0) or 1
    rows = [
        (
            each.name or "(no class)",
            f"{each.annotations:,}",
            f"{each.items:,}",
            "#" * -(-each.annotations * BAR // highest),
        )
        for each in shown
    ]
    if rows:
        yield ""
        yield table(("class", "annotations", "items", ""), rows)
    if len(shown) < len(found.classes):
        yield f"and {plural(len(found.classes) - len(shown), 'more class').replace('classs', 'classes')}: --all"
    if found.unreadable:
        yield f"\n{plural(found.unreadable, 'record')} could not be read: synapse dataset validate says which"


def _size(size: "Size | None") -> str:
    return "" if size is None else f"{size.width} x {size.height}"


@click.command(
    "validate",
    cls=SynapseCommand,
    examples=("synapse dataset validate birds-coco", "synapse dataset validate birds-yolo --csv problems.csv"),
)
@SOURCE
@FORMAT
@click.option("--all", "shows_all", is_flag=True, help="Show every problem, however many.")
@click.option("--csv", "path", metavar="FILE", type=click.Path(path_type=Path), help="Write all problems to a table.")
@LOOKING
@JSON
@click.pass_obj
def validate(
    session: Session,
    /,
    *,
    source: Path,
    source_format: str | None,
    shows_all: bool,
    path: Path | None,
    as_json: bool,
    **given: Any,  # noqa: ANN401  # how it is read
) -> int:
    """Read all annotations and headers of images in SRC, and name every problem, with file, line and way out.

    The exit code is 3 when there are problems.
    """
    from synapse_sdk.formats.check import check_dataset  # noqa: PLC0415  # help needs none of these
    from synapse_sdk.formats.losses import LossLog  # noqa: PLC0415
    from synapse_sdk.formats.staging import check_is_apart  # noqa: PLC0415

    session.wants_json = as_json
    if path is not None:
        check_is_apart(path, [source])
    kept: list[Loss] = []
    listener = kept.append if shows_all else None
    with LossLog(path, listener) as losses, progress_line("Checked", is_quiet=as_json) as on_progress:
        found = check_dataset(
            source, losses, source_format=source_format, options=options_of(given), on_progress=on_progress
        )
    shown = kept if shows_all else [loss for losses in losses.examples.values() for loss in losses]
    _show_check(found, losses, shown, session)
    return ExitCode.LOSSES if found.problems else ExitCode.DONE


def _show_check(found: "DatasetCheck", losses: Any, shown: "list[Loss]", session: Session) -> None:  # noqa: ANN401
    import msgspec  # noqa: PLC0415  # help needs none of these

    from synapse_sdk.cli.rendering import clean, echo_json, write  # noqa: PLC0415
    from synapse_sdk.reporting.text import plural  # noqa: PLC0415

    counts = [
        {"outcome": str(outcome), "code": reason.code, "words": reason.words, "fix": reason.fix, "count": count}
        for (outcome, reason), count in losses.reasons.most_common()
    ]
    if session.wants_json:
        rows = [{**msgspec.to_builtins(loss), "reason": loss.reason.code} for loss in shown]
        echo_json({**msgspec.to_builtins(found), "reasons": counts, "shown": rows})
        return
    for (outcome, reason), count in losses.reasons.most_common():
        of_kind = [loss for loss in shown if loss.reason is reason and loss.outcome is outcome]
        write(sys.stdout, f"{count:,} x {reason.code}: {reason.words}")
        for loss in of_kind:
            about = " ".join(part for part in (loss.where, loss.split, loss.item) if part)
            named = f"{about} annotation {loss.annotation}" if loss.annotation else about
            words = loss.words or reason.words
            write(sys.stdout, f"  {clean(f'{named}: {words}' if named else words)}")
        if count > len(of_kind):
            write(sys.stdout, f"  and {count - len(of_kind):,} more: --all")
        write(sys.stdout, f"  fix: {reason.fix}")
    items = f"{plural(found.items, 'item')} with {plural(found.annotations, 'annotation')} in {found.format}"
    write(sys.stderr, f"{items}: {plural(found.problems, 'problem') if found.problems else 'no problems'}")
