"""Bringing a downloaded dataset into a folder of its own."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from synapse_sdk.failpoints import hit
from synapse_sdk.folders import remove_empty
from synapse_sdk.formats import ImageTransfer
from synapse_sdk.plugins.actions.dataset.cache import FACTS, USED
from synapse_sdk.plugins.actions.dataset.exporter import IMAGES, is_document
from synapse_sdk.plugins.actions.export.destinations import MANIFEST, Place
from synapse_sdk.plugins.actions.export.destinations.folder import FolderDestination
from synapse_sdk.plugins.actions.export.staging import INCOMING, Staging, files_below
from synapse_sdk.plugins.actions.report_files import write_lists
from synapse_sdk.plugins.steps import BaseStepContext

__all__ = ["place", "undo_placing"]

STRIDE = 500
"""Files between two moments at which what was written is made safe."""


def place(source: Path, target: Path, transfer: ImageTransfer, context: BaseStepContext, *, run: str) -> None:
    """Write the files of a downloaded dataset into a folder that is there; the manifest last.

    Args:
        source: The dataset.
        target: The folder.
        transfer: How files that are no documents come there; documents are copied.
        context: Is told how far it has come.
        run: Whose dataset it will be.

    Raises:
        OSError: Something cannot be read or written.
        StorageError: It cannot be made safe.
    """
    staging, made = Staging(target), {""}
    for folder in (source / IMAGES, *source.glob(f"*/{IMAGES}")):
        if folder.is_dir():
            (target / folder.relative_to(source)).mkdir(parents=True, exist_ok=True)
    total = json.loads((source / FACTS).read_bytes())["contents"]["files"]
    done = 0
    for done, path in enumerate(_data_files(source), 1):
        above = path.rpartition("/")[0]
        if above not in made:
            (target / above).mkdir(parents=True, exist_ok=True)
            made.add(above)
        if _bring(source / path, target / path, ImageTransfer.COPY if is_document(path) else transfer):
            staging.remember(path)
        if done % STRIDE == 0:
            staging.sync()
            context.set_progress(done, max(done, total))
    shutil.copyfile(source / FACTS, target / FACTS)
    facts = json.loads((source / FACTS).read_bytes())
    head = {"run": run, **{name: facts[name] for name in ("dataset", "filter", "format", "splits")}}
    rows = (row for row in _manifest_rows(source / MANIFEST) if os.path.lexists(target / row["path"]))
    write_lists(target / MANIFEST, head, {"files": rows}, even_if_empty=True)
    staging.remember(FACTS)
    staging.remember(MANIFEST)
    staging.sync()
    shutil.rmtree(target / INCOMING, ignore_errors=True)
    context.set_progress(max(done, 1), max(done, 1))


def undo_placing(entry: dict[str, Any]) -> None:
    """Remove what a run has written, as its undo entry tells; safe to repeat."""
    target = Path(entry["target"])
    FolderDestination(target.parent, Place(path="", name=target.name, run=entry["run"], refuses=True)).withdraw()
    hit("dataset.removed")
    if entry["was_empty"] and not os.path.lexists(target):
        target.mkdir()
    remove_empty(entry["new_folders"])


def _data_files(source: Path) -> Iterator[str]:
    return (path for path in files_below(source) if path not in {FACTS, MANIFEST, USED})


def _manifest_rows(manifest: Path) -> Iterator[dict[str, Any]]:
    """Yield the files that a manifest of ours lists, which has each on a line of its own and may be long."""
    with manifest.open(encoding="utf-8") as lines:
        yield from (json.loads(line.rstrip(",\n")) for line in lines if line.startswith('    {"path":'))


def _bring(source: Path, target: Path, transfer: ImageTransfer) -> bool:
    """Bring one file; return whether there are bytes of it that have to be made safe."""
    match transfer:
        case ImageTransfer.NONE:
            return False
        case ImageTransfer.SYMLINK:
            target.symlink_to(source)
            return False
        case ImageTransfer.HARDLINK:
            with suppress(OSError):  # it is on another file system
                target.hardlink_to(source)
                return False
            shutil.copyfile(source, target)
        case ImageTransfer.COPY:
            shutil.copyfile(source, target)
    return True
