import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypedDict

import pytest
from pydantic import BaseModel, Field, GetJsonSchemaHandler, SecretStr
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from synapse_sdk.errors import (
    ConfigurationError,
    InvalidParamsError,
    InvalidResultError,
    StepFailedError,
    StepNotFoundError,
)
from synapse_sdk.plugins import BaseAction, RuntimeContext, run_action
from synapse_sdk.plugins.action import action, action_class
from synapse_sdk.plugins.steps import BaseStepContext, StepRegistry, StepResult
from synapse_sdk.reporting import MemoryReporter
from tests.unit.steps.scripted import ScriptedStep


class CountParams(BaseModel):
    """What to count."""

    folder: str
    limit: int = Field(default=10, ge=1)


class CountResult(BaseModel):
    """How many there were."""

    files: int


class CountFilesAction(BaseAction[CountParams]):
    """Count files.

    And say so.
    """

    result_model = CountResult
    steps: tuple[ScriptedStep, ...] = (ScriptedStep("count"),)

    def setup_steps(self, registry: StepRegistry[Any]) -> None:
        """Register what the class has."""
        for step in type(self).steps:
            registry.register(step)

    def build_result(self, context: BaseStepContext, summary: dict[str, Any]) -> object:
        """Count the steps, there being no files."""
        return {"files": summary["steps_executed"]}


def test_a_class_says_its_name_description_and_params_model_without_being_asked() -> None:
    """By its own name, the first line of its docstring, and its type argument."""
    assert CountFilesAction.action_name == "count_files"
    assert CountFilesAction.description == "Count files."
    assert CountFilesAction.params_model is CountParams


def test_an_empty_subclass_is_the_same_action_with_a_name_of_its_own() -> None:
    """`class MyAction(SomeAction): pass` runs."""

    class Again(CountFilesAction):
        pass

    assert Again.params_model is CountParams
    assert run_action(Again, {"folder": "x"}) == CountResult(files=1)


def test_a_generic_action_takes_its_model_from_the_last_subclass() -> None:
    """A base such as `BaseUploadAction[P]` leaves the model open."""

    class Base[P](BaseAction[P]):
        pass

    class Concrete(Base[CountParams]):
        pass

    assert Base.params_model is None
    assert Concrete.params_model is CountParams


def test_all_problems_with_params_are_told_at_once() -> None:
    """With field paths, what was given, and the name that was probably meant."""
    with pytest.raises(InvalidParamsError) as caught:
        run_action(CountFilesAction, {"limit": "many", "foldr": "x"})

    limit, folder, unknown = sorted(
        caught.value.problems, key=lambda line: "lfu".index(line[0] if line[4] != "r" else "u")
    )
    assert limit.startswith("limit: ")
    assert "'many'" in limit
    assert folder == "folder: Field required"
    assert unknown == "foldr: there is no such parameter; did you mean 'folder'?"


class Options(TypedDict):
    """Parameters as a typed dictionary."""

    width: int


@dataclass
class Size:
    """Parameters as a dataclass."""

    width: int


@pytest.mark.parametrize(("model", "value"), [(Options, {"width": 3}), (Size, Size(3)), (dict[str, int], {"width": 3})])
def test_params_may_be_typed_in_any_common_way(model: Any, value: object) -> None:  # noqa: ANN401  # a type
    """Pydantic models, dataclasses, typed dictionaries, plain dictionaries."""

    class Resize(BaseAction[Any]):
        params_model = model

        def execute(self) -> object:
            return self.params

    assert run_action(Resize, {"width": "3"}) == value


def test_the_callers_params_are_not_changed() -> None:
    """T1: what a step does to its parameters stays with the run."""

    class Careless(BaseAction[dict[str, Any]]):
        def execute(self) -> None:
            self.params.clear()

    given = {"a": 1}

    run_action(Careless, given)

    assert given == {"a": 1}


