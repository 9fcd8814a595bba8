"""Addresses of storages that mean the same from everywhere."""

from pathlib import Path

__all__ = ["absolute_url"]


def absolute_url(url: str) -> str:
    """Return the URL of a storage; for a path that of the folder, wherever it is opened from.

    Example:
        >>> absolute_url("/data/store"), absolute_url("s3://bucket/photos")
        ('file:///data/store', 's3://bucket/photos')
    """
    if "://" in url or url.startswith("memory:"):
        return url
    return Path(url).expanduser().resolve().as_uri()
