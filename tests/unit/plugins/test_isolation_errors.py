import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

from synapse_sdk.errors import PluginLoadError
from synapse_sdk.plugins.isolation import PREFIX, PluginModules, load_folder


def plugin(folder: Path, files: Mapping[str, str]) -> PluginModules:
    """Write a plugin's modules and load its folder."""
    for name, code in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("# the first line\n" + textwrap.dedent(code), encoding="utf-8")
    return load_folder(folder)


def refused(modules: PluginModules, name: str) -> PluginLoadError:
    """Import what cannot be imported, and return the error."""
    with pytest.raises(PluginLoadError) as caught:
        modules.import_module(name)
    assert PREFIX not in str(caught.value)
    assert caught.value.where["folder"] == str(modules.root)
    assert caught.value.fix
    return caught.value


def test_an_error_in_plugin_code_names_file_and_line(tmp_path: Path) -> None:
    """The cause is kept, with its traceback."""
    error = refused(plugin(tmp_path, {"p/main.py": "import p.helper", "p/helper.py": "\n1 / 0"}), "p.main")

    assert "p/helper.py, line 3: ZeroDivisionError: division by zero" in str(error)
    assert isinstance(error.__cause__, ZeroDivisionError)
    assert (error.where["file"], error.where["line"]) == (str(tmp_path / "p/helper.py"), 3)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("def broken(:", "main.py, line 2: SyntaxError"),
        (
            "import no_such_module_at_all",
            "main.py, line 2: ModuleNotFoundError: No module named 'no_such_module_at_all'",
        ),
        ("import helper.nothing", "main.py, line 2: ModuleNotFoundError: No module named 'helper.nothing'"),
        ("from helper import nothing", "main.py, line 2: ImportError: cannot import name 'nothing' from 'helper'"),
        ("raise SystemExit(3)", "main.py, line 2: SystemExit: 3"),
        ("raise ValueError", "main.py, line 2: ValueError"),
        ("import json\njson.loads('x')", "main.py, line 3: JSONDecodeError"),
        ("\0", "main.py, line 1: SyntaxError"),
    ],
)
def test_every_error_of_plugin_code_is_shown(tmp_path: Path, code: str, text: str) -> None:
    """N3: import errors are shown, not swallowed; private names stay private."""
    modules = plugin(tmp_path, {"main.py": code, "helper.py": ""})

    assert text in str(refused(modules, "main"))


def test_a_missing_package_is_to_be_installed(tmp_path: Path) -> None:
    """And a missing module of the plugin is not."""
    modules = plugin(tmp_path, {"main.py": "import torchvision_x", "p/train.py": ""})

    assert "Install the package that has the module 'torchvision_x'" in str(refused(modules, "main"))
    assert "Did you mean 'p.train'?" in str(refused(modules, "p.trian"))
    assert "Use one of: main, p.train" in str(refused(modules, "zzzzzz"))


def test_a_module_that_failed_can_be_corrected(tmp_path: Path) -> None:
    """Without starting anew."""
    refused(plugin(tmp_path, {"main.py": "1 / 0"}), "main")

    assert plugin(tmp_path, {"main.py": "N = 1"}).import_module("main").N == 1


def test_ctrl_c_during_an_import_is_no_error_of_the_plugin(tmp_path: Path) -> None:
    """It goes on as itself."""
    with pytest.raises(KeyboardInterrupt):
        plugin(tmp_path, {"main.py": "raise KeyboardInterrupt"}).import_module("main")
