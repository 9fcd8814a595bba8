"""Where a reader goes, and what it tells there."""

import logging
import socket
import ssl
import subprocess
import sys
import threading
import traceback
from collections.abc import Sequence

import httpcore
import pytest

from synapse_sdk.downloads import HttpReader
from synapse_sdk.errors import DownloadError, DownloadUnavailableError, SynapseError, UnsafeUrlError
from tests.unit.downloads.web import Reply, StubNetwork, at_once, serving

PUBLIC = "93.184.216.34"
OTHER = "93.184.216.35"
CANARY = "c4n4ry"


def read(reader: HttpReader, url: str) -> bytes:
    """Return a whole file."""
    return b"".join(reader.stream(url))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0x7f000001",
        "0x7f.1",
        "2130706433",
        "017700000001",
        "0177.0.0.1",
        "localhost",
        "0",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "１２７.０.０.１",  # noqa: RUF001  as somebody might write it
        "169.254.169.254",
        "[::ffff:169.254.169.254]",
        "10.0.0.1",
        "192.168.0.1",
    ],
)
def test_the_own_network_is_not_asked(host: str) -> None:
    """However its addresses are spelled, as the system reads them."""
    with HttpReader() as reader, pytest.raises(UnsafeUrlError):
        read(reader, f"http://{host}/latest/meta-data/")


@pytest.mark.parametrize("host", ["169.254.169.254", "[fd00:ec2::254]", "[fe80::1]", "0.0.0.0", "224.0.0.1"])  # noqa: S104
def test_some_addresses_are_not_asked_whatever_is_allowed(host: str) -> None:
    """No file is there, but the credentials of this machine may be."""
    with HttpReader(allows_private=True) as reader, pytest.raises(UnsafeUrlError):
        read(reader, f"http://{host}/")


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    """The host is looked up once; the server still hears its name."""
    with serving(Reply(body=b"meow")) as server:
        network = StubNetwork(server.port, {"files.example": [[PUBLIC], ["127.0.0.1"]]})
        with HttpReader(network=network) as reader:
            assert read(reader, "http://files.example:8080/cat.jpg?size=1") == b"meow"

    assert (network.looked_up, network.connected) == (["files.example"], [(PUBLIC, 8080)])
    assert (server.asked[0].target, server.asked[0].headers["host"]) == ("/cat.jpg?size=1", "files.example:8080")


def test_a_host_that_changes_its_address_is_checked_anew() -> None:
    """DNS rebinding: the second answer leads inside."""
    with serving(Reply(body=b"meow", cut_at=2, headers={"ETag": '"1"', "Accept-Ranges": "bytes"})) as server:
        network = StubNetwork(server.port, {"files.example": [[PUBLIC], ["127.0.0.1"]]})
        with HttpReader(network=network, retries=at_once()) as reader, pytest.raises(UnsafeUrlError) as caught:
            read(reader, "http://files.example/cat.jpg")

    assert network.connected == [(PUBLIC, 80)]
    assert "'files.example' has the address 127.0.0.1, which is a loopback address" in str(caught.value)


@pytest.mark.parametrize("addresses", [[PUBLIC, "10.0.0.1"], ["10.0.0.1", PUBLIC], [PUBLIC] * 5 + ["::1"]])
def test_one_unsafe_address_among_others_is_enough(addresses: Sequence[str]) -> None:
    """No connection is made to any of them."""
    network = StubNetwork(9, {"files.example": [addresses]})
    with HttpReader(network=network) as reader, pytest.raises(UnsafeUrlError):
        read(reader, "http://files.example/")

    assert network.connected == []


@pytest.mark.parametrize("location", ["http://127.0.0.1:6379/", "http://inside.example/", "http://169.254.169.254/"])
def test_a_redirect_is_checked_like_the_first_url(location: str) -> None:
    """The way inside is often one hop long."""
    with serving(Reply(status=302, headers={"Location": location})) as server:
        names = {
            "files.example": [[PUBLIC]],
            "inside.example": [["192.168.1.1"]],
            "127.0.0.1": [["127.0.0.1"]],
            "169.254.169.254": [["169.254.169.254"]],
        }
        network = StubNetwork(server.port, names)
        with HttpReader(network=network) as reader, pytest.raises(UnsafeUrlError):
            read(reader, "http://files.example/")

    assert network.connected == [(PUBLIC, 80)]


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://files.example/a", "gopher://127.0.0.1/"])
def test_a_redirect_to_another_scheme_is_refused(location: str) -> None:
    """Only the web is read."""
    with serving(Reply(status=301, headers={"Location": location})) as server:
        with HttpReader(allows_private=True) as reader, pytest.raises(UnsafeUrlError):
            read(reader, server.url())

        assert len(server.asked) == 1


