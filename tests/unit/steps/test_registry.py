from collections.abc import Callable
from typing import Any

import pytest

from synapse_sdk.errors import (
    DuplicateStepError,
    InvalidStepError,
    InvalidWeightError,
    StepNotFoundError,
    SynapseError,
)
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, StepRegistry, StepResult
from tests.unit.steps.scripted import PlainStep, ScriptedStep, registry_of


def _names(registry: StepRegistry[BaseStepContext]) -> list[str]:
    return [step.name for step in registry.get_steps()]


def test_steps_stand_in_the_order_of_registration() -> None:
    """Registering appends."""
    assert _names(registry_of(PlainStep("a"), PlainStep("b"), PlainStep("c"))) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("insert", "anchor", "expected"),
    [
        (StepRegistry[BaseStepContext].insert_after, "a", ["a", "new", "b"]),
        (StepRegistry[BaseStepContext].insert_after, "b", ["a", "b", "new"]),
        (StepRegistry[BaseStepContext].insert_before, "a", ["new", "a", "b"]),
        (StepRegistry[BaseStepContext].insert_before, "b", ["a", "new", "b"]),
    ],
)
def test_a_step_can_be_inserted_beside_another(insert: Callable[..., None], anchor: str, expected: list[str]) -> None:
    """Insertion works at both ends and in the middle."""
    registry = registry_of(PlainStep("a"), PlainStep("b"))

    insert(registry, anchor, PlainStep("new"))

    assert _names(registry) == expected


def test_a_step_can_be_registered_after_an_insertion_at_the_end() -> None:
    """The end moves along with what is inserted there."""
    registry = registry_of(PlainStep("a"))
    registry.insert_after("a", PlainStep("b"))

    registry.register(PlainStep("c"))

    assert _names(registry) == ["a", "b", "c"]


@pytest.mark.parametrize(("gone", "left"), [("a", ["b", "c"]), ("b", ["a", "c"]), ("c", ["a", "b"])])
def test_a_step_can_be_taken_out(gone: str, left: list[str]) -> None:
    """The others keep their order, and more can be added at either end."""
    registry = registry_of(PlainStep("a"), PlainStep("b"), PlainStep("c"))

    registry.unregister(gone)
    registry.register(PlainStep("last"))
    registry.insert_before(left[0], PlainStep("first"))

    assert _names(registry) == ["first", *left, "last"]


def test_a_registry_that_was_emptied_can_be_filled_again() -> None:
    """Taking out the only step leaves a registry like a new one."""
    registry = registry_of(PlainStep("a"))
    registry.unregister("a")

    assert not registry
    registry.register(PlainStep("b"))
    assert _names(registry) == ["b"]


def test_a_name_that_was_taken_out_is_free_again() -> None:
    """The guide replaces a built-in step this way."""
    registry = registry_of(PlainStep("a"), PlainStep("b"))
    replacement = PlainStep("a")

    registry.unregister("a")
    registry.register(replacement)

    assert registry.get_steps()[-1] is replacement


def test_the_list_of_steps_is_a_copy() -> None:
    """Whoever changes the list does not change the workflow."""
    registry = registry_of(PlainStep("a"))

    registry.get_steps().clear()

    assert _names(registry) == ["a"]


def test_a_registry_has_a_length_a_truth_members_and_an_order() -> None:
    """It behaves like the collection it is."""
    a, b = PlainStep("a"), PlainStep("b")
    registry = registry_of(a, b)

    assert (len(registry), bool(registry), len(StepRegistry()), bool(StepRegistry())) == (2, True, 0, False)
    assert list(registry) == [a, b]
    assert "a" in registry
    assert "c" not in registry
    assert repr(registry) == "StepRegistry(a, b)"


def test_a_registry_may_change_while_it_is_gone_through() -> None:
    """Iteration sees the steps of its beginning."""
    registry = registry_of(PlainStep("a"), PlainStep("b"))

    for step in registry:
        registry.unregister(step.name)

    assert len(registry) == 0


def test_the_total_weight_is_the_exact_sum() -> None:
    """Ten tenths are one."""
    registry = registry_of(*(ScriptedStep(f"s{number}", weight=0.1) for number in range(10)))

    assert registry.total_weight == 1.0
    assert StepRegistry[BaseStepContext]().total_weight == 0.0


@pytest.mark.parametrize(
    "add",
    [
        lambda registry, step: registry.register(step),
        lambda registry, step: registry.insert_after("a", step),
        lambda registry, step: registry.insert_before("a", step),
    ],
)
def test_a_duplicate_name_is_refused(add: Callable[[StepRegistry[BaseStepContext], PlainStep], None]) -> None:
    """Later insertions by name must have one meaning; the registry stays as it was."""
    registry = registry_of(PlainStep("a"), PlainStep("b"))

    with pytest.raises(DuplicateStepError, match="A step called 'b' is already registered"):
        add(registry, PlainStep("b"))

    assert _names(registry) == ["a", "b"]


