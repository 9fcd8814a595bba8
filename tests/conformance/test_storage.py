"""What every storage promises (`synapse_sdk.storage.base`), over every storage there is."""

import hashlib
import itertools
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from synapse_sdk.errors import (
    ConfigurationError,
    InvalidKeyError,
    ObjectExistsError,
    ObjectNotFoundError,
    StorageIntegrityError,
)
from synapse_sdk.storage import Storage, open_storage
from synapse_sdk.storage.base import CHUNK
from tests.conformance.azure_server import AZURE_LOGIN
from tests.conformance.s3_server import LOGIN
from tests.conformance.sftp_server import PASSWORD

if TYPE_CHECKING:
    from tests.conformance.azure_server import AzureServer
    from tests.conformance.s3_server import S3Server
    from tests.conformance.sftp_server import SftpServer

STORAGES = (
    "memory",
    "local",
    "hardlink",
    "s3",
    "fsspec",
    *(pytest.param(kind, marks=pytest.mark.full) for kind in ("sftp", "azure", "radosgw")),
)
NUMBERS = itertools.count(1)
LARGE = 9 * CHUNK + 12_345
"""Bytes of an object that object stores take in parts."""

type Opener = Callable[[], Storage]


@pytest.fixture(params=STORAGES)
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """What opens one and the same storage, as many times as it is called."""
    login: dict[str, str] = {}
    match request.param:
        case "memory":
            url = f"memory://test-{next(NUMBERS)}"
        case "local":
            url = str(tmp_path / "a folder")
        case "hardlink":
            url = f"file://{tmp_path}/linked?link=hardlink"
        case "fsspec":
            url = f"local://{tmp_path}/fsspec"
        case "sftp":
            host: SftpServer = request.getfixturevalue("sftp")
            url, login = f"{host.url}/s{next(NUMBERS)}?trust_host=true", {"password": PASSWORD}
        case "azure":
            azure: AzureServer = request.getfixturevalue("azure")
            url, login = azure.make_container(), dict(AZURE_LOGIN)
        case kind:
            server: S3Server = request.getfixturevalue("moto" if kind == "s3" else kind)
            url, login = f"s3://{server.make_bucket()}/pre%20fix?endpoint={server.endpoint}", dict(LOGIN)
    return lambda: open_storage(url, credentials=login)


@pytest.fixture
def storage(opener: Opener) -> Iterator[Storage]:
    """An empty storage."""
    with opener() as storage:
        yield storage


def keys(storage: Storage, prefix: str = "") -> list[str]:
    """Return the keys of a storage in order."""
    return sorted(info.key for info in storage.list(prefix))


def pieces(content: bytes, size: int = 100_000) -> Iterator[bytes]:
    """Yield content in pieces."""
    return (content[at : at + size] for at in range(0, len(content), size))


def large(seed: int = 0) -> bytes:
    """Return content of which no part is like another."""
    return random.Random(seed).randbytes(LARGE)  # noqa: S311  # it only has to differ


