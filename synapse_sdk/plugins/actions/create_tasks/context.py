"""What the step that makes tasks needs."""

from dataclasses import dataclass
from functools import cached_property

from synapse_sdk.backend import Backend, Project, open_backend
from synapse_sdk.plugins.actions.create_tasks.params import CreateTasksParams
from synapse_sdk.plugins.checkpoint import handle
from synapse_sdk.plugins.steps import BaseStepContext

__all__ = ["CreateTasksContext"]


@dataclass
class CreateTasksContext(BaseStepContext):
    """Input and output of one run."""

    params: CreateTasksParams = handle()
    run: str = ""
    backend_url: str | None = None
    """Where the backend is; None for the one that the settings name."""
    created_count: int = 0
    existing_count: int = 0

    @cached_property
    def backend(self) -> Backend:
        """The backend; opened on use."""
        return open_backend(self.backend_url)

    @cached_property
    def project(self) -> Project:
        """The project; looked up on use."""
        return self.backend.projects.get(self.params.project)

    def close(self) -> None:
        """Release what was opened; it is opened again when it is needed again."""
        self.__dict__.pop("project", None)
        if "backend" in self.__dict__:
            self.__dict__.pop("backend").close()
