"""Addresses of storages that mean the same from everywhere, and the places that they lead to."""

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

__all__ = ["absolute_url", "place_of"]

ALIASES = {"local": "file", "ssh": "sftp"}
WAYS_IN = frozenset({"anonymous", "link", "metadata", "region", "timeout", "trust_host"})
"""Options that say how a storage is used, and nothing about where it is."""


def absolute_url(url: str) -> str:
    """Return the URL of a storage; for a path that of the folder, wherever it is opened from.

    Example:
        >>> absolute_url("/data/store"), absolute_url("s3://bucket/photos")
        ('file:///data/store', 's3://bucket/photos')
    """
    if "://" in url or url.startswith("memory:"):
        return url
    return Path(url).expanduser().resolve().as_uri()


def place_of(url: str) -> str:
    """Return where a storage has its objects: the same text for every URL of one place, and not meant to be opened.

    Example:
        >>> place_of("file:///data/store/?link=hardlink"), place_of("s3://bucket/photos/?region=eu-west-1")
        ('file:///data/store', 's3://bucket/photos')
    """
    try:
        split = urlsplit(absolute_url(url))
    except ValueError:
        return url  # it means nothing, and nothing else means the same
    scheme = ALIASES.get(split.scheme, split.scheme)
    path = unquote(split.path, errors="surrogateescape")
    if scheme == "file":
        return Path(path).resolve().as_uri()
    user, at, host = split.netloc.rpartition("@")
    options = sorted(pair for pair in parse_qsl(split.query, keep_blank_values=True) if pair[0] not in WAYS_IN)
    where = "&".join(f"{name}={value}" for name, value in options)
    return f"{scheme}://{user.partition(':')[0]}{at}{host}{path.rstrip('/')}{where and '?'}{where}"
