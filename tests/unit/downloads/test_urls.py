import pytest

from synapse_sdk.downloads.urls import WebUrl
from synapse_sdk.errors import UnsafeUrlError

CANARY = "c4n4ry"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("file:///etc/passwd", "its scheme is 'file'"),
        ("ftp://files.example/a", "its scheme is 'ftp'"),
        ("gopher://127.0.0.1:6379/_x", "its scheme is 'gopher'"),
        ("s3://bucket/a", "its scheme is 's3'"),
        ("data:text/plain,x", "its scheme is 'data'"),
        ("files.example/a", "its scheme is ''"),
        ("", "its scheme is ''"),
        ("http:///a", "it is malformed"),
        ("http://", "it is malformed"),
        ("http://files.example:0/a", "it is malformed"),
        ("http://files.example:99999/a", "it is malformed"),
        ("http://files.example:x/a", "it is malformed"),
        ("http://[::1/a", "it is malformed"),
        ("http://[fe80::1%25eth0]/a", "it is malformed"),
        ("http://files.example\\@127.0.0.1/a", "it is malformed"),
        ("http://files.example/a\r\nX-Header: 1", "it is malformed"),
        ("http://fi\tles.example/a", "it is malformed"),
        ("http://files example/a", "it is malformed"),
        ("http://%31%32%37.0.0.1/a", "it is malformed"),
        ("http://a..b/a", "it is malformed"),
        (f"http://{'a' * 64}.example/a", "it is malformed"),
        ("http://user@files.example/a", "it has a user or a password"),
    ],
)
def test_what_is_no_url_of_a_file_on_the_web_is_refused(text: str, why: str) -> None:
    """Before anybody is asked about it."""
    with pytest.raises(UnsafeUrlError) as caught:
        WebUrl.parse(text)

    assert why in str(caught.value)
    assert "Give a whole URL" in str(caught.value)


def test_a_url_is_taken_apart_once() -> None:
    """Every part is sent as it was checked."""
    url = WebUrl.parse("HTTPS://Files.Example:8443/a%20b/cat.jpg?X-Signature=a%2Bb&x=1#part")

    assert (url.scheme, url.host, url.port) == ("https", "files.example", 8443)
    assert url.target == "/a%20b/cat.jpg?X-Signature=a%2Bb&x=1"
    assert url.authority == "files.example:8443"


def test_what_is_not_ascii_is_encoded() -> None:
    """Names of files have spaces and all letters of the world."""
    url = WebUrl.parse("http://bücher.example/고양이 1.jpg?q=é")

    assert url.host == "xn--bcher-kva.example"
    assert url.target == "/%EA%B3%A0%EC%96%91%EC%9D%B4%201.jpg?q=%C3%A9"


@pytest.mark.parametrize(
    ("text", "host", "authority"),
    [
        ("http://[::1]/", "::1", "[::1]"),
        ("http://[::1]:81/", "::1", "[::1]:81"),
        ("https://a.example:443", "a.example", "a.example"),
    ],
)
def test_the_header_host_is_as_http_wants_it(text: str, host: str, authority: str) -> None:
    """Brackets around IPv6, no default port."""
    url = WebUrl.parse(text)

    assert (url.host, url.authority, url.target) == (host, authority, "/")


def test_a_url_is_shown_without_secrets() -> None:
    """A signed link is as good as a password."""
    url = WebUrl.parse(f"https://files.example/a/cat.jpg?X-Signature={CANARY}")

    assert str(url) == "https://files.example/a/cat.jpg"
    assert CANARY not in repr(url)


@pytest.mark.parametrize(
    "text",
    [
        f"ftp://files.example/a?{CANARY}",
        f"http://:{CANARY}@files.example/a",
        f"http://u:{CANARY}@files.example/a",
        f"http://u:{CANARY}@files.example:x/a",
        f"http://u:{CANARY}@[::1/a",
        f"http://fi\nles.example/a#{CANARY}",
        f"http://u:{CANARY}?x@files.example/",
    ],
)
def test_a_url_that_is_refused_is_shown_without_secrets(text: str) -> None:
    """A misspelt link is as secret as the right one."""
    with pytest.raises(UnsafeUrlError) as caught:
        WebUrl.parse(text)

    assert CANARY not in f"{caught.value} {caught.value.where} {caught.value.__cause__}"


def test_a_long_url_is_shown_in_part() -> None:
    """A message stays readable."""
    assert len(str(WebUrl.parse("http://files.example/" + "a" * 5000))) == 300


@pytest.mark.parametrize(
    ("location", "there"),
    [
        (b"/b", "https://files.example:8443/b"),
        (b"b", "https://files.example:8443/a/b"),
        (b"//other.example/b?x=1", "https://other.example/b"),
        (b"https://other.example:1/b", "https://other.example:1/b"),
        ("https://other.example/é".encode(), "https://other.example/%C3%A9"),
        ("https://other.example/é".encode("latin-1"), "https://other.example/%C3%A9"),
    ],
)
def test_a_redirect_is_followed_from_where_it_was(location: bytes, there: str) -> None:
    """As browsers do."""
    assert str(WebUrl.parse("https://files.example:8443/a/cat.jpg?y").follow(location)) == there


@pytest.mark.parametrize(
    "location",
    [b"http://files.example/", b"file:///etc/passwd", b"javascript:alert(1)", b"https://[::1", b"http://\\x"],
)
def test_a_redirect_does_not_lead_away_from_the_web_or_from_secrecy(location: bytes) -> None:
    """Nobody on the way is to read what was meant to be secret."""
    with pytest.raises(UnsafeUrlError):
        WebUrl.parse("https://files.example/").follow(location)
