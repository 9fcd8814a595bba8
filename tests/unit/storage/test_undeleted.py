"""What is said where objects could not be deleted."""

from errno import EACCES

import pytest

from synapse_sdk.errors import StorageDeniedError, StorageError
from synapse_sdk.storage.undeleted import undeleted

DENIED = OSError(EACCES, "Permission denied")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (["a.jpg"], "memory:// could not delete 'a.jpg'. Permission denied"),
        (["b.jpg", "a.jpg", "c.jpg"], "memory:// could not delete 'b.jpg' and 2 more. Permission denied"),
    ],
)
def test_the_first_object_is_named(keys: list[str], words: str) -> None:
    """All of them are in the particulars."""
    error = undeleted("memory://", dict.fromkeys(keys, DENIED))

    assert str(error) == words
    assert error.where["keys"] == sorted(keys)


def test_the_error_is_of_the_kind_of_the_first() -> None:
    """With its reason and its way out, so that it is handled alike."""
    denied = StorageDeniedError("no", why="it is locked", fix="Unlock it")

    error = undeleted("memory://", {"a.jpg": denied, "b.jpg": StorageError("broken")})

    assert (type(error), error.why, error.fix) == (StorageDeniedError, "it is locked", "Unlock it")
