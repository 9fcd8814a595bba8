"""Storages by URL: what is understood, where credentials come from, and that they are never shown (F31)."""

import builtins
import traceback
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.errors import ConfigurationError, StorageError
from synapse_sdk.storage import LocalStorage, MemoryStorage, open_storage
from synapse_sdk.storage.aws_login import find_login
from synapse_sdk.storage.open_fsspec import shown_url

CANARY = "canary-4f1d"
LOGIN = {"access_key_id": "AKIA", "secret_access_key": CANARY}
NOWHERE = "endpoint=http://127.0.0.1:9"
VARIABLES = (
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION"),
    *("AWS_ENDPOINT_URL", "AWS_WEB_IDENTITY_TOKEN_FILE", "GOOGLE_APPLICATION_CREDENTIALS"),
    "AZURE_STORAGE_ACCOUNT_KEY",
)


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let there be no credentials."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("/data/x", "/data/x"),
        ("file:///data/x", "/data/x"),
        ("file:///data/a%20b", "/data/a b"),
        ("file://localhost/data", "/data"),
        ("FILE:///data", "/data"),
        ("/data/a:b%20c?d", "/data/a:b%20c?d"),
    ],
)
def test_a_folder_is_named_by_path_or_url(url: str, root: str) -> None:
    """And its URL opens it again."""
    storage = open_storage(url)

    assert isinstance(storage, LocalStorage)
    assert str(storage.root) == root
    again = open_storage(storage.url)
    assert isinstance(again, LocalStorage)
    assert again.root == storage.root


@pytest.mark.parametrize("scheme", ["file:///", "memory://", "s3://bucket/", "gs://bucket/", "az://box/", "local:///"])
@pytest.mark.parametrize(("character", "way_out"), [("#", "%23"), ("\n", "%0A"), ("\t", "%09")])
def test_a_character_that_would_be_passed_over_is_refused(scheme: str, character: str, way_out: str) -> None:
    """Else `file:///data/a#b` would be the folder `a`."""
    with pytest.raises(ConfigurationError, match=f"Write {way_out} where it belongs to a name"):
        open_storage(f"{scheme}data/a{character}b")


def test_such_a_character_may_be_in_a_path_and_in_an_encoded_url() -> None:
    """Both mean the same folder."""
    by_path, by_url = open_storage("/data/a#b"), open_storage("file:///data/a%23b")

    assert isinstance(by_path, LocalStorage)
    assert isinstance(by_url, LocalStorage)
    assert by_path.root == by_url.root == Path("/data/a#b")


