"""The plugin for pytest is found by itself, and whoever does not use it pays nothing."""

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

PLUGIN = "synapse_sdk.testing.pytest_plugin"
TEST = """
def test_fixtures(crash_safe, synapse_journal, fault_proxy):
    assert synapse_journal.runs() == []
"""


def python(*arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run Python in a folder, with nothing of this session's settings for pytest."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=60, check=False)


def test_pytest_finds_the_fixtures_where_the_package_is_installed(tmp_path: Path) -> None:
    """Nothing has to be written into a `conftest.py`; and it can be turned off."""
    (tmp_path / "test_it.py").write_text(TEST, encoding="utf-8")
    command = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error")

    found = python(*command, folder=tmp_path)
    turned_off = python(*command, "-p", "no:synapse", folder=tmp_path)

    assert "1 passed" in found.stdout, found.stdout
    assert "fixture 'crash_safe' not found" in turned_off.stdout
    assert [point.value for point in entry_points(group="pytest11", name="synapse")] == [PLUGIN]


def test_the_plugin_loads_nothing_that_is_not_used(tmp_path: Path) -> None:
    """Every pytest of the environment imports it, also for projects that have nothing to do with this package."""
    script = f"import sys, {PLUGIN}; print(sorted(name for name in sys.modules if name.startswith('synapse_sdk')))"

    done = python("-c", script, folder=tmp_path)

    assert done.stdout.strip() == str(["synapse_sdk", "synapse_sdk.lazy", "synapse_sdk.testing", PLUGIN])
