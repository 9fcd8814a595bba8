"""Paths that somebody has written on the command line."""

from pathlib import Path

import click

__all__ = ["expanded"]


def expanded(text: str, option: str) -> Path:
    """Return a path with the home folder in place of `~`.

    Args:
        text: The path, as it was written.
        option: Where: an option such as `--out`, or an argument such as `PATH`.

    Raises:
        BadParameter: It begins with `~NAME`, and there is no user of this name.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        msg = f"{text!r} begins with the home folder of nobody that there is: write ./{text} for a name like that"
        raise click.BadParameter(msg, param_hint=option) from error
