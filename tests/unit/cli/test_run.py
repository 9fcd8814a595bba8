"""`synapse run` in this process: plans, results, and the words for what went wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Synapse

CODE = """
import os, subprocess, sys
from pathlib import Path
from pydantic import BaseModel
from synapse_sdk.errors import SynapseError
from synapse_sdk.plugins import BaseAction
from synapse_sdk.plugins.action import action
from synapse_sdk.plugins.steps import BaseStep, StepResult


class Params(BaseModel):
    width: int = 1


class Write(BaseStep):
    name, progress_weight = "write", 0.5

    def execute(self, context):
        context.record_undo(path="made")
        Path("made").touch()
        return StepResult()

    def rollback(self, context, result):
        if os.environ.get("CANNOT_UNDO"):
            raise OSError("the file is locked")
        Path("made").unlink()


class Divide(BaseStep):
    name, progress_weight = "divide", 0.5

    def execute(self, context):
        return divide(1, 0)


class Refuse(Divide):
    def execute(self, context):
        raise SynapseError("The scale is broken", why="it was dropped", fix="Buy a new one", file="scale.txt")


def divide(a, b):
    return a / b


class Fails(BaseAction[Params]):
    def setup_steps(self, registry):
        registry.register(Write())
        registry.register(Divide())


class Refuses(BaseAction[Params]):
    def setup_steps(self, registry):
        registry.register(Write())
        registry.register(Refuse())


class Misfit(BaseAction[Params]):
    result_model = int

    def setup_steps(self, registry):
        registry.register(Write())

    def build_result(self, context, summary):
        return "no number"


class Unfinished(Misfit):
    def build_result(self, context, summary):
        raise ValueError("no result")


class Late(Misfit):
    result_model = None

    def execute(self):
        super().execute()
        raise ValueError("too late")


class Raises(BaseAction[Params]):
    def execute(self):
        raise ValueError("no good")


class Exits(BaseAction[Params]):
    def execute(self):
        sys.exit(5)


@action()
def text(params: dict, ctx) -> str:
    return "just text"


@action()
def nothing(params: dict, ctx) -> None:
    pass


@action()
def odd(params: dict, ctx):
    return {"path": Path("a"), "loss": float("nan"), "object": Exits, "self": object}


@action()
def chatty(params: dict, ctx) -> str:
    print("printed")
    os.write(1, b"written\\n")
    return ctx.env.get_str("SHOUT", "quiet")
