"""Bugs of ours: a crash file without secrets, and never a traceback in the user's face."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from synapse_sdk.cli import explain
from synapse_sdk.cli.crash import without_secrets, without_values, write_crash_file

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Synapse


@pytest.fixture
def bug(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command of ours that has a bug."""

    def fail() -> None:
        msg = "lookup failed for hunter2-hunter2"
        raise KeyError(msg)

    monkeypatch.setenv("MY_PASSWORD", "hunter2-hunter2")
    monkeypatch.setattr(explain, "error_classes", fail)


@pytest.mark.usefixtures("bug")
def test_a_bug_of_ours_writes_a_crash_file_and_says_where(synapse: "Synapse", home: Path) -> None:
    """The user sees what to report; the file has the traceback, and only they can read it."""
    outcome = synapse("explain")

    [path] = (home.parent / ".local" / "state" / "synapse").iterdir()
    text = path.read_text(encoding="utf-8")
    assert outcome.code == 70
    assert outcome.out == ""
    assert str(path) in outcome.err
    assert "Traceback" not in outcome.err
    assert "Traceback (most recent call last)" in text
    assert "command: synapse explain" in text
    assert "hunter2" not in text
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("bug")
def test_debug_shows_the_traceback_at_once(synapse: "Synapse") -> None:
    """Whoever asks for it gets it."""
    assert "Traceback (most recent call last)" in synapse("explain", "--debug").err


@pytest.mark.usefixtures("bug")
def test_a_program_gets_a_bug_as_json(synapse: "Synapse") -> None:
    """Standard output stays JSON, whatever happens."""
    outcome = synapse("explain", "--json")

    assert outcome.err == ""
    assert outcome.json["error"]["code"] == "SYN-E1903"
    assert "crash file" in outcome.json["error"]["where"]


@pytest.mark.parametrize(
    "secret",
    [
        "https://ada:s3cret@example.org/",
        "Authorization: Bearer s3cretS3cret",
        "eyJhbGciOiJIUzI1NiJ9.s3cretpayload.s3cretsignature",
        "ghp_s3cretS3cretS3cretS3cret",
        "sk-proj-s3cretS3cretS3cret",
        "AKIAs3cretS3cretS3cret0",
        "password='s3cret'",
        '{"access_token": "s3cret"}',
        "MY_API_KEY=s3cret",
        "s3cretS3cretS3cretS3cretS3cretS3cretS3cret",
    ],
)
def test_what_looks_like_a_secret_is_masked(secret: str) -> None:
    """An exception may quote anything."""
    masked = without_secrets(f'  File "x.py", line 3\nValueError: {secret} is wrong', {})

    assert "s3cret" not in masked.lower()
    assert masked.startswith('  File "x.py", line 3\nValueError: ')
    assert masked.endswith("is wrong")


def test_ordinary_words_stay_readable() -> None:
    """A crash file that is all masks helps nobody."""
    text = 'File "/a/synapse_sdk/cli/main.py", line 63, in run_command_line\nTypeError: unsupported operand for +'

    assert without_secrets(text, {"SHLVL": "1", "LANG": "C.UTF-8"}) == text


def test_values_of_the_environment_are_replaced_by_their_names() -> None:
    """Long ones always, short ones if their name says that they are secret."""
    environ = {"SHORT": "abc", "PIN_TOKEN": "77", "LONG": "quite-a-long-value", "EMPTY": ""}

    assert without_secrets("abc 77 quite-a-long-value", environ) == "abc $PIN_TOKEN $LONG"


def test_the_command_line_is_kept_without_values() -> None:
    """Which options were given matters, what they said does not."""
    args = ["run", "p", "a", "--set", "key=v", "--env=T=v", "--params", '{"k": "v=1"}', "--params={}", "--json"]

    assert list(without_values(args)) == [
        *("run", "p", "a", "--set", "key=***", "--env=T=***", "--params", "***", "--params=***", "--json")
    ]


def test_a_crash_file_goes_elsewhere_if_home_cannot_be_written(tmp_path: Path) -> None:
    """A service may have no home folder."""
    blocked = tmp_path / "file"
    blocked.touch()

    path = write_crash_file(ValueError("x"), [], environ={"XDG_STATE_HOME": str(blocked)})

    assert path is not None
    assert path.is_file()
    os.unlink(path)  # noqa: PTH108  # it lies in the temporary folder of the system