def test_a_path_object_and_a_relative_path_are_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative to where the program is now, also later."""
    monkeypatch.chdir(tmp_path)

    assert open_storage(tmp_path / "x").url == (tmp_path / "x").as_uri()
    assert open_storage("x/y").url == (tmp_path / "x/y").as_uri()


def test_storages_in_memory_are_shared_by_name() -> None:
    """Without a name each is a new one, which its own URL opens again."""
    open_storage("memory://shared-by-name").put("cat.jpg", b"meow")
    new = open_storage("memory://")
    new.put("dog.jpg", b"woof")

    assert open_storage("memory://shared-by-name").get("cat.jpg") == b"meow"
    assert isinstance(new, MemoryStorage)
    assert list(open_storage("memory://").list()) == []
    assert open_storage(new.url).get("dog.jpg") == b"woof"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("s3://bucket/x", "AWS_ACCESS_KEY_ID"),
        ("gs://bucket/x", "GOOGLE_APPLICATION_CREDENTIALS"),
        ("az://container/x?account=a", "AZURE_STORAGE_ACCOUNT_KEY"),
    ],
)
def test_nobody_is_asked_for_credentials(url: str, says: str) -> None:
    """Without any it is said what to set, and that a metadata service has to be asked for by name."""
    with pytest.raises(ConfigurationError, match=says) as caught:
        open_storage(url)

    assert "metadata=true" in str(caught.value)
    open_storage(f"{url}{'&' if '?' in url else '?'}metadata=true").close()
    open_storage(f"{url}{'&' if '?' in url else '?'}anonymous=true").close()


@pytest.mark.parametrize(
    "url",
    [
        f"s3://bucket?secret_access_key={CANARY}",
        f"s3://AKIA:{CANARY}@bucket/x",
        f"s3://bucket?endpoint=http://user:{CANARY}@127.0.0.1:1",
        f"memory://user:{CANARY}@x",
        f"file:///x?token={CANARY}",
        "s3://",
        "s3://bucket?timeout=soon",
        "s3://bucket?timeout=-1",
        "s3://bucket?anonymous=perhaps",
        "s3://bucket?endpoint=nowhere",
        "s3://bucket?profile=nobody",
        "s3://bucket/../x",
        "az://container",
        "file://elsewhere/x",
        "file:///x?link=soft",
        "file://",
        "",
        "s4://bucket",
        "smb://",
        "sftp://",
    ],
)
def test_a_url_that_cannot_be_understood_is_refused(url: str) -> None:
    """And nothing of it that may be a secret is shown."""
    login = LOGIN if url.startswith("s3://bucket") and "profile" not in url else None
    with pytest.raises((ConfigurationError, StorageError)) as caught:
        open_storage(url, credentials=login)

    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_credentials_have_an_order(tmp_path: Path) -> None:
    """What is given, then a profile that is named, then the environment, then the profile that it names."""
    path = tmp_path / "credentials"
    path.write_text(
        "[work]\naws_access_key_id = W\naws_secret_access_key = w%s\naws_session_token = t\n"
        "[half]\naws_access_key_id = H\n"
    )
    files = {"AWS_SHARED_CREDENTIALS_FILE": str(path)}
    keys = {"AWS_ACCESS_KEY_ID": "E", "AWS_SECRET_ACCESS_KEY": "e"}

    def who(given: dict[str, str], profile: str | None, environ: dict[str, str]) -> str | None:
        login = find_login(given, profile, environ)
        return login.access_key_id if login is not None else None

    assert who(LOGIN, "work", {**files, **keys}) == "AKIA"
    assert who({}, "work", {**files, **keys}) == "W"
    assert who({}, None, {**files, **keys, "AWS_PROFILE": "work"}) == "E"
    assert who({}, None, {**files, "AWS_PROFILE": "work"}) == "W"
    assert who({}, None, files) is None
    found = find_login({}, "work", files)
    assert found is not None
    assert (found.secret_access_key, found.session_token) == ("w%s", "t")
    for given, profile in (({}, "half"), ({}, "nobody"), ({"access_key_id": "A"}, None), ({"acess_key_id": "A"}, None)):
        with pytest.raises(ConfigurationError):
            who(given, profile, files)


def test_secrets_are_never_shown() -> None:
    """Not in URLs, texts, tracebacks or what a debugger prints first."""
    storage = open_storage(f"s3://bucket/x?{NOWHERE}", credentials=LOGIN)
    shown = [storage.url, repr(storage), str(storage)]
    for use in (lambda: storage.put("a", b""), lambda: storage.stat("a"), storage.abort_unfinished):
        with pytest.raises(StorageError) as caught:
            use()
        shown += [*traceback.format_exception(caught.value), repr(caught.value), repr(caught.value.where)]
    shown.append(repr(find_login(LOGIN, None, {})))

    assert CANARY not in " ".join(shown)


def test_a_password_in_the_url_works_and_is_not_shown() -> None:
    """The user's name stays: it is needed to open the storage again."""
    storage = open_storage(f"sftp://ada:{CANARY}@127.0.0.1:9/data")

    with pytest.raises(StorageError) as caught:
        storage.put("cat.jpg", b"meow")

    assert caught.value.transient
    assert storage.url == "sftp://ada@127.0.0.1:9/data"
    assert CANARY not in " ".join([repr(storage), *traceback.format_exception(caught.value)])
    assert shown_url("local:///x") == "local:///x"


@pytest.mark.parametrize(("url", "extra"), [("sftp://host/x", "sftp"), ("smb://host/x", "fsspec")])
def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, url: str, extra: str) -> None:
    """With the command that installs it."""
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> object:  # noqa: ANN401  # as the built-in has it
        if name.partition(".")[0] in {"fsspec", "paramiko"}:
            raise ImportError(name, name=name.partition(".")[0])
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)

    with pytest.raises(ConfigurationError, match=rf"pip install 'synapse-sdk\[{extra}\]'"):
        open_storage(url)
