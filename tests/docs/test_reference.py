"""The reference is complete: every public name, error code, exit code and command is in it.

The help texts of `cli.md`, the table of `errors.md` and the params in `actions.md` are made from the code. Run this
file as a script, from the root of the repository, to make them anew.
"""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from synapse_sdk.cli.errors import EXIT_CODES, ExitCode
from synapse_sdk.cli.explain import error_classes
from synapse_sdk.cli.main import root
from synapse_sdk.errors import SynapseError
from synapse_sdk.plugins.actions.add_task_data import AddTaskDataParams
from synapse_sdk.plugins.actions.dataset import DatasetParams
from synapse_sdk.plugins.actions.export import ExportParams
from synapse_sdk.plugins.actions.train import TrainParams
from synapse_sdk.plugins.actions.upload import UploadParams
from synapse_sdk.plugins.manifest import ActionEntry, Manifest, Requirements

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = DOCS / "reference"
PUBLIC = (
    "synapse_sdk.backend",
    "synapse_sdk.clock",
    "synapse_sdk.documents",
    "synapse_sdk.documents.archives",
    "synapse_sdk.documents.sheets",
    "synapse_sdk.downloads",
    "synapse_sdk.errors",
    "synapse_sdk.executors",
    "synapse_sdk.journal",
    "synapse_sdk.plugins",
    "synapse_sdk.plugins.action",
    "synapse_sdk.plugins.actions.add_task_data",
    "synapse_sdk.plugins.actions.add_task_data.steps",
    "synapse_sdk.plugins.actions.dataset",
    "synapse_sdk.plugins.actions.dataset.steps",
    "synapse_sdk.plugins.actions.export",
    "synapse_sdk.plugins.actions.export.steps",
    "synapse_sdk.plugins.actions.train",
    "synapse_sdk.plugins.actions.train.steps",
    "synapse_sdk.plugins.actions.upload",
    "synapse_sdk.plugins.actions.upload.steps",
    "synapse_sdk.plugins.discovery",
    "synapse_sdk.plugins.environment",
    "synapse_sdk.plugins.manifest",
    "synapse_sdk.plugins.steps",
    "synapse_sdk.plugins.steps.utils",
    "synapse_sdk.reporting",
    "synapse_sdk.reporting.events",
    "synapse_sdk.retry",
    "synapse_sdk.storage",
    "synapse_sdk.testing",
    "synapse_sdk.types",
)
"""Where users import from."""
PARAMS: dict[str, type[BaseModel]] = {
    "Params": UploadParams,
    "Params of an export": ExportParams,
    "Params of the dataset action": DatasetParams,
    "Params for annotating tasks": AddTaskDataParams,
    "Params of a training": TrainParams,
}
"""Models by the heading above their table."""


def page(name: str) -> str:
    """Return the text of a page of the reference."""
    return (REFERENCE / name).read_text(encoding="utf-8")


def documented_things() -> Iterator[object]:
    """Yield everything that a page of the reference describes from its docstring."""
    for path in REFERENCE.glob("*.md"):
        for name in re.findall(r"^::: ([\w.]+)$", path.read_text(encoding="utf-8"), re.MULTILINE):
            module, _, attribute = name.rpartition(".")
            thing = getattr(import_module(module), attribute, None)
            if thing is None or hasattr(thing, "__path__") or type(thing).__name__ == "module":
                whole = import_module(name)
                yield from (getattr(whole, each) for each in whole.__all__)
            else:
                yield thing


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_is_in_the_reference(module: str) -> None:
    """What can be imported can be looked up."""
    documented = {id(thing) for thing in documented_things()}
    package = import_module(module)

    missing = [name for name in package.__all__ if id(getattr(package, name)) not in documented]

    assert missing == []


def error_row(error: type[SynapseError]) -> str:
    """Return the line of the table for an error."""
    exit_code = next((code for kinds, code in EXIT_CODES if issubclass(error, kinds)), ExitCode.RUN_FAILED)
    says = (error.__doc__ or "").strip().partition("\n")[0].replace("|", "\\|")
    transient = "yes" if error.transient else "no"
    return f"| `{error.code}` | `{error.__name__}` | {int(exit_code)} | {transient} | {says} |\n"


