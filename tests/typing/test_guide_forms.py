"""What the guide's readers write type-checks: `mypy tests` reads this file, and pytest runs it."""

from dataclasses import dataclass, field

import pytest

from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, Orchestrator, StepRegistry, StepResult
from synapse_sdk.plugins.steps.utils import ConditionalStep, LoggingStep, RetryStep, TimingStep, ValidationStep


@dataclass
class OwnContext(BaseStepContext):
    """A context with fields of its own, with and without a default."""

    source: str
    found: list[str] = field(default_factory=list)


class PropertyForm(BaseStep[OwnContext]):
    """Name and weight as properties, as in most of the guide."""

    @property
    def name(self) -> str:
        """Name of the step."""
        return "property_form"

    @property
    def progress_weight(self) -> float:
        """Its weight."""
        return 0.5

    def execute(self, context: OwnContext) -> StepResult:
        """Write into the context."""
        context.found.append(context.source)
        return StepResult(success=True, data={"found": len(context.found)})


class AttributeForm(BaseStep[OwnContext]):
    """Name and weight as class attributes, as in the guide's example distribution."""

    name = "attribute_form"
    progress_weight = 0.5

    def can_skip(self, context: OwnContext) -> bool:
        """Skip when nothing was found."""
        return not context.found

    def execute(self, context: OwnContext) -> StepResult:
        """Succeed."""
        return StepResult(rollback_data={"found": context.found})

    def rollback(self, context: OwnContext, result: StepResult) -> None:
        """Take back."""
        context.found.clear()


class AsyncForm(BaseStep[OwnContext]):
    """Hooks may be coroutines."""

    name = "async_form"
    progress_weight = 0.5

    async def execute(self, context: OwnContext) -> StepResult:
        """Succeed."""
        return StepResult(data={"source": context.source})

    async def rollback(self, context: OwnContext, result: StepResult) -> None:
        """Take back."""


class FloatForm(BaseStep[BaseStepContext]):
    """A step for any context, with its weight annotated."""

    name: str = "float_form"
    progress_weight: float = 1

    def execute(self, context: BaseStepContext) -> StepResult:
        """Succeed."""
        return StepResult()


def validate(context: OwnContext) -> tuple[bool, str | None]:
    """Check a context, as the guide writes it."""
    return (True, None) if context.source else (False, "source is required")


def test_all_forms_run_together() -> None:
    """In one registry, bare and wrapped."""
    registry = StepRegistry[OwnContext]()
    registry.register(ValidationStep(validator=validate, name="validate", progress_weight=0.05))
    registry.register(PropertyForm())
    registry.insert_after("property_form", LoggingStep(TimingStep(AttributeForm())))
    registry.register(RetryStep(ConditionalStep(AsyncForm(), when=lambda context: bool(context.found))))
    context = OwnContext(RuntimeContext(), "photos")

    percents: list[str] = []
    result = Orchestrator(registry, context, lambda done, total: percents.append(f"{done}/{total}")).execute()

    assert result == {"success": True, "steps_executed": 4, "steps_total": 4}
    assert context.step_results[1].data == {"found": 1}
    assert percents[-1] == "100/100"


def test_a_result_refuses_unknown_names() -> None:
    """When it is written, in an editor, and when it runs."""
    result = StepResult()

    with pytest.raises(AttributeError, match="no attribute 'succes'"):
        result.succes  # type: ignore[attr-defined]  # noqa: B018  # the typo must be an error: mypy says so as long as this comment is needed


def test_a_result_refuses_values_of_the_wrong_type() -> None:
    """When it is written; at run time it is a plain dataclass."""
    result = StepResult(data=["a"])  # type: ignore[arg-type]  # a list is no dictionary: mypy must see it

    assert result.success


def test_the_types_of_a_result_are_known() -> None:
    """Fields that are made on use are no `Any`."""
    result = StepResult(error="boom")

    seconds: float = result.timestamp.timestamp()
    length: int = len(result.data) + len(result.rollback_data)
    shout: str = (result.error or "").upper()

    assert (seconds > 0, length, shout) == (True, 0, "BOOM")
    with pytest.raises(AttributeError):
        result.timestamp.no_such_thing  # type: ignore[attr-defined]  # noqa: B018  # a datetime, not `Any`


def test_a_step_for_any_context_can_be_registered_in_a_registry_of_its_own() -> None:
    """The base class is a context, too."""
    registry = StepRegistry[BaseStepContext]()
    registry.register(FloatForm())

    assert registry.total_weight == 1.0


def test_a_step_of_another_context_is_refused_when_it_is_written() -> None:
    """It would find no `source` there."""
    registry = StepRegistry[BaseStepContext]()

    registry.register(PropertyForm())  # type: ignore[arg-type]  # wants OwnContext: mypy must see it

    assert "property_form" in registry