@pytest.mark.parametrize("size", [0, 1, 50_000, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_what_is_put_can_be_got(storage: Storage, size: int) -> None:
    """Byte by byte, and so can what is known of it."""
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)

    result = storage.put("photos/2024/cat.jpg", content)

    assert (result.key, result.size, result.is_new) == ("photos/2024/cat.jpg", size, True)
    assert result.sha256 == hashlib.sha256(content).hexdigest() == storage.checksum("photos/2024/cat.jpg")
    assert storage.get("photos/2024/cat.jpg") == content
    info = storage.stat("photos/2024/cat.jpg")
    assert (info.key, info.size) == ("photos/2024/cat.jpg", size)
    assert abs(info.modified_at - datetime.now(UTC)) < timedelta(minutes=5)


@pytest.mark.parametrize("size", [0, 7, 250_000])
def test_content_may_come_in_pieces(storage: Storage, size: int) -> None:
    """Empty ones among them."""
    content = b"x" * size

    result = storage.put("cat.jpg", itertools.chain([b""], pieces(content), [b""]), size=size)

    assert (result.size, result.sha256) == (size, hashlib.sha256(content).hexdigest())
    assert storage.get("cat.jpg") == content


def test_large_content_is_streamed(storage: Storage) -> None:
    """In and out."""
    content = large()
    sha256 = hashlib.sha256(content).hexdigest()

    assert storage.put("film.mp4", pieces(content), size=LARGE, sha256=sha256).is_new
    assert not storage.put("film.mp4", pieces(content), size=LARGE, sha256=sha256).is_new
    assert not storage.put("film.mp4", pieces(content), size=LARGE).is_new
    with pytest.raises(ObjectExistsError):
        storage.put("film.mp4", pieces(large(1)), size=LARGE)

    assert storage.checksum("film.mp4") == sha256
    assert all(len(piece) <= 8 * CHUNK for piece in storage.stream("film.mp4"))
    storage.copy("film.mp4", "copy.mp4")
    assert storage.checksum("copy.mp4") == sha256


def test_content_may_come_from_the_same_storage(storage: Storage) -> None:
    """Reading and writing do not get into each other's way."""
    storage.put("film.mp4", large())

    storage.put("other.mp4", storage.stream("film.mp4"), size=LARGE)

    assert storage.get("other.mp4") == large()


def test_putting_it_again_changes_nothing(storage: Storage) -> None:
    """And says so."""
    storage.put("cat.jpg", b"meow")

    for again in (storage.put("cat.jpg", b"meow"), storage.put("cat.jpg", b"meow", overwrite=True)):
        assert (again.is_new, again.size, again.sha256) == (False, 4, hashlib.sha256(b"meow").hexdigest())


@pytest.mark.parametrize("other", [b"woof", b"woof woof", b""])
def test_another_object_is_kept(storage: Storage, other: bytes) -> None:
    """Unless it is to be replaced."""
    storage.put("cat.jpg", b"meow")

    with pytest.raises(ObjectExistsError, match=r"'cat\.jpg'"):
        storage.put("cat.jpg", other)
    assert storage.get("cat.jpg") == b"meow"

    assert storage.put("cat.jpg", other, overwrite=True).is_new
    assert storage.get("cat.jpg") == other
    assert keys(storage) == ["cat.jpg"]


@pytest.mark.parametrize(
    ("content", "size", "sha256"),
    [
        (b"meow", 5, None),
        (b"meow", 3, None),
        (b"meow", None, hashlib.sha256(b"woof").hexdigest()),
        ([b"me", b"ow"], 5, None),
        ([b"me", b"ow"], 3, None),
        ([b"me", b"ow"], 4, hashlib.sha256(b"woof").hexdigest()),
    ],
)
def test_content_that_is_not_what_was_announced_is_not_stored(
    storage: Storage, content: bytes | list[bytes], size: int | None, sha256: str | None
) -> None:
    """Nor is a part of it."""
    with pytest.raises(StorageIntegrityError) as caught:
        storage.put("photos/cat.jpg", content, size=size, sha256=sha256)

    assert caught.value.transient
    assert not storage.exists("photos/cat.jpg")
    assert keys(storage) == []
    assert storage.abort_unfinished() == 0


def test_a_digest_may_be_in_capitals(storage: Storage) -> None:
    """Hexadecimal is hexadecimal."""
    assert storage.put("cat.jpg", b"meow", sha256=hashlib.sha256(b"meow").hexdigest().upper()).is_new


@pytest.mark.parametrize("size", [10, LARGE])
def test_content_that_cannot_be_read_leaves_nothing(storage: Storage, size: int) -> None:
    """And what was wrong with it is raised as it is."""

    def broken() -> Iterator[bytes]:
        yield from pieces(b"x" * (size - 1), CHUNK)
        raise FileNotFoundError(2, "gone", "source.jpg")

    with pytest.raises(FileNotFoundError) as caught:
        storage.put("photos/cat.jpg", broken(), size=size)

    assert type(caught.value) is FileNotFoundError
    assert keys(storage) == []
    assert storage.abort_unfinished() == 0


def test_large_content_of_another_digest_leaves_nothing(storage: Storage) -> None:
    """Although all of it was on its way already."""
    with pytest.raises(StorageIntegrityError):
        storage.put("film.mp4", pieces(large()), size=LARGE, sha256="0" * 64)

    assert keys(storage) == []
    assert storage.abort_unfinished() == 0


def test_the_size_of_pieces_has_to_be_said(storage: Storage) -> None:
    """Before anything happens."""
    with pytest.raises(ConfigurationError, match="Give the size"):
        storage.put("cat.jpg", [b"meow"])


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(0, None, b"0123456789"), (3, None, b"3456789"), (0, 4, b"0123"), (2, 5, b"234"), (8, 99, b"89"), (9, 10, b"9")],
)
def test_a_range_of_bytes_can_be_read(storage: Storage, start: int, end: int | None, expected: bytes) -> None:
    """Its end is not part of it."""
    storage.put("digits", b"0123456789")

    assert b"".join(storage.stream("digits", start=start, end=end)) == expected


@pytest.mark.parametrize(("start", "end"), [(10, None), (50, None), (50, 60), (5, 5), (6, 2), (0, 0)])
def test_an_empty_range_is_empty(storage: Storage, start: int, end: int | None) -> None:
    """And no error."""
    storage.put("digits", b"0123456789")

    assert b"".join(storage.stream("digits", start=start, end=end)) == b""


