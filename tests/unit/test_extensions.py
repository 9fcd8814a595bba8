import json
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.extensions import ExtensionPoint, installed_entry_points, near_name, one_of


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a package is installed that offers two extensions, one of them broken."""
    folder = tmp_path / "third_party-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: third-party\nVersion: 1.0\n")
    lines = ["[test.readers]", "hexadecimal = builtins:hex", "broken = no_such_module:x", "json = builtins:hex"]
    (folder / "entry_points.txt").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.fixture
def readers() -> ExtensionPoint[object]:
    """Two readers that are built in, one of which cannot be loaded."""
    return ExtensionPoint("reader", "test.readers", {"json": "json:loads", "lazy": "no_such_module:x"})


def test_names_are_loaded_on_use(readers: ExtensionPoint[object]) -> None:
    """One that cannot be loaded harms nobody who does not use it."""
    assert readers.load("json") is json.loads


@pytest.mark.usefixtures("site")
def test_installed_packages_add_names(readers: ExtensionPoint[object]) -> None:
    """And cannot replace what is built in."""
    assert readers.names() == ("json", "lazy", "broken", "hexadecimal")
    assert readers.load("hexadecimal") is hex
    assert readers.load("json") is json.loads


@pytest.mark.usefixtures("site")
def test_whether_a_name_is_known_can_be_asked(readers: ExtensionPoint[object]) -> None:
    """Also of one that cannot be loaded: that is said when it is used."""
    assert [name in readers for name in ("json", "hexadecimal", "broken", "yaml")] == [True, True, True, False]


def test_what_is_built_in_is_known_without_looking_further(
    readers: ExtensionPoint[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Installed packages are looked through for other names only: there may be hundreds."""
    looked: list[str] = []

    def look(group: str) -> tuple[EntryPoint, ...]:
        looked.append(group)
        return ()

    monkeypatch.setattr("synapse_sdk.extensions.installed_entry_points", look)

    assert "json" in readers
    assert looked == []
    assert "yaml" not in readers
    assert looked == ["test.readers"]


@pytest.mark.usefixtures("site")
def test_a_broken_extension_names_its_package(readers: ExtensionPoint[object]) -> None:
    """So that it can be repaired or uninstalled."""
    with pytest.raises(ConfigurationError, match=r"'broken'.*no_such_module.*'third-party'"):
        readers.load("broken")


def test_an_unknown_name_is_answered_with_a_near_one(readers: ExtensionPoint[object]) -> None:
    """And with all there are."""
    with pytest.raises(ConfigurationError) as caught:
        readers.load("JSN")

    assert str(caught.value) == "There is no reader 'JSN'. Did you mean 'json'? Use one of: json, lazy"


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(("value", "count"), [("1", 0), ("yes", 0), ("0", 3), ("", 3)])
def test_a_variable_leaves_out_what_is_installed(monkeypatch: pytest.MonkeyPatch, value: str, count: int) -> None:
    """The rescue when an installed package breaks everything."""
    monkeypatch.setenv("SYNAPSE_DISABLE_PLUGINS", value)

    assert len(installed_entry_points("test.readers")) == count


def test_a_name_that_is_near_to_nothing_has_no_suggestion() -> None:
    """A far guess would mislead."""
    assert near_name("zzz", ["json"]) is None
    assert one_of("zzz", ["json"]) == "Use one of: json"


def test_importing_costs_nothing() -> None:
    """Entry points are read on use."""
    code = "import sys, synapse_sdk.extensions; print('importlib.metadata' in sys.modules, 'difflib' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.split() == ["False", "False"]
