"""What a plugin offers: actions, as classes built from steps or as plain functions."""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import get_original_bases
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, get_args, get_origin

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, Orchestrator, Plan, StepRegistry, StepResult

if TYPE_CHECKING:
    from synapse_sdk.plugins.steps import RollbackError

__all__ = ["BaseAction", "FunctionAction", "action", "action_class"]

MARK = "__synapse_action__"
"""Attribute under which a function keeps the action made of it."""


class BaseAction[P]:
    """One thing a plugin can do: validated parameters in, steps, a result out.

    Type parameter `P` is the model of the parameters: a pydantic model, a dataclass or a typed dictionary; without it
    parameters are a plain dictionary. A subclass registers its steps in `setup_steps`, gives them a context in
    `create_context` and says what comes out in `build_result`; or it overrides `execute` and does without steps.

    Args:
        params: Validated parameters.
        ctx: Reporter, logger, environment, clients of this run.

    Example:
        >>> class Greet(BaseAction[dict[str, str]]):
        ...     def execute(self):
        ...         return f"Hello, {self.params['name']}"
        >>> Greet({"name": "Ada"}, RuntimeContext()).execute(), Greet.action_name
        ('Hello, Ada', 'greet')
    """

    action_name: ClassVar[str] = ""
    """Name of the action; by default the class's, in lower case with underscores and without `Action`."""
    description: ClassVar[str] = ""
    """One sentence for listings; by default the first line of the docstring."""
    category: ClassVar[str] = "custom"
    params_model: ClassVar[Any] = None
    """Model of the parameters; taken from the type argument."""
    result_model: ClassVar[Any] = None
    """Model that the result must fit; None accepts anything."""
    inject_failure: str | None = None
    """Name of the step after which the run is made to fail, to see a rollback; None for a normal run."""
    is_part: bool = False
    """Whether its run is a part of another one, which may undo it after its end, and in the end calls `forget`."""

    def __init__(self, params: P, ctx: RuntimeContext) -> None:
        self.params = params
        self.ctx = ctx

    def __init_subclass__(cls) -> None:
        """Fill in what the class says by its name, docstring and type argument."""
        super().__init_subclass__()
        if "action_name" not in cls.__dict__:
            words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()
            cls.action_name = words.removesuffix("_action") or words
        if "description" not in cls.__dict__:
            cls.description = (cls.__doc__ or "").strip().partition("\n")[0]
        if "params_model" not in cls.__dict__:
            actions = [base for base in get_original_bases(cls) if issubclass(get_origin(base) or object, BaseAction)]
            models = [argument for base in actions for argument in get_args(base) if not isinstance(argument, TypeVar)]
            if models:
                cls.params_model = models[0]

    def setup_steps(self, registry: StepRegistry[Any]) -> None:
        """Register the steps; none by default."""

    def create_context(self) -> BaseStepContext:
        """Return the state that the steps share."""
        return BaseStepContext(self.ctx)

    def commit(self, context: Any) -> None:  # noqa: ANN401  # the subclass's own type
        """Let what the steps have prepared take effect, once all have succeeded; by default there is nothing to do.

        If it raises, or the result does not fit its model, the steps are rolled back. It may run twice: a process that
        dies in it, or right after, is resumed here.
        """

    def forget(self) -> None:
        """Drop what only undoing the run would need; by default there is nothing.

        Called once the end of the run is recorded, maybe in another process than the one that ran the steps, and maybe
        twice. It must not raise: the run has succeeded.
        """

    def build_result(self, context: Any, summary: dict[str, Any]) -> Any:  # noqa: ANN401  # the subclass's own types
        """Return what the action gives back once all steps have succeeded; by default the orchestrator's summary."""
        return summary

    def execute(self) -> Any:  # noqa: ANN401  # the subclass's own type
        """Run the steps and return the result.

        Raises:
            StepFailedError: A step failed; everything done before was undone.
            InvalidResultError: The result does not fit its model; everything was undone.
            ConfigurationError: There are no steps.
        """
        result = self.run_steps()
        if not self.is_part:
            self.forget()
        return result

    def run_steps(self) -> Any:  # noqa: ANN401  # as above
        """Run the steps, commit, and return the result; raises as `execute`, of which it is all but the forgetting."""
        registry = self.build_registry()
        if not len(registry):
            msg = f"Action {self.action_name!r} has nothing to do"
            fix = f"Register steps in {type(self).__name__}.setup_steps or override execute"
            raise ConfigurationError(msg, fix=fix)
        context = self.create_context()
        results: list[Any] = []

        def conclude(summary: dict[str, Any]) -> None:
            self.commit(context)
            results.append(self.validate_result(self.build_result(context, summary)))
            if self.ctx.journal is not None:
                self.ctx.journal.result = results[0]

        Orchestrator(registry, context, conclude=conclude).execute()
        return results[0]

    def rollback(self, reason: str, *, is_cancelled: bool = False) -> "Sequence[RollbackError]":
        """Undo what the run has done so far, as its journal tells; as `Orchestrator.rollback`."""
        orchestrator = Orchestrator(self.build_registry(), self.create_context())
        return orchestrator.rollback(reason, is_cancelled=is_cancelled)

    def plan(self) -> Plan:
        """Return the steps that would run, without running any."""
        return Orchestrator(self.build_registry(), self.create_context()).plan()

    def build_registry(self) -> StepRegistry[Any]:
        """Return a registry with all steps, the injected failure included.

        Raises:
            StepNotFoundError: The failure is to be injected after a step that does not exist.
        """
        registry: StepRegistry[Any] = StepRegistry()
        self.setup_steps(registry)
        if self.inject_failure is not None:
            registry.insert_after(self.inject_failure, _InjectedFailureStep(self.inject_failure))
        return registry

    @classmethod
    def validate_params(cls, params: Mapping[str, Any]) -> Any:  # noqa: ANN401  # an instance of params_model
        """Return the parameters as the model wants them; the given mapping is not changed.

        Raises:
            InvalidParamsError: They do not fit, or have names the model does not know; every problem is listed.
        """
        from synapse_sdk.plugins.models import fit_params  # noqa: PLC0415  # pydantic takes 80 ms

        return fit_params(cls.action_name, cls.params_model, params)

    @classmethod
    def secret_params(cls) -> tuple[str, ...]:
        """Return the names of the parameters that the model declares as secret; they are written nowhere."""
        from synapse_sdk.plugins.models import secret_names  # noqa: PLC0415  # pydantic takes 80 ms

        return secret_names(cls.params_model)

    @classmethod
    def params_schema(cls) -> dict[str, Any]:
        """Return the JSON Schema of the parameters."""
        from synapse_sdk.plugins.models import schema_of  # noqa: PLC0415  # pydantic takes 80 ms

        return schema_of(cls.params_model)

    @classmethod
    def validate_result(cls, result: Any) -> Any:  # noqa: ANN401  # an instance of result_model
        """Return the result as its model wants it.

        Raises:
            InvalidResultError: It does not fit.
        """
        from synapse_sdk.plugins.models import fit_result  # noqa: PLC0415  # pydantic takes 80 ms

        return fit_result(cls.action_name, cls.result_model, result)


