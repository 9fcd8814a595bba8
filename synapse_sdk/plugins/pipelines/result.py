"""What a pipeline gives back."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict

__all__ = ["PipelineResult"]


class PipelineResult(BaseModel):
    """Results of all actions of a pipeline."""

    model_config = ConfigDict(frozen=True)

    success: bool
    """Whether no action has lost anything."""
    run: str
    """Id of the run; that of each action has the name of the action behind it."""
    results: dict[str, Any]
    """What each action has given back, by its name, in order."""

    @property
    def losses(self) -> int:
        """How much the actions have lost together."""
        return sum(int(getattr(each, "losses", 0) or 0) for each in self.results.values())

    def summary_lines(self) -> Iterator[str]:
        """Yield the results as a few lines for people."""
        for name, result in self.results.items():
            summary = getattr(result, "summary_lines", None)
            if callable(summary):
                yield f"{name}: {next(lines := iter(summary()), 'done')}"
                yield from lines
            else:
                yield f"{name}: {'done' if result is None else str(result)}"
