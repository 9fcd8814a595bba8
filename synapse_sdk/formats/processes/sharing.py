"""Finds out whether it pays to convert a dataset by several processes, and does it."""

import os
from collections import defaultdict
from collections.abc import Generator, Iterator, Sequence
from time import thread_time

from synapse_sdk.errors import ConfigurationError, InvalidDatasetError
from synapse_sdk.formats.base import Progress
from synapse_sdk.formats.flow import Conversion, Flow
from synapse_sdk.formats.losses import LossLog
from synapse_sdk.formats.processes.helper import ROUND
from synapse_sdk.formats.processes.helpers import HelperProcess, error_of
from synapse_sdk.formats.processes.messages import Known, Task, sent_options
from synapse_sdk.formats.processes.numbered_portion import NumberedPortion, Page
from synapse_sdk.formats.registry import format_named
from synapse_sdk.formats.report import Tally
from synapse_sdk.formats.sources import STRIDE
from synapse_sdk.formats.staging import Staging

__all__ = ["SharedFlow"]

TRIED = 100
"""Items that are converted alone, to see how long that takes."""
ODD = 10
"""The slowest of them, which do not count: they may load a library."""
PAYS = 1.5
"""Seconds of work that must be left: less is done before other processes have started."""
MERGED = 5_000
"""Items of datasets that are merged, from which on others help."""
FAR = 16 * ROUND
"""Items that a process may be ahead of another one, before it waits for that: what it takes down meanwhile is kept."""
MOST_PROCESSES = 8
"""Each goes through the whole source, so that more of them gain little."""


