"""Lines of a summary that every action with failures has."""

from collections.abc import Iterator, Sequence

from synapse_sdk.reporting.text import plural

__all__ = ["failure_lines"]

MOST_SHOWN = 10
"""Failures that a summary names."""


def failure_lines(count: int, noun: str, named: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield how many have failed, the first few with the reason, and how many more there are; nothing if none has.

    Args:
        count: How many have failed.
        noun: What they are, such as `item`.
        named: Name and reason of those that a result lists.

    Example:
        >>> for line in failure_lines(12, "item", [("7", "it has no data")]):
        ...     print(line)
          failed     12 items:
            7: it has no data
            and 11 more, which the report has
    """
    if not count:
        return
    yield f"  failed     {plural(count, noun)}:"
    yield from (f"    {name}: {reason}" for name, reason in named[:MOST_SHOWN])
    if rest := count - len(named[:MOST_SHOWN]):
        yield f"    and {rest:,} more, which the report has"
