"""Help: every page ends with examples that run, and whoever mistypes is helped."""

import json
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from synapse_sdk.backend import Category, NewGroundTruth, TaskFilter, open_backend
from synapse_sdk.cli.commands import SynapseCommand, SynapseGroup
from synapse_sdk.cli.main import main, root
from synapse_sdk.cli.scaffold import write_plugin
from synapse_sdk.journal import RunId, RunSource, default_journal, open_journal
from tests.unit.cli.training import write_trainer
from tests.unit.cli.working import DM, annotate_all, leave_model, make_birds, make_datasets, make_project
from tests.unit.inference.onnx_models import bright_box, names_of

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Synapse


def pages(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command with its words, groups included."""
    yield path, command
    if isinstance(command, SynapseGroup):
        for name in command.late:
            yield from pages(command.late[name].load(), (*path, name))


PAGES = list(pages(root))
EXAMPLES = {
    " ".join(("synapse", *path)): command.examples
    for path, command in PAGES
    if isinstance(command, SynapseCommand | SynapseGroup)
}
MAKES_GREETER = "synapse plugin new greeter"


@pytest.mark.parametrize(("path", "command"), PAGES, ids=[" ".join(path) or "synapse" for path, _ in PAGES])
def test_every_page_has_examples_and_fits_a_terminal(
    path: tuple[str, ...], command: click.Command, synapse: "Synapse"
) -> None:
    """A page says what the command does, in 80 columns, and ends with examples."""
    page = synapse(*path, "--help")

    assert page.code == 0
    assert page.err == ""
    assert re.search(r"\nExamples:\n  synapse [^\n]+\n", page.out)
    assert max(map(len, page.out.splitlines())) <= 80
    assert isinstance(command, SynapseCommand | SynapseGroup)


@pytest.mark.parametrize(("path", "command"), PAGES, ids=[" ".join(path) or "synapse" for path, _ in PAGES])
def test_help_is_the_same_wherever_a_command_is_called_from(path: tuple[str, ...], command: click.Command) -> None:
    """A command called alone, below none of its groups, answers to the short flag as well."""
    names = command.get_help_option_names(
        command.make_context(path[-1] if path else "synapse", [], resilient_parsing=True)
    )

    assert set(names) == {"-h", "--help"}


def record_run(home: Path) -> None:
    """Leave a run in the journal that nobody has begun with, and a copy of the journal as `damaged.db`."""
    source = RunSource(plugin=str(home / "greeter"), action="greet", directory=str(home))
    with open_journal(default_journal()) as journal:
        journal.create_run(RunId("7f3a00112233"), source)
    (home / "damaged.db").write_bytes(default_journal().read_bytes())


def leave_work(home: Path) -> None:
    """Leave an annotated task of a project `boxes`, the same annotations in a folder, and a configuration."""
    make_project("cat")
    annotate_all()
    (home / "labels").mkdir()
    (home / "labels" / "cat.json").write_text(json.dumps(DM), encoding="utf-8")
    (home / "classes.yaml").write_text("classes: [cat, dog]\n", encoding="utf-8")
    image = {"id": 1, "file_name": "cat.jpg", "width": 40, "height": 20}
    coco = {"images": [image], "annotations": [], "categories": [{"id": 1, "name": "cat"}]}
    (home / "birds-coco.json").write_text(json.dumps(coco), encoding="utf-8")
    (home / "yolo11n.onnx").write_bytes(bright_box(metadata=names_of("cat", "dog")))


def leave_versions() -> None:
    """Leave a dataset `birds` with two versions of the tasks of `boxes`."""
    with open_backend() as backend:
        tasks = backend.tasks.list(TaskFilter(project=backend.projects.get("boxes").id))
        dataset = backend.ground_truths.create_dataset("birds")
        for _ in range(2):
            items = [NewGroundTruth(category=Category.TRAIN, task_id=task.id) for task in tasks]
            backend.ground_truths.create_version(dataset.id, items)


def prepare(page: str, home: Path) -> None:
    """Leave what the examples of a page presume."""
    if MAKES_GREETER not in EXAMPLES[page]:
        write_plugin("greeter", home)
    if page == "synapse run":
        (home / "greetings.yaml").write_text("pipeline: greetings\nactions: [{action: 'greeter:greet'}]\n")
    if page.startswith(("synapse runs", "synapse journal")):
        record_run(home)
    if page.startswith(("synapse collections", "synapse upload")):
        (home / "photos" / "images").mkdir(parents=True)
        (home / "photos" / "images" / "cat.jpg").write_bytes(b"picture")
    if page.startswith(("synapse tasks", "synapse datasets", "synapse projects configure", "synapse export")):
        leave_work(home)
    if page == "synapse export":
        leave_versions()
    if page.startswith("synapse datasets") and page != "synapse datasets download":
        make_datasets(home)
    if page == "synapse datasets download":
        make_birds(home / "store", versions=2)


@pytest.mark.parametrize("page", EXAMPLES)
def test_every_example_of_a_page_runs(
    page: str, synapse: "Synapse", home: Path, request: pytest.FixtureRequest
) -> None:
    """What help shows can be copied, line after line; a page that makes the plugin `greeter` does so first."""
    prepare(page, home)
    if any("--on ray" in example for example in EXAMPLES[page]):
        request.getfixturevalue("on_ray")  # what `--address auto` finds
    if page == "synapse train":
        write_trainer(home)
    if page.startswith("synapse models"):
        leave_model("digits", "1", b"a network")
    for example in EXAMPLES[page]:
        evaluated = re.fullmatch(r'eval "\$\((?P<inner>.+)\)"', example)
        program, *args = shlex.split(evaluated["inner"] if evaluated else example)

        outcome = synapse(*args)

        assert program == "synapse"
        fails_on_purpose = "--inject-failure" in args
        assert outcome.code == (1 if fails_on_purpose else 0), outcome.err


@pytest.mark.parametrize("args", [["-h"], ["--help"], ["help"], []])
def test_there_are_several_ways_to_ask_for_help(args: list[str], synapse: "Synapse") -> None:
    """Nobody should have to know the right one."""
    assert synapse(*args).out == synapse("--help").out


def test_help_of_a_command_can_be_asked_for_with_help(synapse: "Synapse") -> None:
    """`synapse help run` is `synapse run --help`."""
    assert synapse("help", "run").out == synapse("run", "--help").out


def test_runs_are_a_group_and_run_is_a_command(synapse: "Synapse") -> None:
    """The one starts a run, the other is about those there are."""
    assert synapse("run", "--help").out != synapse("runs", "--help").out


@pytest.mark.parametrize(
    ("other", "name"),
    [
        ("plugins", "plugin"),
        ("collection", "collections"),
        ("project", "projects"),
        ("dataset", "datasets"),
        ("storage", "storages"),
        ("model", "models"),
    ],
)
def test_a_group_answers_to_singular_and_plural(other: str, name: str, synapse: "Synapse") -> None:
    """`synapse plugins list` is `synapse plugin list`."""
    assert synapse(other, "list") == synapse(name, "list")


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (["rnu"], "No such command 'rnu'. Did you mean 'run'?"),
        (["plugin", "valdate"], "No such command 'valdate'. Did you mean 'validate'?"),
        (["xyzzy"], "No such command 'xyzzy'. There are: upload, export, collections, projects, tasks,"),
        (["run", "p", "a", "--progess", "plain"], "Did you mean '--progress'?"),
        (["--debgu"], "Did you mean '--debug'?"),
        (["run", "p"], "Missing argument 'ACTION'"),
        (["run", "p", "a", "--progress", "fast"], "'fast' is not one of"),
        (["completion", "tcsh"], "'tcsh' is not one of"),
    ],
)
def test_whoever_mistypes_is_helped(args: list[str], hint: str, synapse: "Synapse") -> None:
    """A mistake on the command line costs one look, ends with 2, and prints nothing that could pass for data."""
    outcome = synapse(*args)

    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.startswith("error[SYN-E1901]: ")
    assert hint in outcome.err
    assert "Traceback" not in outcome.err


def test_global_options_may_stand_before_or_after_the_command(synapse: "Synapse") -> None:
    """Nobody should have to remember which option belongs to which command."""
    before = synapse("--color", "always", "config", "list", "--show-origin")
    after = synapse("config", "list", "--show-origin", "--color", "always")

    assert before == after
    assert "always  flag --color" in before.out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell: str, synapse: "Synapse") -> None:
    """The shell evaluates it."""
    outcome = synapse("completion", shell)

    assert outcome.code == 0
    assert f"_SYNAPSE_COMPLETE={shell}_complete" in outcome.out


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("run", "gr"), ["plain,greeter"]),
        (("run", "greeter", ""), ["plain,greet"]),
        (("plugin", "schema", "greeter", "x"), []),
        (("run", "no-such-plugin", ""), []),
        (("run", "./gr"), ["dir,./gr"]),
        (("run", "greeter", "greet", "--prog"), ["plain,--progress"]),
    ],
)
@pytest.mark.usefixtures("greeter")
def test_a_shell_is_offered_plugins_actions_and_options(
    words: tuple[str, ...], offered: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As they are when the tabulator is pressed; what cannot be read offers nothing."""
    monkeypatch.setenv("_SYNAPSE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", " ".join(("synapse", *words)))
    monkeypatch.setenv("COMP_CWORD", str(len(words)))

    assert main() == 0

    assert capsys.readouterr().out.split() == offered


@pytest.mark.usefixtures("greeter")
def test_whoever_forgets_the_action_learns_where_to_look(synapse: "Synapse") -> None:
    """The plugin was named already."""
    outcome = synapse("run", "greeter")

    assert outcome.code == 2
    assert "fix    See which there are: synapse plugin show greeter" in outcome.err


def test_explain_knows_every_code_and_finds_near_ones(synapse: "Synapse") -> None:
    """The text is the docstring of the error."""
    listed = synapse("explain", "--json").json["errors"]

    assert {"SYN-E1103", "SYN-E1201", "SYN-E1901", "SYN-E1107"} <= {each["code"] for each in listed}
    assert len({each["code"] for each in listed}) == len(listed)
    assert synapse("explain", "e1201").out.startswith("SYN-E1201  StepFailedError  (exit code 1)")
    assert "Did you mean 'SYN-E1201'?" in synapse("explain", "SYN-E12O1").err


def test_templates_are_part_of_the_package() -> None:
    """`plugin new` works from a wheel, too."""
    import synapse_sdk.cli  # noqa: PLC0415  # next to where its place is used

    folder = Path(os.fspath(synapse_sdk.cli.__path__[0])) / "templates" / "plugin"
    assert (folder / "config.yaml.tmpl").is_file()
