import os
import pickle
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.errors import PluginLoadError
from synapse_sdk.plugins.isolation import PREFIX, PluginModules, load_folder


@pytest.fixture(autouse=True)
def surroundings_stay_as_they_are() -> Iterator[None]:
    """N2: `sys.path` is as before, and `sys.modules` gains private names only."""
    path, modules = list(sys.path), set(sys.modules)
    yield
    assert sys.path == path
    gained = {name for name in set(sys.modules) - modules if not name.startswith(PREFIX)}
    assert not {name for name in gained if getattr(sys.modules[name], "MADE_BY_TEST", False)}


def plugin(folder: Path, files: Mapping[str, str]) -> PluginModules:
    """Write a plugin's modules and load its folder."""
    for name, code in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("MADE_BY_TEST = True\n" + textwrap.dedent(code), encoding="utf-8")
    return load_folder(folder)


PACKAGE = {
    "plugin/__init__.py": "",
    "plugin/action.py": """
        import dataclasses
        import json
        import plugin.helpers as helpers
        from plugin.deep.inner import where
        from plugin import names
        from . import names as same
        from .deep.inner import *
        import top

        @dataclasses.dataclass
        class Thing:
            me: "str"

        def late():
            import plugin.late
            from plugin.deep import inner
            from .later import ME
            return plugin.late.ME, inner.ME, ME, plugin.names.ME

        def dynamic():
            import importlib
            from importlib import import_module
            import importlib.util
            return (
                importlib.import_module("plugin.late").ME,
                import_module(".later", "plugin").ME,
                import_module(".later", __package__).ME,
                import_module("json") is json,
                importlib.util.find_spec("json") is not None,
                __import__("plugin.late").late.ME,
                eval("__import__('top').ME"),
            )
        """,
    "plugin/helpers.py": "from plugin.names import ME",
    "plugin/deep/inner.py": """
        from ..names import ME
        def where():
            return __file__
        """,
}


def package(folder: Path, me: str) -> PluginModules:
    """Write a plugin whose modules all know who they are."""
    knowing = ["plugin/names.py", "plugin/late.py", "plugin/later.py", "top.py"]
    return plugin(folder, {**PACKAGE, **dict.fromkeys(knowing, f"ME = {me!r}")})


def test_two_plugins_with_equal_module_names_do_not_see_each_other(tmp_path: Path) -> None:
    """N2: absolute, relative, late, dynamic and starred imports, of packages, folders and single files."""
    first, second = package(tmp_path / "one", "first"), package(tmp_path / "two", "second")

    actions: dict[str, Any] = {
        "first": first.import_module("plugin.action"),
        "second": second.import_module("plugin.action"),
    }

    for me, action in actions.items():
        assert {action.helpers.ME, action.names.ME, action.same.ME, action.ME, action.top.ME} == {me}
        assert set(action.late()) == {me}
        assert action.dynamic() == (me, me, me, True, True, me, me)
        assert action.names is action.same
    assert actions["first"].where() != actions["second"].where()
    assert "plugin" not in sys.modules


def test_classes_of_equal_names_stay_apart_when_pickled(tmp_path: Path) -> None:
    """Within the process a class is found again by its private name."""
    classes = [package(tmp_path / me, me).import_module("plugin.action").Thing for me in ("one", "two")]

    copies = [pickle.loads(pickle.dumps(cls("x"))) for cls in classes]  # noqa: S301  # made here

    assert [type(copy) for copy in copies] == classes
    assert copies[0] != copies[1]


def test_plugin_code_may_pickle_its_own_objects(tmp_path: Path) -> None:
    """Code written in C imports on behalf of the frame it is called from."""
    code = """
        import pickle
        from calendar import Own
        def copied():
            return pickle.loads(pickle.dumps(Own())), pickle.loads(pickle.dumps(__import__("decimal").Decimal(1)))
        """
    modules = plugin(
        tmp_path, {"main.py": code, "calendar.py": "class Own: pass", "decimal.py": "from _decimal import *"}
    )

    own, number = modules.import_module("main").copied()

    assert type(own).__module__.startswith(PREFIX)
    assert number == 1


def test_a_module_named_like_one_of_the_standard_library_harms_nobody_else(tmp_path: Path) -> None:
    """The plugin gets its own, the libraries it uses get the real one."""
    code = """
        import datetime, calendar, types
        WHEN = datetime.datetime.strptime("2024-01-02", "%Y-%m-%d").year
        """
    modules = plugin(
        tmp_path, {"main.py": code, "calendar.py": "OWN = True", "types.py": "OWN = True", "_strptime.py": ""}
    )

    main = modules.import_module("main")

    assert main.calendar.OWN
    assert main.types.OWN
    assert main.WHEN == 2024


