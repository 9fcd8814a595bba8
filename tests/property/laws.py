"""Workflows made of scripted steps, and a small account, made without the engine, of what must become of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from functools import partial
from typing import Any

from hypothesis import strategies as st

from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, StepResult
from synapse_sdk.plugins.steps.utils import ConditionalStep, LoggingStep, RetryStep, TimingStep
from synapse_sdk.retry import RetryPolicy
from tests.unit.steps.scripted import HeldClock, ScriptedStep, UnspeakableError


class Fate(StrEnum):
    """What a step does when its turn comes."""

    SUCCEEDS = "succeeds"
    SKIPS = "skips"
    RETURNS_FAILURE = "returns_failure"
    RAISES = "raises"
    PRESSES = "presses"
    EXITS = "exits"
    RETURNS_NONE = "returns_none"
    SKIP_RAISES = "skip_raises"


INTERRUPTIONS = {Fate.PRESSES: KeyboardInterrupt, Fate.EXITS: SystemExit}
WRAPPERS: dict[str, Callable[[BaseStep[Any]], BaseStep[Any]]] = {
    "logged_": LoggingStep,
    "timed_": TimingStep,
    "conditional_": lambda step: ConditionalStep(step, when=lambda _: True),
    "retried_": lambda step: RetryStep(step, RetryPolicy(max_attempts=1), clock=HeldClock()),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One step of a workflow, as it is written down before it is made."""

    fate: Fate
    text: str | None
    """What its failure says: None or nothing at all for a failure without a text."""
    progress: tuple[tuple[float, float], ...]
    undo: tuple[int, ...]
    undo_raises: bool
    weight: float
    wrappers: tuple[str, ...]
    """From the inside out."""

    def name(self, index: int) -> str:
        """Return the name of the step that stands at a place."""
        return "".join(reversed(self.wrappers)) + f"s{index}"

    @property
    def fails(self) -> bool:
        """Whether the workflow ends here."""
        return self.fate not in {Fate.SUCCEEDS, Fate.SKIPS}


@dataclass(slots=True)
class Made:
    """A workflow made of its parts, and the diary its steps keep."""

    parts: Sequence[Part]
    diary: list[str] = field(default_factory=list)
    steps: list[BaseStep[Any]] = field(default_factory=list)
    inner: list[ScriptedStep] = field(default_factory=list)
    raised: dict[int, BaseException] = field(default_factory=dict)
    """What each step that raises raises."""

    def __post_init__(self) -> None:
        """Make the steps."""
        for index, part in enumerate(self.parts):
            step: BaseStep[Any] = self._scripted(index, part)
            for wrapper in part.wrappers:
                step = WRAPPERS[wrapper](step)
            self.steps.append(step)

    def _scripted(self, index: int, part: Part) -> ScriptedStep:
        if part.fate in {Fate.RAISES, Fate.SKIP_RAISES}:
            self.raised[index] = UnspeakableError() if part.text is None else ValueError(part.text)
        elif part.fate in INTERRUPTIONS:
            self.raised[index] = INTERRUPTIONS[part.fate]()

        def skips(_: BaseStepContext) -> bool:
            if part.fate is Fate.SKIP_RAISES:
                raise self.raised[index]
            return part.fate is Fate.SKIPS

        def undoes(_: BaseStepContext) -> None:
            if part.undo_raises:
                raise OSError(index)

        does = partial(self._do, index, part)
        step = ScriptedStep(f"s{index}", self.diary, weight=part.weight, does=does, skips=skips, undoes=undoes)
        self.inner.append(step)
        return step

    def _do(self, index: int, part: Part, context: BaseStepContext) -> StepResult | None:
        for entry in part.undo:
            context.record_undo(n=entry)
        for current, total in part.progress:
            context.set_progress(current, total)
        if index in self.raised:
            raise self.raised[index]
        if part.fate is Fate.RETURNS_NONE:
            return None
        succeeds = part.fate is Fate.SUCCEEDS
        return StepResult(succeeds, {"index": index}, None if succeeds else part.text)


@dataclass(frozen=True, slots=True)
class Account:
    """What must become of a workflow, worked out from its parts alone."""

    parts: Sequence[Part]

    @property
    def end(self) -> int | None:
        """Place of the step that ends the workflow early; None if there is none."""
        return next((index for index, part in enumerate(self.parts) if part.fails), None)

    @property
    def reached(self) -> int:
        """How many steps had their turn."""
        return len(self.parts) if self.end is None else self.end + 1

    @property
    def run(self) -> list[int]:
        """Places of the steps whose `execute` was called, in order."""
        without = {Fate.SKIPS, Fate.SKIP_RAISES}
        return [index for index in range(self.reached) if self.parts[index].fate not in without]

    @property
    def undone(self) -> list[int]:
        """Places of the steps whose `rollback` was called, in order."""
        return [] if self.end is None else self.run[::-1]

    @property
    def not_undone(self) -> list[int]:
        """Places of the steps whose `rollback` raised, in order."""
        return [index for index in self.undone if self.parts[index].undo_raises]

    def name(self, index: int) -> str:
        """Return the name of the step at a place."""
        return self.parts[index].name(index)

    def percent_after(self, index: int) -> Fraction:
        """Return the share of the work that is done after a step, in percent and exactly."""
        weights = [Fraction(part.weight) for part in self.parts]
        if not any(weights):
            weights = [Fraction(1)] * len(weights)
        return 100 * sum(weights[: index + 1], Fraction(0)) / sum(weights)


NUMBERS = st.one_of(st.integers(-2, 12), st.floats(allow_nan=True, allow_infinity=True))
WEIGHTS = st.one_of(st.just(0.0), st.floats(0.0, 1.0), st.sampled_from([0.05, 0.1, 0.2, 0.7, 1.0, 5e-324, 1e-12]))
TEXTS = st.one_of(st.none(), st.just(""), st.text(max_size=8))


@st.composite
def workflows(draw: st.DrawFn) -> list[Part]:
    """Draw any workflow; most steps succeed, so that most get far."""
    all_zero = draw(st.booleans())
    parts = st.builds(
        Part,
        fate=st.one_of(st.just(Fate.SUCCEEDS), st.just(Fate.SUCCEEDS), st.sampled_from(Fate)),
        text=TEXTS,
        progress=st.lists(st.tuples(NUMBERS, NUMBERS), max_size=4).map(tuple),
        undo=st.lists(st.integers(), max_size=3).map(tuple),
        undo_raises=st.booleans(),
        weight=st.just(0.0) if all_zero else WEIGHTS,
        wrappers=st.lists(st.sampled_from(sorted(WRAPPERS)), max_size=3).map(tuple),
    )
    return draw(st.lists(parts, max_size=7))