def test_a_range_is_one_of_bytes(storage: Storage) -> None:
    """Nothing is counted from the end."""
    storage.put("digits", b"0123456789")

    with pytest.raises(ConfigurationError):
        list(storage.stream("digits", start=-3))


def test_what_is_not_there_is_said_to_be_missing(storage: Storage) -> None:
    """By name, and by every method that needs it."""
    uses: tuple[Callable[[str], object], ...] = (
        storage.get,
        storage.stat,
        storage.checksum,
        lambda key: list(storage.stream(key, start=3)),
        lambda key: storage.copy(key, "target"),
    )
    for use in uses:
        with pytest.raises(ObjectNotFoundError, match=r"photos/cat\.jpg"):
            use("photos/cat.jpg")
    assert not storage.exists("photos/cat.jpg")
    assert keys(storage) == []


def test_a_folder_is_no_object(storage: Storage) -> None:
    """A key that others begin with is not there because of them."""
    storage.put("photos/cat.jpg", b"meow")

    assert not storage.exists("photos")
    with pytest.raises(ObjectNotFoundError):
        storage.get("photos")


def test_objects_are_found_by_what_their_keys_begin_with(storage: Storage) -> None:
    """Text, not folders."""
    for key in ("photos/cat.jpg", "photos/cats/1.jpg", "photos/dog.jpg", "photos.txt", "music/cat.mp3"):
        storage.put(key, key.encode())

    assert keys(storage) == ["music/cat.mp3", "photos.txt", "photos/cat.jpg", "photos/cats/1.jpg", "photos/dog.jpg"]
    assert keys(storage, "photos/cat") == ["photos/cat.jpg", "photos/cats/1.jpg"]
    assert keys(storage, "photos/") == ["photos/cat.jpg", "photos/cats/1.jpg", "photos/dog.jpg"]
    assert keys(storage, "p") == ["photos.txt", "photos/cat.jpg", "photos/cats/1.jpg", "photos/dog.jpg"]
    assert keys(storage, "photos/cat.jpg") == ["photos/cat.jpg"]
    assert keys(storage, "photos/cow") == keys(storage, "nowhere/at/all") == keys(storage, "photos.txt/") == []
    assert {info.size for info in storage.list("photos/cats")} == {17}


def test_objects_are_deleted(storage: Storage) -> None:
    """Many at a time; those that are not there as well."""
    wanted = [f"photos/{number % 3}/{number}.jpg" for number in range(30)]
    for key in wanted:
        storage.put(key, b"meow")
    storage.put("photos/kept.jpg", b"meow")

    storage.delete([*wanted, "never/was.jpg"])
    storage.delete(iter(wanted))
    storage.delete([])

    assert keys(storage) == ["photos/kept.jpg"]


def test_an_object_is_copied(storage: Storage) -> None:
    """Never onto another one."""
    storage.put("cat.jpg", b"meow")
    storage.put("dog.jpg", b"woof")

    storage.copy("cat.jpg", "copies/cat.jpg")
    storage.copy("cat.jpg", "copies/cat.jpg")
    with pytest.raises(ObjectExistsError):
        storage.copy("cat.jpg", "dog.jpg")

    assert storage.get("copies/cat.jpg") == b"meow"
    assert storage.get("dog.jpg") == b"woof"
    storage.copy("cat.jpg", "dog.jpg", overwrite=True)
    assert storage.get("dog.jpg") == b"meow"


ODD = (
    "a b", " a", "a ", "a+b", "%41", "100%", "%2F", "a#b", "a?b", "a&b=c", "-rf", "~", "a*b", "[a]", '"q"', "a\\b",
    "<&>'", "a|b^`{}",
    "...", ".hidden", "a:b", "CON", "\u00e9", "e\u0301", "x" * 255, "\uac00" * 85,
    "\u65e5\u672c", "\U0001f600", "\u202egnp", "\ufeffbom",
    "=1+1", "a,b;c", "$HOME", "http:", "\u00a0",
)  # fmt: skip
"""Names that some storage, library or shell would take for something else."""


def test_odd_names_come_back_as_they_are(storage: Storage) -> None:
    """Names are data: nothing is normalised, encoded or cut."""
    refused = {"...", "a\\b"} if storage.url.startswith("az:") else set()  # the next test is about them
    wanted = [f"odd/{name}/{name}" for name in ODD if name not in refused]
    for key in wanted:
        storage.put(key, key.encode())

    assert keys(storage, "odd/") == sorted(wanted)
    assert [storage.get(key).decode() for key in wanted] == wanted
    assert [storage.stat(key).key for key in wanted] == wanted
    storage.delete(wanted)
    assert keys(storage) == []


