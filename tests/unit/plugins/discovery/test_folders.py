import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from synapse_sdk.errors import ActionNotFoundError, ManifestError, PluginLoadError, PluginNotFoundError
from synapse_sdk.plugins import BaseAction, RuntimeContext
from synapse_sdk.plugins.discovery import Origin, find_plugin

type Writer = Callable[[str, Mapping[str, str]], Path]

MANIFEST = """
    name: Photo tools
    code: photos
    version: "1.5"
    description: For photos.
    env: {TOKEN: hunter2}
    actions:
      train: {entrypoint: "plugin.actions:TrainAction", description: Trains}
      count: {entrypoint: plugin.actions.count_files}
      missing: {entrypoint: "plugin.actions:TrainAktion"}
      nowhere: {entrypoint: "plugin.nowhere:X"}
      plain: {entrypoint: "plugin.actions:no_action"}
      other: {entrypoint: "plugin.actions:NoAction"}
      number: {entrypoint: "plugin.actions:NUMBER"}
      base: {entrypoint: "plugin.actions:OrderedDict"}
      broken: {entrypoint: "plugin.broken:X"}
      word: {entrypoint: plugin}
      installed: {entrypoint: "json:loads"}
    """


@pytest.fixture
def folder(write: Writer, actions_code: str) -> Path:
    """The folder of a plugin with good actions and bad ones."""
    files = {
        "config.yaml": MANIFEST,
        "plugin/__init__.py": "",
        "plugin/actions.py": actions_code,
        "plugin/broken.py": "\n1 / 0",
    }
    return write("photos", files)


@pytest.mark.parametrize("form", ["path", "text", "manifest", "relative", "dotted", "bare", "trailing", "home"])
def test_a_plugin_is_found_by_its_folder(folder: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """N2: in every way to write it, from any working directory."""
    monkeypatch.chdir(folder if form == "dotted" else folder.parent)
    monkeypatch.setenv("HOME", str(folder.parent))
    forms: dict[str, str | Path] = {
        "path": folder,
        "text": str(folder),
        "manifest": folder / "config.yaml",
        "relative": "./photos/config.yaml",
        "dotted": ".",
        "bare": "photos",
        "trailing": "photos/",
        "home": "~/photos",
    }

    plugin = find_plugin(forms[form])

    assert (plugin.code, plugin.name, plugin.version, plugin.description) == (
        "photos",
        "Photo tools",
        "1.5",
        "For photos.",
    )
    assert (plugin.origin, plugin.root, plugin.reference) == (Origin.FOLDER, folder, str(folder))
    assert plugin.actions["train"].description == "Trains"
    assert find_plugin(plugin.reference) == plugin


def test_actions_are_loaded_on_demand(folder: Path) -> None:
    """N3: a broken module harms no other action, and listing imports none."""
    plugin = find_plugin(folder)

    assert len(plugin.actions) == 11
    assert plugin.action_class("train").__name__ == "TrainAction"
    assert plugin.action_class("count")({}, RuntimeContext()).execute() == 1
    assert issubclass(plugin.action_class("count"), BaseAction)


def test_loading_does_not_change_the_class(folder: Path) -> None:
    """N4: it is called in the manifest as it likes."""
    cls = find_plugin(folder).action_class("train")

    assert cls is find_plugin(folder).action_class("train")
    assert cls.action_name == "train"
    assert find_plugin(folder).action_class("count").action_name == "count"


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (
            "missing",
            ["'plugin.actions:TrainAktion'", "has no 'TrainAktion'", "Did you mean 'TrainAction'?", "count_files"],
        ),
        ("nowhere", ["has no module 'plugin.nowhere'", "plugin.actions"]),
        ("plain", ["a function without @action()", "Use one of: TrainAction, count_files"]),
        ("other", ["a class that does not derive from BaseAction"]),
        ("number", ["a int"]),
        ("base", ["a class that does not derive"]),
        ("broken", ["plugin/broken.py, line 2: ZeroDivisionError: division by zero"]),
        ("word", ["does not name an attribute", "package.module:Attribute"]),
        ("installed", ["'json:loads' is not an action", "The module has no actions"]),
    ],
)
def test_an_entrypoint_that_is_no_action_is_explained(folder: Path, action: str, words: list[str]) -> None:
    """With what is there instead."""
    with pytest.raises(PluginLoadError) as caught:
        find_plugin(folder).action_class(action)

    for word in words:
        assert word in str(caught.value)


