"""What `synapse export` says about items that cannot be exported: once, and with advice that can be followed."""

from typing import TYPE_CHECKING

from synapse_sdk.backend import TaskFilter, open_backend
from tests.unit.cli.working import DM, make_project

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Synapse

EXPORT = ("export", "task", "--project", "boxes", "--out", "out", "--no-originals")


def test_a_loss_is_counted_once(synapse: "Synapse") -> None:
    """However many steps the item went through."""
    make_project("cat", "dog")
    with open_backend() as backend:
        (first, _) = backend.tasks.list(TaskFilter())
        backend.tasks.set_data(first.id, DM, first.version)

    outcome = synapse(*EXPORT)

    assert outcome.code == 3
    assert outcome.err.count("1 failed") == 1


def test_nobody_is_told_to_go_on_with_nothing(synapse: "Synapse") -> None:
    """Where no item can be exported, going on without them is what was tried."""
    make_project("cat", "dog")

    outcome = synapse(*EXPORT)

    assert outcome.code == 1
    assert "No item could be exported: 2 items cannot be exported: 1: it has no annotation data" in outcome.err
    assert "Mend them" in outcome.err
    assert "--on-error" not in outcome.err
