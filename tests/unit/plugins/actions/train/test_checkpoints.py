"""Checkpoints of a training: whole or not there, whenever its process dies."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from synapse_sdk.errors import StorageError, TrainingError
from synapse_sdk.plugins.actions.train.checkpoints import KEPT, Checkpoints

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    """Those of a run that has none yet."""
    return Checkpoints(tmp_path / "checkpoints")


def save(checkpoints: Checkpoints, epoch: int) -> None:
    """Make a checkpoint with a file in a folder."""
    with checkpoints.new({"epoch": epoch}) as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "weights").write_text(f"weights {epoch}")


def test_the_newest_is_gone_on_from(checkpoints: Checkpoints) -> None:
    """With its files and its state; a few are kept."""
    assert checkpoints.last() is None

    for epoch in range(5):
        save(checkpoints, epoch)

    last = checkpoints.last()
    assert last is not None
    assert (last.number, last.state) == (5, {"epoch": 4})
    assert (last.path / "deep" / "weights").read_text() == "weights 4"
    assert len(list(checkpoints.root.iterdir())) == KEPT


def test_one_that_was_half_written_is_never_used(checkpoints: Checkpoints) -> None:
    """T5: neither one without a name, nor one of which something is missing, changed or new."""
    save(checkpoints, 1)
    part = checkpoints.root / "00000002.part"
    part.mkdir()
    (part / "weights").write_text("half")

    last = checkpoints.last()
    assert last is not None
    assert last.state == {"epoch": 1}

    save(checkpoints, 2)  # what was left there is not in it
    last = checkpoints.last()
    assert last is not None
    assert sorted(path.name for path in last.path.iterdir()) == ["checkpoint.json", "deep"]


@pytest.mark.parametrize("damage", ["cut", "changed", "missing", "added", "no seal", "seal cut", "seal is a list"])
def test_a_damaged_one_gives_way_to_the_one_before(checkpoints: Checkpoints, damage: str) -> None:
    """T5: a disk may spoil what was whole."""
    save(checkpoints, 1)
    save(checkpoints, 2)
    folder = checkpoints.root / "00000002"
    weights, seal = folder / "deep" / "weights", folder / "checkpoint.json"
    damages: dict[str, Callable[[], object]] = {
        "cut": lambda: weights.write_text("weig"),
        "changed": lambda: weights.write_text("weights 3"),
        "missing": weights.unlink,
        "added": lambda: (folder / "more").write_text("more"),
        "no seal": seal.unlink,
        "seal cut": lambda: seal.write_bytes(seal.read_bytes()[:-5]),
        "seal is a list": lambda: seal.write_text("[]"),
    }
    damages[damage]()

    last = checkpoints.last()

    assert last is not None
    assert last.state == {"epoch": 1}
    save(checkpoints, 3)
    last = checkpoints.last()
    assert last is not None
    assert last.state == {"epoch": 3}


def test_a_block_that_raises_leaves_no_trace(checkpoints: Checkpoints) -> None:
    """And the error is its own."""
    save(checkpoints, 1)

    def fail() -> None:
        with checkpoints.new({"epoch": 2}) as folder:
            (folder / "weights").write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert [path.name for path in checkpoints.root.iterdir()] == ["00000001"]


def test_an_empty_one_is_refused(checkpoints: Checkpoints) -> None:
    """Nothing could go on from there."""
    with pytest.raises(TrainingError, match="A checkpoint has no files"), checkpoints.new({}):
        pass


def test_a_state_that_is_no_json_is_refused(checkpoints: Checkpoints) -> None:
    """Nothing is pickled."""
    with (
        pytest.raises(TrainingError, match="The state of a checkpoint is no JSON"),
        checkpoints.new({"weights": object()}) as folder,  # type: ignore[dict-item]  # on purpose
    ):
        (folder / "weights").write_text("w")

    assert checkpoints.last() is None


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """With the way out."""
    (tmp_path / "checkpoints").write_text("a file")

    with (
        pytest.raises(StorageError, match="Checkpoint 1 cannot be written"),
        Checkpoints(tmp_path / "checkpoints").new({}),
    ):
        pass
