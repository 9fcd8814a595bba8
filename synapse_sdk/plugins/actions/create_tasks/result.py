"""What comes of making tasks."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict

from synapse_sdk.plugins.kinds import Names
from synapse_sdk.reporting.text import plural

__all__ = ["CreateTasksResult"]


class CreateTasksResult(BaseModel):
    """What was made."""

    model_config = ConfigDict(frozen=True)

    run: str
    """Id of the run."""
    project: Annotated[str, Names("project")]
    """Name of the project."""
    created: int
    existing: int
    """Tasks that were there before."""

    def summary_lines(self) -> Iterator[str]:
        """Yield the result as a line for people."""
        yield f"Made {plural(self.created, 'task')} in the project {self.project!r}; {self.existing:,} were there"
