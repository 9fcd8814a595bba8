"""How the files of a downloaded dataset lie in its folder."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from synapse_sdk.errors import InvalidDocumentError
from synapse_sdk.formats.dm.converter import convert_v1_to_v2
from synapse_sdk.formats.dm.document import DmDocument, Version
from synapse_sdk.plugins.actions.export.exporter import BaseExporter, ConvertedItem, ErrorList
from synapse_sdk.plugins.actions.export.records import DOCUMENTS, ORIGINALS, OTHERS
from synapse_sdk.types import JsonObject

if TYPE_CHECKING:
    from synapse_sdk.formats.dm.document_losses import DocumentLoss

__all__ = ["IMAGES", "DatasetExporter", "is_document"]

IMAGES = "original_files"
"""The folder of the primary files of items, as DM datasets call it."""


class DatasetExporter(BaseExporter):
    """Saves each item below the folder of its split, whole or not at all.

    Documents are saved in version 2. One of version 1 keeps beside it what it was made of. If version 2 cannot hold all
    of it, it is saved as it is: who reads the dataset then says what is lost.
    """

    def process_file_saving(
        self, result: ConvertedItem, base_path: Path, errors_json: ErrorList, errors_original: ErrorList
    ) -> bool:
        """Save an item's files and then its document; a document without its files is not in a dataset."""
        split = str(cast("dict[str, Any]", result).get("category", ""))
        above = f"{split}/" if split else ""
        if self.params["save_original_file"] and result["files"]:
            paths = {name: above + _placed(path) for name, path in result["file_paths"].items()}
            failed = self.originals.save({**result, "file_paths": paths})
            errors_original += [[paths[name], words] for name, words in failed.items()]
            if failed:
                self.staging.discard_saved()
                return False
        # Readers of DM datasets want the folder, whatever is in it.
        (base_path / above / IMAGES).mkdir(parents=True, exist_ok=True)
        text = json.dumps(_of_version_2(result["data"]), ensure_ascii=False, allow_nan=False)
        self.staging.write(f"{above}{DOCUMENTS}/{result['json_name']}", f"{text}\n".encode())
        return True


def is_document(path: str) -> bool:
    """Whether a file of a dataset is a document.

    Example:
        >>> is_document("train/json/wren.json"), is_document("other_files/json/wren.json")
        (True, False)
    """
    folders = path.split("/")[:-1]
    return folders[-1:] == [DOCUMENTS] and OTHERS not in folders


def _placed(path: str) -> str:
    folder, _, rest = path.partition("/")
    return f"{IMAGES}/{rest}" if folder == ORIGINALS else path


def _of_version_2(document: JsonObject) -> JsonObject:
    losses: list[DocumentLoss] = []
    try:
        if DmDocument.unwrapped(document).version is Version.V2:
            return document
        converted = convert_v1_to_v2(document, losses=losses)
    except InvalidDocumentError:  # as above: readers say where the fault is
        return document
    return document if losses else converted
