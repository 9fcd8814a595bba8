"""Kinds of media, and the ids of media: `image_1`, `video_2`."""

import re
from collections.abc import Iterable

from synapse_sdk.errors import InvalidDocumentError
from synapse_sdk.extensions import one_of

__all__ = ["BUCKETS", "KINDS", "file_kind", "in_natural_order", "is_media_id", "kind_of"]

BUCKETS = {
    "image": "images",
    "video": "videos",
    "pcd": "pcds",
    "text": "texts",
    "audio": "audios",
    "prompt": "prompts",
    "data": "datas",
}
"""Each kind of media, and the list that has those media in version 2."""
KINDS = {bucket: kind for kind, bucket in BUCKETS.items()}
MEDIA_ID = re.compile(rf"({'|'.join(BUCKETS)})_(\d{{1,9}})")
"""What an id of a medium looks like; numbers are from 1."""


def is_media_id(text: str) -> bool:
    """Whether a text is the id of a medium of a known kind."""
    return MEDIA_ID.fullmatch(text) is not None


def kind_of(media_id: str) -> str:
    """Return the kind of a medium.

    Raises:
        InvalidDocumentError: It is of none that is known.

    Example:
        >>> kind_of("image_1")
        'image'
    """
    found = MEDIA_ID.fullmatch(media_id)
    if found is None:
        msg = f"There is no kind of media that could be called {media_id!r}"
        fix = f"Use one of {', '.join(BUCKETS)}, with a number: image_1"
        raise InvalidDocumentError(msg, fix=fix, media=media_id)
    return found[1]


def in_natural_order(media_ids: Iterable[str]) -> list[str]:
    """Return ids of media in their order, in which `image_2` comes before `image_10`.

    Example:
        >>> in_natural_order(["video_1", "image_10", "image_2"])
        ['image_2', 'image_10', 'video_1']
    """
    return sorted(media_ids, key=_rank)


def file_kind(name: str | None) -> str | None:
    """Return a kind of media that somebody has chosen.

    Raises:
        InvalidDocumentError: There is no such kind.
    """
    if name is None or name in BUCKETS:
        return name
    msg = f"There is no kind of media {name!r}"
    raise InvalidDocumentError(msg, fix=one_of(name, BUCKETS), file_type=name)


def _rank(media_id: str) -> tuple[str, int, str]:
    kind, _, number = media_id.rpartition("_")
    return (kind, int(number) if number.isdecimal() else 0, media_id)
