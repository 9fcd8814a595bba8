"""Storages on another machine, reached with a password that is kept with the storage and never shown."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from synapse_sdk.backend import open_backend
from tests.conformance.sftp_server import PASSWORD, SftpServer, sftp_server

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Synapse

UPLOAD = ("upload", "photos", "--collection", "animals", "--storage", "far")
WRONG = "canary-5b1f"


@pytest.fixture
def server(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpServer]:
    """A server that the user has met before, and photos to upload."""
    images = home / "photos" / "images"
    images.mkdir(parents=True)
    for name in ("cat", "dog"):
        (images / f"{name}.jpg").write_text(name, encoding="utf-8")
    with sftp_server(tmp_path_factory.mktemp("sftp")) as server:
        (home.parent / ".ssh").mkdir()
        (home.parent / ".ssh" / "known_hosts").write_text(server.known_host, encoding="utf-8")
        yield server


def create(synapse: "Synapse", server: SftpServer, monkeypatch: pytest.MonkeyPatch, password: str) -> str:
    """Make the storage and the collection known, and return what was printed."""
    monkeypatch.setenv("FAR_PASSWORD", password)
    made = synapse("storages", "create", "far", f"{server.url}/pics", "--credential", "password=env:FAR_PASSWORD")
    described = synapse("collections", "describe", "photos", "--create", "animals")
    shown = synapse("storages", "show", "far", "--json")
    assert (made.code, described.code, shown.code) == (0, 0, 0), made.err + described.err + shown.err
    return made.out + made.err + shown.out + shown.err


def written_below(folder: Path) -> bytes:
    """Return everything that reports and journals say, but not the backend, where the password is kept."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file() and "backend.db" not in path.name)


def test_an_upload_goes_to_a_server_with_the_password_of_its_storage(
    synapse: "Synapse", server: SftpServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F31: from the environment it comes into the backend, and from there nowhere else."""
    said = create(synapse, server, monkeypatch, PASSWORD)
    monkeypatch.delenv("FAR_PASSWORD")

    sent = synapse(*UPLOAD)
    checked = synapse("storages", "check", "far", "--read")

    assert sent.code == 0, sent.err
    assert "  uploaded   2 files (6 B) to storage 'far'" in sent.out
    assert (checked.code, checked.out) == (0, "2 objects (6 B) as they should be\n")
    everything = said + sent.out + sent.err + checked.out + checked.err
    assert PASSWORD not in everything
    assert PASSWORD.encode() not in written_below(home)


@pytest.mark.parametrize("command", [("storages", "check", "far"), UPLOAD], ids=["check", "upload"])
def test_a_wrong_password_is_refused_in_one_line(
    synapse: "Synapse", server: SftpServer, home: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """F31: it names the storage and the way out, and not the password; the exit code says that it is not permitted."""
    said = create(synapse, server, monkeypatch, WRONG)

    refused = synapse(*command)

    assert refused.code == 77, refused.err
    errors = [line for line in refused.err.splitlines() if line.startswith("error")]
    assert len(errors) == 1
    assert f"{server.url}/pics cannot do this" in errors[0]
    assert "AuthenticationException: Authentication failed" in " ".join(refused.err.split())
    assert "See whether user, password or key are right" in " ".join(refused.err.split())
    assert WRONG not in said + refused.out + refused.err
    assert WRONG.encode() not in written_below(home)


def test_a_host_with_another_key_gets_no_password(
    synapse: "Synapse", server: SftpServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does one that the user has never met; a password in the URL is refused before anything is asked."""
    create(synapse, server, monkeypatch, PASSWORD)
    (home.parent / ".ssh" / "known_hosts").write_text("", encoding="utf-8")

    refused = synapse("storages", "check", "far")
    printed = synapse("storages", "create", "other", f"sftp://test:{WRONG}@127.0.0.1:{server.port}/pics")

    assert refused.code == 77, refused.err
    assert "is not known, or has another key than before" in " ".join(refused.err.split())
    assert printed.code == 2
    assert WRONG not in printed.out + printed.err
    with open_backend() as backend:
        assert [record.name for record in backend.storages.list()] == ["far"]
