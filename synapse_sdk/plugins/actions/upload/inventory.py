"""What there is to upload: every file of the sources, checked, or refused with its reason."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import chain, count

from synapse_sdk.plugins.actions.names import CONTROLS, shown
from synapse_sdk.plugins.actions.upload.accounting import Reason, reason_and_words, told
from synapse_sdk.plugins.actions.upload.grouping import other_type
from synapse_sdk.plugins.actions.upload.sources import FoundFile, RefusedFile, Source

__all__ = ["SHEET_NAMES", "Inventory", "Rules", "is_sheet", "take_inventory"]

SHEET_NAMES = ("meta.xlsx", "meta.xls", "meta.csv")
"""A metadata sheet that is not named is looked for under these names, the first wins."""

OBJECT = re.compile(r"/?[0-9a-f]{32}/[0-9a-f]{2}/[0-9a-f]{64}")
"""The key of an object that an upload has put: collection and digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What makes a file fit to be uploaded."""

    specifications: frozenset[str]
    """Names of the file specifications, which are the folders whose files are taken."""
    extensions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Endings that a specification takes, by its name; any where there are none."""
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    max_bytes: int | None = None
    store: str | None = None
    """The folder of the storage, as a path like those of files, if it lies among them; empty if it is their root."""


@dataclass(slots=True)
class Inventory:
    """What was found. Paths begin with the name of the file specification, wherever its files lie.

    The three lists go together; they are flat, because there may be a million files.
    """

    paths: list[str] = field(default_factory=list)
    """The files that can be uploaded, sorted."""
    sizes: list[int] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)
    filtered: dict[str, str] = field(default_factory=dict)
    """What does not belong in the upload: path to reason and words."""
    failed: dict[str, str] = field(default_factory=dict)
    """What does, and cannot be uploaded: path to reason and words."""
    sheet: str | None = None
    """A metadata sheet at the root, by its path there."""
    odd: list[tuple[dict[str, str], str, str]] = field(default_factory=list)
    """What has a name that cannot be written down as it is: where it belongs, path, and what is told of it."""

    def note(self, kept: dict[str, str], path: str, words: str) -> None:
        """Take note of what is filtered or failed, under a name that can be written down."""
        if shown(path) == path:
            kept[path] = words
        else:
            self.odd.append((kept, path, words))

    def name_odd(self) -> None:
        r"""Give odd files names that no other file has: a file may really be called `a\nb`."""
        taken = {*self.paths, *self.filtered, *self.failed} if self.odd else set()
        for kept, path, words in self.odd:
            same = (f"{shown(path)} ({number})" for number in count(2))
            name = next(name for name in chain((shown(path),), same) if name not in taken)
            taken.add(name)
            kept[name] = words
        self.odd.clear()

    def sort(self) -> None:
        """Bring the files into the order of their paths, which does not depend on the file system."""
        order = sorted(range(len(self.paths)), key=self.paths.__getitem__)
        self.paths = [self.paths[at] for at in order]
        self.sizes = [self.sizes[at] for at in order]
        self.versions = [self.versions[at] for at in order]


def take_inventory(sources: Mapping[str, tuple[Source, bool]], rules: Rules) -> Inventory:
    """Look at every file of the sources.

    Args:
        sources: Name of the file specification to its source and whether to look into deeper folders. A source named
            `""` has the files of all specifications, each in the folder of its name.
        rules: What makes a file fit.

    Raises:
        ConfigurationError: A source cannot be read.
    """
    inventory = Inventory()
    for name, (source, is_recursive) in sources.items():
        inside = 0 if name else 1  # the folder of a specification is the root, or lies below it
        for found in source.walk(depth=None if is_recursive else inside):
            path = f"{name}/{found.path}" if name else found.path
            if isinstance(found, RefusedFile):
                _refuse(inventory, path, found, rules)
            else:
                _take(inventory, path, found, rules)
    inventory.name_odd()
    _choose_sheet(inventory)
    inventory.sort()
    return inventory


