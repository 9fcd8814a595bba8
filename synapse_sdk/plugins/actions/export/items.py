"""Items as steps and hooks go through them: read as they come, and never all in memory."""

import json
from typing import TYPE_CHECKING, Any, cast

from synapse_sdk.errors import WorkflowError
from synapse_sdk.plugins.actions.export.ledger import Ledger
from synapse_sdk.plugins.actions.export.naming import folded, safe_name
from synapse_sdk.plugins.actions.export.records import DOCUMENTS, Entry, ItemState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from synapse_sdk.plugins.actions.export.exporter import ConvertedItem
    from synapse_sdk.plugins.actions.export.targets import ExportItem

__all__ = ["ConvertedItems", "ExportItems", "encoded", "identity_of", "item_of"]


LARGEST = (1 << 63) - 1
"""Number that the ledger can keep."""


class ExportItems:
    """The items that are to be exported: may be counted, and gone through as often as need be.

    Args:
        count: How many there are.
        read: Begins to read them.
    """

    def __init__(self, count: int, read: "Callable[[], Iterator[ExportItem]]") -> None:
        self._count, self._read = count, read

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> "Iterator[ExportItem]":
        return self._read()


class ConvertedItems:
    """The converted items that are not saved yet: may be gone through and counted, and are never all in memory.

    Those that are not converted yet are converted when their turn comes.

    Args:
        ledger: Has them.
        advance: Converts some more; returns False if there are none left.
    """

    def __init__(self, ledger: Ledger, advance: "Callable[[], bool]") -> None:
        self._ledger, self._advance = ledger, advance

    def __len__(self) -> int:
        while self._advance():
            pass
        return self._ledger.count(ItemState.CONVERTED)

    def __iter__(self) -> "Iterator[ConvertedItem]":
        last, has_more = 0, True
        while has_more:
            for entry in self._ledger.entries(ItemState.CONVERTED, after=last):
                last = entry.number
                yield item_of(entry)
            has_more = self._advance()

    def replace(self, items: "Iterable[ConvertedItem | dict[str, Any]]") -> None:
        """Put items in the place of those of the same number; those that are left out count as skipped.

        Raises:
            WorkflowError: Something is not one of the converted items, or its document gets a name that cannot be.
        """
        while self._advance():  # what is not converted yet is meant as well
            pass
        self._ledger.replace_converted(self._checked(item) for item in items)

    def _checked(self, item: "ConvertedItem | dict[str, Any]") -> tuple[int, str, bytes]:
        number = item.get("number") if isinstance(item, dict) else None
        name_before = self._ledger.name_of(number) if isinstance(number, int) else None
        if not isinstance(number, int) or name_before is None:
            msg = f"A step has put something in the place of converted items that is none of them: {number!r}"
            raise WorkflowError(msg, fix="Keep the number of every item, and give each only once")
        name = item.get("json_name")
        is_free = name == name_before or (
            isinstance(name, str) and name == safe_name(name) and self._ledger.claim(DOCUMENTS, folded(name))
        )
        if not is_free:
            msg = f"A step calls a document {name!r}, which cannot be, or is the name of another one"
            raise WorkflowError(msg, fix=f"Keep {name_before!r}, or give it the name of one file that there is not yet")
        return number, str(name), encoded(cast("dict[str, Any]", item))


def identity_of(item: object) -> int:
    """Return the id of what a handler or a step offers as an item.

    Raises:
        WorkflowError: It is none, or has no id that is a number.
    """
    identity = item.get("id") if isinstance(item, dict) else None
    if isinstance(identity, int) and abs(identity) <= LARGEST:
        return identity
    found = type(item).__name__ if not isinstance(item, dict) else f"one with the id {identity!r}"
    msg = f"Something that is no item is to be exported: {found}"
    raise WorkflowError(msg, fix="An item is a dict with data, files and an id, which is a number of up to 64 bits")


def item_of(entry: Entry) -> "ConvertedItem":
    """Return a converted item as the hooks that save get it."""
    return cast("ConvertedItem", json.loads(entry.content or b"null"))


def encoded(item: dict[str, Any]) -> bytes:
    """Return an item as JSON.

    Raises:
        TypeError, ValueError: It has something that JSON has not: NaN, half a character, a date.
    """
    return json.dumps(item, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
