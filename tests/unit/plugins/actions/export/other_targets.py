"""Handlers of targets as an installed package may offer them: each with a mistake of its own, but one."""

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

from synapse_sdk.errors import BackendUnavailableError, ConfigurationError
from synapse_sdk.plugins.actions.export import ExportItem, Results, TargetHandler
from synapse_sdk.types import JsonValue

__all__ = ["ENTRY_POINTS", "Good"]


def item(number: Any, **rest: Any) -> ExportItem:  # noqa: ANN401  # anything
    """Return an item without files."""
    return ExportItem(**{"id": number, "data": {"n": 1}, "files": {}, **rest})  # type: ignore[typeddict-item]  # on purpose


class Good(TargetHandler):
    """Numbers from 1 to what the filter says."""

    read: Callable[[int], Iterator[ExportItem]]

    def validate_filter(self, value: Mapping[str, JsonValue]) -> int:
        """Take `most` alone."""
        most = value.get("most", 3)
        if value.keys() - {"most"} or not isinstance(most, int):
            msg = f"The filter {dict(value)!r} is not most=NUMBER"
            raise ConfigurationError(msg)
        return most

    def get_results(self, filters: int) -> Results:
        """Count them, and read them as the class does."""
        return Results(filters, lambda after: self.items(after, filters))

    def items(self, after: int, most: int) -> Iterator[ExportItem]:
        """Yield them."""
        return (item(number) for number in range(after + 1, most + 1))

    def project_of(self, filters: int) -> None:
        """Return None: they are of none."""


class FailingPage(Good):
    """Its second page cannot be read."""

    def items(self, after: int, most: int) -> Iterator[ExportItem]:
        """Yield one, and fail."""
        yield item(1)
        msg = "The other backend is away"
        raise BackendUnavailableError(msg)


class RepeatingPage(Good):
    """Its second page is the first one again."""

    def items(self, after: int, most: int) -> Iterator[ExportItem]:
        """Yield them twice."""
        yield from super().items(after, most)
        yield from super().items(0, most)


class EndlessPages(Good):
    """It always has another page."""

    def items(self, after: int, most: int) -> Iterator[ExportItem]:
        """Yield ever more."""
        return (item(number) for number in count(after + 1))


class LostPage(Good):
    """Its last page is not there any more."""

    def items(self, after: int, most: int) -> Iterator[ExportItem]:
        """Yield one less."""
        return super().items(after, most - 1)


class GrownPages(Good):
    """It has a few more than it has counted."""

    def items(self, after: int, most: int) -> Iterator[ExportItem]:
        """Yield two more."""
        return super().items(after, most + 2)


class OddItems(Good):
    """Its second item is none."""

    def items(self, after: int, most: int) -> Iterator[ExportItem]:
        """Yield one, and something else."""
        yield item(1)
        yield ("text", None, item("2"), item(None), item(1 << 64), {"data": {}})[most - 1]  # type: ignore[misc]  # on purpose


class OddData(Good):
    """Its items lack this or that."""

    def items(self, after: int, most: int) -> Iterator[ExportItem]:
        """Yield a good one, and three that are not."""
        yield item(1)
        yield item(2, data=None)
        yield item(3, files=None)
        yield {"id": 4}  # type: ignore[typeddict-item]  # on purpose


class OddNames(Good):
    """Its files are nowhere, and have names that lead away."""

    def items(self, after: int, most: int) -> Iterator[ExportItem]:
        """Yield one for each name."""
        names = ("../../escaped", "/escaped", "a\x00b", "..", "escaped\n")
        for number, name in enumerate(names, 1):
            yield item(number, files={"images": {"file_name_original": name, "is_primary": True}})


class Large(Good):
    """Each of its documents has 5,000 characters."""

    def items(self, after: int, most: int) -> Iterator[ExportItem]:
        """Yield them."""
        return (item(number, data={"n": number, "text": "x" * 5_000}) for number in range(after + 1, most + 1))


class NoHandler:
    """Nothing of what a handler should be."""

    def __init__(self, backend: object) -> None:
        self.backend = backend


ENTRY_POINTS = {
    kind.__name__.lower(): f"{__name__}:{kind.__name__}"
    for kind in (
        Good,
        FailingPage,
        RepeatingPage,
        EndlessPages,
        LostPage,
        GrownPages,
        OddItems,
        OddData,
        OddNames,
        Large,
        NoHandler,
    )
}
