"""What the URL of a database says: its kind, and its file."""

import os
from pathlib import Path
from urllib.parse import unquote_to_bytes

__all__ = ["file_of", "scheme_of"]


def scheme_of(url: str) -> str:
    """Return the scheme of a URL in small letters; empty for a path."""
    scheme, separator, _ = url.partition(":")
    is_path = not separator or len(scheme) < 2 or "/" in scheme  # noqa: PLR2004  # a drive's letter is no scheme
    return "" if is_path else scheme.lower()


def file_of(url: str) -> Path | None:
    """Return the file that a path or `sqlite:///FILE` names, without options; None if it names none."""
    place = url
    if url.startswith("sqlite:"):
        path = os.fsdecode(unquote_to_bytes(os.fsencode(url.removeprefix("sqlite:").removeprefix("//"))))
        place = path.removeprefix("/") if path.startswith("/./") else path
    return Path(place) if place not in {"", "/"} else None
