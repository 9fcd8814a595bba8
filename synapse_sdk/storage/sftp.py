"""Storages over SFTP, with paramiko."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.storage.base import Storage
from synapse_sdk.storage.fsspec import FsspecStorage
from synapse_sdk.storage.open import options_of, refuse_unknown
from synapse_sdk.storage.open_fsspec import login_of, missing_extra, secrets_of, shown_url

if TYPE_CHECKING:
    import paramiko

__all__ = ["open_sftp"]

TIMEOUT = 60.0
"""Seconds that a connection may stand still."""
LOGIN = ("username", "password", "key_filename", "passphrase")


def open_sftp(url: str, credentials: Mapping[str, str]) -> Storage:
    """Open `sftp://USER@HOST:PORT/FOLDER`; see `open_storage`.

    The host has to be among those that `~/.ssh/known_hosts` knows; `?trust_host=true` takes whoever answers. Without
    a password the keys of the user and of its agent are tried.
    """
    try:
        import fsspec.implementations.sftp  # type: ignore[import-untyped]  # noqa: F401, PLC0415  # an optional package
    except ImportError as error:
        raise missing_extra(error, "sftp") from error
    split = urlsplit(url)
    options = options_of(url, ("trust_host",))
    if not split.hostname:
        msg = "The URL of an sftp storage names no host"
        raise ConfigurationError(msg, fix="Write sftp://USER@HOST/FOLDER")
    login = login_of(url, credentials)
    refuse_unknown("SFTP", login, LOGIN)
    trusts = options.get("trust_host") == "true"
    host, port = split.hostname, split.port or 22
    return FsspecStorage(
        shown_url(url),
        lambda: _connect(host, port, login, trusts=trusts),
        unquote(split.path),
        rename=_rename_new,
        secrets=secrets_of(login),
    )


def _connect(host: str, port: int, login: Mapping[str, str], *, trusts: bool) -> Any:  # noqa: ANN401  # fsspec has no types
    from fsspec.implementations.sftp import SFTPFileSystem  # noqa: PLC0415  # an optional package

    class Files(SFTPFileSystem):  # type: ignore[misc]  # fsspec has no types
        """Hangs up where it is not let in."""

        def _connect(self) -> None:
            try:
                super()._connect()
            except BaseException:
                self.client.close()
                raise

    uses_password = "password" in login
    files = Files(
        host,
        port=port,
        skip_instance_cache=True,
        host_key_policy=_policy(trusts=trusts),
        timeout=TIMEOUT,
        banner_timeout=TIMEOUT,
        auth_timeout=TIMEOUT,
        allow_agent=not uses_password,
        look_for_keys=not uses_password,
        **login,
    )
    files.ftp.get_channel().settimeout(TIMEOUT)
    return files


def _rename_new(files: Any, old: str, new: str) -> None:  # noqa: ANN401  # as above
    """Rename as plain SFTP does it: the server refuses if the name is taken, but does not always say why."""
    try:
        files.ftp.rename(old, new)
    except OSError as error:
        if files.exists(new):
            raise FileExistsError(new) from error
        raise


def _policy(*, trusts: bool) -> "paramiko.MissingHostKeyPolicy":
    import paramiko  # noqa: PLC0415  # an optional package

    class KnownHosts(paramiko.MissingHostKeyPolicy):
        """Takes the hosts that the user's own file knows."""

        def missing_host_key(self, _client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
            path = Path("~/.ssh/known_hosts").expanduser()
            known = paramiko.HostKeys(os.fspath(path)) if path.exists() else paramiko.HostKeys()
            if not known.check(hostname, key):
                msg = f"The host {hostname!r} is not known, or has another key than before"
                raise paramiko.AuthenticationException(msg)

    return paramiko.AutoAddPolicy() if trusts else KnownHosts()
