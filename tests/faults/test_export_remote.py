"""Exports into storages without folders: what has to be there in the end, and what may lie in the way."""

from collections.abc import Iterator

import pytest

from synapse_sdk.plugins import run_action
from synapse_sdk.storage import Storage, open_storage
from tests.faults.exporting import CrashExport, add_units, check_whole, documents_of
from tests.unit.plugins.actions.upload.world import World

PARAMS = {"name": "birds", "storage": "memory://exports", "target": "task", "filter": {"project": "birds"}}


@pytest.fixture
def remote(world: World) -> Iterator[Storage]:
    """A storage into which the project of `world` can be exported."""
    record = world.backend.storages.create("store", str(world.store))
    add_units(world.backend, record.id, {"a.jpg": b"a", "other/a.jpg": b"another a", "unannotated.jpg": b"?"})
    with open_storage("memory://exports") as storage:
        storage.delete([info.key for info in storage.list()])
        yield storage


def test_everything_that_the_manifest_lists_was_sent(remote: Storage) -> None:
    """G11: lists of errors and renames, and what hooks have added, as well as the files of items; and nothing else."""
    run_action(CrashExport, PARAMS)

    assert check_whole(documents_of(remote, "birds/")).keys() == {
        "error_file_list.json",
        "extras/labels.txt",
        "filename_collisions.json",
        "json/a.json",
        "json/a__2.json",
        "origin_files/a.jpg",
        "origin_files/a__2.jpg",
    }
    assert len(documents_of(remote, "")) == 8