"""
ACTIONS = ("Fails", "Refuses", "Raises", "Exits", "text", "nothing", "odd", "chatty", "Misfit", "Unfinished", "Late")


@pytest.fixture
def plugin(write_plugin: Callable[..., Path]) -> str:
    """A plugin whose actions go wrong in many ways."""
    return str(write_plugin("p", {"code.py": CODE}, {name.lower(): f"code:{name}" for name in ACTIONS}))


def test_a_plan_runs_nothing(synapse: "Synapse", greeter: Path, home: Path) -> None:
    """It shows the steps, their weights, and which can be undone."""
    outcome = synapse("run", "greeter", "greet", "--dry-run")

    assert outcome.code == 0
    assert [line.split()[1] for line in outcome.out.splitlines()[1:]] == ["compose_greeting", "write_greeting"]
    assert "can undo" in outcome.out
    assert list(home.iterdir()) == [greeter]


@pytest.mark.usefixtures("greeter")
def test_a_plan_is_json_for_programs(synapse: "Synapse") -> None:
    """One document."""
    document = synapse("run", "greeter", "greet", "--dry-run", "--json").json

    assert [(step["step"], step["share"], step["can_undo"]) for step in document["steps"]] == [
        ("compose_greeting", 0.1, False),
        ("write_greeting", 0.9, True),
    ]


def test_an_action_without_steps_has_a_plan_that_says_so(synapse: "Synapse", plugin: str) -> None:
    """An empty table would be a riddle."""
    assert "no steps" in synapse("run", plugin, "raises", "--dry-run").out


@pytest.mark.usefixtures("greeter")
def test_a_plan_of_wrong_parameters_is_refused_like_a_run(synapse: "Synapse") -> None:
    """Else a plan would promise what a run does not keep."""
    assert synapse("run", "greeter", "greet", "--dry-run", "--set", "nmae=Ada").code == 2
    assert synapse("run", "greeter", "greet", "--dry-run", "--inject-failure", "write_greeting").code == 2


@pytest.mark.parametrize(
    ("action", "out"),
    [
        ("text", "just text\n"),
        ("nothing", ""),
        ("odd", "path    a\nloss    nan\nobject  <class '_synapse_plugin_"),
        ("chatty", "quiet\n"),
    ],
)
def test_the_result_is_all_that_goes_to_standard_output(action: str, out: str, synapse: "Synapse", plugin: str) -> None:
    """Whatever the action prints or returns."""
    outcome = synapse("run", plugin, action)

    assert outcome.code == 0
    assert outcome.out.startswith(out)
    assert bool(outcome.out) == bool(out)


def test_the_environment_of_a_plugin_can_be_set(synapse: "Synapse", plugin: str) -> None:
    """For one run."""
    assert synapse("run", plugin, "chatty", "--env", "SHOUT=LOUD").out == "LOUD\n"


@pytest.mark.usefixtures("greeter")
def test_json_is_one_event_a_line_and_one_result_at_the_end(synapse: "Synapse") -> None:
    """A program needs to read nothing but the last line."""
    outcome = synapse("run", "greeter", "greet", "--json", "--set", "name=고양이")

    [*events, result] = outcome.lines
    assert outcome.code == 0
    assert outcome.err == ""
    assert (events[0]["type"], events[0]["run_id"]) == ("run_started", result["run_id"])
    assert [event["type"] for event in events][-1] == "run_finished"
    assert "result" not in {event["type"] for event in events}
    assert (result["type"], result["status"], result["exit_code"]) == ("result", "succeeded", 0)
    assert (result["plugin"], result["action"]) == ("greeter", "greet")
    assert result["result"] == {"greeting": "Hello, 고양이!", "file": "greetings.txt"}
    assert result["error"] is None
    assert len(result["run_id"]) == 12


@pytest.mark.usefixtures("greeter")
def test_progress_for_people_and_the_result_for_programs_go_together(synapse: "Synapse") -> None:
    """`--json --progress plain` keeps a log of CI readable."""
    outcome = synapse("run", "greeter", "greet", "--json", "--progress", "plain")

    assert outcome.json["status"] == "succeeded"
    assert "[2/2] write_greeting: done" in outcome.err


@pytest.mark.usefixtures("greeter")
def test_progress_may_be_json_without_asking_for_json(synapse: "Synapse") -> None:
    """The settings say it for all runs."""
    assert synapse("run", "greeter", "greet", "--progress", "json").lines[-1]["type"] == "result"


def test_a_failed_step_says_where_in_the_plugin_it_failed(synapse: "Synapse", plugin: str, home: Path) -> None:
    """With the author's file and line, and what it means for what was done."""
    outcome = synapse("run", plugin, "fails", "--progress", "none")

    line = CODE.splitlines().index("    return a / b") + 1
    assert outcome.code == 1
    assert "error[SYN-E1201]: Step 'divide' failed: division by zero" in outcome.err
    assert f"code.py:{line} in divide" in outcome.err
    assert "why    It raised ZeroDivisionError" in outcome.err
    assert "fix    Nothing of this run is left" in outcome.err
    assert "add --debug to see the traceback" in outcome.err
    assert "Traceback" not in outcome.err
    assert list(home.iterdir()) == []


def test_debug_shows_the_traceback_of_a_failed_step(synapse: "Synapse", plugin: str) -> None:
    """The plugin's own frames are in it."""
    outcome = synapse("run", plugin, "fails", "--progress", "none", "--debug")

    assert "ZeroDivisionError: division by zero" in outcome.err
    assert ", in divide" in outcome.err


def test_an_error_of_the_plugins_own_keeps_its_words(synapse: "Synapse", plugin: str) -> None:
    """What the author wrote about why and fix is shown as such."""
    outcome = synapse("run", plugin, "refuses", "--progress", "none")

    assert "error[SYN-E1201]: Step 'divide' failed: The scale is broken\n" in outcome.err
    assert "scale.txt" in outcome.err
    assert "  why    it was dropped\n  fix    Buy a new one\n" in outcome.err


