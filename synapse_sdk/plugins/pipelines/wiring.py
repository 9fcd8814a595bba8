"""Where the parameters of each action of a pipeline come from, worked out and checked before anything runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from synapse_sdk.errors import InvalidParamsError
from synapse_sdk.plugins.models import known_names, problems_of_some, unknown_name
from synapse_sdk.plugins.pipelines.fields import FieldFacts, fields_of
from synapse_sdk.plugins.pipelines.part import PipelinePart
from synapse_sdk.plugins.pipelines.references import Reference, reference_in, references_in

__all__ = ["Wiring", "wire"]

MOST_SHOWN = 8
"""Results that a problem offers."""

type Results = Mapping[str, Mapping[str, FieldFacts] | None]
"""Of each earlier action the fields of its result; None if nobody knows which it will have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """What each action of a pipeline is given."""

    params: Mapping[str, Mapping[str, Any]]
    """By action: what its author and the user give, references included."""
    fed: Mapping[str, Mapping[str, Reference]]
    """By action and parameter: the result that it gets because both name the same."""
    problems: tuple[str, ...] = ()
    """What is wrong, a line a problem."""

    def sources(self) -> Iterator[tuple[str, str, str]]:
        """Yield action, parameter and result for everything that one action hands to another."""
        for name, params in self.params.items():
            for param, value in params.items():
                for reference in references_in(value):
                    yield name, param, ".".join(reference)
            for param, reference in self.fed[name].items():
                yield name, param, ".".join(reference)


def wire(parts: Sequence[PipelinePart], given: Mapping[str, Any]) -> Wiring:
    """Work out and check what each action is given.

    Args:
        parts: The actions, in order.
        given: By the name of an action, parameters that replace those of its author.
    """
    names = [part.name for part in parts]
    problems = [unknown_name(name, set(names)).replace("parameter", "action") for name in given if name not in names]
    problems += [
        f"{name}: must be the parameters of this action, as names with values"
        for name, each in given.items()
        if name in names and not isinstance(each, Mapping)
    ]
    params: dict[str, Mapping[str, Any]] = {}
    fed: dict[str, Mapping[str, Reference]] = {}
    results: dict[str, Mapping[str, FieldFacts] | None] = {}
    for part in parts:
        own = given.get(part.name)
        params[part.name] = {**part.params, **(own if isinstance(own, Mapping) else {})}
        examined = _Examined(part, params[part.name], results)
        examined.look()
        fed[part.name] = examined.fed
        problems += examined.problems
        results[part.name] = fields_of(part.action.result_model, "serialization")
    return Wiring(params=params, fed=fed, problems=tuple(problems))


@dataclass(slots=True)
class _Examined:
    """The parameters of one action, as they are examined."""

    part: PipelinePart
    params: Mapping[str, Any]
    results: Results
    fed: dict[str, Reference] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def look(self) -> None:
        model = self.part.action.params_model
        wanted = fields_of(model, "validation") or {}
        known = known_names(model) if wanted else None
        if known is not None:
            self.problems += [self._about(unknown_name(name, known)) for name in self.params if name not in known]
        for name, value in self.params.items():
            self._look_at_references(name, value, wanted.get(name))
        for name, facts in wanted.items():
            if name not in self.params:
                self._feed(name, facts)
        if not self.problems:
            self.problems += map(self._about, self._misfits(model))

    def _about(self, problem: str) -> str:
        return f"{self.part.name}.{problem}"

    def _misfits(self, model: Any) -> Sequence[str]:  # noqa: ANN401  # any model pydantic understands
        """Return what is wrong with the parameters that are known by now."""
        plain = {name: value for name, value in self.params.items() if not any(references_in(value))}
        if len(plain) == len(self.params) and not self.fed:
            try:
                self.part.action.validate_params(plain)
            except InvalidParamsError as error:
                return error.problems
            return ()
        return problems_of_some(model, {name: value for name, value in plain.items() if value is not None})

    def _look_at_references(self, name: str, value: Any, wanted: FieldFacts | None) -> None:  # noqa: ANN401  # JSON data
        for reference in references_in(value):
            problem = self._unresolvable(reference)
            if problem is not None:
                self.problems.append(self._about(f"{name}: {problem}"))
        whole = reference_in(value)
        if whole is None or wanted is None or len(whole) != 2:  # noqa: PLR2004  # an action and a field of its result
            return
        found = (self.results.get(whole[0]) or {}).get(whole[1])
        if found is None:
            return
        text = f"${{{'.'.join(whole)}}}"
        if found.names and wanted.names and found.names != wanted.names:
            self.problems.append(self._about(f"{name}: {text} names a {found.names}, not a {wanted.names}"))
        elif found.types is not None and wanted.types is not None and not found.types & wanted.types:
            is_, may = _either(found.types), _either(wanted.types)
            self.problems.append(self._about(f"{name}: {text} is {is_}, which does not fit: it must be {may}"))

    def _unresolvable(self, reference: Reference) -> str | None:
        """Return why a reference cannot be right; None if it can."""
        text = f"${{{'.'.join(reference)}}}"
        if reference[0] not in self.results:
            there = ", ".join(self.results) or "none"
            return f"{text} is no result of an action before it; there are: {there}"
        fields = self.results[reference[0]]
        if len(reference) == 1 or fields is None or reference[1] in fields:
            return None
        hint = unknown_name(reference[1], set(fields)).partition("; ")[2]
        return f"{text}: the result of {reference[0]!r} has no {reference[1]!r}; {hint}"

    def _feed(self, name: str, facts: FieldFacts) -> None:
        """Find the one result that names what a parameter names, if the parameter is not given."""
        fitting = [
            (source, result)
            for source, fields in self.results.items()
            for result, each in (fields or {}).items()
            if facts.names is not None and each.names == facts.names
        ]
        if len(fitting) == 1:
            self.fed[name] = fitting[0]
        elif fitting:
            several = " and ".join(f"${{{'.'.join(each)}}}" for each in fitting)
            self.problems.append(
                self._about(f"{name}: {several} name a {facts.names} each; write which one is meant, or null for none")
            )
        elif facts.is_required:
            needed = f" (a {facts.names})" if facts.names else ""
            self.problems.append(self._about(f"{name}: is needed{needed}, and nobody provides it; {self._offer()}"))

    def _offer(self) -> str:
        """Return which results there are that could be named."""
        there = [
            f"${{{source}.{name}}}" + (f" (a {each.names})" if each.names else "")
            for source, fields in self.results.items()
            for name, each in sorted((fields or {}).items(), key=lambda item: item[1].names is None)
        ]
        more = f" and {len(there) - MOST_SHOWN} more" if len(there) > MOST_SHOWN else ""
        return f"results before it: {', '.join(there[:MOST_SHOWN]) or 'none'}{more}"


def _either(types: frozenset[str]) -> str:
    return " or ".join(sorted(types - {"null"} or types))