def _refuse(inventory: Inventory, path: str, found: RefusedFile, rules: Rules) -> None:
    folder, slash, _ = path.partition("/")
    if not found.is_filtered and slash and folder not in rules.specifications:
        inventory.note(inventory.filtered, path, told(Reason.NO_SPECIFICATION, _no_specification(folder, slash)))
        return
    if not found.is_filtered and (why := _excluded(path, rules, found)) is not None:
        inventory.note(inventory.filtered, path, told(Reason.EXCLUDED, why))
        return
    kept = inventory.filtered if found.is_filtered else inventory.failed
    inventory.note(kept, path, told(found.reason, shown(found.words)))


def _take(inventory: Inventory, path: str, found: FoundFile, rules: Rules) -> None:
    folder, slash, _ = path.partition("/")
    for reason, words in _reasons_to_filter(path, folder, slash, rules):
        inventory.note(inventory.filtered, path, told(reason, words))
        return
    for reason, words in _reasons_to_fail(path, found, rules):
        if (other := other_type(path, rules.extensions.get(folder, ()))) is not None:  # so it is no loss
            inventory.note(inventory.filtered, path, told(Reason.UNSUPPORTED_EXTENSION, other))
        else:
            inventory.note(inventory.failed, path, told(reason, words))
        return
    inventory.paths.append(path)
    inventory.sizes.append(found.size)
    inventory.versions.append(found.version)


def _reasons_to_filter(path: str, folder: str, slash: str, rules: Rules) -> Iterator[tuple[Reason, str]]:
    if not slash and path in SHEET_NAMES:
        if _matches(path, rules.exclude):
            yield Reason.EXCLUDED, "it matches a pattern of exclude"
        yield Reason.METADATA_SHEET, "a metadata sheet"
    elif folder not in rules.specifications or not slash:
        yield Reason.NO_SPECIFICATION, _no_specification(folder, slash)
    elif rules.store is not None and path.startswith(rules.store) and OBJECT.fullmatch(path, len(rules.store)):
        yield Reason.IGNORED, "an object of the storage that the files are sent to"
    elif (why := _excluded(path, rules)) is not None:
        yield Reason.EXCLUDED, why


def _excluded(path: str, rules: Rules, refused: RefusedFile | None = None) -> str | None:
    """Return which pattern keeps a file out, if one does.

    A refused folder or link may hide files that are to be included, so only a pattern for itself keeps it out.
    """
    hides_files = refused is not None and (path.endswith("/") or refused.reason is Reason.UNSAFE_LINK)
    if rules.include and not hides_files and not _matches(path, rules.include):
        return "it matches no pattern of include"
    return "it matches a pattern of exclude" if _matches(path, rules.exclude) else None


def _no_specification(folder: str, slash: str) -> str:
    return f"no file specification is called {shown(folder)!r}" if slash else "it lies beside the folders, not in one"


def _reasons_to_fail(path: str, found: FoundFile, rules: Rules) -> Iterator[tuple[Reason, str]]:
    if not path.isprintable() and (why := _unsafe(path)) is not None:
        yield Reason.UNSAFE_NAME, why
    elif found.size == 0:
        yield Reason.EMPTY_FILE, "it has no bytes"
    elif rules.max_bytes is not None and found.size > rules.max_bytes:
        yield Reason.FILE_TOO_LARGE, f"its {found.size:,} bytes are more than the {rules.max_bytes:,} that are allowed"


def _unsafe(path: str) -> str | None:
    """Return what is wrong with a name: bytes that are no text, or characters that steer a terminal; else None."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return "its name is not UTF-8 text"
    control = CONTROLS.search(path)
    return None if control is None else f"its name has the control character {control[0]!r}"


def _matches(path: str, patterns: Sequence[str]) -> bool:
    name = path.rpartition("/")[2]
    return any(fnmatchcase(path, pattern) or fnmatchcase(name, pattern) for pattern in patterns)


def is_sheet(filtered: Mapping[str, str], name: str) -> bool:
    """Whether there is a metadata sheet of this name at the root that is not excluded."""
    return reason_and_words(filtered.get(name, ""))[0] == Reason.METADATA_SHEET


def _choose_sheet(inventory: Inventory) -> None:
    present = [name for name in SHEET_NAMES if is_sheet(inventory.filtered, name)]
    if present:
        inventory.sheet = present[0]
        for other in present[1:]:
            inventory.filtered[other] = told(Reason.METADATA_SHEET, f"{present[0]} is used instead")
