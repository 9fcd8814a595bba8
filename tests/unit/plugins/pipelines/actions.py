"""Actions for pipelines that note what they do."""

from typing import Annotated, Any

from pydantic import BaseModel, Field, SecretStr

from synapse_sdk.plugins import RuntimeContext
from synapse_sdk.plugins.action import BaseAction, action
from synapse_sdk.plugins.kinds import Names
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, StepRegistry, StepResult

__all__ = ["HAPPENED", "GatherAction", "Nest", "TrainingAction", "UseAction", "gather_more"]

HAPPENED: list[str] = []
"""What the actions have done, in order; a test empties it."""


class GatherParams(BaseModel):
    """What is gathered."""

    count: int = 3


class Nest(BaseModel):
    """What was gathered."""

    place: Annotated[str, Names("nest")]
    owner: Annotated[str | None, Names("bird")] = None
    count: int = 0
    losses: int = 0


class UseParams(BaseModel):
    """What is done with what was gathered."""

    nest: Annotated[str, Names("nest")]
    note: str = ""
    count: int = Field(default=0, ge=0)
    key: SecretStr | None = None
    fails: bool = False


class NotedStep(BaseStep[BaseStepContext]):
    """Notes that it was done, and that it was undone."""

    progress_weight = 0.5

    def __init__(self, what: str, *, fails: bool = False) -> None:
        self._what, self._fails = what, fails

    @property
    def name(self) -> str:
        return self._what.partition(" ")[0]

    def execute(self, context: BaseStepContext) -> StepResult:
        context.record_undo(what=self._what)
        HAPPENED.append(self._what)
        return StepResult(success=not self._fails, error="it is to fail" if self._fails else None)

    def rollback(self, context: BaseStepContext, result: StepResult) -> None:
        HAPPENED.extend(f"undo {entry['what']}" for entry in result.rollback_data["undo_log"])


class NotedAction[P](BaseAction[P]):
    """Notes its commit, and that it forgets."""

    def commit(self, context: BaseStepContext) -> None:
        """Note it."""
        HAPPENED.append(f"commit {self.action_name}")

    def forget(self) -> None:
        """Note it."""
        HAPPENED.append(f"forget {self.action_name} of {self.ctx.job_id}")


class GatherAction(NotedAction[GatherParams]):
    """Gather things into a nest."""

    params_model = GatherParams
    result_model = Nest

    def setup_steps(self, registry: StepRegistry[Any]) -> None:
        """Register steps that note what they do."""
        registry.register(NotedStep("look"))
        registry.register(NotedStep(f"gather {self.params.count}"))

    def build_result(self, context: BaseStepContext, summary: dict[str, Any]) -> Nest:
        """Say where things are."""
        return Nest(place="tree", owner="owl", count=self.params.count)


class UseAction(NotedAction[UseParams]):
    """Use what is in a nest."""

    params_model = UseParams
    result_model = str

    def setup_steps(self, registry: StepRegistry[Any]) -> None:
        """Register steps that note what they do."""
        params = self.params
        registry.register(NotedStep(f"use {params.nest} {params.note}".rstrip(), fails=params.fails))

    def build_result(self, context: BaseStepContext, summary: dict[str, Any]) -> str:
        """Say what was used."""
        return f"used {self.params.nest}"


class TrainingAction(BaseAction[dict[str, Any]]):
    """Has no steps."""

    def execute(self) -> dict[str, Any]:
        """Do it in one piece."""
        HAPPENED.append(f"train with {self.params}")
        return {"score": 0.5}


@action()
def gather_more(params: GatherParams, ctx: RuntimeContext) -> Nest:
    """Gather things into another nest."""
    ctx.log("gathered")
    return Nest(place="roof", count=params.count)
