"""From one format into another: what is read is written, and what is lost is said."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import fields
from enum import Enum
from pathlib import Path

import msgspec

from synapse_sdk.errors import DatasetLossError, InvalidDatasetError
from synapse_sdk.formats.base import FormatOptions, Progress
from synapse_sdk.formats.flow import Conversion, ConversionOptions
from synapse_sdk.formats.losses import LossLog, Outcome, Reason
from synapse_sdk.formats.portions import OneProcessError
from synapse_sdk.formats.processes import SharedFlow
from synapse_sdk.formats.registry import format_named
from synapse_sdk.formats.report import LOSSES_FILE, REPORT_FILE, ConversionReport, report_of
from synapse_sdk.formats.staging import Staging, check_is_apart, empty_folder, staged
from synapse_sdk.types import JsonValue

__all__ = ["ConversionOptions", "convert"]

NO_EFFECT = Reason("NO_EFFECT", "an option was chosen that changes nothing here", "Leave it out")
MOST_NAMED = 5
"""Reasons that an error names."""


def convert(
    source: Path | Sequence[Path],
    target: Path,
    *,
    to: str,
    source_format: str | None = None,
    options: ConversionOptions | None = None,
    on_progress: Progress | None = None,
    may_be_inside: bool = False,
) -> ConversionReport:
    """Write a dataset, or several as one, in another format; the source is never touched.

    The target appears when all is written, with `conversion.json`, which says what was done, and `losses.csv` if there
    are losses. If the conversion fails, or the process is killed, there is no target.

    Args:
        source: The folder, or file, of the dataset; several are merged.
        target: The folder to write; must not exist, or be empty.
        to: The format to write.
        source_format: The format of the source; None to find out.
        options: What was chosen.
        on_progress: Is told how far it has come.
        may_be_inside: Whether the target may be inside of the folder of a source, for who knows that nothing is read
            there.

    Raises:
        InvalidDatasetError: The source is not there, makes no sense, or nothing of it can be written.
        ConfigurationError: Formats or options do not fit, or the target is taken, or inside of the source.
        DatasetLossError: Something would be lost, and the options are strict.
        ConflictError: Another process writes the same target.
        OSError: The target cannot be written.

    Example:
        >>> report = convert(Path("birds-coco"), Path("birds-yolo"), to="yolo")  # doctest: +SKIP
        >>> report.items.written, report.loss_count  # doctest: +SKIP
        (120, 0)
    """
    options = options or ConversionOptions()
    sources = [source] if isinstance(source, Path) else [*source]
    conversion = Conversion(
        sources=sources, source_format=source_format, target_format=format_named(to).name, options=options
    )
    if not may_be_inside:
        check_is_apart(target, sources)
    with staged(target) as staging:
        try:
            report = _converted(conversion, staging, options.processes, on_progress)
        except OneProcessError:
            empty_folder(staging.folder)
            report = _converted(conversion, staging, 1, on_progress)
        _check(report, sources, strict=options.strict)
        text = msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"
        (staging.folder / REPORT_FILE).write_bytes(text)
    return report


def _converted(
    conversion: Conversion, staging: Staging, processes: int | None, on_progress: Progress | None
) -> ConversionReport:
    """Write all into an empty folder, but for the report.

    Raises:
        OneProcessError: Several processes cannot write it.
    """
    with (
        LossLog(staging.folder / LOSSES_FILE) as losses,
        closing(SharedFlow(conversion, staging, losses, processes)) as flow,
    ):
        _tell_unused(conversion, flow.source_format, losses)
        tally = flow.run(on_progress)
        losses.close()
        return report_of(
            losses,
            tally,
            sources=[each.absolute().name for each in conversion.sources],
            source_format=flow.source_format,
            target_format=conversion.target_format,
            options=_plain(conversion.options),
        )


def _tell_unused(conversion: Conversion, sources: str, losses: LossLog) -> None:
    """Note options that were chosen and change nothing, so that nobody believes that they did."""
    options, default = conversion.options, FormatOptions()
    names = dict.fromkeys((*sources.split("+"), conversion.target_format))
    looked_at = [format_named(name).looks_at for name in names]
    for option in ("task", "voc_origin"):
        is_chosen = getattr(options, option) != getattr(default, option)
        if is_chosen and not any(each is None or option in each for each in looked_at):
            words = f"{option} says nothing about {' or '.join(names)}"
            losses.of_item(Outcome.NOTED, NO_EFFECT, item="", words=words)
    if options.classes and options.class_order != ConversionOptions().class_order:
        words = "class_order: classes that are named have the order in which they are"
        losses.of_item(Outcome.NOTED, NO_EFFECT, item="", words=words)


def _check(report: ConversionReport, sources: Sequence[Path], *, strict: bool) -> None:
    shown = ", ".join(repr(str(each)) for each in sources)
    losses = "; ".join(f"{each.count:,} x {each.code}: {each.words}" for each in report.losses[:MOST_NAMED])
    if not report.items.written + report.items.changed:
        msg = f"Nothing of {shown} can be written as {report.target_format}"
        why = losses or "there is no item in it"
        dropped = [each.fix for each in report.losses if each.outcome == Outcome.DROPPED]
        fix = dropped[0] if dropped else f"Look at the dataset: synapse dataset validate {sources[0]}"
        raise InvalidDatasetError(msg, why=why, fix=fix)
    if strict and report.loss_count:
        examples = [" ".join(each.values()) for loss in report.losses for each in loss.examples[:1]]
        msg = f"{report.loss_count:,} losses in the conversion of {shown}"
        fix = "Mend the dataset, choose another format or task, or convert without --strict"
        raise DatasetLossError(msg, why=f"{losses} (such as {examples[0]})", fix=fix)


def _plain(options: ConversionOptions) -> dict[str, JsonValue]:
    """Return the options that were chosen, as JSON has them."""
    default = ConversionOptions()
    chosen = {each.name: getattr(options, each.name) for each in fields(options) if each.name != "processes"}
    return {name: _json(value) for name, value in chosen.items() if value != getattr(default, name)}


def _json(value: object) -> JsonValue:
    match value:
        case Enum():
            return str(value.value)
        case Mapping():
            return {str(key): float(part) for key, part in value.items()}
        case list() | tuple():
            return [str(each) for each in value]
        case bool() | int() | float() | str() | None:
            return value
        case _:
            return str(value)
