"""The formats there are, and which one a folder is in."""

from pathlib import Path

from synapse_sdk.errors import ConfigurationError, InvalidDatasetError
from synapse_sdk.extensions import ExtensionPoint
from synapse_sdk.formats.base import DatasetFormat

__all__ = ["ALIASES", "FORMATS", "find_format", "format_named"]

FORMATS = ExtensionPoint[type[DatasetFormat]](
    "dataset format",
    "synapse.formats",
    {
        "dm_v1": "synapse_sdk.formats.dm:DmV1Format",
        "dm_v2": "synapse_sdk.formats.dm:DmV2Format",
        "yolo": "synapse_sdk.formats.yolo:YoloFormat",
        "coco": "synapse_sdk.formats.coco:CocoFormat",
        "pascal": "synapse_sdk.formats.voc:PascalFormat",
        "imagefolder": "synapse_sdk.formats.imagefolder:ImageFolderFormat",
    },
)
ALIASES = {"dm": "dm_v2", "voc": "pascal"}


def format_named(name: str) -> DatasetFormat:
    """Return a format by its name or alias.

    Raises:
        ConfigurationError: There is none of this name.
    """
    return FORMATS.load(ALIASES.get(name, name))()


def find_format(folder: Path) -> tuple[DatasetFormat, str]:
    """Return the format that a folder, or file, is in, and what shows it.

    Raises:
        InvalidDatasetError: It is not there, or is in none.
        ConfigurationError: It may be in several.
    """
    if not folder.exists():
        msg = f"There is no dataset {str(folder)!r}"
        raise InvalidDatasetError(msg, fix="Name a folder that is there", path=str(folder))
    found = [(each, sign) for each in (FORMATS.load(name)() for name in FORMATS.names()) if (sign := each.find(folder))]
    if not found:
        msg = f"{str(folder)!r} is a dataset in no format that is known here"
        fix = f"Say which it is with --from: {', '.join(FORMATS.names())}"
        raise InvalidDatasetError(msg, fix=fix, path=str(folder))
    if len(found) > 1:
        msg = f"{str(folder)!r} may be a dataset in several formats"
        why = ", ".join(f"{each.name} ({sign})" for each, sign in found)
        raise ConfigurationError(msg, why=why, fix="Say which it is with --from")
    return found[0]
