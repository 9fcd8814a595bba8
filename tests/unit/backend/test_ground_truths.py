"""Versions of ground truths, of many items."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

from synapse_sdk.backend import Category, FileSpecification, NewGroundTruth, open_backend
from tests.conformance.backends import bring_in

ITEMS, SIZE = 8000, 5000
MOST = 8_000_000
"""Bytes of memory at a time: a fifth of all items together."""


def test_a_version_of_many_items_needs_little_memory(tmp_path: Path) -> None:
    """Items are taken some hundred at a time, however many there are and whatever they hold."""
    with open_backend(tmp_path / "backend.db") as backend:
        collection = backend.collections.create("birds", specifications=[FileSpecification(name="images")]).id
        bring_in(backend, "run", collection, backend.storages.ensure("memory:").id, "a")
        backend.ingestion.publish("run")
        (unit,) = backend.data_units.list(collection)
        dataset = backend.ground_truths.create_dataset("birds")

        def items() -> Iterator[NewGroundTruth]:
            for number in range(ITEMS):
                data = {"images": [str(number).rjust(SIZE)]}
                yield NewGroundTruth(category=Category.TRAIN, unit_id=unit.id, data=data)

        tracemalloc.start()
        try:
            version = backend.ground_truths.create_version(dataset.id, items())
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

        assert backend.ground_truths.count(version.id) == ITEMS
    assert peak < MOST < ITEMS * SIZE
