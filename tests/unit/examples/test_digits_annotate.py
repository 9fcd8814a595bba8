"""The example that annotates: a registered network reads digits that it has never seen, as the README says it."""

import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from digits.images import read_images
from digits.network import load
from reading.compare import read, truth

from synapse_sdk.backend import TaskFilter, open_backend
from synapse_sdk.errors import StepFailedError
from synapse_sdk.plugins import run_plugin
from synapse_sdk.plugins.actions.model_files import fetch_model
from tests.e2e.conftest import Shell

EXAMPLES = Path(__file__).parents[3] / "examples"
COMMANDS = re.compile(r"^\$ (.*)$", re.MULTILINE)
HELD_OUT = 360


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder in which all commands of the README were run, and what they have printed."""
    folder = tmp_path_factory.mktemp("home") / "project"
    (folder / ".synapse").mkdir(parents=True)
    (folder / "examples").symlink_to(EXAMPLES)
    shell = Shell(folder)
    printed = []
    for command in COMMANDS.findall((EXAMPLES / "digits_annotate" / "README.md").read_text()):
        program, *arguments = shlex.split(command)
        if program == "python":
            outcome = shell.run_program(sys.executable, *arguments)
        else:
            outcome = shell.run(*arguments, env={"SYNAPSE_PROGRESS": "none"})
        assert outcome.code == 0, outcome.err
        printed.append(outcome.out)
    return folder, printed


@pytest.fixture
def project(outputs: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, as the current one."""
    monkeypatch.chdir(outputs[0])
    monkeypatch.delenv("SYNAPSE_BACKEND", raising=False)
    return outputs[0]


def annotated() -> dict[str, tuple[str | None, str | None]]:
    """Return what each unit shows, and what was read, by unit key."""
    with open_backend() as backend:
        tasks = [task for page in (0, 200) for task in backend.tasks.list(TaskFilter(), after=page, limit=200)]
        units = {unit.id: unit for unit in backend.data_units.many(task.unit_id for task in tasks)}
    return {units[task.unit_id].key: (truth(units[task.unit_id]), read(task)) for task in tasks}


@pytest.mark.usefixtures("project")
def test_of_held_out_digits_more_than_95_percent_are_read(outputs: tuple[Path, list[str]]) -> None:
    """The tasks have it, and the result says it."""
    found = annotated()

    right = sum(true == read for true, read in found.values())
    assert len(found) == HELD_OUT
    assert right / HELD_OUT > 0.95
    assert f"accuracy   {right / HELD_OUT:.1%} of {HELD_OUT}" in outputs[1][-1]


def test_the_registered_onnx_file_reads_what_the_network_reads(project: Path) -> None:
    """Image by image, the same as the arrays from which a training goes on."""
    with open_backend() as backend:
        path = fetch_model(backend, backend.models.find("digits", "1"), project / "digits.npz")
        assert backend.models.find("digits-onnx", "1").configuration["metrics"]
    network, classes, side = load(path)
    images = read_images(project / "digits" / "test", side=side, classes=classes)
    files = sorted((project / "digits" / "test").glob("*/*.png"))

    expected = {
        f"{file.parent.name}-{file.stem}": classes[number]
        for file, number in zip(files, network.probabilities(images.pixels).argmax(1), strict=True)
    }

    assert {key: found for key, (_, found) in annotated().items()} == expected


def test_a_model_that_reads_too_badly_changes_nothing(project: Path) -> None:
    """Every task has what it had."""
    before = annotated()
    params: dict[str, Any] = {"project": "reading", "model": "digits-onnx@1"}

    with pytest.raises(StepFailedError, match=r"% of 360 digits are read correctly, and 100\.0% are wanted"):
        run_plugin(str(EXAMPLES / "digits_annotate"), "annotate", {**params, "least_accuracy": 1.0}, journal=False)

    assert annotated() == before
    reports = [json.loads(path.read_text()) for path in (project / ".synapse").glob("runs/*/report.json")]
    assert "rolled_back" in [report.get("status") for report in reports]
