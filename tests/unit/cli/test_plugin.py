"""`synapse plugin`: a new plugin works at once, and a broken one says everything that is wrong with it."""

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.cli.conftest import Synapse

REPOSITORY = Path(__file__).parents[3]


def test_a_new_plugin_runs_at_once(synapse: "Synapse", home: Path) -> None:
    """The commands that `plugin new` ends with are the next ones to type."""
    made = synapse("plugin", "new", "my-greeter")
    [run, test] = made.out.split("\n")[:2]

    ran = synapse(*run.split()[1:])

    assert made.code == ran.code == 0
    assert test.split() == ["python", "-m", "pytest", "my-greeter"]
    assert (home / "greetings.txt").read_text(encoding="utf-8") == "Hello, Ada!\n"
    assert synapse("plugin", "validate", "my-greeter").code == 0


@pytest.mark.usefixtures("greeter")
def test_the_test_of_a_new_plugin_passes(home: Path) -> None:
    """Its author begins with a test that is green."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "greeter"]

    done = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout


def test_a_new_plugin_is_in_the_style_of_this_repository(greeter: Path) -> None:
    """It is the first code that a plugin's author reads."""
    check = [sys.executable, "-m", "ruff", "check", "--config", str(REPOSITORY / "pyproject.toml")]
    shape = [sys.executable, "-m", "ruff", "format", "--check", "--config", str(REPOSITORY / "pyproject.toml")]
    ignored = ["--ignore", "S101,PLR2004,INP001"]  # what the repository allows tests and examples, by their folder

    for command in ([*check, *ignored], shape):
        done = subprocess.run([*command, str(greeter)], capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout


def test_a_new_plugin_never_overwrites(synapse: "Synapse", home: Path) -> None:
    """Not even an empty folder."""
    (home / "mine").mkdir()
    (home / "file").touch()

    for name in ("mine", "file"):
        outcome = synapse("plugin", "new", name)
        assert outcome.code == 2
        assert "exists already" in outcome.err
    assert list((home / "mine").iterdir()) == []


@pytest.mark.parametrize("name", ["", "1st", "a b", "../up", "a/b", "json", "class", "synapse_sdk", "größe", ".hidden"])
def test_a_name_that_python_could_not_import_is_refused(name: str, synapse: "Synapse", home: Path) -> None:
    """Nothing is written."""
    outcome = synapse("plugin", "new", name)

    assert outcome.code == 2
    assert "A plugin cannot be called" in outcome.err
    assert list(home.iterdir()) == []


def test_what_was_written_of_a_plugin_goes_away_if_the_disk_is_full(
    synapse: "Synapse", home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing half done."""
    write_text = Path.write_text

    def full(path: Path, text: str, encoding: str) -> int:
        if path.suffix == ".py":
            raise OSError(28, "No space left on device")
        return write_text(path, text, encoding=encoding)

    monkeypatch.setattr(Path, "write_text", full)

    outcome = synapse("plugin", "new", "greeter")

    assert outcome.code == 74
    assert "No space left on device" in outcome.err
    assert list(home.iterdir()) == []


@pytest.mark.usefixtures("greeter")
def test_plugins_that_lie_here_are_listed(synapse: "Synapse", home: Path) -> None:
    """So are those that are installed; a folder with some other config.yaml is not a plugin."""
    (home / "website").mkdir()
    (home / "website" / "config.yaml").write_text("title: my site\n", encoding="utf-8")

    listed = synapse("plugin", "list", "--json").json["plugins"]

    assert [(each["reference"], each["version"], each["actions"]) for each in listed] == [
        ("./greeter", "0.1.0", ["greet"])
    ]
    assert "./greeter" in synapse("plugin", "list").out


def test_without_plugins_the_list_says_how_to_make_one(synapse: "Synapse") -> None:
    """Standard output stays empty: there is no data."""
    outcome = synapse("plugin", "list")

    assert (outcome.code, outcome.out) == (0, "")
    assert "synapse plugin new" in outcome.err


@pytest.mark.usefixtures("greeter")
def test_show_describes_actions_parameters_and_steps(synapse: "Synapse") -> None:
    """What one needs to know to run it."""
    shown = synapse("plugin", "show", "greeter").out

    assert "compose_greeting -> write_greeting" in shown
    assert 'name       string  "world"          Who is greeted.' in shown
    assert "run it: synapse run greeter greet" in shown
    [action] = synapse("plugin", "show", "greeter", "--json").json["actions"]
    assert [step["step"] for step in action["steps"]] == ["compose_greeting", "write_greeting"]


@pytest.mark.usefixtures("greeter")
def test_schema_is_a_json_schema(synapse: "Synapse") -> None:
    """And nothing else: it can go into a file or a validator as it is."""
    schema = synapse("plugin", "schema", "greeter", "greet").json

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["properties"]["name"]["type"] == "string"


BROKEN = """
from pydantic import BaseModel
from synapse_sdk.plugins import BaseAction
from synapse_sdk.plugins.steps import BaseStep, StepResult

print("printed while it is imported")

class Params(BaseModel):
    folder: str

class Step(BaseStep):
    progress_weight = 1.0
    def __init__(self, name="step", weight=1.0):
        self.name, self.progress_weight = name, weight
    name = ""
    def execute(self, context):
        return StepResult()

class Good(BaseAction[Params]):
    def setup_steps(self, registry): registry.register(Step())

class Twice(BaseAction[Params]):
    def setup_steps(self, registry): registry.register(Step()); registry.register(Step())

class Heavy(BaseAction[Params]):
    def setup_steps(self, registry): registry.register(Step(weight=1.5))

class Lost(BaseAction[Params]):
    def setup_steps(self, registry): registry.insert_after("nowhere", Step())

class Idle(BaseAction[Params]):
    pass

class Raises(BaseAction[dict]):
    def setup_steps(self, registry): raise RuntimeError("oops")

class NeedsParams(BaseAction[Params]):
    def setup_steps(self, registry): registry.register(Step(self.params.folder))

class OddResult(Good):
    result_model = "not a type("

NotAnAction = 3
"""


@pytest.fixture
def broken(write_plugin: "Callable[..., Path]") -> Path:
    """A plugin with everything wrong that can be found without running it."""
    names = ("Good", "Twice", "Heavy", "Lost", "Idle", "Raises", "NeedsParams", "OddResult", "NotAnAction", "Missing")
    return write_plugin("broken", {"code.py": BROKEN}, {name.lower(): f"code:{name}" for name in names})


def test_validate_lists_all_problems_at_once(synapse: "Synapse", broken: Path) -> None:
    """Whoever mends a plugin wants to do it in one go."""
    outcome = synapse("plugin", "validate", str(broken))

    listed = {line.split(":")[0].strip(" -"): line for line in outcome.err.splitlines() if line.startswith("  - ")}
    assert outcome.code == 78
    assert outcome.out == ""
    assert set(listed) == {"twice", "heavy", "lost", "idle", "raises", "oddresult", "notanaction", "missing"}
    assert "A step called 'step' is already registered" in listed["twice"]
    assert "progress weight 1.5" in listed["heavy"]
    assert "No step is called 'nowhere'" in listed["lost"]
    assert "nothing to do" in listed["idle"]
    assert "setup_steps raised RuntimeError: oops" in listed["raises"]
    assert "is not an action" in listed["notanaction"]
    assert "8 problems in plugin 'broken'" in outcome.err


def test_show_says_which_action_is_broken(synapse: "Synapse", broken: Path) -> None:
    """The others are shown all the same, and what a module prints stays out of the JSON."""
    actions = {each["name"]: each for each in synapse("plugin", "show", str(broken), "--json").json["actions"]}

    assert actions["good"]["problems"] == []
    assert [step["step"] for step in actions["good"]["steps"]] == ["step"]
    assert len(actions["missing"]["problems"]) == 1