def test_everybody_has_the_same_sdk(tmp_path: Path) -> None:
    """Even a plugin that lies in a folder with a copy of it."""
    files = {"main.py": "from synapse_sdk.errors import SynapseError", "synapse_sdk/errors.py": "SynapseError = None"}

    main = plugin(tmp_path, files).import_module("main")

    assert issubclass(PluginLoadError, main.SynapseError)


def test_installed_modules_are_shared(tmp_path: Path) -> None:
    """Also under the name of a folder that holds no code, and as an entry point of the manifest."""
    (tmp_path / "json").mkdir()
    (tmp_path / "json/data.json").touch()
    modules = plugin(tmp_path, {"main.py": "import json, os.path as path"})

    main = modules.import_module("main")

    assert main.json is sys.modules["json"]
    assert main.path is os.path
    assert modules.import_module("json") is sys.modules["json"]


def test_a_folder_that_is_a_package_may_call_itself_by_name(tmp_path: Path) -> None:
    """As it may when it is installed."""
    files = {
        "__init__.py": "ME = 'root'",
        "action.py": "import photos.helpers\nfrom photos import ME\nfrom . import helpers\nimport helpers as own",
        "helpers.py": "",
    }
    modules = plugin(tmp_path / "photos", files)

    action = modules.import_module("action")

    assert action is modules.import_module("photos.action")
    assert action.ME == "root"
    assert action.photos.helpers is action.helpers is action.own


def test_circular_imports_work_as_usual(tmp_path: Path) -> None:
    """Nothing is executed twice."""
    files = {"p/__init__.py": "", "p/a.py": "import p.b\nN = p.b.N + 1", "p/b.py": "import p.a\nfrom p import a\nN = 1"}

    assert plugin(tmp_path, files).import_module("p.a").N == 2


def test_unchanged_files_are_not_loaded_again(tmp_path: Path) -> None:
    """Their state is kept."""
    modules = plugin(tmp_path, {"main.py": ""})

    assert load_folder(tmp_path) is modules
    assert load_folder(str(tmp_path) + "/.") is modules
    assert load_folder(tmp_path).import_module("main") is modules.import_module("main")


def test_edited_files_are_loaded_anew(tmp_path: Path) -> None:
    """Also within one second, also in a helper; whoever has the old code keeps it."""
    before = plugin(tmp_path, {"main.py": "import helper", "helper.py": "N = 1"}).import_module("main")

    seen = [plugin(tmp_path, {"helper.py": f"N = {number}"}).import_module("main").helper.N for number in (2, 3)]

    assert seen == [2, 3]
    assert before.helper.N == 1


def test_other_files_may_change(tmp_path: Path) -> None:
    """A run that writes into the plugin's folder does not make it another plugin."""
    modules = plugin(tmp_path, {"main.py": ""})
    for name in ("out.json", ".hidden/a.py", "__pycache__/a.py", "env/lib/a.py", "env/pyvenv.cfg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "nowhere.py").symlink_to(tmp_path / "missing")

    assert load_folder(tmp_path) is modules


def test_nothing_is_written_into_the_folder(tmp_path: Path) -> None:
    """No `__pycache__`, so that a read-only folder is as good as any."""
    package(tmp_path, "me").import_module("plugin.action")

    assert not list(tmp_path.rglob("__pycache__"))


def test_threads_get_one_module(tmp_path: Path) -> None:
    """Executed once, and never seen half done."""
    plugin(
        tmp_path,
        {"main.py": "import helper\nDONE = helper.DONE", "helper.py": "sum(range(10**6))\nDONE = []"},
    )
    found: list[Any] = []
    together = threading.Barrier(8)

    def load() -> None:
        together.wait()
        found.append(load_folder(tmp_path).import_module("main").DONE)

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert len({id(done) for done in found}) == 1


def test_forked_workers_find_the_plugins_classes(tmp_path: Path) -> None:
    """The usual way to use all cores on Linux."""
    code = """
        import multiprocessing
        def square(number):
            import helper
            return helper.square(number)
        def squares():
            with multiprocessing.get_context("fork").Pool(2) as pool:
                return pool.map(square, range(4))
        """
    plugin(tmp_path, {"main.py": code, "helper.py": "def square(number): return number * number"})
    script = (
        "from synapse_sdk.plugins.isolation import load_folder\n"
        f"print(load_folder({str(tmp_path)!r}).import_module('main').squares())"
    )

    printed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    ).stdout

    assert printed.strip() == "[0, 1, 4, 9]"
