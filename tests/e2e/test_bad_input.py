"""Bad input: each kind has its own error and exit code, nothing is half done, and nobody sees a traceback."""

import resource
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.disks import small_disk
from tests.faults.privileges import obeying_permissions

if TYPE_CHECKING:
    from tests.e2e.conftest import Shell

REPOSITORY = Path(__file__).parents[2]
PLUGIN = REPOSITORY / "examples" / "image_report"
PHOTOS = REPOSITORY / "examples" / "photos"
JOB = ("run", str(PLUGIN), "image_report", "--progress", "none")
CODE = """
from pydantic import BaseModel
from synapse_sdk.plugins import BaseAction
from synapse_sdk.plugins.steps import BaseStep, StepResult


class Params(BaseModel):
    width: int
    height: int
    tags: list[str] = []


class Step(BaseStep):
    name, progress_weight = "step", 1.0

    def execute(self, context):
        return StepResult()


class Heavy(Step):
    progress_weight = 1.5


class Forgetful(Step):
    def execute(self, context):
        pass


class Sized(BaseAction[Params]):
    def setup_steps(self, registry):
        registry.register(Step())


class Twice(BaseAction[dict]):
    def setup_steps(self, registry):
        registry.register(Step())
        registry.register(Step())


class TooHeavy(BaseAction[dict]):
    def setup_steps(self, registry):
        registry.register(Heavy())


class Lost(BaseAction[dict]):
    def setup_steps(self, registry):
        registry.insert_after("nowhere", Step())


class ReturnsNone(BaseAction[dict]):
    def setup_steps(self, registry):
        registry.register(Forgetful())
"""
ACTIONS = ("Sized", "Twice", "TooHeavy", "Lost", "ReturnsNone", "Missing")
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def sets(**params: object) -> list[str]:
    """Return parameters as options."""
    return [word for name, value in params.items() for word in ("--set", f"{name}={value}")]


@pytest.fixture
def plugin(write_plugin: Callable[..., None]) -> str:
    """A plugin whose actions are put together wrongly."""
    write_plugin("wrong", CODE, {name.lower(): f"code:{name}" for name in ACTIONS})
    return "wrong"


@pytest.mark.parametrize(
    ("action", "code", "message"),
    [
        ("nothing", 2, "Plugin 'wrong' has no action 'nothing'"),
        ("missing", 78, "names nothing"),
        ("twice", 78, "A step called 'step' is already registered"),
        ("tooheavy", 78, "Step 'step' has progress weight 1.5"),
        ("lost", 78, "No step is called 'nowhere'"),
        ("returnsnone", 1, "Step 'step' failed: execute() returned None instead of a StepResult"),
    ],
)
def test_an_action_that_is_put_together_wrongly_says_how(
    shell: "Shell", plugin: str, action: str, code: int, message: str
) -> None:
    """The author finds the place."""
    outcome = shell.run("run", plugin, action, "--progress", "none")

    assert outcome.code == code
    assert message in outcome.err
    assert outcome.out == ""
    assert "Traceback" not in outcome.err


def test_wrong_parameters_are_listed_all_at_once(shell: "Shell", plugin: str) -> None:
    """With the path of each field."""
    outcome = shell.run("run", plugin, "sized", *sets(width="wide", tags='["a", 1]', heigth=3))

    assert outcome.code == 2
    assert "4 problems with the parameters of action 'sized'" in outcome.err
    for problem in (
        "width: ",
        "height: Field required",
        "tags.1: ",
        "heigth: there is no such parameter; did you mean",
    ):
        assert f"  - {problem}" in outcome.err


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (BOMB, "Cannot read"),
        ("name: !!python/object/apply:os.system ['touch hacked']\n", "Cannot read"),
        ("", "is empty"),
        ("name: [\n", "Cannot read"),
        ("name: x\ncode: x\nactons: {}\n", "did you mean 'actions'?"),
        ("name: x\ncode: x\nactions:\n  a: {entrypoint: 'code:a'}\nversion: 1.10\n", "put it in quotes"),
    ],
    ids=["bomb", "python-tag", "empty", "no-yaml", "misspelt", "version"],
)
def test_a_wrong_manifest_is_bad_configuration(
    shell: "Shell", write_plugin: Callable[..., None], manifest: str, message: str
) -> None:
    """Whether its author is clumsy or hostile; it is said where the manifest lies, and nothing of it is executed."""
    write_plugin("odd", "", {}, manifest)

    outcome = shell.run("run", "./odd", "a")

    assert outcome.code == 78
    assert message in outcome.err
    assert "odd/config.yaml" in outcome.err
    assert "Traceback" not in outcome.err
    assert not (shell.folder / "hacked").exists()


