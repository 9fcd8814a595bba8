from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from synapse_sdk.errors import InvalidDocumentError, ManifestError, PluginLoadError, PluginNotFoundError
from synapse_sdk.plugins import RuntimeContext
from synapse_sdk.plugins.discovery import Origin, find_plugin, installed_plugins

type Install = Callable[..., Path]

MANIFEST = """
    name: Dia tools
    code: dia
    version: 1.2.3
    actions:
      train: {entrypoint: "actions:TrainAction"}
      count: {entrypoint: "dia_tools.actions:count_files"}
    """


def test_an_installed_package_with_a_manifest_is_not_imported_to_be_found(site: Install, actions_code: str) -> None:
    """N3: only an action that is asked for loads code."""
    files = {"dia_tools/__init__.py": "1 / 0", "dia_tools/config.yaml": MANIFEST, "dia_tools/actions.py": actions_code}
    folder = site("dia-tools", files, "dia = dia_tools")

    plugin = find_plugin("dia")

    assert (plugin.code, plugin.version, plugin.origin, plugin.reference) == ("dia", "1.2.3", Origin.ENTRY_POINT, "dia")
    assert plugin.root == folder / "dia_tools"
    with pytest.raises(PluginLoadError, match=r"dia_tools/__init__.py, line 1: ZeroDivisionError"):
        plugin.action_class("train")
    (folder / "dia_tools/__init__.py").write_text("")
    assert plugin.action_class("train").__module__ == "dia_tools.actions"
    assert plugin.action_class("count")({}, RuntimeContext()).execute() == 1


@pytest.mark.parametrize("value", ["dia_tools.actions", "dia_tools"])
def test_the_manifest_may_lie_beside_the_module(site: Install, actions_code: str, value: str) -> None:
    """The package around a module counts as its folder."""
    files = {"dia_tools/__init__.py": "", "dia_tools/config.yaml": MANIFEST, "dia_tools/actions.py": actions_code}
    site("dia-tools", files, f"dia = {value}")

    assert find_plugin("dia").action_class("train").__name__ == "TrainAction"
    assert find_plugin(value).origin is Origin.MODULE
    assert find_plugin(value).reference == value


def test_a_module_without_manifest_offers_the_actions_it_defines(site: Install, actions_code: str) -> None:
    """N4: not those it imports, and none that is private."""
    site("other", {"other.py": actions_code})
    code = "'''Dia tools.\n\nMore.'''\nfrom other import TrainAction as Imported\n__version__ = '7'\n" + actions_code
    site("dia-tools", {"dia_tools.py": code}, "dia = dia_tools")

    plugin = find_plugin("dia")

    assert set(plugin.actions) == {"train", "count"}
    assert (plugin.code, plugin.version, plugin.description) == ("dia", "2.5", "Dia tools.")
    assert plugin.actions["count"].description == "Counts files."
    assert plugin.action_class("train").__module__ == "dia_tools"
    assert find_plugin("dia_tools").version == "7"


def test_a_package_may_gather_actions_from_its_modules(site: Install, actions_code: str) -> None:
    """What lies below it was defined by it."""
    files = {"dia_tools/__init__.py": "from dia_tools.actions import TrainAction", "dia_tools/actions.py": actions_code}
    site("dia-tools", files)

    assert set(find_plugin("dia_tools").actions) == {"train"}


def test_an_entry_point_may_name_one_action(site: Install, actions_code: str) -> None:
    """Then it is the only one."""
    site("dia-tools", {"dia_tools.py": actions_code}, "dia = dia_tools:count_files\nbad = dia_tools:NoAction")

    assert set(find_plugin("dia").actions) == {"count"}
    with pytest.raises(PluginLoadError, match=r"'dia_tools:NoAction' is not an action"):
        find_plugin("bad")


def test_two_actions_of_one_name_are_refused(site: Install, actions_code: str) -> None:
    """Neither silently wins."""
    site("dia-tools", {"dia_tools.py": actions_code + "\n@action('train')\ndef teach(params, ctx): pass"})

    with pytest.raises(PluginLoadError, match=r"two actions 'train': TrainAction and teach"):
        find_plugin("dia_tools")


