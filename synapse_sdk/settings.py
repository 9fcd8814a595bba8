"""What the user has chosen, and where: flags, environment, project file, user profile, default.

A setting has one name everywhere: `color` is `--color` on the command line, `SYNAPSE_COLOR` in the environment and
`color` in a file. The first place that has it wins, in this order:

1. the flag,
2. the environment variable,
3. the project: `synapse.toml`, or `[tool.synapse]` in `pyproject.toml`, in this folder or the nearest one above,
4. the user's profile: `[profile.NAME]` in `~/.config/synapse/config.toml`,
5. the default.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from synapse_sdk.errors import ConfigurationError

__all__ = ["CHOICES", "SETTING_NAMES", "Origin", "Settings", "Source", "load_settings", "use_profile", "user_file"]

CHOICES: Mapping[str, tuple[str, ...]] = {
    "progress": ("auto", "bar", "plain", "json", "none"),
    "color": ("auto", "always", "never"),
    "mode": ("local", "process", "ray"),
}
"""The words a setting may have; one that is neither here nor in `TEXTS` is true or false."""
TEXTS = frozenset({"backend", "journal"})
"""Settings that may be any text."""
TRUE_WORDS, FALSE_WORDS = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


class Source(StrEnum):
    """The kinds of places a setting can come from; the first that has it wins."""

    FLAG = "flag"
    ENVIRONMENT = "environment"
    PROJECT = "project"
    PROFILE = "profile"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the value of a setting was found."""

    source: Source
    place: str = ""
    """The flag, the variable, or the file with the table in it."""

    def __str__(self) -> str:
        """Return kind and place in one line."""
        return f"{self.source} {self.place}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The value of every setting, and its origin."""

    progress: str = "auto"
    """How progress is shown: a bar, plain lines, JSON lines, or not at all; `auto` is a bar in a terminal."""
    color: str = "auto"
    """When to use colours; `auto` is in a terminal, unless `NO_COLOR` or `TERM=dumb` says otherwise."""
    mode: str = "local"
    """Where an action runs: in this process, in one of its own, or on a Ray cluster."""
    journal: str = "auto"
    """Where runs are recorded: a file or a URL; `auto` is the project's or the user's own, `none` is nowhere."""
    backend: str = "auto"
    """Where collections and data units are kept: a file or a URL; `auto` is the project's or the user's own."""
    debug: bool = False
    """Whether errors come with a traceback."""
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False, repr=False)
    """Where each value came from."""


SETTING_NAMES = tuple(each.name for each in fields(Settings) if each.name != "origins")
"""Every setting there is."""

type _Layer = Iterator[tuple[str, Any, Origin]]


def load_settings(
    flags: Mapping[str, Any] | None = None,
    *,
    profile: str | None = None,
    environ: Mapping[str, str] | None = None,
    directory: str | os.PathLike[str] | None = None,
) -> Settings:
    """Find the value of every setting.

    Args:
        flags: Values given on the command line; None stands for a flag that was not given.
        profile: The user's profile to use; by default the one `SYNAPSE_PROFILE`, or else the user's file, names.
        environ: Environment variables; by default those of this process.
        directory: Where the search for the project's file begins; by default the current directory.

    Raises:
        ConfigurationError: A file cannot be read, or a name or value in one of the places is wrong, even if another
            place overrules it.

    Example:
        >>> settings = load_settings({"color": "never"}, environ={"SYNAPSE_COLOR": "always"}, directory="/")
        >>> settings.color, str(settings.origins["color"])
        ('never', 'flag --color')
    """
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = dict.fromkeys(SETTING_NAMES, Origin(Source.DEFAULT))
    lowest_first = (
        _profile_layer(user_file(environ), profile, environ),
        _project_layer(Path.cwd() if directory is None else Path(directory).absolute()),
        _environment_layer(environ),
        _flag_layer(flags or {}),
    )
    for layer in lowest_first:
        for name, value, origin in layer:
            values[name], origins[name] = value, origin
    return Settings(**values, origins=origins)


def user_file(environ: Mapping[str, str]) -> Path:
    """Return where the user's own file is, whether it exists or not."""
    base = environ.get("XDG_CONFIG_HOME", "")
    if os.path.isabs(base):  # noqa: PTH117  # the XDG specification: a relative path is to be ignored
        return Path(base, "synapse", "config.toml")
    home = environ.get("HOME") or os.path.expanduser("~")  # noqa: PTH111  # Path.home raises for a user without one
    return Path(home, ".config", "synapse", "config.toml")


def use_profile(name: str, *, environ: Mapping[str, str] | None = None) -> Path:
    """Make a profile of the user's file the one that is used when none is asked for; nothing else in it changes.

    Returns:
        The file that was changed.

    Raises:
        ConfigurationError: There is no such profile, or the file cannot be read or written.
    """
    path = user_file(os.environ if environ is None else environ)
    _chosen_profile(path, _read_toml(path) if path.exists() else {}, name)
    lines = _read_text(path).splitlines() if path.exists() else []
    # The key belongs to the top of the file: before the first table, and only there may it stand already.
    tables = [number for number, line in enumerate(lines) if line.lstrip().startswith("[")]
    top = lines[: tables[0] if tables else len(lines)]
    kept = [line for line in top if line.partition("=")[0].strip(" \t\"'") != "default_profile"]
    line = f"default_profile = {json.dumps(name, ensure_ascii=False)}"  # a JSON string is a TOML string
    _replace_text(path.resolve(), "\n".join([line, *kept, *lines[len(top) :]]) + "\n")
    return path


