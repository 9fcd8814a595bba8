"""Journals by their URL, and where the usual one is."""

from pathlib import Path

import pytest

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.journal import MemoryJournal, SqliteJournal, default_journal, open_journal


@pytest.mark.parametrize(
    "name", ["journal.db", "a b.db", "100%25.db", "jöurnal#1.db", "what?.db", "\udcff.db"], ids=ascii
)
def test_the_url_of_a_journal_opens_it(tmp_path: Path, name: str) -> None:
    """Whatever its name."""
    with SqliteJournal(tmp_path / name) as journal, open_journal(journal.url) as other:
        assert isinstance(other, SqliteJournal)
        assert other.path == journal.path
        assert other.url == journal.url


@pytest.mark.parametrize("form", ["{}", "sqlite:{}", "sqlite://{}", "sqlite://{}?level=group", "{}?level=kill"])
def test_a_file_is_named_by_its_path_or_a_url(tmp_path: Path, form: str) -> None:
    """With the level of its durability."""
    with open_journal(form.format(tmp_path / "journal.db")) as journal:
        assert isinstance(journal, SqliteJournal)
        assert journal.path == tmp_path / "journal.db"
        assert journal.level == (form.partition("=")[2] or "power")


def test_a_relative_path_starts_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a path, and in a URL with a dot."""
    monkeypatch.chdir(tmp_path)

    for form in ("runs/journal.db", "sqlite:///./runs/journal.db", "sqlite:runs/journal.db"):
        with open_journal(form) as journal:
            assert isinstance(journal, SqliteJournal)
            assert journal.path == tmp_path / "runs" / "journal.db"


def test_a_journal_in_memory_is_new_each_time() -> None:
    """It goes with its process."""
    with open_journal("memory:") as journal:
        assert isinstance(journal, MemoryJournal)


@pytest.mark.parametrize(
    "url", ["", "sqlite:", "sqlite:///", "journal.db?level=no", "journal.db?x=1", "mysql://lab/db"]
)
def test_what_names_no_journal_is_refused(url: str) -> None:
    """With a way out."""
    with pytest.raises(ConfigurationError) as caught:
        open_journal(url)

    assert caught.value.fix


@pytest.mark.parametrize("mark", ["synapse.toml", ".synapse"])
def test_a_project_has_a_journal_of_its_own(tmp_path: Path, mark: str) -> None:
    """Also for whoever works in a folder below."""
    deep = tmp_path / "project" / "a" / "b"
    deep.mkdir(parents=True)
    if mark.startswith("."):
        (tmp_path / "project" / mark).mkdir()
    else:
        (tmp_path / "project" / mark).touch()

    assert default_journal(deep, {"HOME": "/home/ada"}) == tmp_path / "project" / ".synapse" / "journal.db"


def test_outside_of_projects_it_is_in_the_users_data(tmp_path: Path) -> None:
    """The home folder itself is no project; a relative data folder is ignored."""
    home = tmp_path / "ada"
    (home / ".synapse").mkdir(parents=True)
    usual = home / ".local" / "share" / "synapse" / "journal.db"

    assert default_journal(home, {"HOME": str(home)}) == usual
    assert default_journal(home, {"HOME": str(home), "XDG_DATA_HOME": "data"}) == usual
    assert default_journal(home, {"HOME": str(home), "XDG_DATA_HOME": "/data"}) == Path("/data/synapse/journal.db")
