"""The network before an object store breaks: nothing is lost, stored twice, or stored wrong (F14, F15, F39)."""

import http.client
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from synapse_sdk.errors import (
    ObjectExistsError,
    StorageDeniedError,
    StorageError,
    StorageIntegrityError,
    StorageUnavailableError,
)
from synapse_sdk.storage import Storage, open_storage
from synapse_sdk.testing import (
    CutDownload,
    CutUpload,
    Duplicate,
    FaultProxy,
    LostReply,
    Reset,
    Status,
)
from synapse_sdk.testing.faults import OK, Blackhole, Fault
from tests.conformance.s3_server import LOGIN, S3Server

LARGE = 20 << 20
COMPLETING = 6
"""The number of the request that completes such an upload."""
CONTENT = bytes(range(250)) * 200


@pytest.fixture
def bucket(moto: S3Server) -> str:
    """An empty bucket."""
    return moto.make_bucket()


@pytest.fixture
def proxy(moto: S3Server) -> Iterator[FaultProxy]:
    """A network that fails on purpose."""
    with FaultProxy("127.0.0.1", moto.port) as proxy:
        yield proxy


@pytest.fixture
def storage(proxy: FaultProxy, bucket: str) -> Storage:
    """A storage behind it, whose patience is short."""
    return open_storage(f"s3://{bucket}?endpoint={proxy.url}&timeout=1", credentials=LOGIN)


@pytest.fixture
def beside(moto: S3Server, bucket: str) -> Storage:
    """The same storage, without the proxy."""
    return open_storage(f"s3://{bucket}?endpoint={moto.endpoint}", credentials=LOGIN)


def pieces(size: int = LARGE) -> Iterator[bytes]:
    """Yield large content."""
    return (bytes([at >> 20 & 255]) * min(1 << 20, size - at) for at in range(0, size, 1 << 20))


SURVIVED: tuple[Fault, ...] = (
    Status(503, retry_after=0),
    Status(500),
    Reset(),
    CutUpload(after=10_000),
    LostReply(),
    Duplicate(),
)


@pytest.mark.parametrize("fault", SURVIVED, ids=lambda fault: type(fault).__name__)
def test_a_put_survives_what_passes(storage: Storage, proxy: FaultProxy, beside: Storage, fault: Fault) -> None:
    """And it is this put that has made the object, even if the answer to it was lost."""
    proxy.faults([fault])

    result = storage.put("cat.jpg", CONTENT)

    assert result.is_new
    assert beside.get("cat.jpg") == CONTENT


def test_one_of_ten_requests_breaks(storage: Storage, proxy: FaultProxy, beside: Storage) -> None:
    """And still every object is there, and each was made once."""
    proxy.faults([SURVIVED[turn // 10 % 5] if turn % 10 == 3 else OK for turn in range(400)])

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda n: storage.put(f"t/{n}", f"{n} ".encode() * 5000), range(60)))

    assert all(result.is_new for result in results)
    assert {info.key for info in beside.list("t/")} == {f"t/{n}" for n in range(60)}
    assert all(beside.checksum(result.key) == result.sha256 for result in results)


def test_a_lost_answer_does_not_hide_a_conflict(storage: Storage, proxy: FaultProxy, beside: Storage) -> None:
    """What somebody else has put is still somebody else's."""
    beside.put("cat.jpg", b"theirs")
    proxy.faults([LostReply()])

    with pytest.raises(ObjectExistsError):
        storage.put("cat.jpg", CONTENT)

    assert beside.get("cat.jpg") == b"theirs"


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param([*[OK] * number, fault], marks=() if number == COMPLETING else pytest.mark.full)
        for number in range(COMPLETING + 1)
        for fault in (Status(503), Reset(), LostReply())
    ],
)
def test_a_large_put_survives_what_passes(
    storage: Storage, proxy: FaultProxy, beside: Storage, moto: S3Server, faults: list[Fault]
) -> None:
    """Whichever request it befalls: asking, beginning, a part, asking again, or completing."""
    bucket = storage.url.removeprefix("s3://").partition("/")[0]
    proxy.faults(faults)

    result = storage.put("film.mp4", pieces(), size=LARGE)

    assert result.is_new
    assert beside.checksum("film.mp4") == result.sha256
    # When the answer to the beginning is lost, it is begun a second time, and nobody knows of the first one.
    assert len(moto.unfinished(bucket)) <= 1
    assert beside.abort_unfinished() <= 1
    assert moto.unfinished(bucket) == []