def test_a_bomb_in_the_parameters_is_a_mistake_of_the_command_line(shell: "Shell", plugin: str) -> None:
    """It is refused in no time."""
    (shell.folder / "p.yaml").write_text(BOMB, encoding="utf-8")

    outcome = shell.run("run", plugin, "sized", "--params", "p.yaml")

    assert outcome.code == 2
    assert "Cannot read 'p.yaml'" in outcome.err


def test_a_folder_without_a_manifest_says_what_is_missing(shell: "Shell") -> None:
    """And how to get one."""
    (shell.folder / "empty").mkdir()

    outcome = shell.run("run", "./empty", "a")

    assert outcome.code == 78
    assert "has no config.yaml, so it is not a plugin" in outcome.err
    assert "synapse plugin new" in outcome.err


def test_code_that_does_not_import_says_where(shell: "Shell", write_plugin: Callable[..., None]) -> None:
    """File, line, and what to install."""
    write_plugin("broken", "import os\nimport no_such_package\n", {"a": "code:a"})

    outcome = shell.run("run", "broken", "a")

    assert outcome.code == 78
    assert "No module named 'no_such_package'" in outcome.err
    assert "code.py:2" in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("kind", ["missing", "empty", "file"])
def test_an_input_folder_that_cannot_be_used_fails_the_run(shell: "Shell", kind: str) -> None:
    """Before anything is written."""
    source = shell.folder / "in"
    if kind == "empty":
        source.mkdir()
    elif kind == "file":
        source.touch()

    outcome = shell.run(*JOB, *sets(input_dir="in", output_dir="out"))

    assert outcome.code == 1
    assert "Step 'discover_images' failed" in outcome.err
    assert not (shell.folder / "out").exists()


def test_an_input_folder_that_may_not_be_read_is_not_permitted(shell: "Shell") -> None:
    """77 says that it is a matter of permissions, not of the job."""
    source = shell.folder / "in"
    source.mkdir(mode=0o000)

    outcome = shell.run_program(
        *obeying_permissions(), *shell.command_line("synapse"), *JOB, *sets(input_dir="in", output_dir="out")
    )
    source.chmod(0o700)

    assert outcome.code == 77
    assert "Permission denied" in outcome.err
    assert not (shell.folder / "out").exists()


@pytest.mark.parametrize("mode", ["local", "process"])
def test_a_full_disk_undoes_the_run(shell: "Shell", mode: str) -> None:
    """74, and not one byte is left on the disk, which has room for about two photos."""
    with small_disk(shell.folder / "disk", "size=160k") as disk:
        outcome = shell.run(*JOB, "--mode", mode, *sets(input_dir=PHOTOS, output_dir=disk / "out"))
        left = list(disk.iterdir())

    assert outcome.code == 74
    assert "No space left on device" in outcome.err
    assert "Step 'resize_images' failed: Cannot write" in outcome.err
    assert left == []


@pytest.mark.parametrize(
    ("option", "why"),
    [("--no-journal", "File too large"), ("--progress=plain", "The journal")],
    ids=["files", "journal"],
)
def test_a_limit_on_file_sizes_undoes_the_run(shell: "Shell", option: str, why: str) -> None:
    """As a full disk does, whichever file it is that cannot grow."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    outcome = shell.run(
        *JOB,
        option,
        *sets(input_dir=PHOTOS, output_dir="out"),
        preexec_fn=limit,  # no thread of ours holds a lock that the child needs
    )

    assert outcome.code == 74
    assert why in outcome.err
    assert list(shell.folder.iterdir()) == []