@pytest.mark.parametrize(
    "name",
    ["a\nb", "\r", "\x1b[31m", "\x07", "\x7f", "\udcff", "y" * 256, "\uac00" * 86, "...", "dot.", "a\\b", "k" * 1100],
)
def test_a_name_is_kept_or_refused(storage: Storage, name: str) -> None:
    """It is never changed."""
    try:
        storage.put(f"a/{name}", b"meow")
    except InvalidKeyError as error:
        assert repr(f"a/{name}") in error.message  # noqa: PT017  # either is right
        assert keys(storage) == []
    else:
        assert keys(storage) == [f"a/{name}"]
        assert storage.get(f"a/{name}") == b"meow"


@pytest.mark.parametrize(
    "key", ["", "/", "/etc/passwd", "a/", "a//b", ".", "..", "../x", "a/../../x", "a/./b", "a/..", "a\0b", "./a"]
)
def test_no_key_leaves_the_root(storage: Storage, key: str) -> None:
    """Whatever is done with it."""
    storage.put("cat.jpg", b"meow")
    uses: tuple[Callable[[], object], ...] = (
        lambda: storage.put(key, b"woof"),
        lambda: storage.put(key, [b"woof"], size=4, overwrite=True),
        lambda: storage.get(key),
        lambda: list(storage.stream(key)),
        lambda: storage.stat(key),
        lambda: storage.exists(key),
        lambda: storage.delete(["cat.jpg", key]),
        lambda: storage.copy(key, "a"),
        lambda: storage.copy("cat.jpg", key),
    )
    for use in uses:
        with pytest.raises(InvalidKeyError):
            use()
    assert keys(storage) == ["cat.jpg"]


def test_of_many_equal_writers_one_makes_the_object(storage: Storage) -> None:
    """The others are told that it was there."""
    barrier = threading.Barrier(16)

    def put(_: int) -> bool:
        barrier.wait()
        return storage.put("photos/cat.jpg", b"meow" * 1000).is_new

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(put, range(16))) == 1


def test_of_many_different_writers_one_wins(storage: Storage) -> None:
    """And its object stays."""
    barrier = threading.Barrier(16)

    def put(number: int) -> int | None:
        barrier.wait()
        try:
            return number if storage.put("photos/cat.jpg", f"{number:9}".encode()).is_new else None
        except ObjectExistsError:
            return None

    with ThreadPoolExecutor(16) as pool:
        winners = [number for number in pool.map(put, range(16)) if number is not None]

    assert len(winners) == 1
    assert int(storage.get("photos/cat.jpg")) == winners[0]


def test_putting_and_deleting_do_not_disturb_each_other(storage: Storage) -> None:
    """Also where folders come and go with their objects."""

    def work(number: int) -> None:
        for turn in range(5):
            storage.put(f"deep/er/{number}-{turn}", b"meow")
            storage.delete([f"deep/er/{number}-{turn}"])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))

    assert keys(storage) == []


def test_its_url_opens_it_again(storage: Storage, opener: Opener) -> None:
    """Given the same credentials, in the environment or by hand."""
    storage.put("cat.jpg", b"meow")

    with opener() as again:
        assert again.url == storage.url
        assert again.get("cat.jpg") == b"meow"
    logins = {"s3": LOGIN, "az": AZURE_LOGIN, "sftp": {"password": PASSWORD}}
    with open_storage(storage.url, credentials=logins.get(storage.url.partition(":")[0])) as by_url:
        assert keys(by_url) == ["cat.jpg"]


def test_it_says_where_it_is_and_no_secret(storage: Storage) -> None:
    """Neither in its URL nor in what is printed of it."""
    assert "testtest" not in f"{storage.url} {storage!r} {vars(storage).get('url')}"
    assert storage.url in repr(storage) or "Local" in repr(storage)


def test_it_can_be_flushed_and_closed(storage: Storage) -> None:
    """Any number of times, and used afterwards as if nothing were."""
    storage.flush()
    for number in range(20):
        storage.put(f"{number}.jpg", b"meow")
    storage.put("1.jpg", b"meow")
    storage.delete(["2.jpg"])
    storage.flush()
    storage.flush()
    storage.close()
    storage.close()

    assert storage.get("1.jpg") == b"meow"
    storage.close()


def test_a_file_given_as_source_becomes_the_object(storage: Storage, tmp_path: Path) -> None:
    """Whether it is linked or not."""
    source = tmp_path / "cat.jpg"
    source.write_bytes(b"meow")

    assert storage.put("cat.jpg", source.read_bytes(), source=source).is_new
    with source.open("rb") as file:
        storage.put("again.jpg", iter(lambda: file.read(3), b""), size=4, source=source)
    with pytest.raises(StorageIntegrityError):
        storage.put("wrong.jpg", source.read_bytes(), sha256="0" * 64, source=source)

    assert keys(storage) == ["again.jpg", "cat.jpg"]
    assert storage.get("cat.jpg") == storage.get("again.jpg") == b"meow"
    assert source.read_bytes() == b"meow"