def test_an_unknown_action_is_answered_with_those_there_are(folder: Path) -> None:
    """And with a near one."""
    with pytest.raises(ActionNotFoundError) as caught:
        find_plugin(folder).action_class("trian")

    assert "Plugin 'photos' has no action 'trian'. Did you mean 'train'? Use one of: train, count" in str(caught.value)


def test_a_plugin_without_actions_is_found(write: Writer) -> None:
    """It has just been begun."""
    plugin = find_plugin(write("empty", {"config.yaml": "name: A\ncode: a"}))

    with pytest.raises(ActionNotFoundError, match="There are none"):
        plugin.action_class("train")


def test_two_plugins_with_equal_module_names_run_their_own_code(write: Writer) -> None:
    """N2: in one process."""
    code = """
        from synapse_sdk.plugins.action import action
        @action()
        def who(params, ctx) -> str:
            from plugin.names import ME
            return ME
        """
    answers = []
    for me in ("one", "two"):
        manifest = f"name: {me}\ncode: {me}\nactions:\n  who: {{entrypoint: plugin.main:who}}"
        files = {"config.yaml": manifest, "plugin/main.py": code, "plugin/names.py": f"ME = {me!r}"}
        answers.append(find_plugin(write(me, files)).action_class("who"))

    assert [cls({}, RuntimeContext()).execute() for cls in answers] == ["one", "two"]


def test_a_folder_without_manifest_is_not_a_plugin(write: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it is written as a path or as a word."""
    folder = write("nothing", {"readme.txt": ""})
    monkeypatch.chdir(folder.parent)

    for reference in (folder, "./nothing", "nothing"):
        with pytest.raises(ManifestError, match=r"has no config\.yaml"):
            find_plugin(reference)


def test_a_missing_folder_is_answered_with_a_near_one(folder: Path) -> None:
    """A path is never taken for anything else."""
    with pytest.raises(PluginNotFoundError) as caught:
        find_plugin(folder.with_name("fotos"))
    assert f"There is no plugin folder '{folder.with_name('fotos')}'. Did you mean '{folder}'?" in str(caught.value)

    with pytest.raises(PluginNotFoundError, match=r"that has a config\.yaml"):
        find_plugin("/no/such/folder")


@pytest.mark.parametrize(
    "text", ["", " ", "a" * 5000, "nul\0", "~nobody_like_this", "--x", "a b", "1x", "...", "고양이"]
)
def test_nonsense_is_not_found(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an error of ours, whatever was typed."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises((PluginNotFoundError, ManifestError)) as caught:
        find_plugin(text)

    assert caught.value.fix


def test_what_was_tried_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folder, installed plugin and module, and what is near."""
    monkeypatch.chdir(folder.parent)
    with pytest.raises(PluginNotFoundError) as caught:
        find_plugin("fotos")

    for words in (
        f"no folder '{folder.parent / 'fotos'}'",
        "no installed plugin",
        "no module 'fotos'",
        "mean 'photos'?",
    ):
        assert words in str(caught.value)

    monkeypatch.setenv("SYNAPSE_DISABLE_PLUGINS", "1")
    with pytest.raises(PluginNotFoundError, match="SYNAPSE_DISABLE_PLUGINS is set"):
        find_plugin("fotos")


def test_settings_of_the_manifest_are_kept_and_not_shown(folder: Path) -> None:
    """N9: they may be secrets."""
    plugin = find_plugin(folder)

    assert plugin.env["TOKEN"] == "hunter2"  # noqa: S105  # the canary
    assert "hunter2" not in repr(plugin)


def test_importing_the_finder_loads_no_heavy_module() -> None:
    """YAML and pydantic are for plugins, not for help texts."""
    code = (
        "import sys, synapse_sdk.plugins.discovery, synapse_sdk.plugins.runner\n"
        "print({'yaml', 'pydantic', 'importlib.metadata'} & sys.modules.keys())"
    )

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed.strip() == "set()"
