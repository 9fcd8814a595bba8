"""Uploading what the collection has already, into another storage than the one that has it."""

import json
from pathlib import Path

import pytest

from synapse_sdk.backend import DataFileState
from synapse_sdk.plugins.actions.upload.params import UploadParams
from synapse_sdk.plugins.actions.upload.preview import preview_upload
from synapse_sdk.storage import open_storage
from tests.unit.plugins.actions.upload.world import World


@pytest.fixture
def world(world: World) -> World:
    """A project with two units in the storage `old`, and a storage `new`."""
    world.backend.storages.create("old", world.store.as_uri())
    world.backend.storages.create("new", (world.folder / "new").as_uri())
    world.write("images/cat.jpg", b"cat")
    world.write("labels/cat.json", b"{}")
    world.write("images/dog.jpg", bytes(9 << 20))
    world.upload(storage="old")
    return world


def in_new(world: World) -> set[str]:
    """Return the keys of all objects in the storage `new`."""
    with open_storage(world.folder / "new") as storage:
        return {info.key for info in storage.list()}


def test_units_that_are_there_are_not_sent_to_another_storage(world: World) -> None:
    """They are the same units; the result, the report and the summary say where their files are."""
    result = world.upload(storage="new")

    assert (result.uploaded, result.duplicate, result.uploaded_bytes) == (0, 3, 0)
    assert result.data_units.duplicate == 2
    assert result.elsewhere == {"old": 3}
    assert "there already (3 in storage 'old'), and not sent again" in "\n".join(result.summary_lines())
    assert json.loads(Path(result.report_path).read_text(encoding="utf-8"))["elsewhere"] == {"old": 3}
    assert list((world.folder / "new").rglob("*")) == []
    world.check()


def test_what_is_new_goes_to_the_storage_that_was_named(world: World) -> None:
    """Also a content that the other storage has, because it is another unit's."""
    world.write("images/bird.jpg", b"bird")
    world.write("images/copy.jpg", b"cat")

    result = world.upload(storage="new")

    assert (result.uploaded, result.duplicate, result.elsewhere) == (2, 3, {"old": 3})
    assert in_new(world) == {world.key_of(b"bird"), world.key_of(b"cat")}
    assert world.units().keys() == {"bird", "cat", "copy", "dog"}


def test_a_unit_with_other_files_is_refused_before_they_are_sent(world: World) -> None:
    """Also one that has a file more, or less, than the one that is there."""
    world.write("images/cat.jpg", b"another cat")
    world.write("labels/dog.json", b"{}")
    world.write("images/new.jpg", b"new")

    result = world.upload(storage="new", on_error="continue")

    assert {each.code for each in result.failures} == {"UNIT_CONFLICT"}
    assert (result.failed, result.elsewhere) == (4, {})
    assert in_new(world) == {world.key_of(b"new")}
    states = {file.state for file in world.backend.data_files.list(world.backend.collections.get("things").id)}
    assert states == {DataFileState.STORED}


def test_a_preview_knows_the_same(world: World) -> None:
    """What is there is no news, wherever; and what would be refused is."""
    world.write("images/bird.jpg", b"bird")
    world.write("images/cat.jpg", b"another cat")

    preview = preview_upload(UploadParams.model_validate(world.params(storage="new")))

    assert (preview.new, preview.duplicate, preview.failed) == (1, 1, 2)
    assert {each.code for each in preview.failures} == {"UNIT_CONFLICT"}
