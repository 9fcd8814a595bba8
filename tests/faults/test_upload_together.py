"""Uploads at the same time, into one collection, with files that have the same content."""

import random
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from synapse_sdk.errors import StepFailedError
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.actions.upload import DefaultUploadAction
from tests.unit.plugins.actions.upload.world import World

LARGE = b"large" * (2 << 20)


def fill(world: World, folder: str, rng: random.Random, contents: list[bytes]) -> dict[str, bytes]:
    """Write files of a folder, and return their contents by unit key."""
    files = {f"{folder}-{number}": rng.choice(contents) for number in range(25)}
    for key, content in files.items():
        world.write(f"{folder}/images/{key}.jpg", content)
    return files


def upload(world: World, folder: str, *, fails: bool) -> None:
    """Upload a folder, and let it fail when all was sent, if it is to."""
    params = world.params(path=str(world.folder / "data" / folder), creating_data_unit_batch_size=4)
    run_action(DefaultUploadAction, params, inject_failure="process_metadata" if fails else None)


def whole(world: World) -> Mapping[str, bytes]:
    """Return the contents of all units of the collection by key."""
    return {key: world.content(unit, "images") for key, unit in world.units(None).items()}


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.full) for seed in (1, 2, 3))])
def test_a_run_that_is_rolled_back_takes_nothing_from_another(either: World, seed: int) -> None:
    """U4: while both send the same contents; the other's units are whole, and nothing else is left."""
    rng = random.Random(seed)  # noqa: S311  # no secret
    contents = [f"content {number}".encode() * 20 for number in range(10)] + ([LARGE] if seed == 1 else [])
    good, bad = (fill(either, folder, rng, contents) for folder in ("good", "bad"))

    with ThreadPoolExecutor(2) as pool:
        kept = pool.submit(upload, either, "good", fails=False)
        undone = pool.submit(upload, either, "bad", fails=True)
        assert isinstance(undone.exception(), StepFailedError)
        kept.result()

    assert whole(either) == good
    assert bad
    either.check()


@pytest.mark.full
def test_two_runs_that_both_succeed_share_their_objects(either: World) -> None:
    """Each content is there once; also a large one, which both have begun to send."""
    rng = random.Random(7)  # noqa: S311  # no secret
    contents = [f"content {number}".encode() * 20 for number in range(5)] + [LARGE]
    first, second = (fill(either, folder, rng, contents) for folder in ("first", "second"))

    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(upload, either, folder, fails=False) for folder in ("first", "second")]:
            each.result()

    assert whole(either) == first | second
    assert len(either.objects()) == len({*first.values(), *second.values()})
    either.check()
