"""Reading a workbook through a child process, which may run out of memory or time without harm to this one."""

import contextlib
import json
import math
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, BinaryIO

from synapse_sdk.documents.sheets.limits import SheetLimits, excess, refusal
from synapse_sdk.documents.sheets.rows import Cells, build_sheet
from synapse_sdk.documents.sheets.sheet import Notes, Sheet, SheetKind
from synapse_sdk.errors import InvalidSheetError

__all__ = ["open_workbook"]

BOOTSTRAP = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from synapse_sdk.documents.sheets.child import main; main(sys.argv[2])"
)
"""The child finds modules where this process does, and never in the folder of the sheet."""
BLOCK = 256 * 1024
LAST_WORDS = 5.0
"""Seconds that a child may take to end once it has closed its output."""


def open_workbook(file: BinaryIO, kind: SheetKind, origin: str, limits: SheetLimits) -> Sheet:
    """Start a child process that reads a workbook, and return the sheet it reads.

    Args:
        file: At its beginning; closed here, for the child has it, too.
        kind: XLSX or XLS.
        origin: Names the sheet in errors.
        limits: What it may hold, and what the child may use.

    Raises:
        InvalidSheetError: It cannot be read, lacks a header or rows, or exceeds a limit.
    """
    with file:
        child = _Child(file, kind, origin, limits)
    try:
        messages = child.messages()
        about = next(messages)
        notes = Notes()
        _note(about, notes)
    except BaseException:
        child.close()
        raise
    return build_sheet(
        _rows(messages),
        origin=origin,
        kind=kind,
        name=about["worksheet"],
        limits=limits,
        notes=notes,
        close=child.close,
    )


def _rows(messages: Iterator[Any]) -> Iterator[tuple[int, Cells]]:
    number = 0
    for message in messages:
        if isinstance(message, list):
            for number, cells in enumerate(message, start=number + 1):  # noqa: B020  # goes on counting
                yield number, cells


class _Child:
    """The process that reads; `close` ends it, whatever it is doing, and leaves no zombie behind."""

    def __init__(self, file: BinaryIO, kind: SheetKind, origin: str, limits: SheetLimits) -> None:
        self._origin = origin
        self._limits = limits
        spec = {"origin": os.fsencode(origin).decode("utf-8", "replace"), "kind": kind, "limits": asdict(limits)}
        paths = json.dumps([str(entry) for entry in sys.path])
        if not sys.executable:
            raise refusal(origin, "this Python does not know its own executable", "Save it as .csv")
        try:
            self._process = subprocess.Popen(  # noqa: S603  # this interpreter, with a module of ours
                [sys.executable, "-P", "-c", BOOTSTRAP, paths, json.dumps(spec)],
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                process_group=0,  # a Ctrl-C is for this process, which then ends the child
            )
        except OSError as error:
            raise refusal(origin, f"no process could be started to read it: {error}", "Save it as .csv") from error

    def messages(self) -> Iterator[Any]:
        """Yield what the child says until it says that it is at the end.

        Raises:
            InvalidSheetError: The child says that the sheet cannot be read, or dies, or takes too long.
        """
        for line in self._lines():
            message = json.loads(line)
            match message:
                case {"refused": refused}:
                    self.close()
                    raise _rebuilt(refused, self._origin)
                case {"end": True}:
                    self.close()
                    return
                case _:
                    yield message
        raise self._lost()

    def close(self) -> None:
        """End the child; safe to repeat."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _lines(self) -> Iterator[bytes]:
        """Yield whole lines; only the time spent waiting for them counts."""
        assert self._process.stdout is not None  # noqa: S101  # it was started with a pipe
        pipe = self._process.stdout.fileno()
        poller = select.poll()
        poller.register(pipe, select.POLLIN)
        left = self._limits.seconds
        pieces: list[bytes] = []
        while True:
            begin = time.monotonic()
            if not poller.poll(math.ceil(max(left, 0) * 1000)):
                self.close()
                raise excess(self._origin, "time", self._limits.seconds, None)
            left -= time.monotonic() - begin
            block = os.read(pipe, BLOCK)
            if not block:
                return
            *lines, rest = block.split(b"\n")
            for line in lines:
                pieces.append(line)
                yield b"".join(pieces)
                pieces.clear()
            pieces.append(rest)

    def _lost(self) -> InvalidSheetError:
        """Return the error for a child that has ended without saying that it is at the end."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(LAST_WORDS)
        self.close()
        code = self._process.returncode
        if code == -signal.SIGABRT:  # what its parser does when it gets no memory
            return excess(self._origin, "memory", self._limits.memory_bytes, None)
        if code == -signal.SIGXCPU:
            return excess(self._origin, "time", self._limits.seconds, None)
        why = f"the process that reads it ended with exit code {code}"
        if code < 0:
            why = f"the process that reads it was killed by signal {-code}"
            with contextlib.suppress(ValueError):
                why = f"the process that reads it was killed by {signal.Signals(-code).name}"
        fix = "Read it again; if that does not help, save it as .csv"
        return refusal(self._origin, why, fix, exit_code=code)


def _rebuilt(refused: Mapping[str, Any], origin: str) -> InvalidSheetError:
    where = {**refused["where"], "document": origin}
    return InvalidSheetError(refused["message"], why=refused["why"], fix=refused["fix"], **where)


def _note(about: Mapping[str, Any], notes: Notes) -> None:
    """Put what the child has found into words."""
    if about["others"]:
        names = ", ".join(map(repr, about["others"][:5]))
        text = f"Only worksheet {about['worksheet']!r} is read, and not {names}"
        notes.add("other_worksheets", text)
    findings = about["findings"]
    if findings is None:
        notes.add("errors_not_checked", "Cells that show an error are left out, and could not be listed")
        return
    for letters, row, shown in findings["errors"]:
        text = f"Cell {letters}{row} shows the error {shown or 'without a name'}: left out"
        notes.add("error_cell", text, row=row, column=letters)
    notes.count("error_cell", findings["error_count"])
    for letters, row in findings["lost"]:
        text = f"Cell {letters}{row} has a formula whose value is not in the file: left out"
        notes.add("formula_without_value", text, row=row, column=letters)
    notes.count("formula_without_value", findings["lost_count"])
