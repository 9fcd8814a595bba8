from datetime import UTC, datetime, timedelta
from pathlib import Path

from synapse_sdk.plugins.storage_check import StorageCheck, check_storage
from synapse_sdk.testing import FakeClock
from tests.unit.plugins.actions.upload.world import World


def checked(world: World, *, reads_contents: bool = False, deletes_orphans: bool = False) -> StorageCheck:
    """Check the storage of the world two hours from now."""
    record = world.backend.storages.get(world.store.as_uri())
    clock = FakeClock(datetime.now(UTC) + timedelta(hours=2))
    return check_storage(
        world.backend, record, reads_contents=reads_contents, deletes_orphans=deletes_orphans, clock=clock
    )


def object_of(world: World, unit: str) -> Path:
    """Return the file of a unit's image in the storage."""
    return world.store / world.units()[unit].files["images"].key


def test_after_an_upload_everything_is_there(world: World) -> None:
    """Objects and bytes are counted, and nothing else is found."""
    world.write("images/a.jpg", b"12345")
    world.upload()

    found = checked(world, reads_contents=True)

    assert found == StorageCheck(objects=1, size=5)
    assert found.is_whole


def test_what_is_missing_or_damaged_is_named(world: World) -> None:
    """A changed byte shows only when contents are read."""
    for name in ("gone", "short", "flipped"):
        world.write(f"images/{name}.jpg", name.encode())
    world.upload()
    gone, short, flipped = (object_of(world, name) for name in ("gone", "short", "flipped"))
    gone.unlink()
    short.write_bytes(b"s")
    flipped.write_bytes(b"FLIPPED")

    quick, thorough = checked(world), checked(world, reads_contents=True)

    assert quick.missing == (gone.relative_to(world.store).as_posix(),)
    assert quick.damaged == (short.relative_to(world.store).as_posix(),)
    assert len(thorough.damaged) == 2
    assert not quick.is_whole


def test_an_orphan_is_found_and_deleted_only_when_asked(world: World) -> None:
    """What lies beside the collections is somebody else's; what was put just now is spared."""
    world.write("images/a.jpg")
    world.upload()
    orphan = object_of(world, "a").with_name("late")
    orphan.write_bytes(b"late")
    (world.store / "not-ours").write_bytes(b"x")

    found = checked(world)
    assert found.orphans == (orphan.relative_to(world.store).as_posix(),)
    assert found.orphan_size == 4
    assert orphan.exists()
    assert checked(world, deletes_orphans=True).removed == 1
    assert not orphan.exists()
    assert (world.store / "not-ours").exists()
    assert checked(world) == StorageCheck(objects=1, size=7)

    orphan.write_bytes(b"just now")
    record = world.backend.storages.get(world.store.as_uri())
    assert check_storage(world.backend, record).orphans == ()


def test_objects_of_another_storage_at_the_same_place_are_no_orphans(world: World) -> None:
    """A backend from before one place could only be known once does not lose them."""
    world.write("images/a.jpg", b"12345")
    world.upload()
    other = world.backend.storages.create("other", f"{world.store.as_uri()}?link=hardlink")

    clock = FakeClock(datetime.now(UTC) + timedelta(hours=2))
    found = check_storage(world.backend, other, deletes_orphans=True, clock=clock)

    assert found == StorageCheck(objects=0, size=0)
    assert checked(world) == StorageCheck(objects=1, size=5)
