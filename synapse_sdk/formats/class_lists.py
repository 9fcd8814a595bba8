"""`classes.txt`: the names of the classes, one a line, in their order."""

import re
from collections.abc import Iterable
from pathlib import Path

from synapse_sdk.errors import InvalidDatasetError

__all__ = ["CLASSES_FILE", "fits_class_list", "read_class_list", "write_class_list"]

CLASSES_FILE = "classes.txt"
MAX_BYTES = 16 * 1024 * 1024
UNFIT = re.compile("[\n\r\ud800-\udfff]|^\ufeff")


def read_class_list(folder: Path) -> tuple[str, ...] | None:
    """Return the classes that a dataset lists in `classes.txt`; None if it has no such file.

    Blank lines, a byte order mark, ends of lines as Windows has them, and names that are there twice do no harm.

    Raises:
        InvalidDatasetError: It cannot be read, or is not UTF-8.
    """
    path = folder / CLASSES_FILE
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise _refusal(path, error.strerror or str(error), "Make it readable, or remove it") from error
    except UnicodeDecodeError as error:
        why = f"line {content.count(b'\n', 0, error.start) + 1} is not UTF-8"
        raise _refusal(path, why, "Save it as UTF-8") from error
    if len(content) > MAX_BYTES:
        raise _refusal(path, f"it has more than {MAX_BYTES:,} bytes", "Remove it, or make it a list of classes")
    lines = (line.removesuffix("\r") for line in text.split("\n"))
    return tuple(dict.fromkeys(line for line in lines if line.strip()))


def fits_class_list(name: str) -> bool:
    r"""Whether a name can be a line of `classes.txt`, and is the same when it is read again.

    Example:
        >>> fits_class_list("R&D <x>"), fits_class_list("two\nlines")
        (True, False)
    """
    return bool(name.strip()) and UNFIT.search(name) is None


def write_class_list(folder: Path, names: Iterable[str]) -> None:
    """Write `classes.txt`; names that do not fit into it are left out."""
    text = "".join(f"{name}\n" for name in names if fits_class_list(name))
    (folder / CLASSES_FILE).write_bytes(text.encode())


def _refusal(path: Path, why: str, fix: str) -> InvalidDatasetError:
    return InvalidDatasetError(f"Cannot read {str(path)!r}", why=why[:1].upper() + why[1:], fix=fix, path=str(path))