def test_a_redirect_is_followed() -> None:
    """To another public host, which hears its own name."""
    with serving(Reply(status=307, headers={"Location": "http://mirror.example/c"}), Reply(body=b"meow")) as server:
        network = StubNetwork(server.port, {"files.example": [[PUBLIC]], "mirror.example": [[OTHER]]})
        with HttpReader(network=network) as reader:
            assert read(reader, "http://files.example/cat.jpg") == b"meow"

    assert network.connected == [(PUBLIC, 80), (OTHER, 80)]
    assert [asked.headers["host"] for asked in server.asked] == ["files.example", "mirror.example"]


def test_redirects_end() -> None:
    """A loop is an error, after five of them."""
    with serving(Reply(status=302, headers={"Location": "/again"})) as server:
        with (
            HttpReader(allows_private=True, retries=at_once()) as reader,
            pytest.raises(DownloadError, match="It redirects more than 5 times"),
        ):
            read(reader, server.url())

        assert len(server.asked) == 6


def test_a_redirect_to_nowhere_is_an_error() -> None:
    """Its page is not taken for the file."""
    with (
        serving(Reply(status=302, body=b"<html>")) as server,
        HttpReader(allows_private=True) as reader,
        pytest.raises(DownloadError, match="did not say where the file is"),
    ):
        read(reader, server.url())


def test_tls_is_asked_for_by_name(tls: ssl.SSLContext) -> None:
    """The certificate is that of the host, though the connection goes to an address."""
    with serving(Reply(body=b"meow"), tls=tls) as server:
        network = StubNetwork(server.port, {"files.example": [[PUBLIC]]})
        with HttpReader(network=network) as reader:
            assert read(reader, "https://files.example/cat.jpg") == b"meow"

    assert network.connected == [(PUBLIC, 443)]
    assert (server.asked[0].server_name, server.asked[0].headers["host"]) == ("files.example", "files.example")


def test_a_certificate_of_another_host_is_refused(tls: ssl.SSLContext) -> None:
    """Once is enough: trying again does not make it right."""
    with serving(Reply(body=b"meow"), tls=tls) as server:
        network = StubNetwork(server.port, {"other.example": [[PUBLIC]]})
        with HttpReader(network=network) as reader, pytest.raises(DownloadError) as caught:
            read(reader, "https://other.example/cat.jpg")

    assert "Its certificate is not accepted (Hostname mismatch" in str(caught.value)
    assert not caught.value.transient
    assert len(network.connected) == 1


def test_a_redirect_does_not_leave_tls(tls: ssl.SSLContext) -> None:
    """Nobody on the way is to read the file, or to change it."""
    with serving(Reply(status=302, headers={"Location": "http://files.example/"}), tls=tls) as server:
        network = StubNetwork(server.port, {"files.example": [[PUBLIC]]})
        with HttpReader(network=network) as reader, pytest.raises(UnsafeUrlError, match=r"'http://files\.example/'"):
            read(reader, "https://files.example/cat.jpg")

    assert network.connected == [(PUBLIC, 443)]


