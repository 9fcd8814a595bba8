"""Object stores by their URL."""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from obstore.store import AzureStore, GCSStore, S3Store

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.storage.aws_login import aws_setting, find_login, is_fetched_elsewhere
from synapse_sdk.storage.keys import KeyRules
from synapse_sdk.storage.object_store import ObjectStorage
from synapse_sdk.storage.open import options_of, refuse_unknown, refuse_userinfo
from synapse_sdk.storage.s3_uploads import S3Login, S3Uploads

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

__all__ = ["open_azure", "open_gcs", "open_s3"]

RULES = KeyRules(key_bytes=1024, controls=False)
AZURE_RULES = KeyRules(key_bytes=1024, controls=False, final_dot=False, backslash=False)
STALL = 60.0
"""Seconds that a connection may stand still."""
RETRIES: "RetryConfig" = {
    "max_retries": 4,
    "retry_timeout": timedelta(seconds=90),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=5), "base": 2},
}
GCS_CREDENTIALS = ("service_account", "service_account_key", "bearer_token")
GCS_VARIABLES = (
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_SERVICE_ACCOUNT",
    "GOOGLE_SERVICE_ACCOUNT_PATH",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
)
GCS_WELL_KNOWN = "~/.config/gcloud/application_default_credentials.json"
AZURE_CREDENTIALS = ("account_key", "sas_key", "token", "client_id", "client_secret", "tenant_id")
AZURE_VARIABLES = (
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_SAS_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_STORAGE_TOKEN",
    "AZURE_STORAGE_CLIENT_SECRET",
    "AZURE_CLIENT_SECRET",
    "AZURE_FEDERATED_TOKEN_FILE",
)


def open_s3(url: str, credentials: Mapping[str, str]) -> ObjectStorage:
    """Open `s3://BUCKET/PREFIX`; see `open_storage`."""
    options = options_of(url, ("endpoint", "region", "profile", "anonymous", "metadata", "timeout"))
    bucket, prefix, shown = _place(url)
    environ, profile = os.environ, options.get("profile")
    login = find_login(credentials, profile, environ)
    is_anonymous = _is_set(options, "anonymous")
    is_known = login is not None or is_fetched_elsewhere(environ)
    variables = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with ?profile=NAME"
    _require(is_known or is_anonymous or _is_set(options, "metadata"), "S3", variables)
    region = (
        options.get("region")
        or environ.get("AWS_REGION")
        or environ.get("AWS_DEFAULT_REGION")
        or aws_setting("region", profile, environ)
        or "us-east-1"
    )
    endpoint = _endpoint(
        options.get("endpoint")
        or environ.get("AWS_ENDPOINT_URL_S3")
        or environ.get("AWS_ENDPOINT_URL")
        or environ.get("AWS_ENDPOINT")
        or aws_setting("endpoint_url", profile, environ)
    )
    stall = _stall(options)
    store = S3Store(
        bucket,
        client_options=_client(endpoint, stall),
        retry_config=RETRIES,
        config=_s3_config(region, endpoint, login, is_anonymous=is_anonymous),  # type: ignore[arg-type]  # its keys are
    )
    at = endpoint or f"https://s3.{region}.amazonaws.com"
    uploads = S3Uploads(shown, at, bucket, region=region, login=login, timeout=stall) if login is not None else None
    return ObjectStorage(
        store,
        shown,
        prefix=prefix,
        rules=RULES,
        uploads=uploads,
        secrets=_secrets(login),
        signs_content=not is_anonymous,
    )


def _s3_config(region: str, endpoint: str | None, login: S3Login | None, *, is_anonymous: bool) -> dict[str, Any]:
    """Return what is set whatever the environment says: obstore reads it as well."""
    config: dict[str, Any] = {"region": region, "unsigned_payload": False, "skip_signature": is_anonymous}
    if endpoint is not None:
        config["endpoint"] = endpoint
        if os.environ.get("AWS_ENDPOINT_URL_S3"):
            config["aws_endpoint_url_s3"] = endpoint  # else the variable would win
    if login is not None:
        config |= {"access_key_id": login.access_key_id, "secret_access_key": login.secret_access_key}
        if login.session_token is not None:
            config["session_token"] = login.session_token
    return config


def open_gcs(url: str, credentials: Mapping[str, str]) -> ObjectStorage:
    """Open `gs://BUCKET/PREFIX`; see `open_storage`."""
    options = options_of(url, ("endpoint", "anonymous", "metadata", "timeout"))
    bucket, prefix, shown = _place(url)
    refuse_unknown("Google Cloud Storage", credentials, GCS_CREDENTIALS)
    is_anonymous = _is_set(options, "anonymous")
    is_known = any(os.environ.get(name) for name in GCS_VARIABLES) or Path(GCS_WELL_KNOWN).expanduser().exists()
    is_known = bool(credentials) or is_known or is_anonymous or _is_set(options, "metadata")
    _require(is_known, "Google Cloud Storage", "GOOGLE_APPLICATION_CREDENTIALS")
    endpoint = _endpoint(options.get("endpoint"))
    config: dict[str, Any] = {**credentials, "skip_signature": is_anonymous}
    if endpoint is not None:
        config["base_url"] = endpoint
    store = GCSStore(
        bucket,
        config=config,  # type: ignore[arg-type]  # its keys are
        client_options=_client(endpoint, _stall(options)),
        retry_config=RETRIES,
    )
    return ObjectStorage(store, shown, prefix=prefix, rules=RULES, secrets=tuple(credentials.values()))


