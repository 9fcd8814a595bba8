"""`synapse doctor`: says what is wrong and what to do, and breaks with nothing it looks at."""

import resource
import shutil
import tempfile
from collections import namedtuple
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from synapse_sdk.cli import checks
from synapse_sdk.errors import PluginLoadError
from synapse_sdk.plugins import discovery
from synapse_sdk.plugins.discovery import InstalledPlugin

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Synapse

Usage = namedtuple("Usage", "total used free")  # noqa: PYI024  # what shutil.disk_usage returns


def test_a_good_machine_is_ready(synapse: "Synapse") -> None:
    """Every check says what it found."""
    outcome = synapse("doctor", "--json")

    found = {each["name"]: each["health"] for each in outcome.json["checks"]}
    assert {"python", "packages", "settings", "plugins", "disk, here", "open files", "terminal", "clock"} <= set(found)
    assert outcome.code == (0 if outcome.json["healthy"] else 1)
    assert outcome.err == ""


def test_a_wrong_setting_is_one_finding_among_others(synapse: "Synapse", home: Path) -> None:
    """The doctor is who helps when nothing else starts."""
    (home / "synapse.toml").write_text("colour = 'never'\n", encoding="utf-8")

    outcome = synapse("doctor")

    assert outcome.code == 1
    assert "fail  settings" in outcome.out
    assert "Did you mean 'color'?" in outcome.out
    assert "ok    clock" in outcome.out


def test_a_plugin_that_cannot_be_loaded_is_named(synapse: "Synapse", monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a warning: everything else works."""
    broken = InstalledPlugin(name="odd", package="odd-plugins", error=PluginLoadError("it has a typo"))
    monkeypatch.setattr(discovery, "installed_plugins", lambda: (broken,))

    outcome = synapse("doctor")

    assert "warn  plugins" in outcome.out
    assert "odd cannot be loaded: it has a typo" in outcome.out
    assert "uninstall odd-plugins" in outcome.out


@pytest.mark.parametrize(("free", "health"), [(1, "fail"), (200 * 1024**2, "warn"), (10 * 1024**3, "ok")])
def test_little_space_is_noticed(free: int, health: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that fills the disk fails; a warning comes first."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: Usage(1, 1, free))

    assert {finding.health for finding in checks.check_disk()} == {health}


@pytest.mark.parametrize(
    ("limit", "health"), [(64, "fail"), (512, "warn"), (4096, "ok"), (resource.RLIM_INFINITY, "ok")]
)
def test_few_open_files_are_noticed(limit: int, health: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large uploads need many."""
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (limit, limit))

    assert [finding.health for finding in checks.check_open_files()] == [health]


def test_a_temporary_folder_that_cannot_be_written_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Much of Python needs one."""

    def refuse(**_options: object) -> NoReturn:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)

    [finding] = checks.check_temporary_folder()

    assert finding.health == "fail"
    assert finding.fix == "Set TMPDIR to a folder that you may write to"


def test_a_check_that_breaks_is_a_finding(synapse: "Synapse", monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are made all the same."""

    def breaks() -> NoReturn:
        msg = "no clock at all"
        raise RuntimeError(msg)

    monkeypatch.setattr(checks, "check_clock", breaks)

    outcome = synapse("doctor")

    assert outcome.code == 1
    assert "RuntimeError: no clock at all" in outcome.out


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    monkeypatch.setattr(checks, "REQUIRED", ("click", "no-such-package"))

    fixes = [finding.fix for finding in checks.check_package()]

    assert "pip install no-such-package" in fixes


def test_an_old_python_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the doctor is the one who can say so."""
    monkeypatch.setattr(checks, "OLDEST_PYTHON", (9, 9))

    assert [finding.fix for finding in checks.check_python()] == ["Install Python 9.9 or newer"]
