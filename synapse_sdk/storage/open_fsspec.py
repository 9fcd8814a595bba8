"""Opening storages by the URLs of fsspec, and what such a URL gives away."""

from collections.abc import Mapping
from urllib.parse import quote, unquote, urlsplit

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.storage.base import Storage
from synapse_sdk.storage.fsspec import FsspecStorage
from synapse_sdk.storage.open import options_of

__all__ = ["open_fsspec"]


def open_fsspec(url: str, credentials: Mapping[str, str]) -> Storage:
    """Open a storage over fsspec; see `open_storage`."""
    try:
        import fsspec  # type: ignore[import-untyped]  # noqa: PLC0415  # an optional package
    except ImportError as error:
        raise missing_extra(error, "fsspec") from error
    options_of(url, ())
    split = urlsplit(url)
    try:
        kind = fsspec.get_filesystem_class(split.scheme)
    except ImportError as error:
        msg = f"A storage of the kind {split.scheme!r} needs a package that is not installed"
        raise ConfigurationError(msg, why=str(error)) from error
    login, shown = login_of(url, credentials), shown_url(url)
    settings = {**kind._get_kwargs_from_urls(shown), **login}  # noqa: SLF001  # fsspec's own way to read URLs
    settings.pop("path", None)
    root = kind._strip_protocol(shown)  # noqa: SLF001  # the same
    return FsspecStorage(
        shown,
        lambda: fsspec.filesystem(split.scheme, skip_instance_cache=True, use_listings_cache=False, **settings),
        unquote(root),
        secrets=secrets_of(login),
    )


def login_of(url: str, credentials: Mapping[str, str]) -> dict[str, str]:
    """Return user and password of a URL, and what is given besides, which wins."""
    split = urlsplit(url)
    found = {"username": split.username, "password": split.password}
    return {**{name: unquote(value) for name, value in found.items() if value}, **credentials}


def secrets_of(login: Mapping[str, str]) -> tuple[str, ...]:
    """Return what of a login must not be shown."""
    return tuple(
        {form for name, value in login.items() if name != "username" for form in (value, quote(value, safe=""))}
    )


def shown_url(url: str) -> str:
    """Return a URL without its password.

    Example:
        >>> shown_url("sftp://ada:secret@example.org/data")
        'sftp://ada@example.org/data'
    """
    place = urlsplit(url).netloc
    user, at, host = place.rpartition("@")
    return url.replace(place, user.partition(":")[0] + at + host, 1) if at else url


def missing_extra(error: ImportError, extra: str) -> ConfigurationError:
    """Return the error for an optional package that is missing."""
    msg = f"A storage of this kind needs the package {error.name!r}"
    return ConfigurationError(msg, fix=f"Run: pip install 'synapse-sdk[{extra}]'")
