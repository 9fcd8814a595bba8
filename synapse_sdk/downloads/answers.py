"""What the head of an answer says about a file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Self

import httpcore

__all__ = ["Answer"]

CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,19})-(\d{1,19})|\*)/(\d{1,19}|\*)")
SETTLED = timedelta(seconds=1)
"""How old a date of change has to be to tell two versions apart (RFC 9110, 8.8.2.2)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and headers."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""

    @classmethod
    def of(cls, response: httpcore.Response) -> Self:
        """Return what a response says of itself."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        return cls(response.status, headers)

    @property
    def size(self) -> int | None:
        """Bytes of the body, if that is said."""
        text = self.headers.get("content-length", "")
        return int(text) if text.isascii() and text.isdigit() else None

    @property
    def validator(self) -> str | None:
        """What is the same only as long as the file is: a strong ETag, else a date of change that has settled."""
        tag = self.headers.get("etag", "")
        if tag.startswith('"'):
            return tag
        changed, sent = self._instant("last-modified"), self._instant("date")
        if changed is None or sent is None or sent - changed < SETTLED:
            return None
        return self.headers["last-modified"]

    def has(self, validator: str | None) -> bool | None:
        """Return whether the file is still the one of a validator; None if that is not said."""
        said = self.headers.get("etag" if validator and validator.startswith('"') else "last-modified")
        return None if said is None or validator is None else said == validator

    @property
    def takes_ranges(self) -> bool:
        """Whether parts of the file can be asked for."""
        return self.headers.get("accept-ranges", "").lower() == "bytes"

    @property
    def coding(self) -> str:
        """How the body is encoded, `identity` if it is not."""
        return self.headers.get("content-encoding", "").strip().lower() or "identity"

    @property
    def part(self) -> tuple[int | None, int | None]:
        """From which byte on the body is, and how many bytes the file has; None for what is not said."""
        match = CONTENT_RANGE.fullmatch(self.headers.get("content-range", "").strip())
        if match is None:
            return None, None
        return (None if match[1] is None else int(match[1])), (None if match[3] == "*" else int(match[3]))

    def retry_after(self, now: datetime) -> float | None:
        """Return the seconds from `now` until the server wants to be asked again, if it says so."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            return float(text)
        instant = self._instant("retry-after")
        return None if instant is None else max(0.0, (instant - now).total_seconds())

    def _instant(self, name: str) -> datetime | None:
        try:
            instant = parsedate_to_datetime(self.headers[name])
        except (KeyError, ValueError, OverflowError):
            return None
        return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