def with_errors(text: str) -> str:
    """Return the page of errors with the table as it should be."""
    rows = "".join(error_row(error) for error in error_classes())
    return re.sub(r"(^\| `SYN-.*\n)+", lambda _: rows, text, count=1, flags=re.MULTILINE)


def test_the_table_of_errors_is_that_of_the_code() -> None:
    """Every code with its class, exit code and meaning, in order."""
    text = page("errors.md")

    assert text == with_errors(text)


def test_error_codes_are_given_once() -> None:
    """A code means one error, and every error has one of its own."""
    waiting, codes = [SynapseError], dict[str, str]()
    while waiting:
        error = waiting.pop()
        waiting += error.__subclasses__()
        if error.__module__.startswith("synapse_sdk."):
            assert codes.setdefault(error.code, error.__qualname__) == error.__qualname__


def test_every_exit_code_is_in_the_reference() -> None:
    """A script can look up what it gets."""
    codes = [int(code) for code in re.findall(r"^\| (\d+) \|", page("cli.md"), re.MULTILINE)]

    assert codes == [int(code) for code in ExitCode]


def help_texts(command: click.Command, name: str, parent: click.Context | None = None) -> Iterator[tuple[str, str]]:
    """Yield the full name of a command and of all below it, with what `--help` prints on 80 columns."""
    ctx = click.Context(command, info_name=name, parent=parent, terminal_width=78, **command.context_settings)
    yield ctx.command_path, command.get_help(ctx).rstrip()
    if isinstance(command, click.Group):
        for below in command.list_commands(ctx):
            found = command.get_command(ctx, below)
            assert found is not None
            yield from help_texts(found, below, ctx)


def with_help_texts(text: str) -> str:
    """Return the page of commands with the help texts as they should be."""
    for path, help_text in help_texts(root, "synapse"):
        block = re.compile(rf"^```text\n\$ {path} --help\n.*?^```$", re.MULTILINE | re.DOTALL)
        assert block.search(text), f"cli.md has no block that begins with: $ {path} --help"
        shown = f"```text\n$ {path} --help\n{help_text}\n```"
        text = block.sub(lambda _, shown=shown: shown, text)  # type: ignore[misc]
    return text


def test_the_help_of_every_command_is_in_the_reference() -> None:
    """Whoever has no terminal at hand reads the same as somebody who has."""
    text = page("cli.md")

    assert text == with_help_texts(text)


def param_row(name: str, field: FieldInfo) -> str:
    """Return the line of the table for a parameter of an action."""
    default = field.get_default(call_default_factory=True)
    shown = "needed" if field.is_required() else "" if default in (None, (), "", {}) else f"`{default}`"
    return f"| `{name}` | {shown} | {field.description} |\n"


def with_params(text: str) -> str:
    """Return the page of actions with the tables of params as they should be."""
    for heading, model in PARAMS.items():
        rows = "".join(param_row(name, field) for name, field in model.model_fields.items())
        head = f"### {heading}\n\n| Name | Default | Meaning |\n|---|---|---|\n"
        assert head in text, f"actions.md has no table of params below {heading!r}"
        text = re.sub(rf"(?<={re.escape(head)})(^\| `.*\n)+", lambda _, rows=rows: rows, text, flags=re.MULTILINE)  # type: ignore[misc]
    return text


def test_the_tables_of_params_are_those_of_the_models() -> None:
    """Every parameter with its default and meaning, in order."""
    text = page("actions.md")

    assert text == with_params(text)


@pytest.mark.parametrize("model", [Manifest, ActionEntry, Requirements])
def test_every_key_of_the_manifest_is_in_the_guide(model: type[Manifest | ActionEntry | Requirements]) -> None:
    """An author finds out what to write into `config.yaml`."""
    guide = (DOCS / "PLUGIN_STRUCTURE_GUIDE.md").read_text(encoding="utf-8")

    assert [name for name in model.model_fields if f"`{name}`" not in guide] == []


if __name__ == "__main__":
    for name, update in (("cli.md", with_help_texts), ("errors.md", with_errors), ("actions.md", with_params)):
        (REFERENCE / name).write_text(update(page(name)), encoding="utf-8")