def open_azure(url: str, credentials: Mapping[str, str]) -> ObjectStorage:
    """Open `az://CONTAINER/PREFIX`; see `open_storage`."""
    options = options_of(url, ("account", "endpoint", "anonymous", "metadata", "timeout"))
    container, prefix, shown = _place(url)
    refuse_unknown("Azure", credentials, AZURE_CREDENTIALS)
    account = options.get("account") or os.environ.get("AZURE_STORAGE_ACCOUNT_NAME")
    if not account:
        msg = f"The storage {shown!r} does not say which account the container is in"
        raise ConfigurationError(msg, fix="Add ?account=NAME, or set AZURE_STORAGE_ACCOUNT_NAME")
    is_anonymous = _is_set(options, "anonymous")
    is_known = any(os.environ.get(name) for name in AZURE_VARIABLES)
    is_known = bool(credentials) or is_known or is_anonymous or _is_set(options, "metadata")
    _require(is_known, "Azure", "AZURE_STORAGE_ACCOUNT_KEY")
    endpoint = _endpoint(options.get("endpoint"))
    config: dict[str, Any] = {**credentials, "account_name": account, "skip_signature": is_anonymous}
    if endpoint is not None:
        config["endpoint"] = endpoint
    store = AzureStore(
        container,
        config=config,  # type: ignore[arg-type]  # its keys are
        client_options=_client(endpoint, _stall(options)),
        retry_config=RETRIES,
    )
    return ObjectStorage(store, shown, prefix=prefix, rules=AZURE_RULES, secrets=tuple(credentials.values()))


def _place(url: str) -> tuple[str, str, str]:
    """Return the bucket, the prefix of all keys with a slash at its end, and the URL as it may be shown."""
    refuse_userinfo(url)
    split = urlsplit(url)
    prefix = unquote(split.path).strip("/")
    if not split.netloc:
        msg = f"The URL of a {split.scheme} storage names no bucket"
        raise ConfigurationError(msg, fix=f"Write {split.scheme}://BUCKET/PREFIX")
    if prefix:
        RULES.check(prefix)
    query = f"?{split.query}" if split.query else ""
    return split.netloc, prefix + "/" if prefix else "", f"{split.scheme}://{split.netloc}/{quote(prefix)}{query}"


def _endpoint(text: str | None) -> str | None:
    if text is None:
        return None
    split = urlsplit(text)
    if split.scheme not in {"http", "https"} or not split.hostname or "@" in split.netloc or split.query:
        msg = "The endpoint of the storage is not an address of a server"
        raise ConfigurationError(msg, fix="Write https://HOST or http://HOST:PORT, without credentials")
    return text.rstrip("/")


def _client(endpoint: str | None, stall: float) -> "ClientConfig":
    """Return the limits of the client: none for a whole request, which may be large and the line slow."""
    return {
        "allow_http": endpoint is not None and endpoint.startswith("http://"),
        "connect_timeout": timedelta(seconds=min(10.0, stall)),
        "read_timeout": timedelta(seconds=stall),
        "timeout": timedelta(days=1),
    }


def _stall(options: Mapping[str, str]) -> float:
    text = options.get("timeout", str(STALL))
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < timedelta(days=1).total_seconds():
        msg = f"The storage has timeout={text!r}, which is no number of seconds"
        raise ConfigurationError(msg, fix="Give the seconds that a connection may stand still, such as 60")
    return seconds


def _is_set(options: Mapping[str, str], name: str) -> bool:
    value = options.get(name, "false").lower()
    if value not in {"true", "false"}:
        msg = f"The storage has {name}={value!r}"
        raise ConfigurationError(msg, fix=f"Write {name}=true, or leave it out")
    return value == "true"


def _require(is_there: bool, kind: str, variables: str) -> None:  # noqa: FBT001  # reads as a sentence
    """Refuse to go on without credentials: the client would ask a metadata service for them."""
    if not is_there:
        msg = f"There are no credentials for {kind}"
        fix = f"Give them to open_storage(credentials=...), or set {variables}. "
        fix += "?metadata=true asks the machine's metadata service for them, ?anonymous=true does without"
        raise ConfigurationError(msg, fix=fix)


def _secrets(login: S3Login | None) -> tuple[str, ...]:
    if login is None:
        return ()
    return tuple(secret for secret in (login.secret_access_key, login.session_token) if secret)