class _InjectedFailureStep(BaseStep[Any]):
    """Fails, so that the rollback can be watched."""

    name = "injected_failure"
    progress_weight = 0.0

    def __init__(self, after: str) -> None:
        self._after = after

    def execute(self, context: BaseStepContext) -> StepResult:  # it looks at nothing
        return StepResult(success=False, error=f"a failure was injected after step {self._after!r}")


class FunctionAction(BaseAction[Any]):
    """An action made of a function, which runs as its only step."""

    function: ClassVar[Callable[..., Any]]
    returned: Any = None

    def setup_steps(self, registry: StepRegistry[Any]) -> None:
        """Register the function as a step named like the action."""
        registry.register(_FunctionStep(self))

    def build_result(self, context: Any, summary: dict[str, Any]) -> Any:  # noqa: ANN401  # the function's own type
        """Return what the function returned."""
        return self.returned


class _FunctionStep(BaseStep[BaseStepContext]):
    progress_weight = 1.0

    def __init__(self, owner: FunctionAction) -> None:
        self._owner = owner

    @property
    def name(self) -> str:
        return self._owner.action_name

    def execute(self, context: BaseStepContext) -> StepResult:
        owner = self._owner
        returned: object = type(owner).function(owner.params, _FunctionContext(owner.ctx, context))
        owner.returned = context.scope.wait_for(returned) if isinstance(returned, Awaitable) else returned
        return StepResult()


class _FunctionContext(RuntimeContext):
    """The runtime context as a function sees it: progress without a category is the run's."""

    def __init__(self, ctx: RuntimeContext, context: BaseStepContext) -> None:
        vars(self).update(vars(ctx))
        self._context = context

    def set_progress(
        self, current: float, total: float, category: str | None = None, *, step: str | None = None
    ) -> None:
        if category or step:
            super().set_progress(current, total, category, step=step)
        else:
            self._context.set_progress(current, total)


def action[F: Callable[..., Any]](
    name: str | None = None,
    description: str = "",
    params: Any = None,  # noqa: ANN401  # any model pydantic understands
    result: Any = None,  # noqa: ANN401  # as above
    category: str = "custom",
) -> Callable[[F], F]:
    """Make an action of a function `(params, ctx)`, plain or `async`; the function itself stays as it is.

    Args:
        name: Name of the action; by default the function's.
        description: One sentence for listings; by default the first line of the docstring.
        params: Model of the parameters; by default the annotation of the first parameter.
        result: Model of the result; by default the annotation of what is returned.
        category: Kind of the plugin, such as `export`.

    Example:
        >>> @action()
        ... def add(params: dict[str, int], ctx: RuntimeContext) -> int:
        ...     return params["a"] + params["b"]
        >>> action_class(add)({"a": 1, "b": 2}, RuntimeContext()).execute()
        3
    """

    def mark(function: F) -> F:
        annotations = inspect.get_annotations(function, eval_str=True)
        returns = annotations.pop("return", None)
        body = {
            "action_name": name or function.__name__,
            "description": description or (function.__doc__ or "").strip().partition("\n")[0],
            "category": category,
            "params_model": params or next(iter(annotations.values()), None),
            "result_model": result or (None if returns is Any else returns),
            "function": staticmethod(function),
            "__doc__": function.__doc__,
            "__module__": function.__module__,
        }
        setattr(function, MARK, type(function.__name__, (FunctionAction,), body))
        return function

    return mark


def action_class(thing: object) -> type[BaseAction[Any]] | None:
    """Return the action that a class is or that was made of a function; None for anything else."""
    if isinstance(thing, type):
        return thing if issubclass(thing, BaseAction) else None
    return getattr(thing, MARK, None)
