"""F24: archives that are built to do harm, or broken."""

import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

from synapse_sdk.documents.archives import ArchiveLimits, list_archive
from synapse_sdk.errors import UnsafeArchiveError
from tests.unit.documents.archives.builders import (
    FILES,
    FORMATS,
    add_file,
    contents,
    refused,
    refused_at_once,
    write_archive,
)

MIB = 1024 * 1024
BAD_NAMES = [
    "../x",
    "a/../../x",
    "/etc/x",
    "C:x",
    "c:/x",
    "a\\b",
    "..",
    "a\nb",
    "a\x1b[31mb",
    "x" * 256,
    "가" * 86,
    "a/" * 1600 + "x",
]


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("name", BAD_NAMES, ids=range(len(BAD_NAMES)))
def test_names_that_lead_out_or_cannot_be_used_are_refused(tmp_path: Path, kind: str, name: str) -> None:
    """Before anything is written, even if they come last."""
    path = write_archive(tmp_path / f"a.{kind}", {"good": b"x", name: b"x"})

    assert refused_at_once(path, ArchiveLimits(depth=10_000)).where["member"] == name


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize(
    "names", [("a", "A"), ("caf\u00e9", "cafe\u0301"), ("a/x", "A/y"), ("a", "a/b"), ("a/b", "a"), ("a", "./a")]
)
def test_names_that_cannot_lie_side_by_side_are_refused(tmp_path: Path, kind: str, names: tuple[str, str]) -> None:
    """On every system alike, so that an archive means the same everywhere."""
    refused_at_once(write_archive(tmp_path / f"a.{kind}", dict.fromkeys(names, b"x")))


