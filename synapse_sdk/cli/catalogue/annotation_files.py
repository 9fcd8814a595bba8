"""Annotations in files: which task each is for, and giving it to the task."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from unicodedata import normalize

from synapse_sdk.backend import (
    Backend,
    DataUnit,
    FileSpecification,
    Project,
    Task,
    TaskFilter,
    TaskId,
    primary_specification,
)
from synapse_sdk.cli.catalogue.filters import tasks_with_units
from synapse_sdk.documents import read_document
from synapse_sdk.errors import ConfigurationError, ConflictError, InvalidDocumentError, RecordNotFoundError
from synapse_sdk.types import JsonObject

__all__ = ["Annotations", "annotate", "match", "read_annotation"]

MAX_BYTES = 64 * 1024 * 1024
"""Size of a document with annotations: masks take megabytes."""
DM_KEYS = frozenset(
    (
        *("assignmentId", "extra", "annotations", "annotationsData", "relations", "annotationGroups"),
        *("classification", "images", "videos", "pcds", "texts", "audios", "prompts", "datas"),
        *("annotation_data", "annotation_meta"),
    )
)
"""Top-level keys of DM documents: of version 1, of version 2, and of the result of a conversion."""


@dataclass(frozen=True, slots=True)
class Target:
    """A task that annotations may be for."""

    id: TaskId
    version: int
    """The version that it had when its file was chosen."""


@dataclass(slots=True)
class Annotations:
    """Which file is for which task, and what became of each."""

    files: dict[Path, Target] = field(default_factory=dict)
    """The files that belong to a task."""
    unmatched: list[str] = field(default_factory=list)
    """Files that belong to none."""
    ambiguous: list[str] = field(default_factory=list)
    """Files that may belong to several tasks, or share one with another file."""
    without_file: int = 0
    """Tasks that no file is for."""
    refused: dict[str, str] = field(default_factory=dict)
    """Files that are not what they should be, and why."""
    conflicts: list[str] = field(default_factory=list)
    """Files whose tasks somebody has changed meanwhile, or removed."""
    done: int = 0
    """Files whose tasks have their annotations now."""

    @property
    def losses(self) -> int:
        """Files whose annotations no task has."""
        return len(self.unmatched) + len(self.ambiguous) + len(self.refused) + len(self.conflicts)


def match(backend: Backend, project: Project, folder: Path) -> Annotations:
    """Find the task of each JSON file below a folder.

    A file `wren.json`, or `park/wren.json`, is for the task whose unit's primary file is `wren.jpg`, or
    `park/wren.jpg`; one that has no such twin is for the only task whose primary file is called so in any folder. Names
    are equal however their letters are composed (NFC or NFD).

    Raises:
        ConfigurationError: The folder cannot be read, or has no JSON file.
    """
    names = _Names(backend, project)
    found = Annotations()
    taken = Counter[TaskId]()
    for path in _json_files(folder):
        shown = path.relative_to(folder).as_posix()
        targets = names.targets(os.path.splitext(shown)[0])  # noqa: PTH122  # a path with slashes, not one of the system
        if len(targets) == 1:
            found.files[path] = targets[0]
            taken[targets[0].id] += 1
        else:
            (found.ambiguous if targets else found.unmatched).append(shown)
    for path, target in list(found.files.items()):
        if taken[target.id] > 1:
            del found.files[path]
            found.ambiguous.append(path.relative_to(folder).as_posix())
    found.without_file = names.count - len(taken)
    return found


def annotate(backend: Backend, found: Annotations, folder: Path, *, accepts_any: bool) -> None:
    """Give each task the annotations of its file, one after the other, and note what became of them.

    A task that was changed since its file was chosen keeps what it has. What is given stays, whatever comes after it.

    Args:
        backend: Has the tasks.
        found: The files and their tasks.
        folder: Where the files are.
        accepts_any: Whether a document that has no key of DM is taken as well.
    """
    for path, target in found.files.items():
        shown = path.relative_to(folder).as_posix()
        try:
            backend.tasks.set_data(target.id, read_annotation(path, accepts_any=accepts_any), target.version)
        except InvalidDocumentError as error:
            found.refused[shown] = str(error)
        except (ConflictError, RecordNotFoundError):
            found.conflicts.append(shown)
        else:
            found.done += 1


def read_annotation(path: Path, *, accepts_any: bool) -> JsonObject:
    """Return the annotations in a JSON file.

    Raises:
        InvalidDocumentError: It cannot be read, is too large or too deep, repeats a key, is no object, or has no key of
            DM documents, and not anything is accepted.
    """
    if path.suffix.lower() != ".json":
        msg = f"The file {str(path)!r} is no JSON document"
        raise InvalidDocumentError(msg, fix="Name a file that ends in .json", document=str(path))
    document = read_document(path, max_json_bytes=MAX_BYTES)
    if not isinstance(document, Mapping):
        msg = f"The file {str(path)!r} holds no JSON object"
        raise InvalidDocumentError(msg, fix="Write annotations as an object: {...}", document=str(path))
    if not accepts_any and not DM_KEYS & document.keys():
        keys = ", ".join(map(repr, list(document)[:5])) or "none"
        msg = f"The file {str(path)!r} holds no DM document"
        why = f"its keys are {keys}, and none is one of DM, such as 'images' or 'annotations'"
        raise InvalidDocumentError(msg, why=why, fix="Give other documents with --any", document=str(path))
    return document


class _Names:
    """The tasks of a project, by the stems of the names of their primary files."""

    def __init__(self, backend: Backend, project: Project) -> None:
        specifications = backend.collections.get(project.collection_id).specifications
        self.count = 0
        self._by_path = dict[str, list[Target]]()
        self._by_name = dict[str, list[Target]]()
        which = TaskFilter(project=project.id)
        for task, unit in tasks_with_units(backend, which):
            self._add(task, _stem(unit, specifications))

    def targets(self, stem: str) -> list[Target]:
        """Return the tasks that a file of this stem, with folders, may be for."""
        stem = normalize("NFC", stem)
        return self._by_path.get(stem) or self._by_name.get(stem, [])

    def _add(self, task: Task, stem: str) -> None:
        target = Target(task.id, task.version)
        self.count += 1
        self._by_path.setdefault(stem, []).append(target)
        self._by_name.setdefault(stem.rpartition("/")[2], []).append(target)


def _stem(unit: DataUnit, specifications: Iterable[FileSpecification]) -> str:
    """Return the stem of a unit's primary file, with folders; the unit key, if it has no file."""
    primary = primary_specification(unit, specifications)
    name = unit.key if primary is None else os.path.splitext(unit.files[primary].name)[0]  # noqa: PTH122  # as above
    return normalize("NFC", name)


def _json_files(folder: Path) -> Iterator[Path]:
    """Yield the JSON files below a folder, in order of their paths.

    Raises:
        ConfigurationError: There are none, or the folder cannot be read.
    """
    try:
        below = sorted(Path(place) / name for place, _, names in os.walk(folder, onerror=_refuse) for name in names)
    except OSError as error:
        msg = f"The folder {str(folder)!r} cannot be read"
        raise ConfigurationError(msg, why=error.strerror, fix="Name a folder that may be read", path=folder) from error
    found = [path for path in below if path.suffix.lower() == ".json"]
    if not found:
        msg = f"The folder {str(folder)!r} has no JSON file"
        raise ConfigurationError(msg, fix="Name a folder with documents such as wren.json for wren.jpg", path=folder)
    yield from found


def _refuse(error: OSError) -> None:
    raise error
