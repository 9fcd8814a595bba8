"""From files to data units: files of one stem belong together, one for each file specification."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from synapse_sdk.backend.records import FileSpecification
from synapse_sdk.plugins.actions.upload.accounting import Reason, told

__all__ = ["Groups", "group_files", "other_type", "stem_of"]

MOST_NAMED = 3
"""Files that a reason lists by name."""


@dataclass(slots=True)
class Groups:
    """Files by data unit, and those that cannot be in any."""

    units: dict[str, dict[str, str]] = field(default_factory=dict)
    """Unit key to name of the file specification to path; sorted by key."""
    filtered: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def group_files(paths: Sequence[str], specifications: Sequence[FileSpecification], unfit: Iterable[str] = ()) -> Groups:
    """Put files together.

    The key of a unit is the stem of its files, in the composed form (NFC) in which a sheet typed anywhere finds it.
    Where a folder of one specification has the stem twice, the sub-folders become part of the key: `a/1` and `b/1`.

    Args:
        paths: Paths that begin with the name of the specification.
        specifications: What units of the collection consist of.
        unfit: Files that were found and cannot be uploaded. A unit without its own of them could never be completed.
    """
    groups = Groups()
    rules = {each.name: each for each in specifications}
    fitting = list(_of_fitting_type(paths, rules, groups))
    unfit = [path for path in unfit if _could_be_of_a_unit(path, rules)]
    shared = _shared_stems(chain(fitting, unfit))
    claims: dict[tuple[str, str], list[str]] = {}
    for path in fitting:
        claims.setdefault((_key_of(path, shared), path.partition("/")[0]), []).append(path)
    lacking = {_key_of(path, shared): path for path in unfit}
    for (key, specification), claimants in sorted(claims.items()):
        if len(claimants) == 1:
            groups.units.setdefault(key, {})[specification] = claimants[0]
        else:
            _refuse_all(claimants, key, groups)
            lacking.setdefault(key, claimants[0])
    required = [each.name for each in specifications if each.is_required]
    for key in [key for key, files in groups.units.items() if not files.keys() >= set(required)]:
        _refuse_incomplete(key, required, groups)
    for key in sorted(lacking.keys() & groups.units.keys()):
        words = told(Reason.INCOMPLETE_UNIT, f"{lacking[key]} of its unit cannot be uploaded")
        groups.failed |= dict.fromkeys(groups.units.pop(key).values(), words)
    return groups


def stem_of(path: str) -> str:
    """Return a path without its extension, composed (NFC).

    Example:
        >>> stem_of("2024/cat.front.jpg"), stem_of(".hidden")
        ('2024/cat.front', '.hidden')
    """
    folders, slash, name = path.rpartition("/")
    stem, dot, _ = name.rpartition(".")
    return unicodedata.normalize("NFC", folders + slash + (stem if dot and stem else name))


def other_type(path: str, allowed: tuple[str, ...]) -> str | None:
    """Return in words that a file is of a type that its specification does not take; None if it may be.

    Args:
        path: Its path, which begins with the name of the specification.
        allowed: The endings that are taken; none if any is.

    Example:
        >>> other_type("images/notes.txt", (".jpg", ".png"))
        "'images' takes .jpg, .png"
    """
    if not allowed or path.rpartition("/")[2].lower().endswith(allowed):
        return None
    return f"{path.partition('/')[0]!r} takes {', '.join(allowed)}"


def _key_of(path: str, shared: set[str]) -> str:
    stem = stem_of(path.partition("/")[2])
    short = stem.rpartition("/")[2]
    return stem if short in shared else short


def _could_be_of_a_unit(path: str, rules: Mapping[str, FileSpecification]) -> bool:
    folder, _, rest = path.partition("/")
    if not rest or rest.endswith("/") or folder not in rules:
        return False
    return other_type(path, rules[folder].extensions) is None


def _of_fitting_type(paths: Sequence[str], rules: Mapping[str, FileSpecification], groups: Groups) -> Iterator[str]:
    for path in paths:
        words = other_type(path, rules[path.partition("/")[0]].extensions)
        if words is None:
            yield path
        else:
            groups.filtered[path] = told(Reason.UNSUPPORTED_EXTENSION, words)


def _shared_stems(paths: Iterable[str]) -> set[str]:
    """Return the stems that two sub-folders of one specification have."""
    seen: dict[tuple[str, str], str] = {}
    shared: set[str] = set()
    for path in paths:
        specification, _, rest = path.partition("/")
        folders, _, short = stem_of(rest).rpartition("/")
        if seen.setdefault((specification, short), folders) != folders:
            shared.add(short)
    return shared


def _refuse_all(claimants: list[str], key: str, groups: Groups) -> None:
    for path in claimants:
        others = [other for other in claimants if other != path][:MOST_NAMED]
        words = f"it would be in one unit, {key!r}, with {', '.join(others)}; rename one of them"
        if any(unicodedata.normalize("NFC", other) == unicodedata.normalize("NFC", path) for other in others):
            words += " (the names look the same, and are written in two Unicode forms)"
        groups.failed[path] = told(Reason.NAME_COLLISION, words)


def _refuse_incomplete(key: str, required: Sequence[str], groups: Groups) -> None:
    files = groups.units.pop(key)
    missing = ", ".join(f"{name}/{key}.*" for name in required if name not in files)
    for path in files.values():
        groups.failed[path] = told(Reason.MISSING_REQUIRED_DATA, f"its unit {key!r} has no {missing}")