@pytest.mark.parametrize(
    "fault", [Status(503), *(pytest.param(fault, marks=pytest.mark.full) for fault in (Reset(), Blackhole()))]
)
def test_a_storage_that_stays_away_is_unavailable(storage: Storage, proxy: FaultProxy, fault: Fault) -> None:
    """Every method says so, names what it was about, and that trying again may help."""
    proxy.faults(fault)
    uses: tuple[Callable[[], object], ...] = (
        lambda: storage.put("cat.jpg", CONTENT),
        lambda: storage.stat("cat.jpg"),
    )
    for use in (
        uses
        if isinstance(fault, Blackhole)
        else (
            *uses,
            lambda: storage.get("cat.jpg"),
            lambda: list(storage.list("cat")),
            lambda: storage.delete(["cat.jpg"]),
            lambda: storage.abort_unfinished("cat"),
            lambda: storage.put("film.mp4", pieces(), size=LARGE),
        )
    ):
        with pytest.raises(StorageUnavailableError) as caught:
            use()
        assert caught.value.transient
        assert storage.url in caught.value.message


def test_a_body_that_was_cut_is_not_taken_for_whole(storage: Storage, proxy: FaultProxy, beside: Storage) -> None:
    """It is read again where it broke off, or is an error; never less than all of it."""
    beside.put("cat.jpg", CONTENT)

    proxy.faults([CutDownload(after=1000)])
    try:
        assert storage.get("cat.jpg") == CONTENT
    except StorageError as error:
        assert error.transient  # noqa: PT017  # either is right
    proxy.faults(CutDownload(after=1000))
    with pytest.raises(StorageError) as caught:
        storage.get("cat.jpg")
    assert caught.value.transient


def test_what_is_refused_is_denied(storage: Storage, proxy: FaultProxy) -> None:
    """It does not help to try again."""
    proxy.faults(Status(403))

    for use in (lambda: storage.put("cat.jpg", CONTENT), lambda: storage.stat("cat.jpg"), storage.abort_unfinished):
        with pytest.raises(StorageDeniedError) as caught:
            use()
        assert not caught.value.transient


class _Flipping(BaseHTTPRequestHandler):
    """Passes requests on, and changes one bit of every body that is stored."""

    protocol_version = "HTTP/1.1"
    port = 0
    is_flipping = True

    def _pass(self) -> None:
        body = bytearray(self.rfile.read(int(self.headers.get("content-length", 0))))
        if self.command == "PUT" and body and self.is_flipping:
            body[len(body) // 2] ^= 1
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(self.command, self.path, bytes(body), dict(self.headers.items()))
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"connection", "content-length", "server", "date", "transfer-encoding"}:
                self.send_header(name, value)
        length = answer.getheader("content-length") if self.command == "HEAD" else str(len(content))
        self.send_header("content-length", length or "0")
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass  # noqa: N815  # as the library calls them

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def flipping(port: int) -> Iterator[str]:
    """Yield the address of a network that changes bits, before a server that does not notice."""
    handler = type("Handler", (_Flipping,), {"port": port})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("size", [50_000, LARGE])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_changed_bit_is_noticed(moto: S3Server, bucket: str, beside: Storage, size: int, *, overwrite: bool) -> None:
    """Also where the server checks nothing: what it has is compared with what was sent, and deleted."""
    with flipping(moto.port) as endpoint:
        storage = open_storage(f"s3://{bucket}?endpoint={endpoint}", credentials=LOGIN)

        with pytest.raises(StorageIntegrityError) as caught:
            storage.put("cat.jpg", pieces(size), size=size, overwrite=overwrite)

    assert caught.value.transient
    assert list(beside.list()) == []
    assert beside.put("cat.jpg", pieces(size), size=size).is_new