@pytest.mark.parametrize(
    "use",
    [
        lambda registry: registry.unregister("resize"),
        lambda registry: registry.insert_after("resize", PlainStep("new")),
        lambda registry: registry.insert_before("resize", PlainStep("new")),
    ],
)
def test_an_unknown_name_is_refused_with_the_names_there_are(
    use: Callable[[StepRegistry[BaseStepContext]], None],
) -> None:
    """The message helps: it lists what the registry has and guesses what was meant."""
    registry = registry_of(PlainStep("discover"), PlainStep("resize_all"))

    with pytest.raises(StepNotFoundError) as caught:
        use(registry)

    assert str(caught.value) == (
        "No step is called 'resize'. The registry has: 'discover', 'resize_all'. Did you mean 'resize_all'?"
    )
    assert _names(registry) == ["discover", "resize_all"]


def test_an_unknown_name_in_an_empty_registry_is_refused_without_a_guess() -> None:
    """There is nothing to have meant."""
    with pytest.raises(StepNotFoundError, match=r"No step is called 'a'\. The registry has: none$"):
        StepRegistry[BaseStepContext]().unregister("a")


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan"), float("inf"), "0.5", None, True])
def test_a_weight_that_is_not_a_number_from_0_to_1_is_refused(weight: Any) -> None:  # noqa: ANN401  # wrong types
    """The message names the step and what it said."""
    registry = StepRegistry[BaseStepContext]()

    with pytest.raises(InvalidWeightError) as caught:
        registry.register(ScriptedStep("a", weight=weight))

    assert f"Step 'a' has progress weight {weight!r}" in str(caught.value)
    assert not registry


@pytest.mark.parametrize("weight", [0, 0.0, 1, 1.0, 5e-324])
def test_every_number_from_0_to_1_is_a_weight(weight: float) -> None:
    """Whole numbers and the limits included."""
    assert registry_of(ScriptedStep("a", weight=weight)).total_weight == weight


def test_a_step_class_is_refused_with_the_missing_brackets() -> None:
    """A frequent slip has its own advice."""
    registry: StepRegistry[Any] = StepRegistry()

    with pytest.raises(InvalidStepError, match=r"Give an instance: PlainStep\(\)"):
        registry.register(PlainStep)  # type: ignore[arg-type]  # the slip


def test_what_is_no_step_is_refused() -> None:
    """A function or a duck is no step."""
    registry: StepRegistry[Any] = StepRegistry()

    with pytest.raises(InvalidStepError, match=r"'upload' is not a step\. Derive its class from BaseStep"):
        registry.register("upload")  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize("name", ["", "  ", None, 3])
def test_a_step_needs_a_name(name: Any) -> None:  # noqa: ANN401  # wrong types included
    """Without one it could not be reported, found or undone."""
    with pytest.raises(InvalidStepError, match=r"ScriptedStep has .* for a name"):
        registry_of(ScriptedStep(name))


@pytest.mark.parametrize("error", [DuplicateStepError, StepNotFoundError, InvalidStepError, InvalidWeightError])
def test_what_a_registry_refuses_is_one_family(error: type[Exception]) -> None:
    """`except SynapseError` catches all; the duplicate and the weight are also ValueErrors."""
    assert issubclass(error, SynapseError)
    assert issubclass(DuplicateStepError, ValueError)
    assert issubclass(StepNotFoundError, LookupError)


def test_inserting_ten_thousand_steps_by_name_looks_at_each_a_few_times() -> None:
    """Insertion by name does not slow down with size: the cost is counted in names read."""
    reads = 0

    class Counted(BaseStep[BaseStepContext]):
        progress_weight = 0.5

        def __init__(self, number: int) -> None:
            self.number = number

        @property
        def name(self) -> str:
            nonlocal reads
            reads += 1
            return f"step_{self.number}"

        def execute(self, context: BaseStepContext) -> StepResult:
            return StepResult()

    registry = registry_of(Counted(0))

    for number in range(1, 10_000):
        insert = registry.insert_after if number % 2 else registry.insert_before
        insert(f"step_{number - 1}", Counted(number))

    assert len(registry) == 10_000
    assert reads <= 3 * 10_000


def test_a_registry_can_be_drawn() -> None:
    """The flowchart shows names, weights and order, as in the guide's overview."""
    registry = registry_of(ScriptedStep("a", weight=0.2), ScriptedStep("b", weight=0.5), ScriptedStep("c", weight=0.3))

    assert registry.to_mermaid() == (
        "flowchart LR\n"
        '    S1["a<br/>weight: 0.2"]\n'
        '    S2["b<br/>weight: 0.5"]\n'
        '    S3["c<br/>weight: 0.3"]\n'
        "    S1 --> S2\n"
        "    S2 --> S3"
    )


def test_a_name_cannot_break_the_drawing() -> None:
    """Quotes and tags in a name are shown, not obeyed."""
    drawing = registry_of(ScriptedStep('a"]<b>&', weight=0.2)).to_mermaid()

    assert 'S1["a&quot;]&lt;b&gt;&amp;<br/>weight: 0.2"]' in drawing
