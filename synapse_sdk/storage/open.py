"""Storages by their URL."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.extensions import ExtensionPoint, one_of

if TYPE_CHECKING:
    from synapse_sdk.storage.base import Storage

__all__ = ["STORAGES", "local_path", "open_storage"]

type Opener = Callable[[str, Mapping[str, str]], "Storage"]
"""Takes a URL and credentials."""

STORAGES = ExtensionPoint[Opener](
    "storage",
    "synapse.storages",
    {
        "file": "synapse_sdk.storage.open:_open_local",
        "memory": "synapse_sdk.storage.open:_open_memory",
        "s3": "synapse_sdk.storage.open_object_store:open_s3",
        "gs": "synapse_sdk.storage.open_object_store:open_gcs",
        "az": "synapse_sdk.storage.open_object_store:open_azure",
        "sftp": "synapse_sdk.storage.sftp:open_sftp",
        "ssh": "synapse_sdk.storage.sftp:open_sftp",
    },
)
"""What opens a storage, by the scheme of its URL."""
LOST = "#\t\r\n"
"""What Python takes out of a URL, or takes for the end of it."""
LINKS = ("copy", "hardlink", "reflink")


def open_storage(url: str | os.PathLike[str], *, credentials: Mapping[str, str] | None = None) -> "Storage":
    """Open a storage. Nothing is asked of it yet: a wrong password shows at the first use.

    Args:
        url: A folder, as a path or `file:///FOLDER?link=hardlink`; `memory://NAME`; `s3://BUCKET/PREFIX`,
            `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`; `sftp://USER@HOST/FOLDER`; or any other URL that fsspec
            knows. Options follow as a query: see the page on storages.
        credentials: What opens it, by name: `access_key_id`, `secret_access_key` and `session_token` for S3,
            `username` and `password` for SFTP, and so on. Without them they come from the environment.

    Raises:
        ConfigurationError: The URL cannot be understood, there are no credentials, or a package is missing.

    Example:
        >>> with open_storage("memory://example") as storage:
        ...     storage.put("cat.jpg", b"meow").is_new
        True
    """
    text = os.fspath(url)
    scheme = scheme_of(text)
    if not scheme:
        return _open_local_path(text, {})
    given = dict(credentials or {})
    if scheme in STORAGES:
        return STORAGES.load(scheme)(text, given)
    return _open_with_fsspec(scheme, text, given)


def scheme_of(url: str) -> str:
    """Return the scheme of a URL in small letters; empty for a path."""
    scheme, separator, _ = url.partition("://")
    is_url = bool(separator) and scheme.replace("+", "").replace("-", "").replace(".", "").isalnum()
    return scheme.lower() if is_url else ""


def local_path(location: str) -> Path | None:
    """Return the path that a location names on this machine; None for the URL of anything else.

    Args:
        location: A path, or a URL; of URLs `file:///FOLDER` means this machine, with `%20` and the like decoded.

    Raises:
        ConfigurationError: It is a `file` URL of another machine, or with an option that is not known.

    Example:
        >>> str(local_path("file:///my%20photos")), local_path("s3://photos")
        ('/my photos', None)
    """
    scheme = scheme_of(location)
    if scheme == "file":
        options_of(location, ("link",))
        split = urlsplit(location)
        if split.netloc not in {"", "localhost"}:
            msg = f"{location!r} is on another machine"
            raise ConfigurationError(msg, fix="Write file:///FOLDER, or just the folder")
        return Path(unquote(split.path, errors="surrogateescape"))
    return None if scheme else Path(location).expanduser()


def options_of(url: str, known: tuple[str, ...]) -> dict[str, str]:
    """Return the query of a URL as options.

    Raises:
        ConfigurationError: There is one that is not known; its value, which may be a secret, is not shown. Or the URL
            has a character that would be passed over, so that another place would be meant.
    """
    lost = next((each for each in url if each in LOST), None)
    if lost is not None:
        msg = f"The URL of a {scheme_of(url)} storage has the character {lost!r}, which means nothing there"
        raise ConfigurationError(msg, fix=f"Write {quote(lost)} where it belongs to a name")
    options = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    unknown = sorted(options.keys() - set(known))
    if unknown:
        msg = f"The URL of a {scheme_of(url)} storage has an option {unknown[0]!r}"
        raise ConfigurationError(msg, fix=one_of(unknown[0], known) + ". Secrets are given as credentials")
    return options


def refuse_unknown(kind: str, credentials: Iterable[str], known: Sequence[str]) -> None:
    """Refuse credentials whose names a kind of storage does not have.

    Raises:
        ConfigurationError: One is not known; its value is not shown.
    """
    unknown = sorted(set(credentials) - set(known))
    if unknown:
        msg = f"{kind} has no credentials called {unknown[0]!r}"
        raise ConfigurationError(msg, fix=one_of(unknown[0], known))


def refuse_userinfo(url: str) -> None:
    """Refuse a URL with a user or password in it.

    Raises:
        ConfigurationError: It has; neither is shown.
    """
    if "@" in urlsplit(url).netloc:
        msg = f"The URL of a {scheme_of(url)} storage has credentials in it"
        raise ConfigurationError(msg, fix="Give them to open_storage(credentials=...), or in the environment")


def _open_with_fsspec(scheme: str, url: str, credentials: Mapping[str, str]) -> "Storage":
    try:
        from fsspec.registry import known_implementations  # type: ignore[import-untyped]  # noqa: PLC0415  # an optional package
    except ImportError as error:
        msg = f"There is no storage {scheme!r}"
        fix = f"{one_of(scheme, STORAGES.names())}. Others need: pip install 'synapse-sdk[fsspec]'"
        raise ConfigurationError(msg, fix=fix) from error
    if scheme not in known_implementations:
        return STORAGES.load(scheme)(url, credentials)  # which says so
    from synapse_sdk.storage.open_fsspec import open_fsspec  # noqa: PLC0415  # each storage is loaded on use

    return open_fsspec(url, credentials)


def _open_memory(url: str, _credentials: Mapping[str, str]) -> "Storage":
    from synapse_sdk.storage.memory import MemoryStorage  # noqa: PLC0415  # each storage is loaded on use

    options_of(url, ())
    refuse_userinfo(url)
    return MemoryStorage(url.partition("://")[2])


def _open_local(url: str, _credentials: Mapping[str, str]) -> "Storage":
    options = options_of(url, ("link",))
    return _open_local_path("" if not urlsplit(url).path else str(local_path(url)), options)


def _open_local_path(path: str, options: dict[str, str]) -> "Storage":
    from synapse_sdk.storage.local import LocalStorage  # noqa: PLC0415  # as above

    link = options.get("link", "copy")
    if link not in LINKS:
        msg = f"The storage {path!r} has link={link!r}"
        raise ConfigurationError(msg, fix=one_of(link, LINKS))
    if not path:
        msg = "The storage names no folder"
        raise ConfigurationError(msg, fix="Write file:///FOLDER, or just the folder")
    return LocalStorage(path, link=link)  # type: ignore[arg-type]  # it is one of them