class SharedFlow:
    """Converts a dataset, and lets other processes help if they may, and if that pays.

    Args:
        conversion: What is to be converted into what.
        staging: Where to write.
        losses: Takes down what is lost.
        processes: How many do it; None for as many as there are processors, if it pays.

    Raises:
        ConfigurationError: There is no such number of processes, or formats or options do not fit.
        InvalidDatasetError: A source is not there, or makes no sense.
    """

    def __init__(self, conversion: Conversion, staging: Staging, losses: LossLog, processes: int | None) -> None:
        if processes is not None and processes < 1:
            msg = f"{processes} processes cannot write a dataset"
            raise ConfigurationError(msg, fix="Choose at least 1, or leave it to the number of processors")
        self._conversion, self._staging, self._losses = conversion, staging, losses
        self._portion = NumberedPortion(losses)
        self._helpers: list[HelperProcess] = []
        self._waiting: defaultdict[int, list[str]] = defaultdict(list)
        """The pages about items that not all processes have come to."""
        self._own = self._last_told = 0
        self._said = 0
        """The position up to which everything was taken down."""
        self._heard = 0
        """The position at which this process has last listened to the others."""
        self._flow = Flow(conversion, staging.folder, losses, self._portion)
        self.source_format = self._flow.source_format
        self._count = min(os.cpu_count() or 1, MOST_PROCESSES) if processes is None else processes
        self._is_given = processes is not None

    def run(self, on_progress: Progress | None) -> Tally:
        """Convert everything, and finish the target; return how much went through.

        Args:
            on_progress: Is told how far it has come; None for nobody.

        Raises:
            InvalidDatasetError: A source makes no sense.
            ConfigurationError: Options do not fit.
            OneProcessError: It can only be converted by one process, and there are several.
            SynapseError: An item could not be read or written.
            OSError: The same.
        """
        self._prepare()
        for _ in self._own_items():
            self._own += 1
            if self._helpers and self._portion.position - self._heard > ROUND:
                self._hear(self._portion.position - 1)  # of the last item the reader may still say something
            self._tell(on_progress)
        last = self._portion.position
        for position in (*range(self._said + ROUND, last, ROUND), last):
            self._take_down(position)
            self._tell(on_progress)
        tally = self._finished()
        if on_progress is not None:
            on_progress(tally.items, tally.items)
        return tally

    def close(self) -> None:
        """End other processes, and release what was opened."""
        self._end_helpers()
        self._flow.close()

    def _own_items(self) -> Iterator[None]:
        """Let the items of this process through, and call for help if that pays."""
        items = self._flow.items()
        try:
            if self._count > 1 and not self._helpers and (yield from self._pays(items)):
                self._start_helpers()
                self._divide()
            yield from items
        except Exception:
            self._take_down(self._portion.position - 1)  # what another process could not convert may come before
            raise

    def _pays(self, items: Iterator[None]) -> Generator[None, None, bool]:
        """Find out whether it pays to call for help, if need be by letting some items through."""
        if self._is_given:
            return True
        if len(self._conversion.sources) > 1:
            # Whoever renames items has to know what the first ones are called: they are shared as well.
            return self._left() >= MERGED
        times = []
        before = thread_time()
        for _ in zip(range(TRIED), items, strict=False):
            now = thread_time()
            times.append(now - before)
            before = now
            yield
        return len(times) == TRIED and self._left() * sum(sorted(times)[:-ODD]) / (TRIED - ODD) > PAYS

    def _left(self) -> int:
        return (self._flow.info.count or 0) - self._portion.position

    def _prepare(self) -> None:
        """Find out what there is; where that takes long by itself, others survey a stretch of it."""
        surveys: list[bytes] = []
        reader = self._flow.reader
        divides = format_named(self._conversion.target_format).divides
        if self._count > 1 and divides and reader.asks and reader.is_large():
            # This process begins before the others have started, and so takes a stretch twice as long.
            marks = [0.0, *(number / (self._count + 1) for number in range(2, self._count + 2))]
            self._start_helpers(marks)
            surveys += [reader.survey(*marks[:2]), *map(_surveyed, self._helpers)]
        self._flow.prepare(surveys)
        surveys.clear()  # where the records of a large file are takes megabytes
        if not (reader.asks and self._flow.writer.is_divisible()):
            self._count = 1
            self._end_helpers()
        if self._helpers:
            self._divide()

    def _start_helpers(self, marks: Sequence[float] = ()) -> None:
        """Start other processes.

        Args:
            marks: Where the stretch of the sources begins that each process is to survey; empty if none is to.
        """
        conversion = self._conversion
        for number in range(1, self._count):
            task = Task(
                sources=[os.fspath(each) for each in conversion.sources],
                source_format=self.source_format if len(conversion.sources) == 1 else conversion.source_format,
                target_format=conversion.target_format,
                options=sent_options(conversion.options),
                folder=os.fspath(self._staging.folder),
                stretch=(marks[number], marks[number + 1]) if marks else None,
                number=number,
                count=self._count,
                first=self._portion.position,
            )
            self._helpers.append(HelperProcess(task, self._staging.lock))

    def _divide(self) -> None:
        """Let each process convert its own items from here on."""
        parts = self._flow.parts
        survey = self._flow.reader.survey(0, 1)
        known = Known(parts=None if parts is None else [(*key, to) for key, to in parts.items()])
        for helper in self._helpers:
            helper.tell(known, survey)
        self._said = self._heard = self._portion.position
        self._portion.divide(0, self._count, self._said)

    def _end_helpers(self) -> None:
        for helper in self._helpers:
            helper.end()
        self._helpers.clear()

    def _tell(self, on_progress: Progress | None) -> None:
        done = self._own + sum(each.last.items for each in self._helpers)
        if on_progress is not None and done - self._last_told >= STRIDE:
            self._last_told = done
            on_progress(done, self._flow.info.count)

    def _hear(self, position: int) -> None:
        """Take down what all processes have come to, up to an item; wait only for those that are far behind."""
        self._heard = position
        for helper in self._helpers:
            while not helper.has_ended and (helper.has_said_more or helper.last.position < position - FAR):
                self._add(helper.listen())
        self._take_down(min(position, *(helper.last.position for helper in self._helpers)))

    def _take_down(self, position: int) -> None:
        """Take down what all processes say about the items up to one; wait until they have come to it.

        Raises:
            OneProcessError: One of these can only be converted by one process alone.
            SynapseError: One of these could not be converted.
            OSError: The same.
        """
        self._add(self._portion.taken())
        for helper in self._helpers:
            while helper.last.position < position and not helper.has_ended:
                self._add(helper.listen())
        failed = [each.last for each in self._helpers if each.last.failure and each.last.position <= position]
        first = min(failed, key=lambda each: each.position, default=None)
        last = position if first is None else first.position
        complete = sorted(each for each in self._waiting if each <= last)
        self._losses.write("".join([page for each in complete for page in self._waiting.pop(each)]))
        self._said = position
        if first is not None and first.failure is not None:
            raise error_of(first.failure)

    def _add(self, pages: Sequence[Page]) -> None:
        for position, page in pages:
            self._waiting[position].append(page)

    def _finished(self) -> Tally:
        """Wait for the others, finish the target, and return how much went through everywhere."""
        last = self._portion.position
        tally, losses = Tally(), []
        if self._helpers:
            for helper in self._helpers:
                while not helper.has_ended:
                    self._add(helper.listen())
            self._take_down(last)
            for helper in self._helpers:
                said = helper.last
                if said.failure is not None:
                    raise error_of(said.failure)
                if said.position != last or said.tally is None or said.losses is None:
                    raise self._changed()
                tally.add(said.tally)
                losses.append(said.losses)
        self._losses.unite(*losses)
        self._flow.writer.finish()
        tally.add(self._flow.tally())
        return tally

    def _changed(self) -> InvalidDatasetError:
        sources = [str(each) for each in self._conversion.sources]
        msg = f"Files of {', '.join(map(repr, sources))} came or went while it was read"
        return InvalidDatasetError(msg, fix="Convert it again when nobody changes it", path=sources[0])


def _surveyed(helper: HelperProcess) -> bytes:
    """Wait for what another process has found in its stretch of the sources, and return it."""
    helper.listen()
    if helper.last.failure is not None:
        raise error_of(helper.last.failure)
    return helper.last.survey