class LoginParams(BaseModel):
    """Who is there, and how often that was looked at."""

    user: str = "ada"
    token: SecretStr
    looks: ClassVar[list[str]] = []

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Be described."""
        cls.looks.append(cls.__name__)
        return handler(schema)


def test_the_fields_of_a_model_are_looked_at_once() -> None:
    """Not in every run; and a model that is made of another one is looked at by itself."""

    class LoginAction(BaseAction[LoginParams]):
        pass

    class Other(LoginParams):
        second_token: SecretStr

    class OtherAction(BaseAction[Other]):
        pass

    for _ in range(3):
        LoginAction.validate_params({"token": "hunter2"})
        assert LoginAction.secret_params() == ("token",)
        with pytest.raises(InvalidParamsError, match="usr: there is no such parameter; did you mean 'user'"):
            LoginAction.validate_params({"token": "hunter2", "usr": "ada"})
        assert OtherAction.secret_params() == ("token", "second_token")

    assert LoginParams.looks == ["LoginParams", "Other"]


def test_a_result_that_does_not_fit_is_an_error_and_undoes_the_run() -> None:
    """N5, and nothing is left of a run that could not say what it did."""
    count = ScriptedStep("count")

    class Wrong(CountFilesAction):
        steps = (count,)

        def build_result(self, context: BaseStepContext, summary: dict[str, Any]) -> object:
            return {"files": "several"}

    with pytest.raises(InvalidResultError, match="files"):
        run_action(Wrong, {"folder": "x"})

    assert count.diary == ["run count", "undo count"]


def test_an_action_without_steps_says_what_it_lacks() -> None:
    """Neither steps nor an `execute` of its own."""

    class Nothing(BaseAction[dict[str, Any]]):
        pass

    with pytest.raises(ConfigurationError, match=r"'nothing' has nothing to do.*Nothing\.setup_steps"):
        run_action(Nothing)


def test_an_injected_failure_undoes_what_came_before_it() -> None:
    """Failure on demand, to look at a rollback."""
    first, second = ScriptedStep("first"), ScriptedStep("second")

    class Two(CountFilesAction):
        steps = (first, second)

    with pytest.raises(StepFailedError, match="injected after step 'first'"):
        run_action(Two, {"folder": "x"}, inject_failure="first")

    assert (first.diary, second.diary) == (["run first", "undo first"], [])


def test_a_failure_after_an_unknown_step_is_refused_before_anything_runs() -> None:
    """Also where the action does without steps."""

    class Plain(BaseAction[dict[str, Any]]):
        def execute(self) -> None:
            pytest.fail("it ran")

    with pytest.raises(StepNotFoundError):
        run_action(Plain, inject_failure="first")


def test_a_plan_runs_nothing() -> None:
    """It only asks."""

    class Looked(CountFilesAction):
        steps = (ScriptedStep("count"),)

    plan = Looked(CountParams(folder="x"), RuntimeContext()).plan()

    assert [step.name for step in plan.steps] == ["count"]
    assert Looked.steps[0].diary == []


def test_a_function_becomes_an_action_and_stays_a_function() -> None:
    """Its annotations are the models, its name the name, its first line the description."""

    @action()
    def double(params: Options, ctx: RuntimeContext) -> int:
        """Double the width."""
        ctx.log("doubling", {"width": params["width"]})
        return 2 * params["width"]

    made, reporter = action_class(double), MemoryReporter()

    assert made is not None
    assert (made.action_name, made.description) == ("double", "Double the width.")
    assert run_action(made, {"width": 4}, reporter=reporter) == 8
    assert reporter.logs == [("doubling", {"width": 4})]
    assert double({"width": 1}, RuntimeContext()) == 2


def test_progress_of_a_function_moves_the_run() -> None:
    """A function is the only step of its run."""

    @action()
    def work(params: dict[str, Any], ctx: RuntimeContext) -> None:  # noqa: ARG001  # the signature of an action
        for done in range(1, 5):
            ctx.set_progress(done, 4)

    made, reporter = action_class(work), MemoryReporter()
    assert made is not None

    run_action(made, reporter=reporter)

    assert reporter.percents == [25, 50, 75, 99, 100]


def test_a_function_may_be_async_and_may_fail() -> None:
    """Both as a step would."""

    @action("named", result=int)
    async def late(params: dict[str, Any], ctx: RuntimeContext) -> str:  # noqa: ARG001  # as above
        await asyncio.sleep(0)
        if params.get("fail"):
            msg = "gone"
            raise FileNotFoundError(msg)
        return "7"

    made = action_class(late)
    assert made is not None

    assert run_action(made) == 7
    with pytest.raises(StepFailedError, match="Step 'named' failed: gone") as caught:
        run_action(made, {"fail": True})
    assert isinstance(caught.value.__cause__, FileNotFoundError)


@pytest.mark.parametrize("thing", [None, 3, "text", Path, StepResult, len])
def test_other_things_are_no_actions(thing: object) -> None:
    """Only subclasses of BaseAction and functions that were marked."""
    assert action_class(thing) is None
