"""`synapse models`: what trainings have left is listed, shown, brought here and removed."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from synapse_sdk.backend import open_backend
from tests.unit.cli.working import leave_model

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Synapse


def objects(home: Path) -> list[bytes]:
    """Return the contents of the files in the storage."""
    return sorted(path.read_bytes() for path in (home / "store").rglob("*.npz"))


def test_there_may_be_none(synapse: "Synapse") -> None:
    """And that is no error."""
    assert synapse("models", "list").err == "There are no models yet.\n"
    assert synapse("models", "list", "--json").json["models"] == []


def test_registered_models_are_listed(synapse: "Synapse") -> None:
    """Those of runs that have not succeeded are not."""
    leave_model("digits", "1", b"one")
    leave_model("digits", "2", b"second")
    leave_model("letters", "1", b"staged", is_registered=False)

    listed = synapse("models", "list", "--json").json["models"]

    told = [(each["name"], each["version"], each["size"]) for each in listed]
    assert told == [("digits", "1", 3), ("digits", "2", 6)]
    assert synapse("models", "ls", "--quiet").out == "digits\ndigits\n"
    assert "digits" in synapse("models", "list").out


@pytest.mark.parametrize(("named", "version"), [("digits", "2"), ("digits@1", "1"), ("1", "1")])
def test_a_model_is_shown(named: str, version: str, synapse: "Synapse") -> None:
    """By name, version or id; with where its file is, and how it was trained."""
    leave_model("digits", "1", b"one")
    leave_model("digits", "2", b"second")

    shown = synapse("models", "show", named, "--json").json

    assert (shown["version"], shown["run"]) == (version, f"run-digits-{version}")
    assert shown["configuration"] == {"hyperparameters": {"epochs": 3}}
    assert shown["key"].endswith(f"{shown['sha256']}.npz")
    assert ["version", version] in [line.split() for line in synapse("models", "show", named).out.splitlines()]


@pytest.mark.parametrize(
    ("named", "hint"),
    [
        ("digit", "Did you mean 'digits'"),
        ("digits@3", "There is no model 'digits 3'"),
        ("9", "9"),
        ("2", "not registered"),
    ],
)
@pytest.mark.parametrize("command", ["show", "download", "rm"])
def test_a_model_that_is_not_there_is_named(command: str, named: str, hint: str, synapse: "Synapse") -> None:
    """With the nearest; one that is only staged is not there yet."""
    leave_model("digits", "1", b"one")
    leave_model("letters", "1", b"staged", is_registered=False)

    outcome = synapse("models", command, named)

    assert (outcome.code, outcome.out) == (2, "")
    assert hint in outcome.err


def test_a_model_is_brought_here(synapse: "Synapse", home: Path) -> None:
    """Into the current folder, a folder that is named, or under another name; again it is there already."""
    leave_model("digits", "1", b"one")
    (home / "nets").mkdir()

    for out, expected in (([], "digits-1.npz"), (["--out", "nets"], "nets/digits-1.npz"), (["--out", "a/b"], "a/b")):
        for _ in range(2):
            outcome = synapse("models", "download", "digits", *out)
            assert (outcome.code, outcome.out) == (0, f"{home / expected}\n")
        assert (home / expected).read_bytes() == b"one"
    told = synapse("models", "download", "digits", "--json").json
    assert told["path"] == str(home / "digits-1.npz")


def test_another_file_of_that_name_is_left_alone(synapse: "Synapse", home: Path) -> None:
    """Nothing is overwritten."""
    leave_model("digits", "1", b"one")
    (home / "digits-1.npz").write_bytes(b"mine")

    outcome = synapse("models", "download", "digits")

    assert outcome.code != 0
    assert "There is another file" in outcome.err
    assert (home / "digits-1.npz").read_bytes() == b"mine"


@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_a_file_that_is_not_what_was_registered_is_not_brought_here(
    damage: str, synapse: "Synapse", home: Path
) -> None:
    """Not even a part of it."""
    model = leave_model("digits", "1", b"one")
    path = home / "store" / model.file.key
    if damage == "changed":
        path.write_bytes(b"two")
    else:
        path.unlink()

    outcome = synapse("models", "download", "digits")

    assert outcome.code == 1
    assert {"changed": "is not what was registered", "gone": "not in its storage any more"}[damage] in outcome.err
    assert [each.name for each in home.iterdir() if "digits" in each.name] == []


def test_a_model_is_removed_with_its_file(synapse: "Synapse", home: Path) -> None:
    """The newest version, if none is named; nobody is asked without a terminal."""
    leave_model("digits", "1", b"one")
    leave_model("digits", "2", b"second")

    assert synapse("models", "rm", "digits").code == 2
    outcome = synapse("models", "rm", "digits", "--yes")

    assert (outcome.code, outcome.err) == (0, "Removed the model 'digits@2' and its file.\n")
    assert objects(home) == [b"one"]
    with open_backend() as backend:
        assert [(each.name, each.version) for each in backend.models.list()] == [("digits", "1")]


def test_a_model_whose_file_is_gone_can_be_removed(synapse: "Synapse", home: Path) -> None:
    """As when a process has died in between."""
    model = leave_model("digits", "1", b"one")
    (home / "store" / model.file.key).unlink()

    assert synapse("models", "rm", "digits", "-y").code == 0
    with open_backend() as backend:
        assert backend.models.list() == []
