"""A registry behaves like a plain list of steps with distinct names."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from synapse_sdk.errors import DuplicateStepError, InvalidStepError, InvalidWeightError, StepNotFoundError
from synapse_sdk.plugins.steps import BaseStep, StepRegistry
from tests.unit.steps.scripted import PlainStep, ScriptedStep

NAMES = st.sampled_from(["a", "b", "c", "d", "e", "f"])
WEIGHTS = st.floats(0.0, 1.0)


class RegistryMachine(RuleBasedStateMachine):
    """Does the same to a registry and to a list."""

    def __init__(self) -> None:
        super().__init__()
        self.registry = StepRegistry[Any]()
        self.model: list[BaseStep[Any]] = []

    def _place(self, name: str) -> int | None:
        return next((index for index, step in enumerate(self.model) if step.name == name), None)

    def _insert(self, step: BaseStep[Any], anchor: str, *, offset: int) -> None:
        insert = self.registry.insert_after if offset else self.registry.insert_before
        place = self._place(anchor)
        if place is None:
            with pytest.raises(StepNotFoundError, match="No step is called"):
                insert(anchor, step)
        elif self._place(step.name) is not None:
            with pytest.raises(DuplicateStepError):
                insert(anchor, step)
        else:
            insert(anchor, step)
            self.model.insert(place + offset, step)

    @rule(name=NAMES, weight=WEIGHTS)
    def register(self, name: str, weight: float) -> None:
        """Add at the end; a name that is taken is refused."""
        step = ScriptedStep(name, weight=weight)
        if self._place(name) is None:
            self.registry.register(step)
            self.model.append(step)
        else:
            with pytest.raises(DuplicateStepError):
                self.registry.register(step)

    @rule(name=NAMES, anchor=NAMES, weight=WEIGHTS)
    def insert_after(self, name: str, anchor: str, weight: float) -> None:
        """Add right after another."""
        self._insert(ScriptedStep(name, weight=weight), anchor, offset=1)

    @rule(name=NAMES, anchor=NAMES, weight=WEIGHTS)
    def insert_before(self, name: str, anchor: str, weight: float) -> None:
        """Add right before another."""
        self._insert(ScriptedStep(name, weight=weight), anchor, offset=0)

    @rule(name=NAMES)
    def unregister(self, name: str) -> None:
        """Take out; an unknown name is refused."""
        place = self._place(name)
        if place is None:
            with pytest.raises(StepNotFoundError):
                self.registry.unregister(name)
        else:
            self.registry.unregister(name)
            del self.model[place]

    @rule(name=NAMES, weight=st.sampled_from([-0.1, 1.1, float("nan"), float("inf"), True, "1", None]))
    def refuse_a_weight(self, name: str, weight: Any) -> None:  # noqa: ANN401  # wrong on purpose
        """A weight that is none leaves everything as it was."""
        with pytest.raises(InvalidWeightError):
            self.registry.register(ScriptedStep(name, weight=weight))

    @rule(wrong=st.sampled_from([None, "a", PlainStep, PlainStep(" ")]))
    def refuse_what_is_no_step(self, wrong: Any) -> None:  # noqa: ANN401  # wrong on purpose
        """So does something that is no step."""
        with pytest.raises(InvalidStepError):
            self.registry.register(wrong)

    @rule()
    def change_a_copy(self) -> None:
        """What `get_steps` returns belongs to the caller."""
        self.registry.get_steps().clear()

    @rule(name=NAMES)
    def unregister_while_iterating(self, name: str) -> None:
        """Iteration goes over the steps as they were when it began."""
        seen = []
        for step in self.registry:
            seen.append(step)
            if step.name == name:
                self.registry.unregister(name)
        assert seen == self.model
        self.model = [step for step in self.model if step.name != name]

    @invariant()
    def same_steps_in_the_same_order(self) -> None:
        """By every way of looking at it."""
        assert self.registry.get_steps() == self.model
        assert list(self.registry) == self.model
        assert len(self.registry) == len(self.model)
        assert bool(self.registry) == bool(self.model)
        for name in "abcdef":
            assert (name in self.registry) == (self._place(name) is not None)

    @invariant()
    def same_weight(self) -> None:
        """To the last digits."""
        total = sum(step.progress_weight for step in self.model)
        assert self.registry.total_weight == pytest.approx(total, abs=1e-12)

    @invariant()
    def same_picture(self) -> None:
        """One box a step, one arrow between neighbours."""
        lines = self.registry.to_mermaid().splitlines()
        assert [line.split('"')[1].split("<")[0] for line in lines if "[" in line] == [step.name for step in self.model]
        assert sum("-->" in line for line in lines) == max(0, len(self.model) - 1)


RegistryMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=25)
TestRegistry = RegistryMachine.TestCase
