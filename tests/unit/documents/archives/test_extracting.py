import hashlib
import os
import tarfile
from pathlib import Path

import pytest

from synapse_sdk.documents.archives import ArchiveMember, ExtractReport, extract_archive, list_archive
from tests.unit.documents.archives.builders import FILES, FORMATS, contents, refused, write_archive


@pytest.mark.parametrize("kind", FORMATS)
def test_an_archive_is_unpacked_as_it_was_packed(tmp_path: Path, kind: str) -> None:
    """Whatever its name says: the content decides."""
    path = write_archive(tmp_path / f"a.{kind}", FILES).rename(tmp_path / "archive.dat")

    report = extract_archive(path, tmp_path / "target")

    assert contents(tmp_path / "target") == FILES
    assert report == ExtractReport(written=3, kept=0, folders=0, bytes_written=100_005)


@pytest.mark.parametrize("kind", FORMATS)
def test_an_archive_can_be_listed(tmp_path: Path, kind: str) -> None:
    """In its order, with sizes."""
    members = list_archive(write_archive(tmp_path / f"a.{kind}", FILES))

    assert [(member.name, member.size) for member in members] == [(name, len(data)) for name, data in FILES.items()]


@pytest.mark.parametrize("kind", FORMATS)
def test_unpacking_goes_on_where_it_was_left(tmp_path: Path, kind: str) -> None:
    """What is complete stays, what was left half written is written anew."""
    path = write_archive(tmp_path / f"a.{kind}", FILES)
    told: list[ArchiveMember] = []

    def stop(member: ArchiveMember) -> None:
        told.append(member)
        if len(told) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract_archive(path, tmp_path / "target", on_member=stop)
    half = contents(tmp_path / "target")
    again = extract_archive(path, tmp_path / "target", on_member=told.append)

    assert sorted(half) == ["a.txt", "b/한글.txt"]
    assert (again.kept, again.written) == (2, 1)
    assert [member.name for member in told] == ["a.txt", "b/한글.txt", *FILES]
    assert contents(tmp_path / "target") == FILES


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_a_file_with_other_content_is_never_overwritten(tmp_path: Path, kind: str) -> None:
    """Of the same size or not."""
    path = write_archive(tmp_path / f"a.{kind}", FILES)
    for content in (b"HELLO", b"mine"):
        (tmp_path / "target").mkdir(exist_ok=True)
        (tmp_path / "target" / "a.txt").write_bytes(content)

        assert "other content" in str(refused(path))
        assert (tmp_path / "target" / "a.txt").read_bytes() == content


def test_what_a_killed_call_left_behind_is_removed(tmp_path: Path) -> None:
    """Its half of a file has a name of its own, always the same."""
    path = write_archive(tmp_path / "a.zip", {"a.txt": b"hello"})
    aside = tmp_path / "target" / f".{hashlib.sha256(b'a.txt').hexdigest()[:16]}.part"
    aside.parent.mkdir()
    aside.write_bytes(b"hel")

    extract_archive(path, tmp_path / "target")

    assert contents(tmp_path / "target") == {"a.txt": b"hello"}


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("name", ["out", "out/file"])
def test_links_in_the_target_lead_nowhere(tmp_path: Path, kind: str, name: str) -> None:
    """Neither as a folder nor as the file itself."""
    path = write_archive(tmp_path / f"a.{kind}", {name: b"x"})
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "out").symlink_to(tmp_path / "elsewhere")

    assert "link" in str(refused(path))
    assert contents(tmp_path / "elsewhere") == {}


def test_the_target_itself_may_be_a_link(tmp_path: Path) -> None:
    """Whoever names it knows."""
    (tmp_path / "real").mkdir()
    (tmp_path / "target").symlink_to(tmp_path / "real")

    extract_archive(write_archive(tmp_path / "a.zip", FILES), tmp_path / "target")

    assert contents(tmp_path / "real") == FILES


def test_something_else_in_the_target_is_left_alone(tmp_path: Path) -> None:
    """A pipe in place of a file, a file in place of a folder, a folder in place of a file."""
    target = tmp_path / "target"
    target.mkdir()
    os.mkfifo(target / "pipe")
    (target / "file").write_bytes(b"")
    (target / "folder").mkdir()

    for name in ("pipe", "file/x", "folder"):
        refused(write_archive(tmp_path / "a.zip", {name: b"x"}))
    assert sorted(path.name for path in target.iterdir()) == ["file", "folder", "pipe"]


def test_folders_are_made_even_if_they_are_empty(tmp_path: Path) -> None:
    """The root folder, which tar lists, is none of them."""
    (tmp_path / "source" / "empty").mkdir(parents=True)
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        tar.add(tmp_path / "source", ".")

    report = extract_archive(tmp_path / "a.tar", tmp_path / "target")

    assert report.folders == 1
    assert (tmp_path / "target" / "empty").is_dir()


def test_an_archive_within_an_archive_is_a_file(tmp_path: Path) -> None:
    """However deep they are nested, nothing is unpacked that nobody asked for."""
    inner = write_archive(tmp_path / "inner.zip", {"x": b"x"}).read_bytes()

    extract_archive(write_archive(tmp_path / "a.zip", {"inner.zip": inner}), tmp_path / "target")

    assert contents(tmp_path / "target") == {"inner.zip": inner}


def test_an_empty_zip_is_an_archive(tmp_path: Path) -> None:
    """With nothing in it."""
    assert extract_archive(write_archive(tmp_path / "a.zip", {}), tmp_path / "target").written == 0


@pytest.mark.parametrize(("encoding", "name"), [("cp949", "고양이.txt"), ("cp437", "░φ╛τ└╠.txt")])
def test_names_without_a_mark_are_in_the_encoding_that_is_told(tmp_path: Path, encoding: str, name: str) -> None:
    """As Korean Windows writes them; by default in the one of the format."""
    path = write_archive(tmp_path / "a.zip", {"########": b"x"})
    path.write_bytes(path.read_bytes().replace(b"########", "고양이".encode("cp949") + b".t"))

    members = list(list_archive(path, encoding=encoding))

    assert [member.name for member in members] == [name.removesuffix("xt")]
