"""What comes of it."""

from collections.abc import Iterator

from synapse_sdk.plugins.actions import AddTaskDataResult

__all__ = ["ReadDigitsResult"]


class ReadDigitsResult(AddTaskDataResult):
    """What was annotated, and how well."""

    compared: int
    """Tasks whose names say what they show."""
    accuracy: float | None
    """The share of them that was read correctly; None if there are none."""

    def summary_lines(self) -> Iterator[str]:
        """Yield the result as a few lines for people."""
        yield from super().summary_lines()
        if self.accuracy is not None:
            yield f"  accuracy   {self.accuracy:.1%} of {self.compared:,}"
