"""The project that the guide presumes when it converts the dataset 123."""

import contextlib
import hashlib
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from synapse_sdk.backend import Backend, Category, FileSpecification, NewGroundTruth, NewUnit, open_backend
from synapse_sdk.storage import open_storage
from synapse_sdk.types import JsonObject

__all__ = ["made"]

PLUGIN = {
    "config.yaml": """\
name: Plugin
code: plugin
actions:
  dataset:
    entrypoint: datasets:MyDatasetAction
""",
    "datasets.py": """\
from synapse_sdk.plugins.actions.dataset import DatasetAction


class MyDatasetAction(DatasetAction):
    pass
""",
}
DOCUMENT: JsonObject = {
    "classification": {"bounding_box": ["cat"]},
    "images": [{"bounding_box": [{"id": "b1", "classification": "cat", "attrs": [], "data": [1, 2, 3, 4]}]}],
}
ID = 123


@contextlib.contextmanager
def made() -> Iterator[Path]:
    """Work in a folder with a plugin, and with a version of ground truths of this id in its backend."""
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        folder = Path(name)
        (folder / ".synapse").mkdir()
        (folder / "plugin").mkdir()
        for file, text in PLUGIN.items():
            (folder / "plugin" / file).write_text(text, encoding="utf-8")
        with open_backend() as backend:
            _fill(backend, folder / "store")
        yield folder


def _fill(backend: Backend, store: Path) -> None:
    images = FileSpecification(name="images", is_primary=True)
    collection = backend.collections.create("cats", specifications=[images]).id
    storage = backend.storages.ensure(store.as_uri())
    content = _picture()
    with open_storage(storage.url) as opened:
        opened.put("cat", content)
    digest = hashlib.sha256(content).hexdigest()
    reserved = backend.ingestion.reserve("run", collection, storage.id, [(digest, len(content), "cat")])[0].file.id
    unit = NewUnit(key="cat", files={"images": (reserved, "cat.png")})
    registered = backend.ingestion.register("run", collection, [unit], stored=[reserved])[0]
    backend.ingestion.publish("run")
    dataset = backend.ground_truths.create_dataset("cats").id
    truth = NewGroundTruth(category=Category.TRAIN, unit_id=registered.unit_id, data=DOCUMENT)
    for number in range(1, ID + 1):
        made_id = backend.ground_truths.create_version(dataset, [truth] if number == ID else []).id
    assert made_id == ID


def _picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16)).save(buffer, "PNG")
    return buffer.getvalue()
