"""Folders that are removed again."""

from pathlib import Path

import pytest

from synapse_sdk.folders import remove_tree


def test_a_folder_is_removed_with_all_that_is_in_it(tmp_path: Path) -> None:
    """And once more, when it is gone."""
    (tmp_path / "work" / "deep").mkdir(parents=True)
    (tmp_path / "work" / "deep" / "a.txt").touch()

    remove_tree(tmp_path / "work")
    remove_tree(str(tmp_path / "work"))

    assert [*tmp_path.iterdir()] == []


def test_what_cannot_be_removed_is_an_error(tmp_path: Path) -> None:
    """It is not left behind in silence: a file is no folder."""
    (tmp_path / "work").touch()

    with pytest.raises(NotADirectoryError):
        remove_tree(tmp_path / "work")
