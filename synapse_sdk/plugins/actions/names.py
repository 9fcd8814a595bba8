"""Names of files, as people may see them."""

import re

__all__ = ["CONTROLS", "shown"]

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""What steers a terminal, and ends lines."""


def shown(path: str) -> str:
    r"""Return a path as text that can be written down: bytes that are no text are shown as `\xff`, and so are controls.

    Example:
        >>> shown("caf\udce9.jpg"), shown("a\x1b[2J.jpg")
        ('caf\\xe9.jpg', 'a\\x1b[2J.jpg')
    """
    if path.isprintable():
        return path
    try:
        path.encode()
    except UnicodeEncodeError:
        path = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), path)
