"""`synapse config`: what is set, and from where."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Synapse


def test_the_list_shows_every_setting_with_its_origin(
    synapse: "Synapse", home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever wonders why something is as it is, looks here."""
    (home / "synapse.toml").write_text("mode = 'process'\n", encoding="utf-8")
    monkeypatch.setenv("SYNAPSE_PROGRESS", "plain")

    document = synapse("config", "list", "--show-origin", "--json", "--debug").json

    assert document["schema_version"] == 1
    assert document["settings"] == {
        "progress": "plain",
        "color": "auto",
        "mode": "process",
        "journal": "auto",
        "backend": "auto",
        "debug": True,
    }
    assert document["origins"] == {
        "progress": "environment SYNAPSE_PROGRESS",
        "color": "default",
        "mode": f"project {home / 'synapse.toml'}",
        "journal": "default",
        "backend": "default",
        "debug": "flag --debug",
    }
    assert "origins" not in synapse("config", "list", "--json").json


def test_a_wrong_setting_is_bad_configuration(synapse: "Synapse", home: Path) -> None:
    """Every command refuses it, and says where it is."""
    (home / "synapse.toml").write_text("colour = 'never'\n", encoding="utf-8")

    outcome = synapse("config", "list")

    assert outcome.code == 78
    assert f"{home / 'synapse.toml'}:colour" in outcome.err
    assert "Did you mean 'color'?" in outcome.err


def test_a_profile_that_is_chosen_is_used(synapse: "Synapse", home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until another one is asked for."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    (home / "synapse").mkdir()
    (home / "synapse" / "config.toml").write_text("[profile.quiet]\nprogress = 'none'\n", encoding="utf-8")

    chosen = synapse("config", "use", "quiet")

    assert chosen.code == 0
    assert synapse("config", "list", "--json").json["settings"]["progress"] == "none"
    assert synapse("config", "list", "--json", "--profile", "default").json["settings"]["progress"] == "auto"
    assert synapse("config", "use", "loud").code == 78


def test_whoever_is_overruled_is_told(synapse: "Synapse", monkeypatch: pytest.MonkeyPatch) -> None:
    """A choice that has no effect would be a riddle."""
    monkeypatch.setenv("SYNAPSE_PROFILE", "work")

    assert "SYNAPSE_PROFILE=work overrules it" in synapse("config", "use", "default").err
