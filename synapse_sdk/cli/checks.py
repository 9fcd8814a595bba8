"""What `synapse doctor` looks at: each check is a function that yields what it found."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import synapse_sdk
from synapse_sdk.cli.backend_checks import check_backend
from synapse_sdk.cli.finding import LITTLE_SPACE, MEBIBYTE, NO_SPACE, Finding, Health
from synapse_sdk.cli.journal_checks import check_journal
from synapse_sdk.cli.session import Session
from synapse_sdk.errors import SynapseError
from synapse_sdk.settings import SETTING_NAMES, Source

__all__ = ["Finding", "Health", "examine"]

OLDEST_PYTHON = (3, 12)
REQUIRED = ("alembic", "click", "pillow", "pydantic", "pyyaml", "rich", "sqlalchemy")
OPTIONAL = {"pytest": "to test plugins"}
FEW_FILES, TOO_FEW_FILES = 1024, 128
NARROW_TERMINAL = 60
OUR_TIME = datetime(2025, 1, 1, tzinfo=UTC)
"""This package did not exist before: a clock that says so is wrong."""
CLOCK_SKEW = 5.0
"""Seconds by which the clock of a file system may differ."""


def examine(session: Session) -> Iterator[Finding]:
    """Yield what every check finds; one that breaks is a finding itself."""
    checks: dict[str, Callable[[], Iterator[Finding]]] = {
        "python": check_python,
        "synapse_sdk": check_package,
        "settings": lambda: check_settings(session),
        "plugins": check_plugins,
        "journal": lambda: check_journal(session),
        "backend": lambda: check_backend(session),
        "disk": check_disk,
        "temporary folder": check_temporary_folder,
        "open files": check_open_files,
        "terminal": check_terminal,
        "clock": check_clock,
    }
    for name, check in checks.items():
        try:
            yield from check()
        except SynapseError as error:
            why = "; ".join(part for part in (error.message, error.why) if part)
            yield Finding(name, Health.FAIL, why, error.fix)
        except Exception as error:  # noqa: BLE001  # the other checks are to be made all the same
            yield Finding(name, Health.FAIL, f"{type(error).__name__}: {error}", "Please report this")


def check_python() -> Iterator[Finding]:
    """Find out whether this Python is new enough, and which one it is."""
    shown = f"{sys.version.partition(' ')[0]} ({sys.executable})"
    if sys.version_info >= OLDEST_PYTHON:
        yield Finding("python", Health.OK, shown)
    else:
        yield Finding("python", Health.FAIL, shown, f"Install Python {'.'.join(map(str, OLDEST_PYTHON))} or newer")


def check_package() -> Iterator[Finding]:
    """Find out which copy of this package is in use, and whether what it needs is there."""
    yield Finding("synapse_sdk", Health.OK, f"{synapse_sdk.__version__} ({Path(synapse_sdk.__file__).parent})")
    missing = [name for name in REQUIRED if _version(name) is None]
    if missing:
        yield Finding(
            "packages", Health.FAIL, f"not installed: {', '.join(missing)}", f"pip install {' '.join(missing)}"
        )
    else:
        yield Finding("packages", Health.OK, ", ".join(f"{name} {_version(name)}" for name in REQUIRED))
    for name, purpose in OPTIONAL.items():
        found = _version(name)
        shown = f"{name} {found}" if found else f"{name} is not installed ({purpose})"
        yield Finding("optional", Health.OK, shown, None if found else "pip install 'synapse-sdk[test]'")


def check_settings(session: Session) -> Iterator[Finding]:
    """Find out whether all settings can be read, and which are not the default."""
    settings = session.settings
    chosen = [name for name in SETTING_NAMES if settings.origins[name].source is not Source.DEFAULT]
    shown = "; ".join(f"{name}={str(getattr(settings, name)).lower()} from {settings.origins[name]}" for name in chosen)
    yield Finding("settings", Health.OK, shown or "all are the default")


def check_plugins() -> Iterator[Finding]:
    """Find out whether all installed plugins can be loaded."""
    from synapse_sdk.plugins.discovery import installed_plugins  # noqa: PLC0415  # loads pydantic

    working = []
    for each in installed_plugins():
        if each.error is None:
            working.append(each.name)
        else:
            fix = f"Repair or uninstall {each.package}; SYNAPSE_DISABLE_PLUGINS=1 leaves all such plugins out"
            yield Finding("plugins", Health.WARN, f"{each.name} cannot be loaded: {each.error.message}", fix)
    yield Finding("plugins", Health.OK, ", ".join(working) or "none is installed; folders work without installation")


def check_disk() -> Iterator[Finding]:
    """Find out whether there is room where runs write."""
    for name, folder in (("disk, here", Path.cwd()), ("disk, temporary", Path(tempfile.gettempdir()))):
        free = shutil.disk_usage(folder).free
        health = Health.FAIL if free < NO_SPACE else Health.WARN if free < LITTLE_SPACE else Health.OK
        fix = None if health is Health.OK else "Free some space, or work somewhere else"
        yield Finding(name, health, f"{free // MEBIBYTE:,} MiB free in {folder}", fix)


def check_temporary_folder() -> Iterator[Finding]:
    """Find out whether temporary files can be written, and whether their clock agrees with ours."""
    folder = tempfile.gettempdir()
    try:
        with tempfile.NamedTemporaryFile(prefix="synapse-doctor-") as file:
            file.write(b"synapse")
            file.flush()
            skew = abs(os.fstat(file.fileno()).st_mtime - time.time())
    except OSError as error:
        fix = "Set TMPDIR to a folder that you may write to"
        yield Finding("temporary folder", Health.FAIL, f"{folder}: {error.strerror}", fix)
        return
    if skew > CLOCK_SKEW:
        found = f"{folder} is {skew:.0f} s apart from this machine's clock"
        yield Finding("temporary folder", Health.WARN, found, "Synchronise both clocks (NTP)")
    else:
        yield Finding("temporary folder", Health.OK, f"{folder} can be written")


def check_open_files() -> Iterator[Finding]:
    """Find out how many files may be open at a time."""
    try:
        import resource  # noqa: PLC0415  # not on Windows
    except ImportError:
        yield Finding("open files", Health.OK, "this system has no limit to ask for")
        return
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        yield Finding("open files", Health.OK, "no limit")
        return
    health = Health.FAIL if soft < TOO_FEW_FILES else Health.WARN if soft < FEW_FILES else Health.OK
    fix = None if health is Health.OK else "ulimit -n 4096"
    yield Finding("open files", health, f"{soft:,} may be open at a time", fix)


def check_terminal() -> Iterator[Finding]:
    """Find out what can be shown where progress goes."""
    from synapse_sdk.reporting.open import can_draw, wants_color  # noqa: PLC0415  # only the doctor asks

    stream = sys.stderr
    columns = shutil.get_terminal_size().columns
    traits = [
        f"{columns} columns" if stream.isatty() else "not a terminal",
        f"TERM={os.environ.get('TERM', '')}",
        stream.encoding,
        "colours" if wants_color("auto", stream, os.environ) else "no colours",
        "progress bars" if can_draw(stream, os.environ) else "progress as lines",
    ]
    fix = None
    if "utf" not in sys.getfilesystemencoding().lower() or "utf" not in stream.encoding.lower():
        fix = "Set LANG to a UTF-8 locale such as C.UTF-8, to see every file name as it is"
    elif stream.isatty() and columns < NARROW_TERMINAL:
        fix = f"Make the window at least {NARROW_TERMINAL} columns wide"
    yield Finding("terminal", Health.OK if fix is None else Health.WARN, ", ".join(traits), fix)


def check_clock() -> Iterator[Finding]:
    """Find out whether the clock can be right."""
    now = datetime.now(UTC)
    shown = f"{now:%Y-%m-%d %H:%M} UTC"
    if now < OUR_TIME:
        yield Finding("clock", Health.FAIL, shown, "Set the clock, or start its synchronisation (NTP)")
    else:
        yield Finding("clock", Health.OK, shown)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
