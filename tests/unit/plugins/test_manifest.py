import subprocess
import sys
from pathlib import Path

import pytest

from synapse_sdk.errors import InvalidDocumentError, ManifestError
from synapse_sdk.plugins.manifest import read_manifest

WHOLE = """
name: Image report
code: image_report
version: 1.2.3
category: neural_net
variant: fast
description: Reports
readme: README.md
package_manager: uv
package_manager_options: [--no-deps]
wheels_dir: wheels
dependencies: [pillow]
requires: {sdk: ">=1", python: ">=3.12", cuda: "12"}
env: {WORKERS: 4, RATE: 0.5, NAME: x, FAST: true}
runtime_env: {pip: [a, b], nested: {deep: 1}}
data_type: image
tasks: [image.classification]
supported_data_type: [image]
supported_annotation_tools: [bounding_box]
annotation_category: object
annotation_type: box
smart_tool: interactive
tags: [demo]
actions:
  train:
    name: Train a model
    description: It trains
    entrypoint: plugin.train:TrainAction
    method: job
    params_schema: {type: object}
    input_type: yolo_dataset
    output_type: model_weights
    serve_options: {num_gpus: 0.5}
  inference: {entrypoint: plugin.inference.Action}
  auto_label: {entrypoint: "plugin.auto:label"}
  export: {entrypoint: "plugin.export:export"}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a plugin to be."""
    return tmp_path / "plugin"


def written(folder: Path, text: str) -> Path:
    """Write the manifest and return the folder."""
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    return folder


def refused(folder: Path) -> ManifestError:
    """Read what must be refused, and return the refusal."""
    with pytest.raises(ManifestError) as caught:
        read_manifest(folder)
    assert str(folder) in str(caught.value)
    assert caught.value.fix
    return caught.value


def test_every_known_key_is_read(folder: Path) -> None:
    """From the folder as from the file."""
    manifest = read_manifest(written(folder, WHOLE))

    assert manifest == read_manifest(folder / "config.yaml")
    assert (manifest.code, manifest.version, manifest.env["WORKERS"]) == ("image_report", "1.2.3", 4)
    assert manifest.requires is not None
    assert manifest.requires.python == ">=3.12"
    assert manifest.actions["train"].entrypoint == "plugin.train:TrainAction"
    assert [manifest.method_of(action) for action in manifest.actions] == ["job", "serve", "task", "job"]


def test_little_is_needed(folder: Path) -> None:
    """The rest has defaults."""
    manifest = read_manifest(written(folder, "name: A\ncode: a"))

    assert (manifest.version, manifest.category, manifest.actions) == ("0.1.0", "custom", {})


def test_the_example_is_valid() -> None:
    """Everybody starts from it."""
    assert read_manifest(Path(__file__).parents[3] / "examples/image_report").code == "image_report"


def test_a_folder_without_manifest_says_how_to_make_one(folder: Path) -> None:
    """And a missing folder is called missing."""
    assert "is not there" in str(refused(folder))
    folder.mkdir()
    assert "synapse plugin new" in str(refused(folder))
    (folder / "config.yml").touch()
    assert "Rename its config.yml" in str(refused(folder))


def test_a_name_that_no_folder_can_have_is_refused(folder: Path) -> None:
    """With an error of ours, like a folder that nobody may look into."""
    folder.mkdir()
    assert "Cannot look into" in str(refused(folder / ("a" * 300)))


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null"])
def test_an_empty_manifest_is_called_empty(folder: Path, text: str) -> None:
    """N3: not taken for a plugin without actions."""
    assert "is empty" in str(refused(written(folder, text)))


@pytest.mark.parametrize("text", ["text", "- a\n- b", "3", "true"])
def test_a_manifest_must_be_a_mapping(folder: Path, text: str) -> None:
    """The error says what was found."""
    assert "must be a mapping, found" in str(refused(written(folder, text)))


def test_all_problems_are_listed_at_once_with_full_keys_and_near_names(folder: Path) -> None:
    """N3: one look is enough to correct the file."""
    text = """
nmae: x
code: a b
version: 1.10
category: neural_net
tags: a
tasks: [1]
package_manager: PIP
requires: {pyhton: "3"}
actions:
  train: {entrypont: "a:b", method: jobb}
  x y: {entrypoint: a}
  short: a.b:C
"""
    message = str(refused(written(folder, text)))

    for line in (
        "name: missing",
        "nmae: unknown key; did you mean 'name'?",
        "code: may consist of letters, digits, '_', '-' and '.' only, found 'a b'",
        "version: must be text, found 1.1; put it in quotes",
        "data_type: missing",
        "tags: must be a list, found 'a'",
        "tasks.0: must be text, found 1",
        "package_manager: must be 'pip' or 'uv', found 'PIP'",
        "requires.pyhton: unknown key; did you mean 'python'?",
        "actions.train.entrypoint: missing",
        "actions.train.entrypont: unknown key; did you mean 'entrypoint'?",
        "actions.train.method: must be 'job', 'task', 'serve' or 'restapi', found 'jobb'",
        "actions.x y: may consist",
        "actions.short: must be a mapping, found 'a.b:C'",
    ):
        assert line in message
    assert "14 problems" in message


def test_a_neural_net_must_say_its_data_type(folder: Path) -> None:
    """Also when nothing else is wrong."""
    assert "data_type: missing" in str(refused(written(folder, "name: A\ncode: a\ncategory: neural_net")))


@pytest.mark.parametrize("text", ["env: {TOKEN: [hunter2]}", "env: hunter2", "runtime_env: hunter2"])
def test_values_of_the_environment_stay_out_of_errors(folder: Path, text: str) -> None:
    """N9: they may be secrets."""
    message = str(refused(written(folder, "name: A\ncode: a\n" + text)))

    assert "env" in message
    assert "hunter2" not in message


@pytest.mark.parametrize("text", ["a: !!python/object/apply:os.system [ls]", "a: [1", "a: 1\na: 2"])
def test_a_broken_document_is_refused_as_such(folder: Path, text: str) -> None:
    """With line and column."""
    with pytest.raises(InvalidDocumentError, match="line "):
        read_manifest(written(folder, text))


def test_yaml_and_pydantic_are_loaded_for_manifests_only() -> None:
    """Commands that read none do not pay for them."""
    code = (
        "import sys, synapse_sdk.plugins.steps, synapse_sdk.plugins; print({'yaml', 'pydantic'} & sys.modules.keys())"
    )

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed.strip() == "set()"
