"""From one format into another: what is read is written, and what is lost is said."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, fields
from enum import Enum
from fractions import Fraction
from pathlib import Path

import msgspec
from msgspec.structs import replace

from synapse_sdk.errors import DatasetLossError, InvalidDatasetError
from synapse_sdk.formats.base import DatasetFormat, FormatOptions, Progress, Reader
from synapse_sdk.formats.choice import ClassChoice
from synapse_sdk.formats.losses import LossLog
from synapse_sdk.formats.model import Item, tools_of
from synapse_sdk.formats.partition import Partition, partition
from synapse_sdk.formats.processes import OneProcessError, SharedWriting
from synapse_sdk.formats.registry import format_named
from synapse_sdk.formats.report import LOSSES_FILE, REPORT_FILE, ConversionReport, report_of
from synapse_sdk.formats.sources import open_datasets, told
from synapse_sdk.formats.splits import in_order
from synapse_sdk.formats.staging import Staging, empty_folder, staged
from synapse_sdk.types import JsonValue

__all__ = ["ConversionOptions", "convert"]

MOST_NAMED = 5
"""Reasons that an error names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionOptions(FormatOptions):
    """What may be chosen about a conversion."""

    classes: Sequence[str] = ()
    """Names of the classes to keep, in the order in which to number them; empty for all."""
    class_order: str = "source"
    """How classes are numbered: `source`, as the source has them, or `name`, by the alphabet."""
    ratios: Mapping[str, Fraction] | None = None
    """New splits, and how much each gets; None keeps those of the source."""
    seed: int = 0
    """Chooses one of the ways to divide by the ratios."""
    stratified: bool = False
    """Whether each class is divided by the ratios, too."""
    processes: int | None = None
    """How many processes write, if the target has files of its own for each item; None for as many as there are
    processors, where that pays. The target is the same, however many there are."""
    strict: bool = False
    """Whether a loss makes the conversion fail."""
    run: str = ""
    """Whose conversion it is, for the report: a run that goes on knows its own target by it."""


def convert(
    source: Path | Sequence[Path],
    target: Path,
    *,
    to: str,
    source_format: str | None = None,
    options: ConversionOptions | None = None,
    on_progress: Progress | None = None,
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

    Raises:
        InvalidDatasetError: The source is not there, makes no sense, or nothing of it can be written.
        ConfigurationError: Formats or options do not fit, or the target is taken.
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
    conversion = _Conversion(sources, source_format, format_named(to), options, on_progress)
    with staged(target) as staging:
        try:
            report = conversion.run(staging, options.processes)
        except OneProcessError:
            empty_folder(staging.folder)
            report = conversion.run(staging, 1)
        _check(report, sources, strict=options.strict)
        text = msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"
        (staging.folder / REPORT_FILE).write_bytes(text)
    return report


@dataclass(frozen=True, slots=True)
class _Conversion:
    """What is to be converted into what."""

    sources: Sequence[Path]
    source_format: str | None
    target_format: DatasetFormat
    options: ConversionOptions
    on_progress: Progress | None

    def run(self, staging: Staging, processes: int | None) -> ConversionReport:
        """Write all into an empty folder, but for the report.

        Raises:
            OneProcessError: Several processes cannot write it.
        """
        options = self.options
        with LossLog(staging.folder / LOSSES_FILE) as losses, ExitStack() as stack:
            reader, read_format = open_datasets(self.sources, self.source_format, options, losses)
            stack.enter_context(closing(reader))
            choice = ClassChoice(reader.info, options.classes, options.class_order)
            parts = self._partition() if options.ratios is not None else None
            info = choice.info if parts is None else replace(choice.info, splits=tuple(in_order(options.ratios or ())))
            writer = stack.enter_context(closing(self.target_format.writer(staging.folder, info, options, losses)))
            target = SharedWriting(writer, self.target_format.name, processes, losses, staging.lock)
            stack.enter_context(closing(target))
            counts = _Counts()
            for item in told(counts.of(reader), info.count, self.on_progress):
                choice.apply(item)
                if parts is not None:
                    split = parts[item.split, item.name]
                    losses.rename(item, split=split)
                    item.split = split
                counts.add(item)
                target.write(item)
            target.finish()
            losses.close()
            return report_of(
                losses,
                items=counts.items,
                annotations=counts.annotations,
                left_out=choice.left_out,
                read=counts.read,
                written=writer.tally(),
                sources=[each.absolute().name for each in self.sources],
                source_format=read_format,
                target_format=self.target_format.name,
                options=_plain(options),
            )

    def _partition(self) -> Partition:
        """Go through all items once, only to see which split each belongs to."""
        options = self.options
        with LossLog() as unheard, ExitStack() as stack:
            reader, _ = open_datasets(self.sources, self.source_format, options, unheard)
            stack.enter_context(closing(reader))
            return partition(reader.items(), options.ratios or {}, seed=options.seed, stratified=options.stratified)


class _Counts:
    """Counts what a reader hands on."""

    def __init__(self) -> None:
        self.items = 0
        self.annotations = 0
        self.read: Counter[tuple[str, str]] = Counter()

    def of(self, reader: Reader) -> Iterator[Item]:
        for item in reader.items():
            self.items += 1
            yield item

    def add(self, item: Item) -> None:
        self.annotations += len(item.annotations)
        read = self.read
        for annotation in item.annotations:
            for tool in tools_of(annotation):
                read[annotation.label, tool] += 1


def _check(report: ConversionReport, sources: Sequence[Path], *, strict: bool) -> None:
    shown = ", ".join(repr(str(each)) for each in sources)
    losses = "; ".join(f"{each.count:,} x {each.code}: {each.words}" for each in report.losses[:MOST_NAMED])
    if not report.items.written + report.items.changed:
        msg = f"Nothing of {shown} can be written as {report.target_format}"
        why = losses or "there is no item in it"
        raise InvalidDatasetError(msg, why=why, fix="Look at the dataset: synapse dataset validate")
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
