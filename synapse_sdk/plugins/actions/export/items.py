"""Items as steps and hooks go through them: read as they come, and never all in memory."""

import json
from typing import TYPE_CHECKING, Any, cast

from synapse_sdk.plugins.actions.export.ledger import Ledger
from synapse_sdk.plugins.actions.export.records import Entry, ItemState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from synapse_sdk.plugins.actions.export.exporter import ConvertedItem
    from synapse_sdk.plugins.actions.export.targets import ExportItem

__all__ = ["ConvertedItems", "ExportItems", "encoded", "item_of"]


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
    """The items that are converted and not saved yet: may be gone through and counted, and is never all in memory.

    Args:
        ledger: Has them.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def __len__(self) -> int:
        return self._ledger.count(ItemState.CONVERTED)

    def __iter__(self) -> "Iterator[ConvertedItem]":
        return map(item_of, self._ledger.entries(ItemState.CONVERTED))

    def replace(self, items: "Iterable[ConvertedItem | dict[str, Any]]") -> None:
        """Put items in the place of those of the same number; those that are left out count as skipped."""
        self._ledger.replace_converted(
            (item["number"], item["json_name"], encoded(cast("dict[str, Any]", item))) for item in items
        )


def item_of(entry: Entry) -> "ConvertedItem":
    """Return a converted item as the hooks that save get it."""
    return cast("ConvertedItem", json.loads(entry.content or b"null"))


def encoded(item: dict[str, Any]) -> bytes:
    """Return an item as JSON.

    Raises:
        TypeError, ValueError: It has something that JSON has not: NaN, half a character, a date.
    """
    return json.dumps(item, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