def test_what_could_not_be_undone_is_listed(
    synapse: "Synapse", plugin: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 4, whatever it was that failed."""
    monkeypatch.setenv("CANNOT_UNDO", "1")

    outcome = synapse("run", plugin, "fails", "--json")

    result = outcome.lines[-1]
    assert outcome.code == 4
    assert (result["status"], result["exit_code"]) == ("rollback_incomplete", 4)
    assert result["error"]["details"] == ["not undone: step 'write': the file is locked"]
    assert (home / "made").exists()


@pytest.mark.parametrize(
    ("action", "message"),
    [("raises", "Action 'raises' failed: ValueError: no good"), ("exits", "Action 'exits' called sys.exit(5)")],
)
def test_an_action_that_raises_outside_of_steps_is_the_plugins_fault(
    action: str, message: str, synapse: "Synapse", plugin: str
) -> None:
    """It is not a bug of ours, and no crash file is written."""
    outcome = synapse("run", plugin, action)

    assert outcome.code == 1
    assert f"error[SYN-E1906]: {message}" in outcome.err
    assert "code.py:" in outcome.err


@pytest.mark.parametrize(("action", "code"), [("misfit", "SYN-E1206"), ("unfinished", "SYN-E1906")])
def test_a_result_that_cannot_be_had_undoes_the_run(
    action: str, code: str, synapse: "Synapse", plugin: str, home: Path
) -> None:
    """Whether it does not fit its model or cannot be built at all."""
    outcome = synapse("run", plugin, action, "--json")

    result = outcome.lines[-1]
    assert outcome.code == 1
    assert (result["status"], result["error"]["code"]) == ("rolled_back", code)
    assert result["error"]["fix"].startswith("Nothing of this run is left")
    assert list(home.iterdir()) == []


def test_an_action_that_fails_after_its_steps_says_that_their_work_stays(
    synapse: "Synapse", plugin: str, home: Path
) -> None:
    """The engine was done by then, and undoes nothing."""
    outcome = synapse("run", plugin, "late", "--json")

    result = outcome.lines[-1]
    assert outcome.code == 1
    assert result["status"] == "failed"
    assert "what they did stays" in result["error"]["fix"]
    assert (home / "made").exists()


@pytest.mark.usefixtures("greeter")
def test_all_wrong_parameters_are_listed(synapse: "Synapse") -> None:
    """Also for programs, and nothing was started."""
    args = ("run", "greeter", "greet", "--set", "name=5", "--set", "file=[]", "--set", "flie=x")

    outcome = synapse(*args)
    result = synapse(*args, "--json").lines[-1]

    assert outcome.code == 2
    assert "3 problems with the parameters of action 'greet'" in outcome.err
    assert "did you mean 'file'?" in outcome.err
    assert (result["status"], result["exit_code"]) == ("failed", 2)
    assert [detail.partition(":")[0] for detail in result["error"]["details"]] == ["name", "file", "flie"]


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("nowhere", "greet"), 2, "There is no plugin 'nowhere'"),
        (("greeter", "gret"), 2, "Did you mean 'greet'?"),
        (("greeter", "greet", "--inject-failure", "write"), 2, "Cannot inject a failure: no step is called 'write'"),
        (("greeter", "greet", "--params", "nowhere.yaml"), 2, "Cannot read 'nowhere.yaml'"),
        (("greeter", "greet", "--set", "name"), 2, "is not of the form name=value"),
        (("greeter", "greet", "--env", "name"), 2, "is not of the form NAME=value"),
        (("greeter", "greet", "--profile", "nobody"), 78, "There is no profile 'nobody'"),
    ],
)
@pytest.mark.usefixtures("greeter")
def test_what_cannot_be_run_is_said_in_the_same_way_to_everybody(
    args: tuple[str, ...], code: int, message: str, synapse: "Synapse", home: Path
) -> None:
    """People read it on standard error, programs as the one line of type `result`."""
    outcome, for_programs = synapse("run", *args), synapse("run", *args, "--json")

    [result] = for_programs.lines
    assert outcome.code == for_programs.code == result["exit_code"] == code
    assert message in outcome.err
    assert message in json.dumps(result["error"], ensure_ascii=False)
    assert (outcome.out, for_programs.err) == ("", "")
    assert not (home / "greetings.txt").exists()
