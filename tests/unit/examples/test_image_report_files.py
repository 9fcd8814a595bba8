"""What the example promises about files: all or nothing, never over another; what was made is taken back, exactly."""

import errno
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from image_report.errors import FolderError
from image_report.files import create_file, create_folder, take_back


class UndoLog(list[dict[str, object]]):
    """Keeps what is announced, as a context's undo log does."""

    def __call__(self, **what: object) -> None:
        """Keep one entry."""
        self.append(what)


@pytest.fixture
def log() -> UndoLog:
    """Return an empty log."""
    return UndoLog()


def test_a_file_is_created_and_taken_back(tmp_path: Path, log: UndoLog) -> None:
    """What was created is there with its content, and is gone after taking it back, twice."""
    create_file(tmp_path / "a.txt", b"text", log)
    assert (tmp_path / "a.txt").read_bytes() == b"text"

    assert take_back(log) == []
    assert take_back(log) == []

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_neither_overwritten_nor_taken_back(tmp_path: Path, log: UndoLog) -> None:
    """Creating over a file fails and announces nothing that could delete it."""
    (tmp_path / "a.txt").write_bytes(b"theirs")

    with pytest.raises(FileExistsError, match="File exists"):
        create_file(tmp_path / "a.txt", b"ours", log)
    take_back(log)

    assert (tmp_path / "a.txt").read_bytes() == b"theirs"


def test_a_dangling_link_is_not_written_through(tmp_path: Path, log: UndoLog) -> None:
    """A link that points nowhere takes the name as a file does."""
    (tmp_path / "a.txt").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(FileExistsError):
        create_file(tmp_path / "a.txt", b"ours", log)

    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("hard_links", [True, False])
def test_a_file_that_appears_at_the_last_moment_wins(
    tmp_path: Path, log: UndoLog, monkeypatch: pytest.MonkeyPatch, *, hard_links: bool
) -> None:
    """Somebody else's file of equal content, put there while ours was written, survives creation and taking back."""
    if not hard_links:
        monkeypatch.setattr(os, "link", no_hard_links)

    def announce(**what: object) -> None:
        log(**what)
        if "path" in what:
            (tmp_path / "a.txt").write_bytes(b"equal")

    with pytest.raises(FileExistsError):
        create_file(tmp_path / "a.txt", b"equal", announce)
    take_back(log)

    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_file_system_without_hard_links_will_do(
    tmp_path: Path, log: UndoLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On exFAT, for example, files are created and taken back as everywhere."""
    monkeypatch.setattr(os, "link", no_hard_links)

    create_file(tmp_path / "a.txt", b"text", log)
    assert (tmp_path / "a.txt").read_bytes() == b"text"
    take_back(log)

    assert list(tmp_path.iterdir()) == []


def no_hard_links(_existing: Path, _new: Path) -> None:
    """Fail as Linux does on a file system that has none."""
    raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))


def test_a_disk_that_fills_up_leaves_nothing_behind(
    tmp_path: Path, log: UndoLog, disk_full: Callable[[], AbstractContextManager[None]]
) -> None:
    """The part that was written is removed, and the error names the file and the way out."""
    with disk_full(), pytest.raises(FolderError, match=r"Cannot write '.*a\.txt'\. File too large\. Free some space"):
        create_file(tmp_path / "a.txt", bytes(50_000), log)

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_taken_back(tmp_path: Path, log: UndoLog) -> None:
    """A part without a name, a name without a file, a folder that was never made: all are undone."""
    create_folder(tmp_path / "out", log)
    part = tmp_path / "out" / ".0123456789abcdef.part"
    part.write_bytes(b"te")
    log(part=str(part))
    log(path=str(tmp_path / "out" / "a.txt"), inode=1, sha256="")
    log(folder=str(tmp_path / "out" / "never made"))

    assert take_back(log) == []

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_changed_since_is_left_alone(tmp_path: Path, log: UndoLog) -> None:
    """What somebody edited, replaced or linked is theirs, and is named; the rest goes."""
    names = ("edited.txt", "replaced.txt", "linked.txt", "folder.txt", "untouched.txt")
    for name in names:
        create_file(tmp_path / name, b"ours", log)
    (tmp_path / "edited.txt").write_bytes(b"theirs")
    (tmp_path / "new").write_bytes(b"ours")
    (tmp_path / "new").replace(tmp_path / "replaced.txt")
    (tmp_path / "linked.txt").unlink()
    (tmp_path / "linked.txt").symlink_to(tmp_path / "replaced.txt")

    (tmp_path / "folder.txt").unlink()
    (tmp_path / "folder.txt").mkdir()

    left_alone = take_back(log)

    assert {path.name for path in tmp_path.iterdir()} == set(names) - {"untouched.txt"}
    assert left_alone == [f"{tmp_path / name} was changed by somebody else" for name in reversed(names[:4])]


def test_folders_are_made_and_taken_back_with_their_parents(tmp_path: Path, log: UndoLog) -> None:
    """Only folders that were missing go; one that was there stays."""
    (tmp_path / "old").mkdir()

    create_folder(tmp_path / "old" / "new" / "newer", log)
    assert (tmp_path / "old" / "new" / "newer").is_dir()
    take_back(log)

    assert [path.name for path in tmp_path.rglob("*")] == ["old"]


def test_a_path_with_a_detour_is_taken_back_without_leftovers(
    tmp_path: Path, log: UndoLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Undoing works from anywhere, and `..` in a path makes no folder that nobody asked for."""
    monkeypatch.chdir(tmp_path)
    create_folder(Path("a/../out"), log)
    create_file(Path("out/a.txt"), b"text", log)
    monkeypatch.chdir("/")

    assert take_back(log) == []

    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_somebody_elses_file_is_left_alone(tmp_path: Path, log: UndoLog) -> None:
    """A folder is never deleted with what others put there."""
    create_folder(tmp_path / "out", log)
    (tmp_path / "out" / "theirs.txt").write_text("text")

    assert take_back(log) == [f"{tmp_path / 'out'} is not empty"]

    assert (tmp_path / "out" / "theirs.txt").exists()


def test_what_cannot_be_deleted_does_not_keep_the_rest(tmp_path: Path, log: UndoLog) -> None:
    """The error names what is left, and everything else is gone."""
    create_file(tmp_path / "a.txt", b"text", log)
    (tmp_path / "stuck.part").mkdir()
    log(part=str(tmp_path / "stuck.part"))
    create_file(tmp_path / "b.txt", b"text", log)

    with pytest.raises(FolderError, match=r"cannot be deleted: .*stuck\.part.*Delete it by hand"):
        take_back(log)

    assert [path.name for path in tmp_path.iterdir()] == ["stuck.part"]
