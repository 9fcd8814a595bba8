"""`classes.json`: what a dataset says about its classes beyond their names."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats.class_lists import fits_class_list, read_class_list, write_class_list
from synapse_sdk.formats.model import ClassSpec

__all__ = ["CLASS_SPECS", "read_class_specs", "write_class_specs"]

CLASS_SPECS = "classes.json"
MAX_BYTES = 64 * 1024 * 1024


def read_class_specs(folder: Path) -> tuple[ClassSpec, ...]:
    """Return the classes that a dataset lists, in `classes.json` or else in `classes.txt`; none if it lists none.

    Raises:
        InvalidDatasetError: The list cannot be read.
    """
    path = folder / CLASS_SPECS
    if not path.is_file():
        return tuple(ClassSpec(name=name) for name in read_class_list(folder) or ())
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        specs = msgspec.json.decode(content, type=tuple[ClassSpec, ...])
    except OSError as error:
        raise _refusal(path, error.strerror or str(error), "Make it readable, or remove it") from error
    except (ValueError, RecursionError) as error:
        raise _refusal(path, str(error), "Write it anew, or remove it") from error
    wrong = next((spec for spec in specs if not _is_sound(spec)), None)
    if wrong is not None:
        why = f"the skeleton or flip of class {wrong.name!r} is not about its joints"
        raise _refusal(path, why, "Mend it, or remove it")
    return tuple({spec.name: spec for spec in specs}.values())


def write_class_specs(folder: Path, classes: Sequence[ClassSpec]) -> None:
    """Write `classes.txt`, and `classes.json` where that cannot say all."""
    write_class_list(folder, [spec.name for spec in classes])
    if any(spec != ClassSpec(name=spec.name) or not fits_class_list(spec.name) for spec in classes):
        content = msgspec.json.format(msgspec.json.encode(classes), indent=2)
        (folder / CLASS_SPECS).write_bytes(content + b"\n")


def _is_sound(spec: ClassSpec) -> bool:
    there = range(len(spec.joints))
    places = [at for pair in spec.skeleton for at in pair]
    return all(at in there for at in places) and (not spec.flip or sorted(spec.flip) == [*there])


def _refusal(path: Path, why: str, fix: str) -> InvalidDatasetError:
    return InvalidDatasetError(f"Cannot read {str(path)!r}", why=why[:1].upper() + why[1:], fix=fix, path=str(path))