def _flag_layer(flags: Mapping[str, Any]) -> _Layer:
    for name, value in flags.items():
        if value is not None:
            origin = Origin(Source.FLAG, f"--{name}")
            yield name, _checked(name, value, origin.place), origin


def _environment_layer(environ: Mapping[str, str]) -> _Layer:
    for name in SETTING_NAMES:
        variable = f"SYNAPSE_{name.upper()}"
        value: Any = environ.get(variable, "").strip()
        if value:
            word = value.lower()
            if name not in CHOICES and name not in TEXTS and word in TRUE_WORDS + FALSE_WORDS:
                value = word in TRUE_WORDS
            yield name, _checked(name, value, variable), Origin(Source.ENVIRONMENT, variable)


def _project_layer(directory: Path) -> _Layer:
    for folder in (directory, *directory.parents):
        own = folder / "synapse.toml"
        if own.is_file():
            yield from _table(_read_toml(own), own, "", Source.PROJECT)
            return
        shared = folder / "pyproject.toml"
        # Reading TOML costs 20 ms; a file that does not even mention the name is not worth them.
        if shared.is_file() and "synapse" in _read_text(shared):
            table = _read_toml(shared).get("tool", {}).get("synapse")
            if table is not None:
                yield from _table(table, shared, "tool.synapse", Source.PROJECT)
                return


def _profile_layer(path: Path, asked: str | None, environ: Mapping[str, str]) -> _Layer:
    name = asked or environ.get("SYNAPSE_PROFILE", "").strip() or None
    document = _read_toml(path) if path.exists() else {}
    known = ("default_profile", "profile")
    for key in document:
        if key not in known:
            fix = _did_you_mean(key, known) or f"Put settings under a profile: [profile.default] {key} = ..."
            msg = f"Unknown key {key!r} in {path}"
            raise ConfigurationError(msg, fix=fix, file=path, key=key)
    name = name or document.get("default_profile", "default")
    yield from _table(_chosen_profile(path, document, name), path, f"profile.{name}", Source.PROFILE)


def _chosen_profile(path: Path, document: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401  # not yet checked
    """Return a profile's table; the profile `default` needs none.

    Raises:
        ConfigurationError: There is no such profile.
    """
    profiles = document.get("profile", {})
    if isinstance(profiles, dict) and name in profiles:
        return profiles[name]
    if name == "default":
        return {}
    known = ", ".join(sorted(profiles)) or "none"
    msg = f"There is no profile {name!r} in {path}"
    fix = _did_you_mean(name, profiles) or f"Add a table [profile.{name}] to the file"
    raise ConfigurationError(msg, why=f"Its profiles: {known}", fix=fix, file=path, profile=name)


def _table(table: Any, path: Path, key: str, source: Source) -> _Layer:  # noqa: ANN401  # what a file has there
    place = f"{path}:{key}".rstrip(":")
    if not isinstance(table, dict):
        msg = f"{place} is not a table of settings"
        raise ConfigurationError(msg, fix=f"Write settings as lines: {SETTING_NAMES[0]} = ...")
    for name, value in table.items():
        yield name, _checked(name, value, f"{path}:{key}.{name}".replace(":.", ":")), Origin(source, place)


def _checked(name: str, value: object, place: str) -> object:
    """Return the value if it fits the setting.

    Raises:
        ConfigurationError: There is no such setting, or it cannot have this value.
    """
    if name not in SETTING_NAMES:
        msg = f"Unknown setting {name!r}"
        fix = _did_you_mean(name, SETTING_NAMES)
        raise ConfigurationError(msg, why=f"The settings are {', '.join(SETTING_NAMES)}", fix=fix, place=place)
    if name in TEXTS:
        return _checked_text(name, value, place)
    choices = CHOICES.get(name)
    if value in choices if choices else isinstance(value, bool):
        return value
    wanted = "one of " + ", ".join(choices) if choices else "true or false"
    fix = _did_you_mean(str(value), choices or ()) or f"Set it to {wanted}"
    msg = f"Setting {name!r} cannot be {value!r}"
    raise ConfigurationError(msg, why=f"It has to be {wanted}", fix=fix, place=place)


def _checked_text(name: str, value: object, place: str) -> str:
    if isinstance(value, str) and value.strip():
        return value
    msg = f"Setting {name!r} cannot be {value!r}"
    raise ConfigurationError(msg, why="It has to be text", fix="Write it in quotes, or leave it out", place=place)


def _did_you_mean(word: str, known: Any) -> str | None:  # noqa: ANN401  # any collection of words
    from difflib import get_close_matches  # noqa: PLC0415  # only on the way to an error

    near = get_close_matches(word, list(known), 1)
    return f"Did you mean {near[0]!r}?" if near else None


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"Cannot read {str(path)!r}"
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigurationError(msg, why=why, fix="Make it a readable UTF-8 file", file=path) from error


def _replace_text(path: Path, text: str) -> None:
    """Write a file in one step, so that no reader ever finds half of it."""
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        if path.exists():
            part.chmod(path.stat().st_mode)
        part.replace(path)
    except OSError as error:
        msg = f"Cannot write {str(path)!r}"
        raise ConfigurationError(msg, why=error.strerror, fix="Make the file writable, or edit it by hand") from error


def _read_toml(path: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415  # costs 20 ms that users without files do not pay

    try:
        return tomllib.loads(_read_text(path))
    except ValueError as error:
        msg = f"{str(path)!r} is not TOML"
        raise ConfigurationError(msg, why=str(error), fix="Correct the line", file=path) from error
