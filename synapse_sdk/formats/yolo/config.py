"""What a YOLO dataset says about itself: its YAML file, or the list of classes without one."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from synapse_sdk.documents import read_document
from synapse_sdk.errors import InvalidDatasetError, InvalidDocumentError
from synapse_sdk.formats.losses import LossLog, Outcome
from synapse_sdk.formats.model import ClassSpec
from synapse_sdk.formats.yolo.names import as_whole, class_names, classes_file
from synapse_sdk.formats.yolo.reasons import CONFIGURATION
from synapse_sdk.formats.yolo.tasks import Task
from synapse_sdk.types import JsonObject, JsonValue

__all__ = ["Config", "find_yaml", "read_config"]

YAML_SUFFIXES = (".yaml", ".yml")
BEGINNING = 64 * 1024
"""Bytes of a YAML file that are searched for what shows that it is about a dataset."""
NAMES = re.compile(rb"(?:^|[{,])[ \t]*[\"']?names[\"']?[ \t]*:", re.MULTILINE)
PATHS = re.compile(rb"(?:^|[{,])[ \t]*[\"']?(?:train|val|test)[\"']?[ \t]*:", re.MULTILINE)
NOTHING = ("", "~", "null", "Null", "NULL")
"""How YAML writes that there is nothing."""
NO_SPLITS = frozenset((
    "path", "names", "nc", "task", "kpt_shape", "flip_idx", "kpt_names", "kpt_skeleton", "download", "roboflow",
    "channels", "yaml_file",
))  # fmt: skip
"""Keys that never name images; every other may."""
USUAL_SPLITS = ("train", "val", "valid", "validation", "test")
CLASSES = "classes.txt"
MOST_JOINTS = 1000
DIMENSIONS = (2, 3)
"""Numbers of a joint: x and y, perhaps with visibility."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What a dataset says about itself."""

    root: str
    """The folder that its paths are relative to."""
    origin: str = ""
    """Name of the YAML file; empty if there is none."""
    names: tuple[str, ...]
    """Of the classes, by their number."""
    task: Task | None = None
    """What it says it is for."""
    joints: int = 0
    """Joints of a pose; 0 if it does not say how many."""
    dimensions: int = 0
    """Numbers of a joint, 2 or 3; 0 likewise."""
    flip: tuple[int, ...] = ()
    joint_names: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """By the number of the class."""
    skeletons: Mapping[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    path: str = ""
    """Where it says that it is."""
    splits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Where it says that images are, by the key that says so."""

    def classes(self, joints: int) -> tuple[ClassSpec, ...]:
        """Return its classes, each name once; those of poses have this many joints."""
        found: dict[str, ClassSpec] = {}
        for index, name in enumerate(self.names):
            named = self.joint_names.get(index, ())
            names = tuple(named[at] if at < len(named) else f"joint_{at}" for at in range(joints))
            flip = self.flip if joints else ()
            spec = ClassSpec(name=name, joints=names, flip=flip, skeleton=self.skeletons.get(index, ()))
            found.setdefault(name, spec)
        return tuple(found.values())


def find_yaml(folder: Path, name: str | None = None) -> str | None:
    """Return the name of a YAML file in a folder, perhaps this one, that seems to be about a YOLO dataset."""
    for path in _yaml_files(folder):
        if name not in {None, path.name}:
            continue
        beginning = _beginning(path)
        if NAMES.search(beginning) and (PATHS.search(beginning) or b"\nnc:" in beginning):
            return path.name
    return None


def read_config(folder: Path, yaml: Path | None, losses: LossLog) -> Config:
    """Return what a dataset says about itself.

    Args:
        folder: The dataset.
        yaml: Its YAML file, if somebody says which it is.
        losses: Takes down contradictions.

    Raises:
        InvalidDatasetError: It cannot be read, there are several, or nothing says which classes there are.
    """
    path, document = _document(folder, yaml)
    beside = classes_file(folder / CLASSES)
    if beside is None and path is None:
        beside = classes_file(folder / "labels" / CLASSES)  # where LabelImg puts it
    if path is None:
        if beside is None:
            msg = f"Nothing in {str(folder)!r} says which classes there are"
            fix = "Put a data.yaml with 'names' there, or a classes.txt with one class a line"
            raise InvalidDatasetError(msg, fix=fix, path=str(folder))
        return Config(root=os.path.abspath(folder), names=beside)  # noqa: PTH100  # text is what is worked with
    try:
        names = class_names(document, beside, path.name, losses)
        return _config(path, document, names, losses)
    except ValueError as error:
        msg = f"Cannot read {str(path)!r}"
        raise InvalidDatasetError(msg, why=str(error), fix="Mend the file", path=path.name) from error


def _document(folder: Path, yaml: Path | None) -> tuple[Path | None, JsonObject]:
    """Return the YAML file of a dataset and what it says."""
    if yaml is not None:
        document = _read(yaml)
        if not isinstance(document, Mapping):
            msg = f"{str(yaml)!r} is no configuration of a YOLO dataset"
            raise InvalidDatasetError(msg, fix="Name a file with 'names', 'train' and 'val'", path=yaml.name)
        return yaml, document
    maybe = [path for path in _yaml_files(folder) if NAMES.search(text := _beginning(path)) or PATHS.search(text)]
    read = [(path, document) for path in maybe if isinstance(document := _read(path), Mapping)]
    found = [each for each in read if "names" in each[1]] or [
        each for each in read if any(isinstance(each[1].get(key), str) for key in ("train", "val"))
    ]
    if len(found) > 1:
        several = ", ".join(path.name for path, _ in found)
        msg = f"Dataset {str(folder)!r} has several configurations: {several}"
        raise InvalidDatasetError(msg, fix="Name the one to read instead of the folder", path=str(folder))
    return found[0] if found else (None, {})


def _yaml_files(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:  # text, as there may be hundreds of thousands
        names = sorted(each.name for each in entries if each.name.lower().endswith(YAML_SUFFIXES))
    return [path for path in map(folder.joinpath, names) if path.suffix and path.is_file()]


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(BEGINNING).removeprefix(b"\xef\xbb\xbf")


def _read(path: Path) -> JsonValue:
    try:
        return read_document(path, yaml_as_text=True)
    except InvalidDocumentError as error:
        raise InvalidDatasetError(error.message, why=error.why, fix=error.fix, **error.where) from error


def _config(path: Path, document: JsonObject, names: tuple[str, ...], losses: LossLog) -> Config:
    def tell(words: str) -> None:
        losses.of_item(Outcome.NOTED, CONFIGURATION, item="", where=path.name, words=words)

    joints, dimensions = _kpt_shape(document.get("kpt_shape"))
    flip = _numbers("flip_idx", document.get("flip_idx"))
    if flip and sorted(flip) != [*range(joints)]:
        tell(f"flip_idx does not name each of {joints} joints once, and is left out")
        flip = ()
    task = _text(document.get("task"))
    if task and task not in Task:
        tell(f"there is no task {task[:80]!r}")
    where = _text(document.get("path"))
    return Config(
        root=os.path.abspath(path.parent),  # noqa: PTH100  # as above
        origin=path.name,
        names=names,
        task=Task(task) if task in Task else None,
        joints=joints,
        dimensions=dimensions,
        flip=flip,
        joint_names=_by_class(document.get("kpt_names"), _texts),
        skeletons=_by_class(document.get("kpt_skeleton"), _pairs),
        path=where,
        splits={key: places for key in document if key not in NO_SPLITS and (places := _places(key, document[key]))},
    )


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) and value not in NOTHING else ""


def _places(key: str, value: JsonValue) -> tuple[str, ...]:
    """Return where a key says that images are; keys of other meaning say nothing."""
    values = [value] if isinstance(value, str) else value
    if isinstance(values, Sequence) and all(isinstance(each, str) for each in values):
        return tuple(each for each in map(_text, values) if each)
    if key in USUAL_SPLITS:
        msg = f"{key!r} is neither a path nor a list of paths"
        raise ValueError(msg)
    return ()


def _kpt_shape(value: JsonValue) -> tuple[int, int]:
    if _is_nothing(value):
        return 0, 0
    numbers = _numbers("kpt_shape", value)
    if len(numbers) != len(DIMENSIONS) or not 0 < numbers[0] <= MOST_JOINTS or numbers[1] not in DIMENSIONS:
        msg = f"kpt_shape is {value!r}, and must be two numbers: that of the joints, and 2 or 3"
        raise ValueError(msg)
    return numbers[0], numbers[1]


def _numbers(key: str, value: JsonValue) -> tuple[int, ...]:
    if _is_nothing(value):
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence):
        msg = f"{key} has {str(value)[:80]!r}, which is no list of numbers"
        raise ValueError(msg)  # noqa: TRY004  # one kind of error for what is wrong in a document
    return tuple(map(as_whole, value))


def _is_nothing(value: JsonValue) -> bool:
    return value is None or (isinstance(value, str) and value in NOTHING)


def _by_class[T](value: JsonValue, read: Callable[[JsonValue], T]) -> dict[int, T]:
    """Read what is said for each class, under its number; a list alone is said for the first."""
    if _is_nothing(value):
        return {}
    if isinstance(value, Mapping):
        return {as_whole(key): read(each) for key, each in value.items()}
    return {0: read(value)}


def _texts(value: JsonValue) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        msg = f"kpt_names has {str(value)[:80]!r}, which is no list of names"
        raise ValueError(msg)  # noqa: TRY004  # as above
    return tuple(map(str, value))


def _pairs(value: JsonValue) -> tuple[tuple[int, int], ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        msg = f"kpt_skeleton has {str(value)[:80]!r}, which is no list of pairs"
        raise ValueError(msg)  # noqa: TRY004  # as above
    pairs = [_numbers("kpt_skeleton", each) for each in value]
    return tuple((pair[0], pair[1]) for pair in pairs if len(pair) == 2)  # noqa: PLR2004  # a pair
