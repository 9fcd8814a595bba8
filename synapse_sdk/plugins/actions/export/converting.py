"""Converting items, one after the other, by the hooks of an exporter."""

import traceback
from collections.abc import Iterable, Mapping
from typing import Any

from synapse_sdk.errors import ItemSkippedError, StorageFullError
from synapse_sdk.plugins.actions.export.exporter import BaseExporter, primary_file
from synapse_sdk.plugins.actions.export.items import encoded
from synapse_sdk.plugins.actions.export.ledger import Ledger
from synapse_sdk.plugins.actions.export.naming import Namer
from synapse_sdk.plugins.actions.export.records import ORIGINALS, Entry, Failure, ItemState, writable
from synapse_sdk.plugins.actions.export.targets import ExportItem

__all__ = ["HOOK_FAILED", "NULL_DATA", "SKIPPED", "Converter", "end_of"]

NULL_DATA, HOOK_FAILED, SKIPPED = "NULL_DATA", "HOOK_FAILED", "SKIPPED"
"""Why an item is not exported: it has no data; one of its hooks failed; one did not want it."""

LARGE_BATCH = 4 * 1024 * 1024
"""Bytes of documents that are written down at a time."""


class _WrongTypeError(Exception):
    """A hook has returned something else than it should."""


class _NoDataError(Exception):
    """There is nothing of an item that could be exported."""


class Converter:
    """Takes items through the hooks, and writes them into the ledger.

    Args:
        exporter: Has the hooks.
        ledger: Where items are written down.
    """

    def __init__(self, exporter: BaseExporter, ledger: Ledger) -> None:
        self._exporter, self._ledger = exporter, ledger
        self._namer = Namer(ledger)
        self._number, self.last_id = ledger.last()

    def convert(self, items: Iterable[ExportItem]) -> list[Entry]:
        """Convert some items and write them down, all at once; return what became of them.

        No more are taken once their documents have 4 MiB.
        """
        entries, size = list[Entry](), 0
        with self._ledger.claiming():
            for entry in map(self._entry, items):
                entries.append(entry)
                size += len(entry.content or b"")
                if size >= LARGE_BATCH:
                    break
            self._ledger.add(entries, self._namer.renames)
        self._namer.renames.clear()
        return entries

    def _entry(self, item: ExportItem) -> Entry:
        self._number += 1
        number, identity = self._number, item["id"]  # now: hooks may do anything to the item
        self.last_id, renamed, category = identity, len(self._namer.renames), item.get("category", "")
        try:
            document, content = self._document(item, identity)
        except StorageFullError:
            raise
        except Exception as error:  # noqa: BLE001  # a hook may raise anything: it fails its item
            del self._namer.renames[renamed:]
            state, failure = end_of(error)
            return Entry(number=number, id=identity, state=state, content=None, name="", failure=failure)
        state = ItemState.CONVERTED
        return Entry(number=number, id=identity, category=category, state=state, content=content, name=document)

    def _document(self, item: ExportItem, identity: int) -> tuple[str, bytes]:
        """Return what the document of an item is called, and the converted item as JSON."""
        if item["data"] is None:
            raise _NoDataError("it has no annotation data")  # noqa: EM101, TRY003  # it is for the report
        category = {"category": item["category"]} if "category" in item else {}
        converted = {**category, **self._converted(item)}
        if converted["data"] is None:
            raise _NoDataError("its hooks left no data")  # noqa: EM101, TRY003  # as above
        document, file = self._namer.name(self._number, identity, self._wanted(converted["files"]))
        paths = self._paths(identity, converted["files"], file)
        names = {"number": self._number, "json_name": document, "file_paths": paths}
        return document, encoded({**converted, "id": identity, **names})

    def _converted(self, item: ExportItem) -> dict[str, Any]:
        """Take an item through the three hooks."""
        exporter = self._exporter
        converted = exporter.after_convert(exporter.convert_data(exporter.before_convert(item)))
        if not isinstance(converted, dict) or not isinstance(converted.get("files"), dict) or "data" not in converted:
            what = f"a dict with {sorted(converted)}" if isinstance(converted, dict) else type(converted).__name__
            msg = f"the hooks of {type(exporter).__name__} have made {what} of it, and not a dict with data and files"
            raise _WrongTypeError(msg)
        return converted

    def _wanted(self, files: Mapping[str, Any]) -> str | None:
        wanted: object = self._exporter.get_original_file_name(files)
        if wanted is None or (isinstance(wanted, str) and wanted):
            return wanted
        msg = f"get_original_file_name of {type(self._exporter).__name__} has returned {wanted!r}, and not a name"
        raise _WrongTypeError(msg)

    def _paths(self, identity: int, files: Mapping[str, Any], file: str | None) -> dict[str, str]:
        """Return where the files of an item go."""
        primary = primary_file(files)
        return {
            name: f"{ORIGINALS}/{file}"
            if name == primary and file is not None
            else self._namer.beside(self._number, identity, name, str(each["file_name_original"]))
            for name, each in files.items()
        }


def end_of(error: Exception) -> tuple[ItemState, Failure]:
    """Return what becomes of an item whose hook has raised, and why, with the traceback for the report."""
    if isinstance(error, ItemSkippedError):
        return ItemState.SKIPPED, Failure(reason=SKIPPED, words=writable(error))
    if isinstance(error, _NoDataError):
        return ItemState.FAILED, Failure(reason=NULL_DATA, words=str(error))
    words = _told(error) if isinstance(error, _WrongTypeError) else f"{type(error).__name__}: {_told(error)}"
    trace = writable("".join(traceback.format_exception(error)))
    return ItemState.FAILED, Failure(reason=HOOK_FAILED, words=words.removesuffix(": "), trace=trace)


def _told(error: Exception) -> str:
    try:
        return writable(error)
    except Exception:  # noqa: BLE001  # the error of a hook may fail even to say what it is
        return "it cannot say why"
