"""How a file is gone on with after its connection broke, and when it is not."""

import pytest

from synapse_sdk.downloads import HttpReader
from synapse_sdk.errors import DownloadError, DownloadIntegrityError, DownloadUnavailableError
from tests.unit.downloads.web import Asked, Reply, at_once, serving

TAG = {"ETag": '"1"', "Accept-Ranges": "bytes"}
DATES = {"Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT", "Date": "Thu, 01 Jan 2026 00:00:01 GMT"}
CUT = Reply(body=b"0123456789", cut_at=4, headers=TAG)


def rest(start: int = 4, *, total: str = "10", body: bytes = b"456789", tag: str = '"1"') -> Reply:
    """Return an answer with the rest of the file."""
    last = start + len(body) - 1
    return Reply(status=206, body=body, headers={"Content-Range": f"bytes {start}-{last}/{total}", "ETag": tag})


def read(*replies: Reply, most_bytes: int | None = None) -> tuple[bytes, list[Asked]]:
    """Return a file, read from these answers, and what was asked for."""
    with serving(*replies) as server, HttpReader(allows_private=True, retries=at_once(len(replies))) as reader:
        content = b"".join(reader.stream(server.url("/digits?signature=1"), most_bytes=most_bytes))
        return content, server.asked


def conditions(asked: Asked) -> tuple[str | None, str | None]:
    """Return what a request says about parts."""
    return asked.headers.get("range"), asked.headers.get("if-range")


def test_only_the_rest_is_asked_for() -> None:
    """Under the condition that the file is still the same; with the same query."""
    content, asked = read(CUT, rest())

    assert content == b"0123456789"
    assert [conditions(each) for each in asked] == [(None, None), ("bytes=4-", '"1"')]
    assert {each.target for each in asked} == {"/digits?signature=1"}


def test_the_rest_may_break_as_well() -> None:
    """Each try goes on behind the last byte."""
    breaking = Reply(status=206, body=b"456789", cut_at=3, headers={"Content-Range": "bytes 4-9/10", **TAG})

    content, asked = read(CUT, breaking, rest(7, body=b"789"))

    assert content == b"0123456789"
    assert [conditions(each)[0] for each in asked] == [None, "bytes=4-", "bytes=7-"]


def test_less_than_the_rest_is_gone_on_with() -> None:
    """A server may answer with a smaller part than it was asked for."""
    content, asked = read(CUT, rest(body=b"45"), rest(6, body=b"6789"))

    assert content == b"0123456789"
    assert conditions(asked[-1])[0] == "bytes=6-"


def test_a_date_of_change_does_as_well() -> None:
    """If there is no ETag that means the very bytes."""
    headers = {**DATES, "Accept-Ranges": "bytes", "ETag": 'W/"1"'}
    broken = Reply(body=b"0123456789", cut_at=4, headers=headers)

    content, asked = read(broken, Reply(status=206, body=b"456789", headers={"Content-Range": "bytes 4-9/10"}))

    assert content == b"0123456789"
    assert conditions(asked[-1]) == ("bytes=4-", DATES["Last-Modified"])


def test_the_rest_need_not_repeat_what_is_known() -> None:
    """Only what contradicts it counts."""
    first = Reply(body=b"0123456789", cut_at=4, headers={**TAG, **DATES})

    content, _ = read(first, Reply(status=206, body=b"456789", headers={"Content-Range": "bytes 4-9/10", **DATES}))

    assert content == b"0123456789"


def test_a_whole_file_is_skipped_as_far_as_it_is_known() -> None:
    """When the server gives no parts."""
    whole = Reply(body=b"0123456789", headers={"ETag": '"1"'})
    broken = Reply(body=b"0123456789", cut_at=4, headers={"ETag": '"1"'})

    content, asked = read(broken, broken, whole)

    assert content == b"0123456789"
    assert [conditions(each) for each in asked] == [(None, None)] * 3


def test_a_file_begins_anew_while_nothing_was_given_out() -> None:
    """It may be another one by then."""
    broken = Reply(body=b"0123456789", cut_at=0, headers={"ETag": '"0"'})

    content, asked = read(broken, Reply(body=b"abc"))

    assert (content, conditions(asked[-1])) == (b"abc", (None, None))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"ETag": 'W/"1"'},
        {"Accept-Ranges": "bytes"},
        {**DATES, "Date": DATES["Last-Modified"]},
        {"Last-Modified": DATES["Last-Modified"]},
        {"Last-Modified": "yesterday", "Date": DATES["Date"]},
    ],
)
def test_a_file_that_cannot_be_told_from_another_is_not_gone_on_with(headers: dict[str, str]) -> None:
    """What was given out cannot be taken back; the caller may begin anew."""
    broken = Reply(body=b"0123456789", cut_at=4, headers=headers)
    with serving(broken) as server, HttpReader(allows_private=True, retries=at_once(5)) as reader:
        with pytest.raises(DownloadUnavailableError):
            list(reader.stream(server.url()))

        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(body=b"abcdefghij", headers={"ETag": '"2"'}), "it has changed meanwhile"),
        (Reply(body=b"abcdefghij"), "it has changed meanwhile"),
        (Reply(body=b"abc", headers=TAG), "its size is another one now"),
        (rest(tag='"2"'), "it has changed meanwhile"),
        (rest(3), "the server sent another part"),
        (rest(5), "the server sent another part"),
        (rest(total="11"), "its size is another one now"),
        (rest(body=b"456789abc"), "more bytes came than there should be"),
        (Reply(status=206, body=b"456789", headers=TAG), "the server sent another part"),
        (
            Reply(status=206, body=b"456789", headers={"Content-Range": "bytes four-nine/10"}),
            "the server sent another part",
        ),
        (Reply(status=416, headers={"Content-Range": "bytes */4"}), "its size is another one now"),
        (Reply(status=416, headers={"Content-Range": "bytes */10"}), "its size is another one now"),
        (Reply(status=416), "its size is another one now"),
    ],
)
def test_a_file_that_changed_is_never_put_together(reply: Reply, why: str) -> None:
    """Two halves of different files would be a file that never was."""
    with pytest.raises(DownloadIntegrityError) as caught:
        read(CUT, reply)

    assert f"After 4 bytes the connection broke, and then {why}" in str(caught.value)
    assert caught.value.transient


def test_a_file_may_have_been_whole_when_its_connection_broke() -> None:
    """The server says that there is nothing behind the last byte."""
    unfinished = Reply(pieces=[b"4\r\n0123\r\n"], headers={"Transfer-Encoding": "chunked", **TAG})

    content, asked = read(unfinished, Reply(status=416, headers={"Content-Range": "bytes */4"}))

    assert (content, conditions(asked[-1])[0]) == (b"0123", "bytes=4-")


def test_the_size_may_become_known_later() -> None:
    """It holds from then on."""
    unfinished = Reply(pieces=[b"4\r\n0123\r\n"], headers={"Transfer-Encoding": "chunked", **TAG})

    with pytest.raises(DownloadError, match="It has more than 9 bytes"):
        read(unfinished, rest(), most_bytes=9)


def test_an_error_in_between_is_not_the_rest() -> None:
    """A page that says so is not, either."""
    content, _ = read(CUT, Reply(status=503, body=b"<html>"), rest())

    assert content == b"0123456789"