def test_a_module_without_actions_is_not_a_plugin(site: Install, actions_code: str) -> None:
    """A mistyped name may well be that of some module."""
    site("dia-tools", {"dia_tools.py": actions_code}, "decimals = dia_tools")

    with pytest.raises(PluginNotFoundError, match=r"'decimal' is not a plugin: .*Did you mean 'decimals'\?"):
        find_plugin("decimal")


def test_broken_code_is_shown(site: Install, actions_code: str) -> None:
    """N3: also when the package around a module is broken."""
    files = {
        "dia_tools/__init__.py": "import no_such_thing",
        "dia_tools/main.py": actions_code,
        "gone.py": "import gone.deep",
    }
    site("dia-tools", files, "dia = dia_tools.main\ngone = never_installed")

    for name in ("dia", "dia_tools", "dia_tools.main"):
        with pytest.raises(
            PluginLoadError, match=r"dia_tools/__init__.py, line 1: ModuleNotFoundError: .*'no_such_thing'"
        ):
            find_plugin(name)
    with pytest.raises(PluginLoadError, match="There is no module 'never_installed'"):
        find_plugin("gone")


@pytest.mark.parametrize("loaded", ["importlib.metadata", "importlib_metadata"])
def test_the_list_shows_broken_plugins_with_their_errors(site: Install, actions_code: str, loaded: str) -> None:
    """One of them never hides the others, whichever library finds packages: some have a newer one loaded."""
    import_module(loaded)
    files = {
        "good.py": actions_code,
        "broken.py": "raise SystemExit",
        "bad/__init__.py": "",
        "bad/config.yaml": "nmae: x",
        "worse/config.yaml": "!!python/none x",
        "worse/__init__.py": "",
    }
    site("dia-tools", files, "b = broken\na = good\nc = bad\nd = worse\ne = never_installed\nf = [x\ng = good:NoAction")

    listed = {each.name: each for each in installed_plugins() if each.package == "dia-tools"}

    assert list(listed) == ["a", "b", "c", "d", "e", "f", "g"]
    assert listed["a"].plugin is not None
    assert listed["a"].error is None
    errors = {name: type(each.error) for name, each in listed.items() if each.plugin is None}
    assert errors == {
        "b": PluginLoadError,
        "c": ManifestError,
        "d": InvalidDocumentError,
        "e": PluginLoadError,
        "f": PluginLoadError,
        "g": PluginLoadError,
    }


def test_a_variable_leaves_out_installed_plugins(
    site: Install, actions_code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rescue; modules can still be named."""
    site("dia-tools", {"dia_tools.py": actions_code}, "dia = dia_tools")
    monkeypatch.setenv("SYNAPSE_DISABLE_PLUGINS", "1")

    assert installed_plugins() == ()
    with pytest.raises(PluginNotFoundError):
        find_plugin("dia")
    assert find_plugin("dia_tools").code == "dia_tools"


def test_a_name_that_two_packages_offer_is_refused(site: Install, actions_code: str) -> None:
    """The error names both, and how to tell them apart."""
    site("first", {"first.py": actions_code}, "dia = first")
    site("second", {"second.py": actions_code}, "dia = second")

    with pytest.raises(PluginLoadError, match=r"'dia': first and second\. .*name the module: first or second"):
        find_plugin("dia")


def test_a_folder_wins_over_an_installed_plugin(
    site: Install, actions_code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies here is what is worked on; a folder that is no plugin does not get in the way."""
    site("dia-tools", {"dia_tools.py": actions_code}, "dia = dia_tools")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dia").mkdir()

    assert find_plugin("dia").origin is Origin.ENTRY_POINT
    (tmp_path / "dia/config.yaml").write_text("name: a\ncode: a")
    assert find_plugin("dia").origin is Origin.FOLDER
