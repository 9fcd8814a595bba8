"""Crash files: what is known about a bug of ours, without anybody's secrets."""

import os
import platform
import re
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from synapse_sdk import __version__

__all__ = ["write_crash_file"]

MASK = "***"
LONG_ENOUGH = 8
"""Characters from which on the value of a variable is looked for; shorter ones occur in any text by chance."""
SECRET_NAME = re.compile(r"(?i)token|secret|passw|api_?key|access_?key|credential|auth")
TOKENS = (
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),  # user:password of an address
    re.compile(r"(?i)(?<=bearer )\S+"),
    re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"),  # a JSON web token
    re.compile(r"\b(?:sk|pk|gh[opsu]|github_pat|xox[a-z]|glpat|AKIA|ASIA)[-_]?[A-Za-z0-9_-]{12,}"),
    re.compile(r"\b(?=[\w+/-]*[0-9])(?=[\w+/-]*[A-Za-z])[A-Za-z0-9_+-]{32,}={0,2}"),  # long and mixed: no word
    re.compile(r"(?i)(?<![\w-])[\w-]*(?:token|secret|passw(?:or)?d|api_?key)[\w-]*['\"]?\s*[=:]\s*['\"]?([^\s'\",;]+)"),
)
"""What looks like a secret; where a pattern has a group, the group is what is masked."""


def write_crash_file(
    error: BaseException, args: Sequence[str], *, environ: Mapping[str, str] | None = None
) -> Path | None:
    """Write what is known about a crash and return the file, or None if there is no place for it.

    The file is readable by its owner only. It holds version, platform, the command line without values, and the
    traceback, from which values of the environment and everything that looks like a token are removed.
    """
    environ = os.environ if environ is None else environ
    now = datetime.now(UTC)
    text = without_secrets(
        "\n".join(
            (
                f"synapse {__version__} on Python {platform.python_version()}, {platform.platform()}",
                f"at {now.isoformat(timespec='seconds')}",
                f"command: synapse {' '.join(without_values(args))}",
                "",
                "".join(traceback.format_exception(error)),
            )
        ),
        environ,
    )
    name = f"crash-{now:%Y%m%dT%H%M%SZ}-{os.getpid()}.txt"
    for folder in _folders(environ):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
        except OSError:
            continue
        return folder / name
    return None


def without_values(args: Sequence[str]) -> Iterator[str]:
    """Yield a command line in which everything behind the value of an option is masked: `--set name=***`."""
    masks_next = False
    for arg in args:
        if masks_next:
            name, equals, _ = arg.partition("=")
            yield f"{name}={MASK}" if equals and not arg.lstrip().startswith("{") else MASK
            masks_next = False
        else:
            option, equals, value = arg.partition("=")
            masks_next = arg in {"--set", "--env", "--params"}
            if option in {"--set", "--env"} and equals:
                yield f"{option}={value.partition('=')[0]}={MASK}"
            else:
                yield f"{option}={MASK}" if equals and option == "--params" else arg


def without_secrets(text: str, environ: Mapping[str, str]) -> str:
    """Return the text without the values of environment variables and without anything that looks like a token."""
    for name, value in sorted(environ.items(), key=lambda pair: len(pair[1]), reverse=True):
        if len(value) >= LONG_ENOUGH or (value and SECRET_NAME.search(name)):
            text = text.replace(value, f"${name}")
    for pattern in TOKENS:
        text = pattern.sub(lambda match: match[0].replace(match[1], MASK) if match.re.groups else MASK, text)
    return text


def _folders(environ: Mapping[str, str]) -> Iterator[Path]:
    state = environ.get("XDG_STATE_HOME", "")
    home = environ.get("HOME") or os.path.expanduser("~")  # noqa: PTH111  # Path.home raises for a user without one
    yield (Path(state) if os.path.isabs(state) else Path(home, ".local", "state")) / "synapse"  # noqa: PTH117  # XDG
    yield Path(tempfile.gettempdir())