def test_a_member_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    """Nobody can say which of the two is meant."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a", "1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", "2")

    assert "twice" in str(refused_at_once(tmp_path / "a.zip"))


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (tarfile.SYMTYPE, "a link"),
        (tarfile.LNKTYPE, "a hard link"),
        (tarfile.FIFOTYPE, "a pipe"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.BLKTYPE, "a device"),
        (tarfile.GNUTYPE_SPARSE, "a sparse file"),
        (b"Z", "of an unknown kind"),
    ],
)
def test_only_files_and_folders_come_out_of_a_tar(tmp_path: Path, kind: bytes, found: str) -> None:
    """No links, whatever they point to, no devices, no pipes."""
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        add_file(tar, "first", b"x")
        add_file(tar, "odd", b"", kind, "/etc")

    assert found in str(refused_at_once(tmp_path / "a.tar"))


def test_a_file_never_goes_through_a_link_of_its_archive(tmp_path: Path) -> None:
    """The link is refused before the file comes."""
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        add_file(tar, "out", b"", tarfile.SYMTYPE, str(tmp_path))
        add_file(tar, "out/file", b"x")

    refused_at_once(tmp_path / "a.tar")
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize(("mode", "found"), [(0o120777, "a link"), (0o010644, "a device"), (0o020644, "a device")])
def test_only_files_and_folders_come_out_of_a_zip(tmp_path: Path, mode: int, found: str) -> None:
    """A zip from Unix has links and pipes, too."""
    info = zipfile.ZipInfo("odd")
    info.external_attr = mode << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc")

    assert found in str(refused_at_once(tmp_path / "a.zip"))


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.bz2", "tar.xz"])
def test_a_bomb_is_refused_by_its_ratio(tmp_path: Path, kind: str) -> None:
    """Zeros, which pack to a thousandth and less."""
    path = write_archive(tmp_path / f"a.{kind}", {"zeros": bytes(48 * MIB)})

    assert refused_at_once(path).where["violation_type"] == "ratio"


@pytest.mark.full
def test_200_mib_in_199_kib_are_refused(tmp_path: Path) -> None:
    """The bomb that everybody has."""
    path = write_archive(tmp_path / "a.zip", {"zeros": bytes(200 * MIB)})

    assert path.stat().st_size < 200 * 1024
    assert refused_at_once(path).where["violation_type"] == "ratio"


def test_zeros_behind_the_end_of_a_tar_count(tmp_path: Path) -> None:
    """Nobody asked for them, and they have to be unpacked all the same."""
    tar = write_archive(tmp_path / "a.tar", {"a": b"x"}).read_bytes()
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(tar + bytes(48 * MIB)))

    assert refused_at_once(tmp_path / "a.tar.gz").where["violation_type"] == "ratio"


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize(
    ("limits", "actual"),
    [
        (ArchiveLimits(total_bytes=100_004), 100_005),
        (ArchiveLimits(file_bytes=99_999), 100_000),
        (ArchiveLimits(entries=2), 3),
        (ArchiveLimits(depth=2), 3),
    ],
)
def test_limits_are_kept(tmp_path: Path, kind: str, limits: ArchiveLimits, actual: int) -> None:
    """The error says which one, and by how much it is exceeded."""
    error = refused_at_once(write_archive(tmp_path / f"a.{kind}", FILES), limits)

    assert error.where["actual"] == actual
    assert error.where["limit"] == getattr(limits, str(error.where["violation_type"])) == actual - 1


def test_a_limit_of_nothing_is_refused() -> None:
    """It could not be kept."""
    with pytest.raises(ValueError, match="entries is 0"):
        ArchiveLimits(entries=0)


def test_sizes_in_a_zip_are_not_believed(tmp_path: Path) -> None:
    """More than the header says does not come out; less is an error."""
    path = write_archive(tmp_path / "a.zip", {"a": bytes(MIB)})
    true = struct.pack("<L", MIB)
    for told in (10, 2 * MIB):
        lying = tmp_path / "lying.zip"
        lying.write_bytes(path.read_bytes().replace(true, struct.pack("<L", told)))

        assert "damaged" in str(refused(lying)) or told > MIB
    assert contents(tmp_path / "target") == {}


def test_members_that_share_their_bytes_count_each(tmp_path: Path) -> None:
    """A bomb without any ratio of one member: all of them are the same bytes."""
    path = write_archive(tmp_path / "a.zip", {"a": bytes(MIB)})
    data = path.read_bytes()
    begin = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    entries = b"".join(
        data[begin : begin + 28] + struct.pack("<H", 4) + data[begin + 30 : begin + 46] + b"%04d" % n
        for n in range(400)
    )
    tail = data[end : end + 8] + struct.pack("<HHLLH", 400, 400, len(entries), begin, 0)
    path.write_bytes(data[:begin] + entries + tail)

    assert refused(path).where["violation_type"] == "ratio"


def test_a_directory_of_millions_of_entries_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """Listing them would take gigabytes."""
    path = write_archive(tmp_path / "a.zip", {f"{n:050}": b"" for n in range(200)})

    assert refused_at_once(path, ArchiveLimits(entries=10)).where["violation_type"] == "entries"


def test_a_header_without_end_is_refused(tmp_path: Path) -> None:
    """A tar may say that a name has a gigabyte; it would be read at once."""
    info = tarfile.TarInfo("././@LongLink")
    info.size, info.type = 2**30, tarfile.GNUTYPE_LONGNAME
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(MIB)))

    assert "header" in str(refused_at_once(tmp_path / "a.tar.gz"))


def test_headers_about_headers_about_headers_are_refused(tmp_path: Path) -> None:
    """They would exhaust the stack."""
    info = tarfile.TarInfo("././@LongLink")
    info.size, info.type = 1, tarfile.GNUTYPE_LONGNAME
    nested = (info.tobuf(tarfile.GNU_FORMAT) + b"x".ljust(512, b"\0")) * 5_000
    (tmp_path / "a.tar").write_bytes(nested + bytes(1024))

    assert "damaged" in str(refused_at_once(tmp_path / "a.tar"))


@pytest.mark.parametrize("name", ["../x", "/x", "a\0b", "\udcff"])
def test_names_in_pax_headers_are_checked_as_well(tmp_path: Path, name: str) -> None:
    """They replace the name in the plain header."""
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("good")
        info.pax_headers = {"path": name}
        tar.addfile(info, io.BytesIO())

    refused_at_once(tmp_path / "a.tar")


def test_weird_sizes_in_pax_headers_are_refused(tmp_path: Path) -> None:
    """Less than nothing, and no number at all."""
    for size in ("-1", "x", "9" * 30):
        with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as tar:
            info = tarfile.TarInfo("a")
            info.pax_headers = {"size": size}
            tar.addfile(info, io.BytesIO())

        if size != "x":
            refused_at_once(tmp_path / "a.tar")
        else:  # the module falls back to the plain header
            assert [member.size for member in list_archive(tmp_path / "a.tar")] == [0]


@pytest.mark.parametrize("kind", FORMATS)
def test_a_cut_off_archive_is_an_error(tmp_path: Path, kind: str) -> None:
    """Wherever it is cut, and nothing that was not whole is there afterwards."""
    whole = write_archive(tmp_path / f"a.{kind}", FILES | {"random": zlib.compress(str(range(9)).encode()) * 500})
    data = whole.read_bytes()
    path = tmp_path / f"cut.{kind}"
    for share in (0.1, 0.5, 0.9):
        path.write_bytes(data[: int(len(data) * share)])

        with pytest.raises(UnsafeArchiveError):
            list(list_archive(path))
        refused(path)


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.bz2", "tar.xz"])
def test_a_flipped_bit_is_an_error(tmp_path: Path, kind: str) -> None:
    """Checksums are compared; a plain tar has none for its content."""
    path = write_archive(tmp_path / f"a.{kind}", {"a": bytes(range(256)) * 100})
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 4
    path.write_bytes(data)

    assert "damaged" in str(refused(path))
    assert not (tmp_path / "target" / "a").exists()


def test_garbage_in_the_middle_of_a_tar_is_not_its_end(tmp_path: Path) -> None:
    """The module of the standard library takes it for one."""
    path = write_archive(tmp_path / "a.tar", {"a": b"x", "b": b"y"})
    data = bytearray(path.read_bytes())
    data[1024:1536] = b"?" * 512
    path.write_bytes(data)

    assert "end is missing" in str(refused_at_once(path))


@pytest.mark.parametrize(
    ("content", "found"),
    [(b"", "empty"), (b"hello", "no archive"), (gzip.compress(b"hello"), "damaged"), (bytes(10240), "no archive")],
    ids=["nothing", "text", "a compressed text", "zeros"],  # compressed bytes hold the time: workers would not agree
)
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes, found: str) -> None:
    """Whatever its name says."""
    (tmp_path / "a.zip").write_bytes(content)

    assert found in str(refused(tmp_path / "a.zip"))


def test_an_archive_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """Missing, or a folder."""
    assert "No such file" in str(refused(tmp_path / "missing.zip"))
    assert str(refused(tmp_path)).endswith("'. It is a folder. Name a file")


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    """The way out is to pack it without a password."""
    path = write_archive(tmp_path / "a.zip", {"a": b"x"})
    data = bytearray(path.read_bytes())
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)

    assert "encrypted" in str(refused_at_once(path))


def test_zstd_needs_a_newer_python(tmp_path: Path) -> None:
    """The error says which, where it is missing."""
    (tmp_path / "a.tar.zst").write_bytes(b"\x28\xb5\x2f\xfd" + bytes(20))

    assert "zstd" in str(refused(tmp_path / "a.tar.zst")).lower()