def test_nothing_is_told_that_was_not_asked_for() -> None:
    """No credentials, no cookies, from wherever they could come."""
    replies = (Reply(headers={"Set-Cookie": "id=1; Path=/"}), Reply(status=302, headers={"Location": "/b"}), Reply())
    with serving(*replies) as server, HttpReader(allows_private=True) as reader:
        read(reader, server.url("/a"))
        read(reader, server.url("/a"))

        for asked in server.asked:
            assert set(asked.headers) == {"host", "accept", "accept-encoding", "user-agent"}
            assert asked.headers["accept-encoding"] == "identity"


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would look up hosts that nobody has checked."""
    with serving(Reply(body=b"proxied")) as proxy, serving(Reply(body=b"meow")) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url(""))
        with HttpReader(allows_private=True) as reader:
            assert read(reader, server.url()) == b"meow"


SECRET = {"Location": f"/b?signature={CANARY}"}


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=404, body=CANARY.encode()),
        Reply(status=403),
        Reply(status=503, headers={"X-Echo": CANARY}),
        Reply(status=302),
        Reply(status=302, headers={"Location": f"ftp://files.example/?{CANARY}"}),
        Reply(status=302, headers={"Location": f"http://u:{CANARY}@files.example/"}),
        Reply(status=302, headers=SECRET),
        Reply(body=b"meow", headers={"Content-Encoding": "gzip"}),
        Reply(body=b"meow", cut_at=2),
        Reply(pieces=[b"meow"], headers={"Content-Length": "30"}),
        Reply(body=b"meow" * 30),
        Reply(headers={"Content-Length": "x"}),
    ],
)
def test_no_error_shows_the_query(reply: Reply, caplog: pytest.LogCaptureFixture) -> None:
    """Not in its text, nor in its traceback, nor in a log."""
    caplog.set_level(logging.INFO)
    with (
        serving(reply) as server,
        HttpReader(allows_private=True, retries=at_once(1)) as reader,
        pytest.raises(SynapseError) as caught,
    ):
        b"".join(reader.stream(server.url(f"/cat.jpg?signature={CANARY}"), most_bytes=50))

    told = "".join(traceback.format_exception(caught.value))
    assert CANARY not in f"{told} {caught.value!r} {caught.value.where} {caplog.text}"
    assert str(server.port) in str(caught.value) or "files.example" in str(caught.value)


class Unresolved(StubNetwork):
    """A network whose name server answers with an error."""

    def __init__(self, number: int) -> None:
        super().__init__(9, {})
        self._number = number

    def resolve(self, host: str, port: int) -> Sequence[str]:
        """Fail."""
        self.looked_up.append(host)
        raise socket.gaierror(self._number, "as the test says")


def test_an_unknown_host_is_looked_up_once() -> None:
    """It will not be known a second later."""
    network = Unresolved(socket.EAI_NONAME)
    with (
        HttpReader(network=network, retries=at_once()) as reader,
        pytest.raises(DownloadError, match=r"Its host is not known \(as the test says\)") as caught,
    ):
        read(reader, "http://files.example/")

    assert (len(network.looked_up), caught.value.transient) == (1, False)


def test_a_name_server_that_fails_is_asked_again() -> None:
    """It may know more a second later."""
    network = Unresolved(socket.EAI_AGAIN)
    with HttpReader(network=network, retries=at_once()) as reader, pytest.raises(DownloadUnavailableError):
        read(reader, "http://files.example/")

    assert len(network.looked_up) == 3


class Unanswered(StubNetwork):
    """A network whose name server never answers."""

    def __init__(self) -> None:
        super().__init__(9, {})
        self.end = threading.Event()

    def resolve(self, host: str, port: int) -> Sequence[str]:
        """Wait for the end of the test."""
        self.end.wait()
        return []


def test_looking_up_a_host_has_a_limit() -> None:
    """The system has none that anybody could set."""
    network = Unanswered()
    with (
        HttpReader(network=network, retries=at_once(1), connect_timeout=0.01) as reader,
        pytest.raises(DownloadUnavailableError, match=r"There was no connection within 0\.01 seconds"),
    ):
        read(reader, "http://files.example/")
    network.end.set()


class HalfThere(StubNetwork):
    """A network in which one address is not reached."""

    def connect(self, address: str, port: int, timeout: float | None) -> httpcore.NetworkStream:
        """Fail for the first address."""
        if address == PUBLIC:
            self.connected.append((address, port))
            msg = "No route to host"
            raise httpcore.ConnectError(msg)
        return super().connect(address, port, timeout)


def test_the_next_address_is_tried() -> None:
    """Many hosts have an IPv6 address that is not reached from everywhere."""
    with serving(Reply(body=b"meow")) as server:
        network = HalfThere(server.port, {"files.example": [[PUBLIC, OTHER]]})
        with HttpReader(network=network, retries=at_once(1)) as reader:
            assert read(reader, "http://files.example/") == b"meow"

    assert network.connected == [(PUBLIC, 80), (OTHER, 80)]


def test_a_host_without_addresses_is_not_reached() -> None:
    """Should there be such an answer."""
    network = StubNetwork(9, {"files.example": [[]]})
    with (
        HttpReader(network=network, retries=at_once(1)) as reader,
        pytest.raises(DownloadUnavailableError, match="the host has no address"),
    ):
        read(reader, "http://files.example/")


def test_naming_the_package_loads_no_client() -> None:
    """Who downloads nothing pays nothing."""
    code = "import sys, synapse_sdk.downloads; print([each for each in ('httpcore', 'ssl') if each in sys.modules])"

    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout

    assert said.strip() == "[]"
