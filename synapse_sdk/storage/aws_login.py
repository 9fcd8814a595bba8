"""Who asks S3: from what the caller gives, a profile or the environment; never from a metadata service."""

import configparser
from collections.abc import Mapping
from pathlib import Path

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.extensions import one_of
from synapse_sdk.storage.open import refuse_unknown
from synapse_sdk.storage.s3_uploads import S3Login

__all__ = ["aws_setting", "find_login", "is_fetched_elsewhere"]

NAMES = ("access_key_id", "secret_access_key", "session_token")
VARIABLES = {name: f"AWS_{name.upper()}" for name in NAMES}
FETCHED = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
"""Variables by which a cluster says where its credentials are to be fetched; obstore does that."""


def find_login(given: Mapping[str, str], profile: str | None, environ: Mapping[str, str]) -> S3Login | None:
    """Return the first login there is: given, of a profile that is named, in the environment; None if there is none.

    A profile is named in the URL or, if the environment has no keys, by `AWS_PROFILE`.

    Raises:
        ConfigurationError: Something is given by an unknown name, half of it is missing, or there is no such profile.
    """
    refuse_unknown("S3", given, NAMES)
    if given:
        return _login(given, "the credentials given")
    if profile is not None:
        return _login(_profile(profile, environ), f"the profile {profile!r}")
    found = {name: environ[variable] for name, variable in VARIABLES.items() if environ.get(variable)}
    if found.keys() - {"session_token"}:
        return _login(found, "the environment")
    if environ.get("AWS_PROFILE"):
        return find_login({}, environ["AWS_PROFILE"], environ)
    return None


def is_fetched_elsewhere(environ: Mapping[str, str]) -> bool:
    """Whether the environment says where credentials are to be fetched."""
    return any(environ.get(name) for name in FETCHED)


def aws_setting(name: str, profile: str | None, environ: Mapping[str, str]) -> str | None:
    """Return a setting such as `region` of a profile in AWS's configuration file; None if it is not there."""
    profile = profile or environ.get("AWS_PROFILE") or "default"
    settings = _read(environ, "AWS_CONFIG_FILE", "config")
    section = profile if profile == "default" else f"profile {profile}"
    return settings.get(section, name, fallback=None)


def _login(found: Mapping[str, str], where: str) -> S3Login:
    missing = [name for name in NAMES[:2] if not found.get(name)]
    if missing:
        msg = f"S3 needs {missing[0]}, which is not in {where}"
        raise ConfigurationError(msg, fix="Give access_key_id and secret_access_key together")
    return S3Login(
        access_key_id=found["access_key_id"],
        secret_access_key=found["secret_access_key"],
        session_token=found.get("session_token") or None,
    )


def _profile(name: str, environ: Mapping[str, str]) -> dict[str, str]:
    profiles = _read(environ, "AWS_SHARED_CREDENTIALS_FILE", "credentials")
    if not profiles.has_section(name):
        msg = f"AWS's credentials file has no profile {name!r}"
        raise ConfigurationError(msg, fix=one_of(name, profiles.sections()))
    section = profiles[name]
    return {key: section[f"aws_{key}"] for key in NAMES if f"aws_{key}" in section}


def _read(environ: Mapping[str, str], variable: str, name: str) -> configparser.RawConfigParser:
    path = Path(environ.get(variable) or Path("~/.aws", name)).expanduser()
    parser = configparser.RawConfigParser(default_section="")
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError, OSError):
        msg = f"Cannot read AWS's file {str(path)!r}"
        # Not the cause: it quotes lines, which may be secret.
        raise ConfigurationError(msg, fix="Repair it, or give the credentials in another way") from None
    return parser
