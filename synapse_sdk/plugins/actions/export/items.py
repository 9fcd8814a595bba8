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
            KeyError: One has not the number and the names that it came with.
        """
        while self._advance():  # what is not converted yet is meant as well
            pass
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
