"""URLs of files on the web, taken apart once, and shown without what is secret in them."""

import re
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Self
from urllib.parse import quote, urljoin, urlsplit

from synapse_sdk.errors import UnsafeUrlError

__all__ = ["WebUrl"]

PORTS = {"http": 80, "https": 443}
TRAP = re.compile(r"[\x00-\x1f\x7f\\]")
"""Characters that readers of URLs disagree about."""
NAME = re.compile(r"[a-z0-9._-]+")
PLACE = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:@]*)(:\d{0,5})?")
"""A host with or without a port; in a URL that is malformed there may be a password instead."""
IN_PATH = "%/:@!$&'()*+,;=~"
IN_QUERY = IN_PATH + "?"
SHOWN = 300
"""Characters of a URL that are shown."""


@dataclass(frozen=True, slots=True)
class WebUrl:
    """Where a file is. As text it has neither query nor credentials: a signed link is as good as a password."""

    scheme: str
    """`http` or `https`."""
    host: str
    """A name in ASCII, or an address; IPv6 without brackets."""
    port: int
    target: str = field(repr=False)
    """Path and query, as they are sent."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take a URL apart.

        Raises:
            UnsafeUrlError: It is not one of a file on the web, or could be understood in two ways.
        """
        try:
            parts = urlsplit(text)
            port, host = parts.port, _ascii(parts.hostname or "")
        except ValueError as error:  # its text may hold the whole URL
            raise _refused(text, f"it is malformed ({type(error).__name__})") from None
        if parts.scheme not in PORTS:
            raise _refused(text, f"its scheme is {parts.scheme!r}")
        if TRAP.search(text) or not host or port == 0:
            raise _refused(text, "it is malformed")
        if parts.username is not None or parts.password is not None:
            raise _refused(text, "it has a user or a password, which are never sent")
        target = quote(parts.path or "/", safe=IN_PATH) + (
            f"?{quote(parts.query, safe=IN_QUERY)}" if parts.query else ""
        )
        return cls(parts.scheme, host, port or PORTS[parts.scheme], target)

    def follow(self, location: bytes) -> "WebUrl":
        """Return where a redirect leads.

        Args:
            location: The header `Location` of the answer.

        Raises:
            UnsafeUrlError: To something that is not on the web, or from https to http.
        """
        try:
            text = location.decode()
        except UnicodeDecodeError:
            text = location.decode("latin-1")
        try:
            joined = urljoin(f"{self.scheme}://{self.authority}{self.target}", text)
        except ValueError:
            raise _refused(text, f"{str(self)!r} redirects to it, and it is malformed") from None
        there = WebUrl.parse(joined)
        if self.scheme == "https" and there.scheme != "https":
            raise _refused(joined, f"{str(self)!r} redirects to it, and everybody on the way could read and change it")
        return there

    @property
    def authority(self) -> str:
        """Host and port, as the header `Host` has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return _shown(f"{self.scheme}://{self.authority}{self.target}")


def _ascii(host: str) -> str:
    """Return a host as it is looked up, or nothing if it is not one.

    Raises:
        ValueError: A part of it is empty or too long.
    """
    if ":" in host:
        return "" if "%" in host else str(IPv6Address(host))  # after %: the name of a network card
    name = host.encode("idna").decode("ascii").lower() if host else ""
    return name if NAME.fullmatch(name) else ""


def _shown(text: str) -> str:
    """Return as much of a URL as may be shown."""
    scheme, slashes, rest = re.split(r"[?#]", text, maxsplit=1)[0].partition("://")
    authority, slash, path = rest.partition("/")
    place = authority.rpartition("@")[2]
    shown = scheme + slashes + (place if PLACE.fullmatch(place) else "...") + slash + path
    return shown if len(shown) <= SHOWN else shown[: SHOWN - 3] + "..."


def _refused(text: str, why: str) -> UnsafeUrlError:
    fix = "Give a whole URL that begins with https:// or http://"
    return UnsafeUrlError(f"Will not download {_shown(text)!r}", why=why, fix=fix, url=_shown(text))
