"""What values name, so that a result of one action can become a parameter of another."""

from dataclasses import dataclass

__all__ = ["Names"]


@dataclass(frozen=True, slots=True)
class Names:
    """Says, in an annotation of a field, what the value names.

    In a pipeline, a parameter that is not given gets the result of an earlier action that names the same.

    Example:
        >>> from typing import Annotated
        >>> Annotated[str, Names("project")].__metadata__
        (Names(what='project'),)
    """

    what: str
    """Such as `data collection` or `dataset folder`."""
