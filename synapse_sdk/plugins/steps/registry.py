"""The ordered list of steps that makes up a workflow."""

from collections.abc import Iterator
from math import fsum
from typing import TYPE_CHECKING, Any

from synapse_sdk.errors import DuplicateStepError, InvalidStepError, InvalidWeightError, StepNotFoundError
from synapse_sdk.plugins.steps.base import BaseStep

if TYPE_CHECKING:
    from synapse_sdk.plugins.steps.context import BaseStepContext

__all__ = ["StepRegistry"]


class _Link[C: "BaseStepContext"]:
    """A step and its neighbours: inserting by name stays cheap however long the workflow is."""

    __slots__ = ("following", "name", "preceding", "step")

    def __init__(self, name: str, step: BaseStep[C]) -> None:
        self.name = name
        self.step = step
        self.preceding: _Link[C] | None = None
        self.following: _Link[C] | None = None


class StepRegistry[C: "BaseStepContext"]:
    """Steps in the order in which they run, each found by its name.

    Example:
        >>> registry = StepRegistry()
        >>> len(registry), registry.total_weight
        (0, 0.0)
    """

    def __init__(self) -> None:
        self._links: dict[str, _Link[C]] = {}
        self._first: _Link[C] | None = None
        self._last: _Link[C] | None = None

    def register(self, step: BaseStep[C]) -> None:
        """Add a step at the end.

        Raises:
            DuplicateStepError: A step of this name is registered.
            InvalidStepError: This is not an instance of `BaseStep` with a name.
            InvalidWeightError: Its weight is not a number from 0.0 to 1.0.
        """
        self._link(step, after=self._last)

    def insert_after(self, name: str, step: BaseStep[C]) -> None:
        """Add a step right after the one called `name`.

        Raises:
            StepNotFoundError: There is no step of that name.
            DuplicateStepError, InvalidStepError, InvalidWeightError: As for `register`.
        """
        self._link(step, after=self._find(name))

    def insert_before(self, name: str, step: BaseStep[C]) -> None:
        """Add a step right before the one called `name`; raises as `insert_after` does."""
        self._link(step, after=self._find(name).preceding)

    def unregister(self, name: str) -> None:
        """Take a step out.

        Raises:
            StepNotFoundError: There is no step of that name.
        """
        link = self._find(name)
        del self._links[name]
        if link.preceding is None:
            self._first = link.following
        else:
            link.preceding.following = link.following
        if link.following is None:
            self._last = link.preceding
        else:
            link.following.preceding = link.preceding

    def get_steps(self) -> list[BaseStep[C]]:
        """Return the steps in order, as a list of its own."""
        return self.named_steps()[1]

    def named_steps(self) -> tuple[list[str], list[BaseStep[C]]]:
        """Return the names under which the steps are registered, and the steps, both in order."""
        names, steps, link = list[str](), list[BaseStep[C]](), self._first
        while link is not None:
            names.append(link.name)
            steps.append(link.step)
            link = link.following
        return names, steps

    @property
    def total_weight(self) -> float:
        """Sum of all progress weights."""
        return fsum(step.progress_weight for step in self)

    def to_mermaid(self) -> str:
        """Return the workflow as a Mermaid flowchart: one box a step, with its weight.

        Example:
            >>> print(StepRegistry().to_mermaid())
            flowchart LR
        """
        steps = self.get_steps()
        lines = ["flowchart LR"]
        for number, step in enumerate(steps, 1):
            label = step.name.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
            lines.append(f'    S{number}["{label}<br/>weight: {step.progress_weight:g}"]')
        lines += [f"    S{number} --> S{number + 1}" for number in range(1, len(steps))]
        return "\n".join(lines)

    def __iter__(self) -> Iterator[BaseStep[C]]:
        return iter(self.get_steps())

    def __len__(self) -> int:
        return len(self._links)

    def __contains__(self, name: object) -> bool:
        return name in self._links

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(step.name for step in self)})"

    def _find(self, name: str) -> _Link[C]:
        link = self._links.get(name)
        if link is None:
            from difflib import get_close_matches  # noqa: PLC0415  # only on the way to an error

            near = get_close_matches(str(name), self._links, 1)
            known = ", ".join(repr(step.name) for step in self) or "none"
            msg = f"No step is called {name!r}"
            raise StepNotFoundError(
                msg, why=f"The registry has: {known}", fix=f"Did you mean {near[0]!r}?" if near else None
            )
        return link

    def _link(self, step: BaseStep[C], after: _Link[C] | None) -> None:
        name = checked_name(step)
        check_weight(name, step.progress_weight)
        if name in self._links:
            msg = f"A step called {name!r} is already registered"
            raise DuplicateStepError(msg, fix="Give one of the two another name, or unregister the first")
        link = self._links[name] = _Link(name, step)
        link.preceding = after
        link.following = self._first if after is None else after.following
        if link.following is None:
            self._last = link
        else:
            link.following.preceding = link
        if after is None:
            self._first = link
        else:
            after.following = link


def check_step(step: object) -> None:
    """Refuse what is not a step.

    Raises:
        InvalidStepError: It is not an instance of `BaseStep`.
    """
    if not isinstance(step, BaseStep):
        msg = f"{step!r} is not a step"
        fix = f"Give an instance: {step.__name__}()" if isinstance(step, type) else "Derive its class from BaseStep"
        raise InvalidStepError(msg, fix=fix)


def checked_name(step: Any) -> str:  # noqa: ANN401  # this is where it is found out what was given
    """Return the name of what should be a step.

    Raises:
        InvalidStepError: It is not an instance of `BaseStep`, or its name is not a text of at least one letter.
    """
    check_step(step)
    name: object = step.name
    if not isinstance(name, str) or not name.strip():
        msg = f"{type(step).__name__} has {name!r} for a name"
        raise InvalidStepError(msg, fix="Let `name` return a text such as 'upload_files'")
    return name


def check_weight(name: str, weight: object) -> None:
    """Refuse a weight that is not a number from 0.0 to 1.0.

    Raises:
        InvalidWeightError: It is not.
    """
    if isinstance(weight, (int, float)) and not isinstance(weight, bool) and 0.0 <= weight <= 1.0:
        return
    msg = f"Step {name!r} has progress weight {weight!r}"
    raise InvalidWeightError(msg, fix="Return a number from 0.0 to 1.0; weights need not sum to 1")
